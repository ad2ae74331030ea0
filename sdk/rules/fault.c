/* fault.c: where it is, what was expected, which word was probably meant. */
#include "rules/fault.h"

#include "base/bytes.h"

enum { QUOTE_BYTES_MAX = 40, WORD_BYTES_MAX = 24 };

static bool is_lead(uint8_t byte) {
    return (byte & 0xC0) != 0x80;
}

void cairn__rule_fault_begin(cairn__rule_fault *fault, cairn_span text, size_t at) {
    *fault = (cairn__rule_fault){ .line = 1, .column = 1 };
    for (size_t i = 0; i < at && i < text.len; i++) {
        if (text.data[i] == '\n') {
            fault->line += 1;
            fault->column = 1;
        } else if (is_lead(text.data[i])) {
            fault->column += 1;
        }
    }
}

/* Whole characters only: a cut one would make the sentence bad UTF-8. */
static void add_bytes(cairn__rule_fault *fault, cairn_span bytes) {
    size_t length = strlen(fault->text);
    size_t room = sizeof fault->text - 1 - length;
    size_t take = bytes.len < room ? bytes.len : room;
    while (take > 0 && take < bytes.len && !is_lead(bytes.data[take])) {
        take -= 1;
    }
    for (size_t i = 0; i < take; i++) {
        uint8_t byte = bytes.data[i];
        fault->text[length + i] = (char)(byte < ' ' || byte == 127 ? ' ' : byte);
    }
    fault->text[length + take] = '\0';
}

void cairn__rule_fault_add(cairn__rule_fault *fault, const char *words) {
    add_bytes(fault, cairn__span_of(words));
}

void cairn__rule_fault_quote(cairn__rule_fault *fault, cairn_span word) {
    bool cut = word.len > QUOTE_BYTES_MAX;
    if (cut) {
        word.len = QUOTE_BYTES_MAX;
        while (word.len > 0 && !is_lead(word.data[word.len])) {
            word.len -= 1;
        }
    }
    bool quoted = word.len > 0 && word.data[0] == '"'; /* a string brings its own */
    cairn__rule_fault_add(fault, quoted ? "" : "\"");
    add_bytes(fault, word);
    cairn__rule_fault_add(fault, cut ? "..." : "");
    cairn__rule_fault_add(fault, quoted && !cut ? "" : "\"");
}

void cairn__rule_fault_number(cairn__rule_fault *fault, uint64_t number) {
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    add_bytes(fault, cairn__span(digits + at, sizeof digits - at));
}

static uint8_t lower(uint8_t byte) {
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
}

bool cairn__rule_word_is(cairn_span text, const char *word) {
    size_t i = 0;
    while (i < text.len && word[i] != '\0' && lower(text.data[i]) == (uint8_t)word[i]) {
        i += 1;
    }
    return i == text.len && word[i] == '\0';
}

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* Letters to add, drop, change or swap with a neighbour (Damerau, Levenshtein: optimal string
 * alignment). Both at most WORD_BYTES_MAX. */
static uint32_t distance(cairn_span a, cairn_span b) {
    uint32_t rows[3][WORD_BYTES_MAX + 1];
    for (uint32_t j = 0; j <= b.len; j++) {
        rows[0][j] = j;
    }
    for (uint32_t i = 1; i <= a.len; i++) {
        uint32_t *row = rows[i % 3];
        const uint32_t *above = rows[(i + 2) % 3];
        const uint32_t *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (uint32_t j = 1; j <= b.len; j++) {
            uint8_t x = lower(a.data[i - 1]);
            uint8_t y = lower(b.data[j - 1]);
            row[j] = least(above[j - 1] + (x == y ? 0 : 1), least(above[j], row[j - 1]) + 1);
            bool swapped = i > 1 && j > 1 && x == lower(b.data[j - 2]) && y == lower(a.data[i - 2]);
            row[j] = swapped ? least(row[j], two_above[j - 2] + 1) : row[j];
        }
    }
    return rows[a.len % 3][b.len];
}

void cairn__rule_fault_suggest(cairn__rule_fault *fault, cairn_span written,
                               const char *const *words, size_t count) {
    const char *best = NULL;
    uint32_t best_distance = 3; /* three letters away is another word */
    if (written.len == 0 || written.len > WORD_BYTES_MAX) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        cairn_span word = cairn__span_of(words[i]);
        uint32_t steps = word.len > WORD_BYTES_MAX ? UINT32_MAX : distance(written, word);
        if (steps < best_distance && (size_t)steps * 2 < word.len) {
            best_distance = steps;
            best = words[i];
        }
    }
    if (best != NULL && best_distance > 0) { /* the right word at the wrong place is no help */
        cairn__rule_fault_add(fault, "; did you mean \"");
        cairn__rule_fault_add(fault, best);
        cairn__rule_fault_add(fault, "\"?");
    }
}

/* --- with a caret ---------------------------------------------------------------------------- */

static cairn_span line_of(cairn_span text, uint32_t line) {
    size_t start = 0;
    for (size_t i = 0; i < text.len && line > 1; i++) {
        if (text.data[i] == '\n') {
            line -= 1;
            start = i + 1;
        }
    }
    size_t end = start;
    while (end < text.len && text.data[end] != '\n' && text.data[end] != '\r') {
        end += 1;
    }
    return cairn__span(text.data == NULL ? NULL : text.data + start, end - start);
}

/* Chinese, Japanese and Korean characters and full-width signs fill two columns of a terminal. The
 * lead byte says enough: U+1100..11FF and U+2E80..FFFF but for a few begin with these. */
static bool is_wide(const uint8_t *at, size_t left) {
    bool jamo = at[0] == 0xE1 && left > 1 && at[1] >= 0x84 && at[1] <= 0x85;
    bool radical = at[0] == 0xE2 && left > 1 && at[1] >= 0xBA;
    return jamo || radical || (at[0] >= 0xE3 && at[0] <= 0xED) || at[0] == 0xEF || at[0] == 0xF0;
}

void cairn__rule_fault_show(cairn_span text, const cairn__rule_fault *fault, cairn__buffer *to) {
    cairn_span line = line_of(text, fault->line);
    uint32_t column = 1;
    cairn__buffer_append(to, line);
    cairn__buffer_byte(to, '\n');
    for (size_t i = 0; i < line.len; i++) {
        if (!is_lead(line.data[i])) {
            continue; /* the rest of a character already counted */
        }
        if (column == fault->column) {
            break;
        }
        cairn__buffer_byte(to, line.data[i] == '\t' ? '\t' : ' ');
        if (is_wide(line.data + i, line.len - i)) {
            cairn__buffer_byte(to, ' ');
        }
        column += 1;
    }
    cairn__buffer_append(to, CAIRN_STR("^\nline "));
    cairn__rule_fault place = { 0 };
    cairn__rule_fault_number(&place, fault->line);
    cairn__rule_fault_add(&place, ", column ");
    cairn__rule_fault_number(&place, fault->column);
    cairn__rule_fault_add(&place, ": ");
    cairn__buffer_append(to, cairn__span_of(place.text));
    cairn__buffer_append(to, cairn__span_of(fault->text));
    cairn__buffer_byte(to, '\n');
}
