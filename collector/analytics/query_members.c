/* query_members.c: which cell's persons are asked for, and which page of them. */
#include "analytics/reading.h"
#include "analytics/writing.h"
#include "base/bytes.h"

enum {
    CELL_BYTES_MAX = 8192,
    LABEL_BYTES_MAX = 16384
}; /* the longest text of a property, quoted */

static const char *const keys[] = { "row", "series", "dropped", "limit", "after" };

static cairn__fault_path at_key(const char *name) {
    cairn__fault_path at = cairn__fault_key((cairn__fault_path){ { 0 } }, "members");
    return name == NULL ? at : cairn__fault_key(at, name);
}

static cairn_value value_of(const json_t *value) {
    if (json_is_string(value)) {
        return (cairn_value){ .kind = CAIRN_VALUE_STRING,
                              .as.string = cairn__span(json_string_value(value),
                                                       json_string_length(value)) };
    }
    if (json_is_boolean(value)) {
        return (cairn_value){ .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = json_is_true(value) };
    }
    if (json_is_integer(value)) {
        return (cairn_value){ .kind = CAIRN_VALUE_INTEGER,
                              .as.integer = json_integer_value(value) };
    }
    if (json_is_real(value)) {
        return (cairn_value){ .kind = CAIRN_VALUE_NUMBER, .as.number = json_real_value(value) };
    }
    return (cairn_value){ .kind = CAIRN_VALUE_NULL };
}

/* The cell as the answer would show it, to compare with that. */
static bool copy_json(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                      cairn_span *json_out) {
    if (json_is_object(value) || json_is_array(value)) {
        CAIRN__READING_FAULT(reading, "wrong_type", at,
                             "a cell is a text, a number, a truth value or null");
        return CAIRN__READING_FIX(reading, "copy it from the answer's row");
    }
    cairn_value cell = value_of(value);
    cairn__buffer text = cairn__buffer_make(reading->frame->arena->allocator, CELL_BYTES_MAX);
    cairn__writing_value(&text, &cell);
    bool copied = !text.failed &&
                  cairn__arena_copy(reading->frame->arena, cairn__buffer_span(&text), json_out);
    cairn__buffer_free(&text);
    return copied || cairn__reading_no_memory(reading);
}

static bool read_side(cairn__reading *reading, const json_t *value, cairn__fault_path at) {
    cairn_span text = { NULL, 0 };
    cairn__query *query = reading->query;
    if (!cairn__reading_text(reading, value, at, LABEL_BYTES_MAX, &text)) {
        return false;
    }
    for (uint32_t i = 0; i < 2; i++) {
        if (cairn__span_equal(text, query->sides[i].label)) {
            query->members.side = i;
            return true;
        }
    }
    CAIRN__READING_FAULT(reading, "unknown_word", at, "no side of the comparison is called so");
    return CAIRN__READING_FIX(reading, "write `%.*s` or `%.*s`", (int)query->sides[0].label.len,
                              (const char *)query->sides[0].label.data,
                              (int)query->sides[1].label.len,
                              (const char *)query->sides[1].label.data);
}

static bool unknown_column(cairn__reading *reading, const char *column, cairn__fault_path at) {
    const cairn__query *query = reading->query;
    const char *words[CAIRN__QUERY_CELLS_MAX];
    char labels[CAIRN__QUERY_BY_MAX][64];
    size_t count = 0;
    for (size_t i = 0; i < query->by_count; i++) {
        size_t len = query->by[i].label.len < 63 ? query->by[i].label.len : 63;
        memcpy(labels[i], query->by[i].label.data, len);
        labels[i][len] = 0;
        words[count++] = labels[i];
    }
    if (query->side_count == 2) {
        words[count++] = "compare";
    }
    if (query->has_unit) {
        words[count++] = cairn__query_unit_name(query->unit);
    }
    if (query->model == CAIRN__QUERY_FUNNEL) {
        words[count++] = "step";
    }
    CAIRN__READING_FAULT(reading, "unknown_key", at, "`%.100s` is not a group of this query",
                         column);
    return cairn__fault_fix_words(reading->frame->problem, cairn__span_of(column), words, count);
}

