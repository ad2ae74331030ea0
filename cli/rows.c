#include "cli/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define LINE_BYTES_MAX CAIRN__CSV_ROW_BYTES_MAX
#define HEADER_BYTES_MAX 4194304u

static bool keep_header(cairn__rows *rows) {
    size_t count = rows->csv.count;
    const char **names = cairn__arena_alloc(&rows->arena, count * sizeof *names);
    for (size_t i = 0; names != NULL && i < count; i++) {
        const char *text = cairn__csv_field(&rows->csv, i);
        cairn_span kept;
        if (!cairn__arena_copy(&rows->arena, cairn__span(text, strlen(text) + 1), &kept)) {
            names = NULL;
            break;
        }
        names[i] = (const char *)kept.data;
    }
    rows->columns = names;
    rows->column_count = names == NULL ? 0 : count;
    return names != NULL;
}

static bool read_header(cairn__rows *rows) {
    cairn__csv_result result = cairn__csv_next(&rows->csv);
    if (result == CAIRN__CSV_ROW && keep_header(rows)) {
        return true;
    }
    const char *reason = rows->csv.reason;
    if (result == CAIRN__CSV_END) {
        reason = "the file is empty; its first line names the columns";
    }
    snprintf(rows->reason, sizeof rows->reason, "header: %s",
             reason == NULL ? "out of memory" : reason);
    return false;
}

bool cairn__rows_open(cairn__rows *rows, FILE *in, const cairn__mapping *mapping) {
    memset(rows, 0, sizeof *rows);
    rows->in = in;
    rows->mapping = mapping;
    rows->arena = cairn__arena_make(cairn__heap(), HEADER_BYTES_MAX);
    if (mapping->format == CAIRN__FORMAT_JSONL) {
        return true;
    }
    if (!cairn__csv_open(&rows->csv, in, mapping->delimiter == 0 ? ',' : mapping->delimiter)) {
        snprintf(rows->reason, sizeof rows->reason, "out of memory");
        return false;
    }
    if (mapping->column_count == 0) {
        return read_header(rows);
    }
    rows->columns = mapping->columns;
    rows->column_count = mapping->column_count;
    return true;
}

void cairn__rows_close(cairn__rows *rows) {
    cairn__csv_close(&rows->csv);
    cairn__arena_free(&rows->arena);
    free(rows->line_text);
    rows->line_text = NULL;
    json_decref(rows->object);
    rows->object = NULL;
}

static cairn__csv_result bad(cairn__rows *rows, const char *reason) {
    snprintf(rows->reason, sizeof rows->reason, "%s", reason);
    return CAIRN__CSV_BAD;
}

static cairn__csv_result next_fields(cairn__rows *rows) {
    cairn__csv_result result = cairn__csv_next(&rows->csv);
    rows->line = rows->csv.row_line;
    if (result == CAIRN__CSV_ROW && rows->csv.count != rows->column_count) {
        snprintf(rows->reason, sizeof rows->reason, "the row has %zu fields, the columns are %zu",
                 rows->csv.count, rows->column_count);
        return CAIRN__CSV_BAD;
    }
    if (rows->csv.reason != NULL) {
        snprintf(rows->reason, sizeof rows->reason, "%s", rows->csv.reason);
    }
    return result;
}

/* Reads a line without its end into line_text; bytes past the limit are read and dropped, and the
 * length says so. False at the end of the file. */
static bool read_line(cairn__rows *rows) {
    ssize_t bytes = getline(&rows->line_text, &rows->line_capacity, rows->in);
    rows->line_bytes = 0;
    if (bytes <= 0) {
        return false;
    }
    rows->line++;
    rows->line_bytes = (size_t)bytes;
    while (rows->line_bytes > 0 && (rows->line_text[rows->line_bytes - 1] == '\n' ||
                                    rows->line_text[rows->line_bytes - 1] == '\r')) {
        rows->line_text[--rows->line_bytes] = 0;
    }
    return true;
}

static bool is_blank(const cairn__rows *rows) {
    return strspn(rows->line_text, " \t") == rows->line_bytes;
}

static cairn__csv_result next_object(cairn__rows *rows) {
    json_error_t error;
    json_decref(rows->object);
    rows->object = NULL;
    do {
        if (!read_line(rows)) {
            return ferror(rows->in) ? (bad(rows, "the file cannot be read"), CAIRN__CSV_FAILED)
                                    : CAIRN__CSV_END;
        }
    } while (is_blank(rows));
    if (rows->line_bytes > LINE_BYTES_MAX) {
        rows->line_text[256] = 0; /* the rest says no more */
        rows->line_bytes = 256;
        return bad(rows, "the line is longer than 1048576 bytes");
    }
    rows->object = json_loadb(rows->line_text, rows->line_bytes, 0, &error);
    if (rows->object == NULL) {
        snprintf(rows->reason, sizeof rows->reason, "not JSON: %s, at byte %d", error.text,
                 error.position);
        return CAIRN__CSV_BAD;
    }
    return json_is_object(rows->object) ? CAIRN__CSV_ROW : bad(rows, "the line is no JSON object");
}

cairn__csv_result cairn__rows_next(cairn__rows *rows) {
    rows->reason[0] = 0;
    return rows->mapping->format == CAIRN__FORMAT_JSONL ? next_object(rows) : next_fields(rows);
}

size_t cairn__rows_column(const cairn__rows *rows, const char *name) {
    size_t i = 0;
    while (i < rows->column_count && strcmp(rows->columns[i], name) != 0) {
        i++;
    }
    return i;
}

void cairn__rows_put_field(cairn__buffer *to, const char *text) {
    cairn__buffer_byte(to, ',');
    if (text[strcspn(text, "\",\r\n")] == 0) {
        cairn__buffer_append(to, cairn__span_of(text));
        return;
    }
    cairn__buffer_byte(to, '"');
    for (; *text != 0; text++) {
        if (*text == '"') {
            cairn__buffer_byte(to, '"');
        }
        cairn__buffer_byte(to, (uint8_t)*text);
    }
    cairn__buffer_byte(to, '"');
}

void cairn__rows_raw(const cairn__rows *rows, cairn__buffer *to) {
    if (rows->mapping->format == CAIRN__FORMAT_JSONL) {
        cairn__rows_put_field(to, rows->line_text == NULL ? "" : rows->line_text);
        return;
    }
    for (size_t i = 0; i < rows->csv.count; i++) {
        cairn__rows_put_field(to, cairn__csv_field(&rows->csv, i));
    }
}
