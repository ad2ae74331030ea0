#include "definitions/reading.h"

#include "base/bytes.h"
#include "definitions/json_text.h"

static const char *kind_of(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a number with a fraction";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
    default:
        return "null";
    }
}

static const char *shown(const cairn__fault_path *at) {
    return at->text[0] == 0 ? "the definition" : at->text;
}

static bool wrong_kind(cairn__reader *reader, cairn__place place, const char *wanted) {
    CAIRN__WRONG(reader, "wrong_type", place.at, "%.100s must be %s, not %s", shown(&place.at),
                 wanted, kind_of(place.json));
    return CAIRN__FIX(reader, "write %s for %.100s", wanted, shown(&place.at));
}

cairn__place cairn__place_key(cairn__place place, const char *key) {
    return (cairn__place){ json_object_get(place.json, key), cairn__fault_key(place.at, key) };
}

cairn__place cairn__place_item(cairn__place place, size_t index) {
    return (cairn__place){ json_array_get(place.json, index), cairn__fault_item(place.at, index) };
}

bool cairn__reader_no_memory(cairn__reader *reader) {
    reader->no_memory = true;
    return false;
}

void *cairn__reader_make(cairn__reader *reader, size_t count, size_t size) {
    void *made = cairn__arena_alloc_zero(reader->arena, count == 0 ? 1 : count, size);
    reader->no_memory = reader->no_memory || made == NULL;
    return made;
}

bool cairn__reader_copy(cairn__reader *reader, cairn_span text, cairn_span *copy_out) {
    uint8_t *copy = cairn__arena_alloc(reader->arena, text.len + 1);
    if (copy == NULL) {
        return cairn__reader_no_memory(reader);
    }
    if (text.len > 0) {
        memcpy(copy, text.data, text.len);
    }
    copy[text.len] = 0;
    *copy_out = cairn__span(copy, text.len);
    return true;
}

bool cairn__read_needed(cairn__reader *reader, cairn__place place, const char *what) {
    if (place.json != NULL) {
        return true;
    }
    CAIRN__WRONG(reader, "missing_key", place.at, "%.100s is missing", shown(&place.at));
    return CAIRN__FIX(reader, "add %s", what);
}

bool cairn__read_object(cairn__reader *reader, cairn__place place, cairn__words keys) {
    if (!json_is_object(place.json)) {
        return wrong_kind(reader, place, "an object");
    }
    json_t *object = (json_t *)(uintptr_t)place.json;
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);
        bool known = false;
        for (size_t i = 0; i < keys.count && !known; i++) {
            known = strcmp(key, keys.words[i]) == 0;
        }
        if (!known) {
            CAIRN__WRONG(reader, "unknown_key", cairn__fault_key(place.at, key),
                         "`%.100s` is not a key here", key);
            return cairn__fault_fix_words(&reader->problem->fault, cairn__span_of(key), keys.words,
                                          keys.count);
        }
    }
    return true;
}

bool cairn__read_list(cairn__reader *reader, cairn__place place, size_t max, size_t *count_out) {
    *count_out = 0;
    if (place.json == NULL) {
        return true;
    }
    if (!json_is_array(place.json)) {
        return wrong_kind(reader, place, "a list");
    }
    *count_out = json_array_size(place.json);
    if (*count_out > max) {
        CAIRN__WRONG(reader, "too_many", place.at, "%.100s has %zu entries", shown(&place.at),
                     *count_out);
        return CAIRN__FIX(reader, "write at most %zu", max);
    }
    return true;
}

bool cairn__read_text(cairn__reader *reader, cairn__place place, size_t bytes_max,
                      cairn_span *text_out) {
    if (place.json == NULL) {
        return true;
    }
    if (!json_is_string(place.json)) {
        return wrong_kind(reader, place, "a text");
    }
    cairn_span text = cairn__span(json_string_value(place.json), json_string_length(place.json));
    if (text.len == 0 || text.len > bytes_max) {
        CAIRN__WRONG(reader, "bad_text", place.at,
                     text.len == 0 ? "%.100s is empty" : "%.100s has %zu bytes", shown(&place.at),
                     text.len);
        return CAIRN__FIX(reader, "write a text of 1 to %zu bytes", bytes_max);
    }
    return cairn__reader_copy(reader, text, text_out);
}

