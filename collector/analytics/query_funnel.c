/* query_funnel.c: the keys of model `funnel`. Steps are the first patterns of the query. */
#include "analytics/reading.h"
#include "base/bytes.h"
#include "base/civil.h"

enum {
    LABEL_BYTES_MAX = 200,
    WINDOW_DAYS_DEFAULT = 7,
    BETWEEN_MAX = 20,
};

static const char *const orders[] = { "gaps", "strict", "any" };
static const char *const entries[] = { "latest", "first", "every" };
static const char *const ends[] = { "window", "range" };

static cairn__fault_path key(const char *name) {
    return cairn__fault_key((cairn__fault_path){ { 0 } }, name);
}

static bool has_name(const cairn__query_pattern *pattern, cairn_span name) {
    for (size_t i = 0; i < pattern->name_count; i++) {
        if (cairn__span_equal(pattern->names[i], name)) {
            return true;
        }
    }
    return pattern->name_count == 0;
}

static bool names_meet(const cairn__query_pattern *a, const cairn__query_pattern *b) {
    for (size_t i = 0; i < a->name_count; i++) {
        if (has_name(b, a->names[i])) {
            return true;
        }
    }
    return a->name_count == 0;
}

static bool steps_overlap(const cairn__query *query) {
    bool overlap = false;
    for (uint32_t i = 0; i < query->funnel.step_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            overlap |= names_meet(&query->patterns[i], &query->patterns[j]);
        }
    }
    return overlap;
}

static bool read_step(cairn__reading *reading, const json_t *value, cairn__fault_path at) {
    static const char *const keys[] = { "event", "where", "name", "within" };
    cairn__query_funnel *funnel = &reading->query->funnel;
    cairn__query_step *step = &funnel->steps[funnel->step_count];
    const json_t *name = json_object_get(value, "name"); /* NULL where value is no object */
    const json_t *within = json_object_get(value, "within");
    uint32_t pattern;
    if (!cairn__reading_pattern(reading, value, at, CAIRN__READING_WORDS(keys), &pattern)) {
        return false;
    }
    if (name == NULL ? !cairn__reading_pattern_label(reading, pattern, &step->label)
                     : !cairn__reading_text(reading, name, cairn__fault_key(at, "name"),
                                            LABEL_BYTES_MAX, &step->label) ||
                           !cairn__reading_copy(reading, step->label, &step->label)) {
        return false;
    }
    if (within != NULL && !cairn__reading_duration(reading, within, cairn__fault_key(at, "within"),
                                                   &step->within_ms)) {
        return false;
    }
    if (within != NULL && funnel->step_count == 0) {
        CAIRN__READING_FAULT(reading, "conflict", cairn__fault_key(at, "within"),
                             "the first step has no step before it");
        return CAIRN__READING_FIX(reading, "put `within` at a later step, or use `window`");
    }
    funnel->within |= within != NULL;
    funnel->step_count++;
    return true;
}

static bool read_steps(cairn__reading *reading, const json_t *json) {
    const json_t *list = json_object_get(json, "steps");
    size_t count = json_array_size(list);
    if (count < 2 || count > CAIRN__QUERY_STEPS_MAX) {
        CAIRN__READING_FAULT(reading, list == NULL ? "missing_key" : "bad_list", key("steps"),
                             "a funnel has 2 to %d steps, this has %zu",
                             (int)CAIRN__QUERY_STEPS_MAX, count);
        return CAIRN__READING_FIX(reading, "write [\"view_item\", \"purchase\"]");
    }
    for (size_t i = 0; i < count; i++) {
        if (!read_step(reading, json_array_get(list, i), cairn__fault_item(key("steps"), i))) {
            return false;
        }
    }
    reading->query->funnel.overlap = steps_overlap(reading->query);
    return true;
}

static bool read_words(cairn__reading *reading, const json_t *json) {
    cairn__query_funnel *funnel = &reading->query->funnel;
    const json_t *window = json_object_get(json, "window");
    const json_t *order = json_object_get(json, "order");
    const json_t *entry = json_object_get(json, "entry");
    const json_t *end = json_object_get(json, "end");
    const json_t *times = json_object_get(json, "times");
    size_t order_index = 0;
    size_t entry_index = 0;
    size_t end_index = 0;
    funnel->window_ms = WINDOW_DAYS_DEFAULT * (int64_t)CAIRN__DAY_MS;
    bool read =
        (window == NULL ||
         cairn__reading_duration(reading, window, key("window"), &funnel->window_ms)) &&
        (order == NULL || cairn__reading_choice(reading, order, key("order"),
                                                CAIRN__READING_WORDS(orders), &order_index)) &&
        (entry == NULL || cairn__reading_choice(reading, entry, key("entry"),
                                                CAIRN__READING_WORDS(entries), &entry_index)) &&
        (end == NULL ||
         cairn__reading_choice(reading, end, key("end"), CAIRN__READING_WORDS(ends), &end_index)) &&
        (times == NULL || cairn__reading_flag(reading, times, key("times"), &funnel->times));
    funnel->order = (cairn__query_order)order_index;
    funnel->entry = (cairn__query_entry)entry_index;
    funnel->end_at_range = end_index == 1;
    return read;
}

