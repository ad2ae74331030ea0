#include "analytics/query.h"

#include "analytics/reading.h"
#include "base/bytes.h"

static const char *const models[] = { "event", "funnel" };

/* Those of the design that this version does not have yet. */
static const char *const later_models[] = { "retention", "distribution", "path", "attribution",
                                            "interval",  "session",      "ltv",  "heatmap",
                                            "property",  "lifecycle",    "rfm" };

static const char *const event_keys[] = {
    "model",    "from",    "to",     "timezone",   "filter",
    "audience", "by",      "limit",  "unit",       "compare",
    "sample",   "members", "series", "cumulative", "moving_average",
};

static const char *const funnel_keys[] = {
    "model", "from", "to",      "timezone", "filter",  "audience", "by",
    "limit", "unit", "compare", "sample",   "members", "steps",    "window",
    "order", "hold", "exclude", "between",  "entry",   "end",      "times",
};

static cairn__fault_path root(void) {
    return (cairn__fault_path){ { 0 } };
}

static bool read_model(cairn__reading *reading, const json_t *json) {
    cairn_span text = { NULL, 0 };
    size_t index;
    cairn__fault_path at = cairn__fault_key(root(), "model");
    if (!json_is_object(json)) {
        CAIRN__READING_FAULT(reading, "wrong_type", root(), "the query must be an object");
        return CAIRN__READING_FIX(reading, "write {\"model\": \"event\", \"from\": \"-7d\", ...}");
    }
    if (!cairn__reading_text(reading, json_object_get(json, "model"), at, 1000, &text)) {
        return CAIRN__READING_FIX(reading, "add \"model\": \"event\" or \"funnel\"");
    }
    for (size_t i = 0; i < sizeof later_models / sizeof later_models[0]; i++) {
        if (cairn__span_equal(text, cairn__span_of(later_models[i]))) {
            CAIRN__READING_FAULT(reading, "model_not_available", at,
                                 "model not available in this version: %s", later_models[i]);
            return CAIRN__READING_FIX(reading, "available are: event, funnel");
        }
    }
    if (!cairn__reading_choice(reading, json_object_get(json, "model"), at,
                               CAIRN__READING_WORDS(models), &index)) {
        return false;
    }
    reading->query->model = (cairn__query_model)index;
    return cairn__reading_object(reading, json, root(),
                                 index == 0 ? CAIRN__READING_WORDS(event_keys)
                                            : CAIRN__READING_WORDS(funnel_keys));
}

/* Minutes of ten years would be millions of rows. */
static bool check_units(cairn__reading *reading) {
    const cairn__query *query = reading->query;
    for (size_t i = 0; query->has_unit && i < query->side_count; i++) {
        int64_t at = cairn__unit_start(query->zone, query->unit, query->sides[i].from_ms);
        size_t count = 0;
        while (at < query->sides[i].to_ms && count <= CAIRN__QUERY_UNITS_MAX) {
            at = cairn__unit_add(query->zone, query->unit, at, 1);
            count++;
        }
        if (count > CAIRN__QUERY_UNITS_MAX) {
            CAIRN__READING_FAULT(reading, "too_many_units", cairn__fault_key(root(), "unit"),
                                 "the range has more than %d units of one %s",
                                 (int)CAIRN__QUERY_UNITS_MAX, cairn__query_unit_name(query->unit));
            return CAIRN__READING_FIX(reading, "take a longer unit or a shorter range");
        }
    }
    return true;
}

/* The model's own keys come before `by`, whose "@2" needs to know the steps. */
static bool read_all(cairn__reading *reading, const json_t *json) {
    if (!read_model(reading, json)) {
        return false;
    }
    bool is_funnel = reading->query->model == CAIRN__QUERY_FUNNEL;
    if (is_funnel && !cairn__reading_funnel(reading, json)) {
        return false;
    }
    return cairn__reading_shared(reading, json) && cairn__reading_by(reading, json) &&
           (is_funnel || cairn__reading_event(reading, json)) &&
           cairn__reading_compare(reading, json) && check_units(reading) &&
           cairn__reading_members(reading, json);
}

static bool parse(cairn_span json, const cairn__query_frame *frame, json_t **json_out) {
    json_error_t error;
    if (json.len > CAIRN__QUERY_BYTES_MAX) {
        cairn__fault(frame->problem, "too_large", root(), "the query has %zu bytes", json.len);
        return cairn__fault_fix(frame->problem, "send at most %d bytes",
                                (int)CAIRN__QUERY_BYTES_MAX);
    }
    *json_out = json_loadb((const char *)json.data, json.len, JSON_REJECT_DUPLICATES, &error);
    if (*json_out == NULL) {
        cairn__fault(frame->problem, "bad_json", root(), "line %d, column %d: %s", error.line,
                     error.column, error.text);
        return cairn__fault_fix(frame->problem, "send one JSON object");
    }
    return true;
}

cairn_status cairn__query_read(cairn_span json, const cairn__query_frame *frame,
                               cairn__query *query_out) {
    json_t *parsed = NULL;
    cairn__reading reading = { .frame = frame, .query = query_out };
    *query_out = (cairn__query){ 0 };
    *frame->problem = (cairn__analyze_problem){ 0 };
    bool good = parse(json, frame, &parsed) && read_all(&reading, parsed);
    json_decref(parsed);
    if (good) {
        return CAIRN_OK;
    }
    return reading.no_memory ? CAIRN_NO_MEMORY : CAIRN_INVALID;
}
