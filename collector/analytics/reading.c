#include "analytics/reading.h"

#include "base/bytes.h"

bool cairn__reading_no_memory(cairn__reading *reading) {
    reading->no_memory = true;
    return false;
}

static const char *kind_of(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
    default:
        return "null";
    }
}

static bool wrong_kind(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                       const char *wanted) {
    CAIRN__READING_FAULT(reading, value == NULL ? "missing_key" : "wrong_type", at,
                         "%s must be %s%s%s", at.text[0] == 0 ? "the query" : at.text, wanted,
                         value == NULL ? " and is missing" : ", not ",
                         value == NULL ? "" : kind_of(value));
    return CAIRN__READING_FIX(reading, "write %s for %s", wanted,
                              at.text[0] == 0 ? "the query" : at.text);
}

bool cairn__reading_object(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                           cairn__reading_words keys) {
    if (!json_is_object(value)) {
        return wrong_kind(reading, value, at, "an object");
    }
    void *iterator = json_object_iter((json_t *)(uintptr_t)value);
    for (; iterator != NULL;
         iterator = json_object_iter_next((json_t *)(uintptr_t)value, iterator)) {
        const char *key = json_object_iter_key(iterator);
        bool known = false;
        for (size_t i = 0; i < keys.count && !known; i++) {
            known = strcmp(key, keys.words[i]) == 0;
        }
        if (!known) {
            CAIRN__READING_FAULT(reading, "unknown_key", cairn__fault_key(at, key),
                                 "`%.100s` is not a key here", key);
            return cairn__fault_fix_words(reading->frame->problem, cairn__span_of(key), keys.words,
                                          keys.count);
        }
    }
    return true;
}

bool cairn__reading_text(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                         size_t bytes_max, cairn_span *text_out) {
    if (!json_is_string(value)) {
        return wrong_kind(reading, value, at, "a text");
    }
    *text_out = cairn__span(json_string_value(value), json_string_length(value));
    if (text_out->len == 0 || text_out->len > bytes_max) {
        CAIRN__READING_FAULT(reading, "bad_text", at, "%s has %zu bytes", at.text, text_out->len);
        return CAIRN__READING_FIX(reading, "write a text of 1 to %zu bytes", bytes_max);
    }
    return true;
}

bool cairn__reading_copy(cairn__reading *reading, cairn_span text, cairn_span *copy_out) {
    return cairn__arena_copy(reading->frame->arena, text, copy_out) ||
           cairn__reading_no_memory(reading);
}

bool cairn__reading_choice(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                           cairn__reading_words words, size_t *index_out) {
    cairn_span text = { NULL, 0 };
    if (!cairn__reading_text(reading, value, at, 1000, &text)) {
        return false;
    }
    for (size_t i = 0; i < words.count; i++) {
        if (cairn__span_equal(text, cairn__span_of(words.words[i]))) {
            *index_out = i;
            return true;
        }
    }
    CAIRN__READING_FAULT(reading, "unknown_word", at, "`%.*s` is not a word for %s",
                         text.len > 100 ? 100 : (int)text.len, (const char *)text.data, at.text);
    return cairn__fault_fix_words(reading->frame->problem, text, words.words, words.count);
}

bool cairn__reading_flag(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                         bool *flag_out) {
    if (!json_is_boolean(value)) {
        return wrong_kind(reading, value, at, "true or false");
    }
    *flag_out = json_is_true(value);
    return true;
}

bool cairn__reading_integer(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                            cairn__reading_bounds bounds, int64_t *number_out) {
    if (!json_is_integer(value)) {
        return wrong_kind(reading, value, at, "a whole number");
    }
    int64_t number = json_integer_value(value);
    if (number < bounds.min || number > bounds.max) {
        CAIRN__READING_FAULT(reading, "out_of_range", at, "%s is %lld", at.text, (long long)number);
        return CAIRN__READING_FIX(reading, "write a number from %lld to %lld",
                                  (long long)bounds.min, (long long)bounds.max);
    }
    *number_out = number;
    return true;
}

bool cairn__reading_duration(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                             int64_t *ms_out) {
    cairn_span text = { NULL, 0 };
    if (!cairn__reading_text(reading, value, at, 1000, &text)) {
        return false;
    }
    if (!cairn__when_duration(text, ms_out)) {
        CAIRN__READING_FAULT(reading, "bad_duration", at, "`%.*s` is not a duration",
                             text.len > 100 ? 100 : (int)text.len, (const char *)text.data);
        return CAIRN__READING_FIX(
            reading,
            "write a whole number and ms, s, m, h, d or w, such as 30m or 7d; at most 366d");
    }
    return true;
}
