#include "cli/csv.h"

#include <stdlib.h>
#include <string.h>

static int get_byte(cairn__csv *csv) {
    if (csv->held_count == 0) {
        return getc_unlocked(csv->in);
    }
    return csv->held[--csv->held_count];
}

static void hold_byte(cairn__csv *csv, int c) {
    if (c != EOF) {
        csv->held[csv->held_count++] = (unsigned char)c;
    }
}

/* Both kinds of line end arrive as '\n'; a carriage return alone is an ordinary byte. */
static int next_char(cairn__csv *csv) {
    int c = get_byte(csv);
    if (c != '\r') {
        return c;
    }
    int after = get_byte(csv);
    if (after == '\n') {
        return '\n';
    }
    hold_byte(csv, after);
    return '\r';
}

static void put(cairn__csv *csv, int c) {
    if (csv->used >= CAIRN__CSV_ROW_BYTES_MAX) {
        csv->reason = "the row is longer than 1048576 bytes";
        return;
    }
    if (c == 0 && csv->reason == NULL) {
        csv->reason = "the row holds a zero byte";
    }
    csv->text[csv->used++] = (char)c;
}

static void begin_field(cairn__csv *csv) {
    if (csv->count == CAIRN__CSV_FIELDS_MAX) {
        csv->reason = "the row has more than 512 fields";
        return;
    }
    csv->starts[csv->count++] = csv->used;
}

static void end_field(cairn__csv *csv) {
    if (csv->used < CAIRN__CSV_ROW_BYTES_MAX) {
        csv->text[csv->used++] = 0;
    } else {
        csv->reason = "the row is longer than 1048576 bytes";
    }
}

/* After the opening quote; returns the character after the closing one. */
static int quoted(cairn__csv *csv) {
    int c = get_byte(csv); /* line ends inside quotes are kept as they are */
    while (c != EOF) {
        bool quote = c == '"';
        c = quote ? next_char(csv) : c;
        if (quote && c != '"') {
            return c;
        }
        csv->line += c == '\n' ? 1 : 0;
        put(csv, c);
        c = get_byte(csv);
    }
    csv->reason = "a quoted field does not end; close it with \"";
    return EOF;
}

static int plain(cairn__csv *csv, int c) {
    bool blanks = csv->delimiter == CAIRN__CSV_BLANKS;
    while (c != EOF && c != '\n' && c != csv->delimiter && !(blanks && c == '\t')) {
        put(csv, c);
        c = next_char(csv);
    }
    return c;
}

/* Returns what ended the field: the delimiter, a line end, or EOF. */
static int field(cairn__csv *csv, int c) {
    begin_field(csv);
    if (c == '"' && csv->delimiter != CAIRN__CSV_BLANKS) {
        c = quoted(csv);
        if (c != EOF && c != '\n' && c != csv->delimiter && csv->reason == NULL) {
            csv->reason = "text follows a closing quote; write a quote inside a field as \"\"";
        }
    }
    c = plain(csv, c);
    end_field(csv);
    return c;
}

static int skip_blanks(cairn__csv *csv, int c) {
    if (csv->delimiter != CAIRN__CSV_BLANKS) {
        return c;
    }
    while (c == ' ' || c == '\t') {
        c = next_char(csv);
    }
    return c;
}

static void fields(cairn__csv *csv, int c) {
    bool blanks = csv->delimiter == CAIRN__CSV_BLANKS;
    for (;;) {
        c = field(csv, c);
        if (c == '\n' || c == EOF) {
            return;
        }
        c = skip_blanks(csv, next_char(csv));
        if (blanks && (c == '\n' || c == EOF)) {
            return;
        }
    }
}

bool cairn__csv_open(cairn__csv *csv, FILE *in, char delimiter) {
    memset(csv, 0, sizeof *csv);
    csv->in = in;
    csv->delimiter = delimiter;
    csv->text = malloc(CAIRN__CSV_ROW_BYTES_MAX);
    return csv->text != NULL;
}

void cairn__csv_close(cairn__csv *csv) {
    free(csv->text);
    csv->text = NULL;
}

/* The first character of the file, past a byte order mark. Half a mark is the start of some other
 * character, so its bytes are held for reading again. */
static int first_char(cairn__csv *csv) {
    static const int mark[3] = { 0xef, 0xbb, 0xbf };
    int at = 0;
    while (at < 3) {
        int c = get_byte(csv);
        if (c != mark[at]) {
            hold_byte(csv, c);
            break;
        }
        at++;
    }
    while (at > 0 && at < 3) {
        hold_byte(csv, mark[--at]);
    }
    return next_char(csv);
}

cairn__csv_result cairn__csv_next(cairn__csv *csv) {
    int c;
    csv->count = 0;
    csv->used = 0;
    csv->reason = NULL;
    do {
        c = skip_blanks(csv, csv->line == 0 ? first_char(csv) : next_char(csv));
        csv->line++;
    } while (c == '\n');
    csv->row_line = csv->line;
    if (c != EOF) {
        fields(csv, c);
    }
    if (ferror(csv->in)) {
        csv->reason = "the file cannot be read";
        return CAIRN__CSV_FAILED;
    }
    if (csv->count == 0) {
        return CAIRN__CSV_END;
    }
    return csv->reason == NULL ? CAIRN__CSV_ROW : CAIRN__CSV_BAD;
}

const char *cairn__csv_field(const cairn__csv *csv, size_t i) {
    return csv->text + csv->starts[i];
}
