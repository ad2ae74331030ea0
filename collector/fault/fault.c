#include "fault/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

enum {
    WORD_BYTES_MAX = 48, /* longer words have no near neighbour */
    NEAR_EDITS_MAX = 3,
};

/* The query's own words may be cut in the middle of a character: what is left of it becomes '?'. */
static void make_valid(char *text) {
    size_t len = strlen(text);
    size_t at = 0;
    while (at < len) {
        size_t bytes = 1;
        while (bytes < 4 && at + bytes < len && !cairn__utf8_valid(cairn__span(text + at, bytes))) {
            bytes++;
        }
        if (!cairn__utf8_valid(cairn__span(text + at, bytes))) {
            text[at] = '?';
            bytes = 1;
        }
        at += bytes;
    }
}

cairn__fault_path cairn__fault_key(cairn__fault_path at, const char *key) {
    cairn__fault_path path;
    int length =
        snprintf(path.text, sizeof path.text, "%s%s%s", at.text, at.text[0] == 0 ? "" : ".", key);
    if (length < 0 || (size_t)length >= sizeof path.text) {
        make_valid(path.text);
    }
    return path;
}

cairn__fault_path cairn__fault_item(cairn__fault_path at, size_t index) {
    cairn__fault_path path;
    (void)snprintf(path.text, sizeof path.text, "%.100s[%zu]", at.text, index);
    return path;
}

bool cairn__fault(cairn__fault_problem *problem, const char *code, cairn__fault_path field,
                  const char *format, ...) {
    va_list arguments;
    (void)snprintf(problem->code, sizeof problem->code, "%s", code);
    (void)snprintf(problem->field, sizeof problem->field, "%s", field.text);
    va_start(arguments, format);
    (void)vsnprintf(problem->detail, sizeof problem->detail, format, arguments);
    va_end(arguments);
    make_valid(problem->detail);
    problem->fix[0] = 0;
    return false;
}

bool cairn__fault_fix(cairn__fault_problem *problem, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(problem->fix, sizeof problem->fix, format, arguments);
    va_end(arguments);
    make_valid(problem->fix);
    return false;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Levenshtein's distance, one row of the table at a time. */
static size_t edits(cairn_span a, cairn_span b) {
    size_t row[WORD_BYTES_MAX + 1];
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = diagonal + (a.data[i - 1] == b.data[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = least(change, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.len];
}

const char *cairn__fault_nearest(cairn_span word, const char *const *words, size_t count) {
    const char *best = NULL;
    size_t best_edits = least(NEAR_EDITS_MAX, word.len / 2) + 1;
    if (word.len > WORD_BYTES_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        cairn_span other = cairn__span_of(words[i]);
        size_t distance = other.len > WORD_BYTES_MAX ? SIZE_MAX : edits(word, other);
        if (distance < best_edits) {
            best_edits = distance;
            best = words[i];
        }
    }
    return best;
}

bool cairn__fault_fix_words(cairn__fault_problem *problem, cairn_span word,
                            const char *const *words, size_t count) {
    const char *near = cairn__fault_nearest(word, words, count);
    if (near != NULL) {
        return cairn__fault_fix(problem, "did you mean `%s`?", near);
    }
    char list[sizeof problem->fix] = { 0 };
    size_t used = 0;
    for (size_t i = 0; i < count && used < sizeof list; i++) {
        int length =
            snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ", words[i]);
        used += length < 0 ? sizeof list : (size_t)length;
    }
    return cairn__fault_fix(problem, "one of: %s", list);
}