static bool conflict(cairn__reading *reading, const char *name, const char *why, const char *fix) {
    CAIRN__READING_FAULT(reading, "conflict", key(name), "%s", why);
    return CAIRN__READING_FIX(reading, "%s", fix);
}

/* What has no meaning together is refused rather than ignored. */
static bool check_words(cairn__reading *reading, const json_t *json) {
    const cairn__query_funnel *funnel = &reading->query->funnel;
    bool any = funnel->order == CAIRN__QUERY_ANY;
    if (any && funnel->entry == CAIRN__QUERY_EVERY) {
        return conflict(reading, "entry", "with order any, every step is an entry",
                        "use entry latest or first, or order gaps");
    }
    if (any && funnel->within) {
        return conflict(reading, "order", "`within` is about the step before: it needs an order",
                        "take `within` away and use `window`, or use order gaps");
    }
    if (funnel->order != CAIRN__QUERY_STRICT && json_object_get(json, "between") != NULL) {
        return conflict(reading, "between", "`between` says what may not lie between strict steps",
                        "add \"order\": \"strict\", or use `exclude`");
    }
    return true;
}

static bool read_between(cairn__reading *reading, const json_t *json) {
    static const char *const keys[] = { "event", "where" };
    cairn__query_funnel *funnel = &reading->query->funnel;
    const json_t *value = json_object_get(json, "between");
    funnel->between = (UINT64_C(1) << funnel->step_count) - 1;
    if (value == NULL) {
        return true;
    }
    bool is_list = json_is_array(value);
    size_t count = is_list ? json_array_size(value) : 1;
    if (count == 0 || count > BETWEEN_MAX) {
        return conflict(reading, "between", "`between` is one event pattern or a list of 1 to 20",
                        "write \"*\" for: no other event at all");
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t pattern;
        if (!cairn__reading_pattern(reading, is_list ? json_array_get(value, i) : value,
                                    is_list ? cairn__fault_item(key("between"), i) : key("between"),
                                    CAIRN__READING_WORDS(keys), &pattern)) {
            return false;
        }
        funnel->between |= UINT64_C(1) << pattern;
    }
    return true;
}

static bool read_exclude(cairn__reading *reading, const json_t *value, cairn__fault_path at) {
    static const char *const keys[] = { "event", "where", "after", "then" };
    static const char *const thens[] = { "stop", "drop person" };
    cairn__query_funnel *funnel = &reading->query->funnel;
    const cairn__reading_bounds bounds = { 1, funnel->step_count - 1 };
    uint32_t pattern;
    int64_t after;
    size_t then = 0;
    const json_t *then_word = json_object_get(value, "then");
    if (!cairn__reading_object(reading, value, at, CAIRN__READING_WORDS(keys)) ||
        !cairn__reading_pattern(reading, value, at, CAIRN__READING_WORDS(keys), &pattern) ||
        !cairn__reading_integer(reading, json_object_get(value, "after"),
                                cairn__fault_key(at, "after"), bounds, &after) ||
        (then_word != NULL &&
         !cairn__reading_choice(reading, then_word, cairn__fault_key(at, "then"),
                                CAIRN__READING_WORDS(thens), &then))) {
        return false;
    }
    funnel->stop[after] |= UINT64_C(1) << pattern;
    funnel->drop[after] |= then == 1 ? UINT64_C(1) << pattern : 0;
    return true;
}

static bool read_excludes(cairn__reading *reading, const json_t *json) {
    const json_t *list = json_object_get(json, "exclude");
    if (list == NULL) {
        return true;
    }
    if (!json_is_array(list) || json_array_size(list) > CAIRN__QUERY_EXCLUDES_MAX) {
        return conflict(reading, "exclude", "`exclude` is a list of at most 20",
                        "write [{\"event\": \"refund\", \"after\": 1}]");
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!read_exclude(reading, json_array_get(list, i), cairn__fault_item(key("exclude"), i))) {
            return false;
        }
    }
    return true;
}

static bool read_hold(cairn__reading *reading, const json_t *json) {
    cairn__query_funnel *funnel = &reading->query->funnel;
    const json_t *value = json_object_get(json, "hold");
    if (value == NULL) {
        return true;
    }
    bool is_list = json_is_array(value);
    if (is_list && json_array_size(value) != funnel->step_count) {
        return conflict(reading, "hold", "the list names another number of properties than steps",
                        "name one property per step, or one for all");
    }
    if (is_list && funnel->order == CAIRN__QUERY_ANY) {
        return conflict(reading, "hold", "with order any the steps share one property",
                        "write one property, such as event.item_id");
    }
    for (uint32_t i = 0; i < funnel->step_count; i++) {
        if (!cairn__reading_property(reading, is_list ? json_array_get(value, i) : value,
                                     is_list ? cairn__fault_item(key("hold"), i) : key("hold"),
                                     &funnel->steps[i].hold)) {
            return false;
        }
    }
    funnel->hold = true;
    return true;
}

bool cairn__reading_funnel(cairn__reading *reading, const json_t *json) {
    return read_steps(reading, json) && read_words(reading, json) && check_words(reading, json) &&
           read_between(reading, json) && read_excludes(reading, json) && read_hold(reading, json);
}
