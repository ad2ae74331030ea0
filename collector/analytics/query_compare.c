/* query_compare.c: two periods, or two filters, side by side. */
#include "analytics/reading.h"
#include "base/bytes.h"

enum { LABEL_BYTES_MAX = 100, RULE_BYTES_MAX = 16384 };

static cairn__fault_path at_key(const char *name) {
    return cairn__fault_key(cairn__fault_key((cairn__fault_path){ { 0 } }, "compare"), name);
}

static bool read_shift(cairn__reading *reading, const json_t *value) {
    cairn_span text = { NULL, 0 };
    cairn__when_step step;
    cairn__query *query = reading->query;
    if (!cairn__reading_text(reading, value, at_key("shift"), 1000, &text)) {
        return false;
    }
    if (!cairn__when_step_read(text, &step) || step.count == 0) {
        CAIRN__READING_FAULT(reading, "bad_duration", at_key("shift"), "`%.*s` is not a shift",
                             text.len > 100 ? 100 : (int)text.len, (const char *)text.data);
        return CAIRN__READING_FIX(reading,
                                  "write minus, a number and m, h, d, w, M (month) or y: -7d, -1M");
    }
    query->sides[1] = query->sides[0];
    query->sides[1].from_ms = cairn__when_step_from(query->zone, query->sides[0].from_ms, step);
    query->sides[1].to_ms = cairn__when_step_from(query->zone, query->sides[0].to_ms, step);
    query->sides[0].label = CAIRN_STR("current");
    query->side_count = 2;
    return cairn__reading_copy(reading, text, &query->sides[1].label);
}

static bool bad_list(cairn__reading *reading, cairn__fault_path at, const char *what) {
    CAIRN__READING_FAULT(reading, "bad_list", at, "%s must be a list of two", at.text);
    return CAIRN__READING_FIX(reading, "write %s", what);
}

static bool read_filters(cairn__reading *reading, const json_t *filters, const json_t *names) {
    cairn__query *query = reading->query;
    if (json_array_size(filters) != 2) {
        return bad_list(reading, at_key("filters"), "[\"user.vip = true\", \"user.vip != true\"]");
    }
    if (names != NULL && json_array_size(names) != 2) {
        return bad_list(reading, at_key("names"), "[\"vip\", \"others\"]");
    }
    query->sides[1] = query->sides[0];
    query->side_count = 2;
    for (size_t i = 0; i < 2; i++) {
        const json_t *label = json_array_get(names != NULL ? names : filters, i);
        cairn__fault_path at = cairn__fault_item(at_key(names != NULL ? "names" : "filters"), i);
        if (!cairn__reading_rule(reading, json_array_get(filters, i),
                                 cairn__fault_item(at_key("filters"), i),
                                 CAIRN__RULE_EVENT | CAIRN__RULE_USER, &query->sides[i].filter) ||
            !cairn__reading_text(reading, label, at,
                                 names != NULL ? LABEL_BYTES_MAX : RULE_BYTES_MAX,
                                 &query->sides[i].label) ||
            !cairn__reading_copy(reading, query->sides[i].label, &query->sides[i].label)) {
            return false;
        }
    }
    if (cairn__span_equal(query->sides[0].label, query->sides[1].label)) {
        return bad_list(reading, at_key("names"), "two different names");
    }
    return true;
}

bool cairn__reading_compare(cairn__reading *reading, const json_t *json) {
    static const char *const keys[] = { "shift", "filters", "names" };
    const json_t *value = json_object_get(json, "compare");
    if (value == NULL) {
        return true;
    }
    cairn__fault_path at = cairn__fault_key((cairn__fault_path){ { 0 } }, "compare");
    const json_t *shift = json_object_get(value, "shift");
    const json_t *filters = json_object_get(value, "filters");
    const json_t *names = json_object_get(value, "names");
    if (!cairn__reading_object(reading, value, at, CAIRN__READING_WORDS(keys))) {
        return false;
    }
    if ((shift == NULL) == (filters == NULL) || (shift != NULL && names != NULL)) {
        CAIRN__READING_FAULT(reading, "conflict", at, "compare takes either shift or filters");
        return CAIRN__READING_FIX(reading,
                                  "write {\"shift\": \"-1M\"} or "
                                  "{\"filters\": [RULE, RULE], \"names\": [\"a\", \"b\"]}");
    }
    return shift != NULL ? read_shift(reading, shift) : read_filters(reading, filters, names);
}