bool cairn__definition_name_is_good(cairn_span name) {
    bool good = name.len > 0 && name.len <= CAIRN__DEFINITION_NAME_BYTES_MAX;
    for (size_t i = 0; good && i < name.len; i++) {
        uint8_t byte = name.data[i];
        bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                      (byte >= '0' && byte <= '9');
        good = letter || (i > 0 && (byte == '.' || byte == '_' || byte == '-'));
    }
    return good;
}

bool cairn__read_key_name(cairn__reader *reader, cairn__place place, cairn_span key) {
    if (cairn__definition_name_is_good(key)) {
        return true;
    }
    CAIRN__WRONG(reader, "bad_name", place.at, "`%.*s` is not a name",
                 key.len > 100 ? 100 : (int)key.len, (const char *)key.data);
    return CAIRN__FIX(reader, "write 1 to %d of A-Z a-z 0-9 . _ -, a letter or digit first",
                      (int)CAIRN__DEFINITION_NAME_BYTES_MAX);
}

bool cairn__read_name(cairn__reader *reader, cairn__place place, cairn_span *name_out) {
    if (place.json == NULL) {
        return true;
    }
    if (!json_is_string(place.json)) {
        return wrong_kind(reader, place, "a name");
    }
    cairn_span name = cairn__span(json_string_value(place.json), json_string_length(place.json));
    return cairn__read_key_name(reader, place, name) && cairn__reader_copy(reader, name, name_out);
}

bool cairn__read_flag(cairn__reader *reader, cairn__place place, bool *flag_out) {
    if (place.json == NULL) {
        return true;
    }
    if (!json_is_boolean(place.json)) {
        return wrong_kind(reader, place, "true or false");
    }
    *flag_out = json_is_true(place.json);
    return true;
}

bool cairn__read_integer(cairn__reader *reader, cairn__place place, cairn__bounds bounds,
                         int64_t *number_out) {
    if (place.json == NULL) {
        return true;
    }
    if (!json_is_integer(place.json)) {
        return wrong_kind(reader, place, "a whole number");
    }
    int64_t number = json_integer_value(place.json);
    if (number < bounds.min || number > bounds.max) {
        CAIRN__WRONG(reader, "out_of_range", place.at, "%.100s is %lld", shown(&place.at),
                     (long long)number);
        return CAIRN__FIX(reader, "write a whole number from %lld to %lld", (long long)bounds.min,
                          (long long)bounds.max);
    }
    *number_out = number;
    return true;
}

bool cairn__read_number(cairn__reader *reader, cairn__place place, cairn__bounds bounds,
                        double *number_out) {
    if (place.json == NULL) {
        return true;
    }
    if (!json_is_number(place.json)) {
        return wrong_kind(reader, place, "a number");
    }
    double number = json_number_value(place.json);
    if (!(number >= (double)bounds.min && number <= (double)bounds.max)) {
        CAIRN__WRONG(reader, "out_of_range", place.at, "%.100s is %g", shown(&place.at), number);
        return CAIRN__FIX(reader, "write a number from %lld to %lld", (long long)bounds.min,
                          (long long)bounds.max);
    }
    *number_out = number + 0.0; /* no minus zero */
    return true;
}

bool cairn__read_choice(cairn__reader *reader, cairn__place place, cairn__words words,
                        size_t *index_out) {
    if (place.json == NULL) {
        return true;
    }
    if (!json_is_string(place.json)) {
        return wrong_kind(reader, place, "a word");
    }
    cairn_span text = cairn__span(json_string_value(place.json), json_string_length(place.json));
    for (size_t i = 0; i < words.count; i++) {
        if (cairn__span_equal(text, cairn__span_of(words.words[i]))) {
            *index_out = i;
            return true;
        }
    }
    CAIRN__WRONG(reader, "unknown_word", place.at, "`%.*s` is not a word for %.100s",
                 text.len > 100 ? 100 : (int)text.len, (const char *)text.data, shown(&place.at));
    return cairn__fault_fix_words(&reader->problem->fault, text, words.words, words.count);
}

