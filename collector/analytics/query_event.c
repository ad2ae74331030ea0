/* query_event.c: the keys of model `event`: series, their measures and formulas. */
#include <stdio.h>

#include "analytics/reading.h"
#include "base/bytes.h"

enum { SERIES_NAME_BYTES_MAX = 100, OPERANDS_MAX = 16 };

static const char *const pattern_keys[] = { "event", "where" };
static const char *const simple_measures[] = { "count", "persons", "per_person" };
static const char *const property_measures[] = { "sum",    "avg",      "min",     "max",
                                                 "median", "distinct", "formula", "p90" };

typedef struct {
    cairn__reading *reading;
    const json_t *measure; /* the formula's object: its operands are keys of it */
    cairn__fault_path at;
    const uint32_t *pattern; /* of the series; NULL when it has no `on` */
    uint64_t patterns;
} operands;

static bool add_atom(cairn__reading *reading, cairn__fault_path at, cairn__query_atom atom,
                     cairn__query_op *op_out) {
    cairn__query_event *event = &reading->query->event;
    if (event->atom_count == CAIRN__QUERY_ATOMS_MAX) {
        CAIRN__READING_FAULT(reading, "too_many", at, "more than %d measures",
                             (int)CAIRN__QUERY_ATOMS_MAX);
        return CAIRN__READING_FIX(reading, "ask in two queries");
    }
    *op_out =
        (cairn__query_op){ .kind = CAIRN__QUERY_OP_ATOM, .atom = (uint32_t)event->atom_count };
    event->atoms[event->atom_count++] = atom;
    return true;
}

/* "p90": 1 to 99. */
static bool read_percentile(const char *word, double *fraction_out) {
    size_t digits = strlen(word) - 1;
    uint32_t number = 0;
    if (word[0] != 'p' || digits < 1 || digits > 2) {
        return false;
    }
    for (size_t i = 1; i <= digits; i++) {
        if (word[i] < '0' || word[i] > '9') {
            return false;
        }
        number = number * 10 + (uint32_t)(word[i] - '0');
    }
    *fraction_out = number / 100.0;
    return number >= 1;
}

static bool measure_of(const char *word, cairn__query_atom *atom) {
    static const struct {
        const char *word;
        cairn__query_measure measure;
    } measures[] = {
        { "sum", CAIRN__QUERY_SUM },           { "avg", CAIRN__QUERY_AVG },
        { "min", CAIRN__QUERY_MIN },           { "max", CAIRN__QUERY_MAX },
        { "distinct", CAIRN__QUERY_DISTINCT },
    };
    for (size_t i = 0; i < sizeof measures / sizeof measures[0]; i++) {
        if (strcmp(word, measures[i].word) == 0) {
            atom->measure = measures[i].measure;
            return true;
        }
    }
    atom->measure = CAIRN__QUERY_PERCENTILE;
    atom->fraction = 0.5;
    return strcmp(word, "median") == 0 || read_percentile(word, &atom->fraction);
}

/* {"sum": "event.amount"} */
static bool read_property_measure(cairn__reading *reading, const json_t *value,
                                  cairn__fault_path at, cairn__query_atom *atom) {
    const char *word = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)value));
    if (json_object_size(value) != 1) {
        CAIRN__READING_FAULT(reading, "bad_measure", at, "a measure has one key, this has %zu",
                             json_object_size(value));
        return CAIRN__READING_FIX(reading,
                                  "write one measure, such as {\"sum\": \"event.amount\"}");
    }
    if (!measure_of(word, atom)) {
        CAIRN__READING_FAULT(reading, "unknown_word", cairn__fault_key(at, word),
                             "`%.100s` is not a measure", word);
        return cairn__fault_fix_words(reading->frame->problem, cairn__span_of(word),
                                      property_measures,
                                      sizeof property_measures / sizeof property_measures[0]);
    }
    return cairn__reading_property(reading, json_object_get(value, word),
                                   cairn__fault_key(at, word), &atom->fact);
}

/* A measure that is no formula, of the events of a pattern. */
static bool read_atom(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                      uint32_t pattern, cairn__query_op *op_out) {
    cairn__query_atom atom = { .pattern = pattern };
    if (json_is_object(value)) {
        return read_property_measure(reading, value, at, &atom) &&
               add_atom(reading, at, atom, op_out);
    }
    size_t index;
    if (!cairn__reading_choice(reading, value, at, CAIRN__READING_WORDS(simple_measures), &index)) {
        return false;
    }
    atom.measure = (cairn__query_measure)index; /* the same order */
    return add_atom(reading, at, atom, op_out);
}

static bool no_pattern(cairn__reading *reading, cairn__fault_path at) {
    CAIRN__READING_FAULT(reading, "missing_key", cairn__fault_key(at, "on"),
                         "it is not said which events are measured");
    return CAIRN__READING_FIX(reading, "add \"on\": \"EVENT NAME\", or \"*\" for every event");
}