static bool read_cell(cairn__reading *reading, const char *column, const json_t *value) {
    cairn__query *query = reading->query;
    cairn__fault_path at = cairn__fault_key(at_key("row"), column);
    const cairn__reading_bounds steps = { 1, query->funnel.step_count };
    for (size_t i = 0; i < query->by_count; i++) {
        if (cairn__span_equal(cairn__span_of(column), query->by[i].label)) {
            return copy_json(reading, value, at, &query->members.by_json[i]);
        }
    }
    if (query->has_unit && strcmp(column, cairn__query_unit_name(query->unit)) == 0) {
        return copy_json(reading, value, at, &query->members.unit_json);
    }
    if (query->side_count == 2 && strcmp(column, "compare") == 0) {
        return read_side(reading, value, at);
    }
    if (query->model == CAIRN__QUERY_FUNNEL && strcmp(column, "step") == 0) {
        int64_t step = 0;
        bool read = cairn__reading_integer(reading, value, at, steps, &step);
        query->members.step = (uint32_t)step;
        return read;
    }
    return unknown_column(reading, column, at);
}

static bool read_row(cairn__reading *reading, const json_t *row) {
    if (row == NULL) {
        return true;
    }
    if (!json_is_object(row)) {
        CAIRN__READING_FAULT(reading, "wrong_type", at_key("row"), "row must be an object");
        return CAIRN__READING_FIX(reading, "write {\"COLUMN\": VALUE} as in the answer's row");
    }
    void *at = json_object_iter((json_t *)(uintptr_t)row);
    for (; at != NULL; at = json_object_iter_next((json_t *)(uintptr_t)row, at)) {
        if (!read_cell(reading, json_object_iter_key(at), json_object_iter_value(at))) {
            return false;
        }
    }
    return true;
}

static bool read_series(cairn__reading *reading, const json_t *value) {
    const char *words[CAIRN__QUERY_SERIES_MAX];
    char labels[CAIRN__QUERY_SERIES_MAX][128];
    const cairn__query_event *event = &reading->query->event;
    size_t index = 0;
    if (value == NULL) {
        return true;
    }
    for (size_t i = 0; i < event->series_count; i++) {
        size_t len = event->series[i].label.len;
        memcpy(labels[i], event->series[i].label.data, len);
        labels[i][len] = 0;
        words[i] = labels[i];
    }
    const cairn__reading_words list = { words, event->series_count };
    if (!cairn__reading_choice(reading, value, at_key("series"), list, &index)) {
        return false;
    }
    reading->query->members.series = (uint32_t)index;
    return true;
}

static bool read_page(cairn__reading *reading, const json_t *value) {
    cairn__query_members *members = &reading->query->members;
    const json_t *limit = json_object_get(value, "limit");
    const json_t *after = json_object_get(value, "after");
    const json_t *dropped = json_object_get(value, "dropped");
    const cairn__reading_bounds limits = { 1, CAIRN__QUERY_LIMIT_MAX };
    const cairn__reading_bounds persons = { 0, UINT32_MAX - 1 };
    int64_t limit_number = CAIRN__QUERY_LIMIT_DEFAULT;
    int64_t after_number = 0;
    if ((limit != NULL &&
         !cairn__reading_integer(reading, limit, at_key("limit"), limits, &limit_number)) ||
        (after != NULL &&
         !cairn__reading_integer(reading, after, at_key("after"), persons, &after_number)) ||
        (dropped != NULL &&
         !cairn__reading_flag(reading, dropped, at_key("dropped"), &members->dropped))) {
        return false;
    }
    members->limit = (uint32_t)limit_number;
    members->after = (uint32_t)after_number;
    members->has_after = after != NULL;
    return true;
}

bool cairn__reading_members(cairn__reading *reading, const json_t *json) {
    const json_t *value = json_object_get(json, "members");
    cairn__query *query = reading->query;
    if (value == NULL) {
        return true;
    }
    query->members.wanted = true;
    query->members.step = 1;
    if (!cairn__reading_object(reading, value, at_key(NULL), CAIRN__READING_WORDS(keys)) ||
        !read_row(reading, json_object_get(value, "row")) ||
        !read_series(reading, json_object_get(value, "series"))) {
        return false;
    }
    const char *foreign = query->model == CAIRN__QUERY_FUNNEL ? "series" : "dropped";
    if (json_object_get(value, foreign) != NULL) {
        CAIRN__READING_FAULT(reading, "unknown_key", at_key(foreign),
                             "`%s` belongs to the other model", foreign);
        return CAIRN__READING_FIX(reading, "take it away");
    }
    return read_page(reading, value);
}
