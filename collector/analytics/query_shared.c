/* query_shared.c: the keys that every model shares: time, filter, groups, sample. */
#include "analytics/reading.h"
#include "base/bytes.h"

enum { RULE_BYTES_MAX = 16384 };

static cairn__fault_path key(const char *name) {
    return cairn__fault_key((cairn__fault_path){ { 0 } }, name);
}

static const char *const unit_names[] = { "minute", "hour",    "day", "week",
                                          "month",  "quarter", "year" };

const char *cairn__query_unit_name(cairn__unit unit) {
    return unit_names[unit];
}

/* --- time --- */

static bool read_zone(cairn__reading *reading, const json_t *json) {
    const json_t *value = json_object_get(json, "timezone");
    cairn_span name = reading->frame->project_zone;
    if (value != NULL && !cairn__reading_text(reading, value, key("timezone"), 100, &name)) {
        return false;
    }
    if (name.len == 0) {
        name = CAIRN_STR("UTC");
    }
    cairn__query *query = reading->query;
    const cairn__analyze_zones *zones = reading->frame->zones;
    query->zone = zones->find == NULL ? NULL : zones->find(zones->self, name);
    if (query->zone == NULL && !cairn__span_equal(name, CAIRN_STR("UTC"))) {
        CAIRN__READING_FAULT(reading, "unknown_zone", key("timezone"),
                             "`%.*s` is not a time zone of this machine", (int)name.len,
                             (const char *)name.data);
        return CAIRN__READING_FIX(reading, "write an IANA name, such as Asia/Shanghai or UTC");
    }
    return cairn__reading_copy(reading, name, &query->zone_name);
}

static bool read_moment(cairn__reading *reading, const json_t *json, const char *name,
                        int64_t *ms_out) {
    cairn_span text = { NULL, 0 };
    bool is_end = strcmp(name, "to") == 0;
    const json_t *value = json_object_get(json, name);
    if (!cairn__reading_text(reading, value, key(name), 1000, &text)) {
        return value != NULL ? false
                             : CAIRN__READING_FIX(reading, "add \"%s\": \"%s\"", name,
                                                  is_end ? "now" : "-30d");
    }
    if (cairn__when_read(text, reading->query->zone, reading->frame->now_ms, is_end, ms_out)) {
        return true;
    }
    CAIRN__READING_FAULT(reading, "bad_time", key(name), "`%.*s` is not a time",
                         text.len > 100 ? 100 : (int)text.len, (const char *)text.data);
    return CAIRN__READING_FIX(reading, "write a date such as 2026-08-01, an instant such as "
                                       "2026-08-01T10:00:00Z, now, or -30d");
}

static bool read_range(cairn__reading *reading, const json_t *json) {
    cairn__query_side *side = &reading->query->sides[0];
    reading->query->side_count = 1;
    if (!read_moment(reading, json, "from", &side->from_ms) ||
        !read_moment(reading, json, "to", &side->to_ms)) {
        return false;
    }
    if (side->from_ms >= side->to_ms) {
        CAIRN__READING_FAULT(reading, "bad_range", key("to"), "the range ends before it begins");
        return CAIRN__READING_FIX(reading, "make `from` earlier than `to`");
    }
    return true;
}

static bool read_unit_word(cairn__reading *reading, const json_t *value, cairn__fault_path at) {
    size_t index;
    cairn__query *query = reading->query;
    if (!cairn__reading_choice(reading, value, at, CAIRN__READING_WORDS(unit_names), &index)) {
        return false;
    }
    if (query->has_unit && query->unit != (cairn__unit)index) {
        CAIRN__READING_FAULT(reading, "conflict", at, "the query names two units of time");
        return CAIRN__READING_FIX(reading, "keep `unit` or the {\"time\": ...} of `by`");
    }
    query->has_unit = true;
    query->unit = (cairn__unit)index;
    return true;
}

/* --- by --- */

static bool read_bins(cairn__reading *reading, const json_t *list, cairn__fault_path at,
                      cairn__query_by *by) {
    size_t count = json_array_size(list);
    double *edges = cairn__arena_alloc_zero(reading->frame->arena, count + 1, sizeof *edges);
    if (edges == NULL) {
        return cairn__reading_no_memory(reading);
    }
    bool good = count >= 1 && count <= CAIRN__QUERY_BINS_MAX;
    for (size_t i = 0; good && i < count; i++) {
        const json_t *edge = json_array_get(list, i);
        edges[i] = json_number_value(edge);
        good = json_is_number(edge) && (i == 0 || edges[i] > edges[i - 1]);
    }
    if (!good) {
        CAIRN__READING_FAULT(reading, "bad_list", at, "bins are 1 to %d numbers that grow",
                             (int)CAIRN__QUERY_BINS_MAX);
        return CAIRN__READING_FIX(reading, "write [0, 100, 500]: below 0, [0, 100), [100, 500), "
                                           "500 and above");
    }
    by->bins = edges;
    by->bin_count = count;
    return true;
}

static bool read_by_text(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                         cairn__query_by *by) {
    cairn_span text = { NULL, 0 };
    uint32_t *step = reading->query->model == CAIRN__QUERY_FUNNEL ? &by->step : NULL;
    return cairn__reading_text(reading, value, at, 200, &text) &&
           cairn__reading_fact(reading, text, at, step, &by->fact) &&
           cairn__reading_copy(reading, text, &by->label);
}