/* {"on": ..., "measure": ...}, or a measure of the series' own events. */
static bool read_operand(operands *o, const json_t *value, cairn__fault_path at,
                         cairn__query_op *op_out) {
    static const char *const keys[] = { "on", "measure" };
    cairn__reading *reading = o->reading;
    uint32_t pattern = o->pattern == NULL ? 0 : *o->pattern;
    bool own = json_is_object(value) &&
               (json_object_get(value, "on") != NULL || json_object_get(value, "measure") != NULL);
    if (own) {
        if (!cairn__reading_object(reading, value, at, CAIRN__READING_WORDS(keys)) ||
            (json_object_get(value, "on") != NULL &&
             !cairn__reading_pattern(reading, json_object_get(value, "on"),
                                     cairn__fault_key(at, "on"), CAIRN__READING_WORDS(pattern_keys),
                                     &pattern))) {
            return false;
        }
        at = cairn__fault_key(at, "measure");
    }
    if (o->pattern == NULL && !(own && json_object_get(value, "on") != NULL)) {
        return no_pattern(reading, at);
    }
    o->patterns |= UINT64_C(1) << pattern;
    return read_atom(reading, own ? json_object_get(value, "measure") : value, at, pattern, op_out);
}

/* A series before this one whose formula is a single measure can be named, too. */
static bool find_series(operands *o, cairn_span name, cairn__query_op *op_out) {
    const cairn__query_event *event = &o->reading->query->event;
    for (size_t i = 0; i < event->series_count; i++) {
        const cairn__query_series *series = &event->series[i];
        if (series->op_count == 1 && cairn__span_equal(series->label, name)) {
            *op_out = series->ops[0];
            o->patterns |= series->patterns;
            return true;
        }
    }
    return false;
}

static cairn__reading_find find_operand(void *self, cairn_span name, cairn__query_op *op_out) {
    operands *o = self;
    char key[SERIES_NAME_BYTES_MAX + 1];
    if (name.len >= sizeof key) {
        return CAIRN__READING_UNKNOWN;
    }
    memcpy(key, name.data, name.len);
    key[name.len] = 0;
    const json_t *value = strcmp(key, "formula") == 0 ? NULL : json_object_get(o->measure, key);
    if (value == NULL) {
        return find_series(o, name, op_out) ? CAIRN__READING_FOUND : CAIRN__READING_UNKNOWN;
    }
    return read_operand(o, value, cairn__fault_key(o->at, key), op_out) ? CAIRN__READING_FOUND
                                                                        : CAIRN__READING_WRONG;
}

static bool is_word_byte(cairn_span text, size_t at) {
    uint8_t byte = at < text.len ? text.data[at] : ' ';
    return byte >= 0x80 || strchr(" +-*/().", byte) == NULL;
}

static bool has_word(cairn_span text, cairn_span word) {
    for (size_t i = 0; i + word.len <= text.len; i++) {
        bool starts = i == 0 || !is_word_byte(text, i - 1);
        if (starts && !is_word_byte(text, i + word.len) &&
            memcmp(text.data + i, word.data, word.len) == 0) {
            return true;
        }
    }
    return false;
}

/* Every operand that is given must be used: a misspelt one would be silently ignored. */
static bool check_used(cairn__reading *reading, const operands *o, cairn_span formula) {
    void *at = json_object_iter((json_t *)(uintptr_t)o->measure);
    for (; at != NULL; at = json_object_iter_next((json_t *)(uintptr_t)o->measure, at)) {
        const char *key = json_object_iter_key(at);
        if (strcmp(key, "formula") != 0 && !has_word(formula, cairn__span_of(key))) {
            CAIRN__READING_FAULT(reading, "unknown_key", cairn__fault_key(o->at, key),
                                 "`%.100s` is not used in the formula", key);
            return CAIRN__READING_FIX(reading, "use it in the formula or take it away");
        }
    }
    return true;
}

static bool read_formula(operands *o, cairn__reading_ops *ops) {
    cairn_span text = { NULL, 0 };
    cairn__reading *reading = o->reading;
    cairn__fault_path at = cairn__fault_key(o->at, "formula");
    const cairn__reading_names names = { find_operand, o };
    if (!cairn__reading_text(reading, json_object_get(o->measure, "formula"), at,
                             CAIRN__QUERY_FORMULA_BYTES_MAX, &text) ||
        !check_used(reading, o, text)) {
        return false;
    }
    if (json_object_size(o->measure) > OPERANDS_MAX) {
        CAIRN__READING_FAULT(reading, "too_many", at, "more than %d operands",
                             (int)OPERANDS_MAX - 1);
        return CAIRN__READING_FIX(reading, "use fewer");
    }
    return cairn__reading_formula(reading, text, at, &names, ops);
}

