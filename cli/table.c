#include "cli/table.h"

#include <stdint.h>
#include <string.h>

static bool is_wide(uint32_t c) {
    return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
           (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
           (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
           (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) ||
           (c >= 0x20000 && c <= 0x3fffd);
}

size_t cairn__table_width(const char *text) {
    size_t width = 0;
    const unsigned char *at = (const unsigned char *)text;
    while (*at != 0) {
        uint32_t c = *at;
        if (c >= 0xf0) {
            c &= 0x07;
        } else if (c >= 0xe0) {
            c &= 0x0f;
        } else if (c >= 0xc0) {
            c &= 0x1f;
        }
        for (at++; (*at & 0xc0) == 0x80; at++) {
            c = (c << 6) | (*at & 0x3fu);
        }
        bool joins = c >= 0x300 && c <= 0x36f; /* combining marks take no cell */
        width += joins ? 0 : (is_wide(c) ? 2 : 1);
    }
    return width;
}

/* The text of a cell; short scalars go through `space`. */
static const char *cell_text(const json_t *cell, char *space, size_t bytes) {
    if (json_is_string(cell)) {
        return json_string_value(cell);
    }
    if (json_is_object(cell)) {
        return json_string_value(json_object_get(cell, "name"));
    }
    if (json_is_integer(cell)) {
        snprintf(space, bytes, "%" JSON_INTEGER_FORMAT, json_integer_value(cell));
    } else if (json_is_real(cell)) {
        snprintf(space, bytes, "%.10g", json_real_value(cell));
    } else if (json_is_boolean(cell)) {
        snprintf(space, bytes, "%s", json_is_true(cell) ? "true" : "false");
    } else {
        snprintf(space, bytes, "-");
    }
    return space;
}

static void widen(const json_t *row, size_t *widths, size_t count) {
    char space[64];
    for (size_t i = 0; i < count; i++) {
        const char *text = cell_text(json_array_get(row, i), space, sizeof space);
        size_t width = text == NULL ? 0 : cairn__table_width(text);
        if (width > widths[i]) {
            widths[i] = width;
        }
    }
}

static void print_row(const json_t *row, const size_t *widths, size_t count, FILE *to) {
    char space[64];
    for (size_t i = 0; i < count; i++) {
        const json_t *cell = json_array_get(row, i);
        const char *text = cell_text(cell, space, sizeof space);
        if (text == NULL) {
            text = "";
        }
        int pad = (int)(widths[i] - cairn__table_width(text));
        bool right = json_is_number(cell);
        bool last = i + 1 == count;
        fprintf(to, "%*s%s%*s%s", right ? pad : 0, "", text, right || last ? 0 : pad, "",
                last ? "\n" : "  ");
    }
}

bool cairn__table_print(const json_t *answer, FILE *to) {
    const json_t *columns = json_object_get(answer, "columns");
    const json_t *rows = json_object_get(answer, "rows");
    size_t widths[CAIRN__TABLE_COLUMNS_MAX] = { 0 };
    size_t count = json_array_size(columns);
    if (!json_is_array(rows) || count == 0 || count > CAIRN__TABLE_COLUMNS_MAX) {
        return false;
    }
    widen(columns, widths, count);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        widen(json_array_get(rows, i), widths, count);
    }
    print_row(columns, widths, count, to);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        print_row(json_array_get(rows, i), widths, count, to);
    }
    return true;
}
