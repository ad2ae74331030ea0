#include "definitions/json_text.h"

#include "base/bytes.h"

enum {
    FLAGS = JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY,
    DIGITS_SHORT = 15, /* enough for what people write */
    DIGITS_EXACT = 17  /* enough for every double */
};

static int take(const char *bytes, size_t count, void *self) {
    cairn__buffer *to = self;
    cairn__buffer_append(to, cairn__span(bytes, count));
    return to->failed ? -1 : 0;
}

static bool reads_back(const json_t *value, cairn_span text) {
    json_t *read = json_loadb((const char *)text.data, text.len, JSON_DECODE_ANY, NULL);
    bool same = read != NULL && json_equal(read, value) != 0;
    json_decref(read);
    return same;
}

bool cairn__json_write(const json_t *value, cairn__buffer *to) {
    size_t before = to->len;
    bool written =
        json_dump_callback(value, take, to, FLAGS | JSON_REAL_PRECISION(DIGITS_SHORT)) == 0;
    if (written && reads_back(value, cairn__span(to->data + before, to->len - before))) {
        return true;
    }
    to->len = before;
    to->failed = false;
    return json_dump_callback(value, take, to, FLAGS | JSON_REAL_PRECISION(DIGITS_EXACT)) == 0;
}