static bool keep_series(cairn__reading *reading, cairn_span label, const cairn__reading_ops *ops,
                        uint64_t patterns) {
    cairn__query_event *event = &reading->query->event;
    cairn__query_series *series = &event->series[event->series_count];
    cairn__query_op *kept =
        cairn__arena_alloc_zero(reading->frame->arena, ops->count, sizeof *kept);
    if (kept == NULL || !cairn__arena_copy(reading->frame->arena, label, &series->label)) {
        return cairn__reading_no_memory(reading);
    }
    memcpy(kept, ops->list, ops->count * sizeof *kept);
    series->ops = kept;
    series->op_count = ops->count;
    series->patterns = patterns;
    event->series_count++;
    return true;
}

static bool read_label(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                       cairn_span *label_out) {
    const cairn__query_event *event = &reading->query->event;
    at = cairn__fault_key(at, "name");
    if (!cairn__reading_text(reading, value, at, SERIES_NAME_BYTES_MAX, label_out)) {
        return false;
    }
    for (size_t i = 0; i < event->series_count; i++) {
        if (cairn__span_equal(event->series[i].label, *label_out)) {
            CAIRN__READING_FAULT(reading, "duplicate", at, "`%.*s` is the name of two series",
                                 (int)label_out->len, (const char *)label_out->data);
            return CAIRN__READING_FIX(reading, "give each series a name of its own");
        }
    }
    return true;
}

static bool read_series(cairn__reading *reading, const json_t *value, cairn__fault_path at) {
    static const char *const keys[] = { "name", "on", "measure" };
    cairn_span label;
    uint32_t pattern = 0;
    cairn__reading_ops ops = { .count = 1 };
    if (!cairn__reading_object(reading, value, at, CAIRN__READING_WORDS(keys)) ||
        !read_label(reading, json_object_get(value, "name"), at, &label)) {
        return false;
    }
    const json_t *on = json_object_get(value, "on");
    const json_t *measure = json_object_get(value, "measure");
    operands o = { .reading = reading,
                   .measure = measure,
                   .at = cairn__fault_key(at, "measure"),
                   .pattern = on == NULL ? NULL : &pattern };
    if (on != NULL && !cairn__reading_pattern(reading, on, cairn__fault_key(at, "on"),
                                              CAIRN__READING_WORDS(pattern_keys), &pattern)) {
        return false;
    }
    bool is_formula = json_is_object(measure) && json_object_get(measure, "formula") != NULL;
    if (is_formula ? !read_formula(&o, &ops) : !read_operand(&o, measure, o.at, &ops.list[0])) {
        return false;
    }
    return keep_series(reading, label, &ops, o.patterns);
}

static bool read_smoothing(cairn__reading *reading, const json_t *json) {
    cairn__query_event *event = &reading->query->event;
    const json_t *cumulative = json_object_get(json, "cumulative");
    const json_t *moving = json_object_get(json, "moving_average");
    const cairn__reading_bounds bounds = { 2, CAIRN__QUERY_MOVING_MAX };
    cairn__fault_path at = cairn__fault_key((cairn__fault_path){ { 0 } },
                                            moving != NULL ? "moving_average" : "cumulative");
    int64_t units = 0;
    if ((cumulative != NULL &&
         !cairn__reading_flag(reading, cumulative,
                              cairn__fault_key((cairn__fault_path){ { 0 } }, "cumulative"),
                              &event->cumulative)) ||
        (moving != NULL && !cairn__reading_integer(reading, moving, at, bounds, &units))) {
        return false;
    }
    event->moving = (uint32_t)units;
    if ((event->cumulative || event->moving != 0) && !reading->query->has_unit) {
        CAIRN__READING_FAULT(reading, "missing_key", at, "%s needs units of time", at.text);
        return CAIRN__READING_FIX(reading, "add \"unit\": \"day\"");
    }
    if (event->cumulative && event->moving != 0) {
        CAIRN__READING_FAULT(reading, "conflict", at,
                             "cumulative and moving_average cannot be combined");
        return CAIRN__READING_FIX(reading, "take one of them away");
    }
    return true;
}

bool cairn__reading_event(cairn__reading *reading, const json_t *json) {
    const json_t *list = json_object_get(json, "series");
    cairn__fault_path at = cairn__fault_key((cairn__fault_path){ { 0 } }, "series");
    size_t count = json_array_size(list);
    if (count == 0 || count > CAIRN__QUERY_SERIES_MAX) {
        CAIRN__READING_FAULT(reading, list == NULL ? "missing_key" : "bad_list", at,
                             "series must be a list of 1 to %d", (int)CAIRN__QUERY_SERIES_MAX);
        return CAIRN__READING_FIX(
            reading, "write [{\"name\": \"events\", \"on\": \"*\", \"measure\": \"count\"}]");
    }
    for (size_t i = 0; i < count; i++) {
        if (!read_series(reading, json_array_get(list, i), cairn__fault_item(at, i))) {
            return false;
        }
    }
    return read_smoothing(reading, json);
}
