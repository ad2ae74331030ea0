#include "analytics/writing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/civil.h"

static void write_byte(cairn__buffer *to, uint8_t byte) {
    if (byte == '"' || byte == '\\') {
        cairn__buffer_byte(to, '\\');
        cairn__buffer_byte(to, byte);
    } else if (byte < 0x20) {
        cairn__buffer_format(to, "\\u%04x", byte);
    } else {
        cairn__buffer_byte(to, byte);
    }
}

void cairn__writing_text(cairn__buffer *to, cairn_span text) {
    bool valid = cairn__utf8_valid(text);
    cairn__buffer_byte(to, '"');
    for (size_t i = 0; i < text.len; i++) {
        bool broken = !valid && text.data[i] >= 0x80;
        write_byte(to, broken ? '?' : text.data[i]);
    }
    cairn__buffer_byte(to, '"');
}

void cairn__writing_number(cairn__buffer *to, double number) {
    char text[40];
    if (!isfinite(number)) {
        cairn__writing_raw(to, "null");
        return;
    }
    if (number == floor(number) && fabs(number) < 9007199254740992.0) {
        cairn__buffer_format(to, "%lld", (long long)number);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    cairn__writing_raw(to, text);
}

void cairn__writing_ratio(cairn__buffer *to, double part, double whole) {
    cairn__writing_number(to, whole == 0 ? (double)NAN : part / whole);
}

static void write_list(cairn__buffer *to, cairn_string_list list) {
    cairn__buffer_byte(to, '[');
    for (size_t i = 0; i < list.count; i++) {
        if (i > 0) {
            cairn__buffer_byte(to, ',');
        }
        cairn__writing_text(to, list.items[i]);
    }
    cairn__buffer_byte(to, ']');
}

void cairn__writing_value(cairn__buffer *to, const cairn_value *value) {
    char text[CAIRN__INSTANT_TEXT_BYTES];
    switch (value->kind) {
    case CAIRN_VALUE_BOOLEAN:
        cairn__writing_raw(to, value->as.boolean ? "true" : "false");
        return;
    case CAIRN_VALUE_INTEGER:
        cairn__buffer_format(to, "%lld", (long long)value->as.integer);
        return;
    case CAIRN_VALUE_NUMBER:
        cairn__writing_number(to, value->as.number);
        return;
    case CAIRN_VALUE_STRING:
        cairn__writing_text(to, value->as.string);
        return;
    case CAIRN_VALUE_TIME:
        (void)cairn__format_instant(value->as.time_ms, text);
        cairn__buffer_format(to, "\"%s\"", text);
        return;
    case CAIRN_VALUE_LIST:
        write_list(to, value->as.list);
        return;
    case CAIRN_VALUE_NULL:
    default:
        cairn__writing_raw(to, "null");
    }
}