bool cairn__read_content(cairn__reader *reader, cairn__place place, cairn_span *json_out) {
    if (place.json == NULL) {
        return true;
    }
    cairn__buffer text =
        cairn__buffer_make(reader->arena->allocator, CAIRN__BUNDLE_CONTENT_BYTES_MAX);
    bool good = cairn__json_write(place.json, &text);
    if (!good) {
        CAIRN__WRONG(reader, "too_large", place.at, "%.100s is larger than %d bytes of JSON",
                     shown(&place.at), (int)CAIRN__BUNDLE_CONTENT_BYTES_MAX);
        CAIRN__FIX(reader, "write less, and link to the rest");
    } else {
        good = cairn__reader_copy(reader, cairn__buffer_span(&text), json_out);
    }
    cairn__buffer_free(&text);
    return good;
}

static bool is_repeated(const cairn_span *texts, size_t count, cairn_span text) {
    for (size_t i = 0; i < count; i++) {
        if (cairn__span_equal(texts[i], text)) {
            return true;
        }
    }
    return false;
}

bool cairn__read_texts(cairn__reader *reader, cairn__place place, cairn__bounds counts,
                       const cairn_span **texts_out, size_t *count_out) {
    size_t count = 0;
    if (!cairn__read_list(reader, place, (size_t)counts.max, &count)) {
        return false;
    }
    if (place.json != NULL && count < (size_t)counts.min) {
        CAIRN__WRONG(reader, "too_few", place.at, "%.100s is empty", shown(&place.at));
        return CAIRN__FIX(reader, "write at least %lld", (long long)counts.min);
    }
    cairn_span *texts = cairn__reader_make(reader, count, sizeof *texts);
    if (texts == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        cairn__place item = cairn__place_item(place, i);
        if (!cairn__read_text(reader, item, CAIRN__DEFINITION_NAME_BYTES_MAX, &texts[i])) {
            return false;
        }
        if (is_repeated(texts, i, texts[i])) {
            CAIRN__WRONG(reader, "repeated", item.at, "`%.*s` stands here twice", (int)texts[i].len,
                         (const char *)texts[i].data);
            return CAIRN__FIX(reader, "write it once");
        }
    }
    *texts_out = texts;
    *count_out = count;
    return true;
}

/* Insertion keeps equal inputs in one order, whatever the library's is. */
bool cairn__read_keys(cairn__reader *reader, cairn__place place, size_t max,
                      const cairn_span **keys_out, size_t *count_out) {
    *count_out = 0;
    if (place.json == NULL) {
        return true;
    }
    if (!json_is_object(place.json)) {
        return wrong_kind(reader, place, "an object");
    }
    json_t *object = (json_t *)(uintptr_t)place.json;
    size_t count = json_object_size(object);
    if (count > max) {
        CAIRN__WRONG(reader, "too_many", place.at, "%.100s has %zu keys", shown(&place.at), count);
        return CAIRN__FIX(reader, "write at most %zu", max);
    }
    cairn_span *keys = cairn__reader_make(reader, count, sizeof *keys);
    size_t filled = 0;
    for (void *at = json_object_iter(object); keys != NULL && at != NULL;
         at = json_object_iter_next(object, at)) {
        cairn_span key;
        if (!cairn__reader_copy(reader, cairn__span_of(json_object_iter_key(at)), &key)) {
            return false;
        }
        size_t place_of = filled++;
        for (; place_of > 0 && cairn__span_compare(keys[place_of - 1], key) > 0; place_of--) {
            keys[place_of] = keys[place_of - 1];
        }
        keys[place_of] = key;
    }
    *keys_out = keys;
    *count_out = count;
    return keys != NULL;
}