static bool read_by_object(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                           bool *is_time) {
    static const char *const keys[] = { "bins", "of", "time" };
    cairn__query *query = reading->query;
    cairn__query_by *by = &query->by[query->by_count];
    const json_t *time = json_object_get(value, "time");
    if (!cairn__reading_object(reading, value, at, CAIRN__READING_WORDS(keys))) {
        return false;
    }
    *is_time = time != NULL;
    if (time == NULL) {
        return read_by_text(reading, json_object_get(value, "of"), cairn__fault_key(at, "of"),
                            by) &&
               read_bins(reading, json_object_get(value, "bins"), cairn__fault_key(at, "bins"), by);
    }
    if (json_object_size(value) != 1) {
        CAIRN__READING_FAULT(reading, "conflict", at, "`time` stands alone");
        return CAIRN__READING_FIX(reading, "write {\"time\": \"day\"}");
    }
    return read_unit_word(reading, time, cairn__fault_key(at, "time"));
}

static bool check_label(cairn__reading *reading, cairn__fault_path at) {
    const cairn__query *query = reading->query;
    for (size_t i = 0; i < query->by_count; i++) {
        if (cairn__span_equal(query->by[i].label, query->by[query->by_count].label)) {
            CAIRN__READING_FAULT(reading, "duplicate", at, "the same group twice");
            return CAIRN__READING_FIX(reading, "take one of them away");
        }
    }
    return true;
}

static bool read_by_item(cairn__reading *reading, const json_t *value, cairn__fault_path at) {
    cairn__query *query = reading->query;
    cairn__query_by *by = &query->by[query->by_count];
    bool is_time = false;
    *by = (cairn__query_by){ 0 };
    if (json_is_object(value) ? !read_by_object(reading, value, at, &is_time)
                              : !read_by_text(reading, value, at, by)) {
        return false;
    }
    if (!is_time && !check_label(reading, at)) {
        return false;
    }
    query->by_count += is_time ? 0 : 1;
    return true;
}

bool cairn__reading_by(cairn__reading *reading, const json_t *json) {
    const json_t *list = json_object_get(json, "by");
    size_t count = json_array_size(list);
    if (list == NULL) {
        return true;
    }
    if (!json_is_array(list) || count > CAIRN__QUERY_BY_MAX) {
        CAIRN__READING_FAULT(reading, "bad_list", key("by"), "`by` is a list of at most %d",
                             (int)CAIRN__QUERY_BY_MAX);
        return CAIRN__READING_FIX(reading, "write [\"user.province\"]");
    }
    for (size_t i = 0; i < count; i++) {
        if (!read_by_item(reading, json_array_get(list, i), cairn__fault_item(key("by"), i))) {
            return false;
        }
    }
    return true;
}

/* --- who --- */

static bool is_name(cairn_span text) {
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c < 0x80) {
            return false;
        }
    }
    return true;
}

static bool read_audience(cairn__reading *reading, const json_t *json) {
    cairn_span text = { NULL, 0 };
    const json_t *value = json_object_get(json, "audience");
    if (value == NULL) {
        return true;
    }
    if (!cairn__reading_text(reading, value, key("audience"), RULE_BYTES_MAX, &text)) {
        return false;
    }
    if (is_name(text)) {
        CAIRN__READING_FAULT(reading, "unknown_audience", key("audience"),
                             "no audience is called `%.*s`: none can be defined in this version",
                             text.len > 80 ? 80 : (int)text.len, (const char *)text.data);
        return CAIRN__READING_FIX(reading, "write its rule here, such as user.vip_level >= 3");
    }
    return cairn__reading_rule(reading, value, key("audience"), CAIRN__RULE_USER,
                               &reading->query->audience);
}

static bool read_sample(cairn__reading *reading, const json_t *json) {
    const json_t *value = json_object_get(json, "sample");
    reading->query->sample = value == NULL ? 1 : json_number_value(value);
    if (!(reading->query->sample > 0) || reading->query->sample > 1) {
        CAIRN__READING_FAULT(reading, "out_of_range", key("sample"),
                             "sample is a part of the persons: above 0, at most 1");
        return CAIRN__READING_FIX(reading, "write 0.1 to read every tenth person");
    }
    return true;
}

static bool read_limit(cairn__reading *reading, const json_t *json) {
    const cairn__reading_bounds bounds = { 1, CAIRN__QUERY_LIMIT_MAX };
    const json_t *value = json_object_get(json, "limit");
    int64_t limit = CAIRN__QUERY_LIMIT_DEFAULT;
    if (value != NULL && !cairn__reading_integer(reading, value, key("limit"), bounds, &limit)) {
        return false;
    }
    reading->query->limit = (uint32_t)limit;
    return true;
}

bool cairn__reading_shared(cairn__reading *reading, const json_t *json) {
    const json_t *unit = json_object_get(json, "unit");
    const json_t *filter = json_object_get(json, "filter");
    return read_zone(reading, json) && read_range(reading, json) &&
           (unit == NULL || read_unit_word(reading, unit, key("unit"))) &&
           (filter == NULL ||
            cairn__reading_rule(reading, filter, key("filter"),
                                CAIRN__RULE_EVENT | CAIRN__RULE_USER, &reading->query->filter)) &&
           read_audience(reading, json) && read_sample(reading, json) && read_limit(reading, json);
}
