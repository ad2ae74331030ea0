/* conform.h: what the adapters of this folder share. An adapter says a foreign case in Cairn's
 * terms, has the product's own code answer it and compares. It never answers itself.
 *
 * Each suite has a list NAME_left_out.txt of the cases that are not right here, with the reason.
 * The list is exact: a case of it that is right fails the test, and so does any other that is not.
 */
#ifndef CAIRN_TESTS_CONFORM_H
#define CAIRN_TESTS_CONFORM_H

#include <jansson.h>

#include "base/bytes.h"
#include "rules/rules.h"

enum {
    CONFORM_SKIPPED = 77,
    CONFORM_TEXT_BYTES = 16 * 1024,
    CONFORM_ID_BYTES = 256,
    CONFORM_LINES_MAX = 1200,
    CONFORM_REASONS_MAX = 64,
    CONFORM_SLOTS_MAX = 64
};

/* --- cases ----------------------------------------------------------------------------------- */

typedef struct conform_line {
    char id[CONFORM_ID_BYTES]; /* ends with '*': all that begin so */
    size_t reason;
    bool met;
} conform_line;

typedef struct conform_reason {
    char text[CONFORM_ID_BYTES];
    size_t cases;
} conform_reason;

typedef struct conform_suite {
    const char *name;
    conform_line *lines;
    size_t line_count;
    conform_reason reasons[CONFORM_REASONS_MAX];
    size_t reason_count;
    size_t cases, right, out, faults;
} conform_suite;

/** The JSON file `path` under data/; NULL after a line that says what is missing or wrong. */
json_t *conform_load(const char *path);

/** The path of a file under data/, into `to`; false: it cannot be read (a line says so). */
bool conform_path(const char *path, char *to, size_t room);

/** One case: `id` is stable ("evalCondition 12 $not - pass"); `why` it is not right, NULL: it is.
 */
void conform_case(conform_suite *suite, const char *id, const char *why);

/** Runs the cases of the file `path` under data/ by `run`, prints the counts and compares them with
 * docs/CONFORMANCE.md; the exit code. */
int conform_main(const char *name, const char *path,
                 void (*run)(conform_suite *suite, json_t *cases));

/* --- saying a rule --------------------------------------------------------------------------- */

/** A rule's text while it is said. Once `why` is set, the case cannot be said. */
typedef struct conform_text {
    char text[CONFORM_TEXT_BYTES];
    size_t len;
    const char *why;
} conform_text;

void conform_cannot(conform_text *to, const char *why);
void conform_say(conform_text *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** user.`name` */
void conform_name(conform_text *to, const char *name);
/** A text, a number, true or false. */
void conform_constant(conform_text *to, json_t *value);
/** A text in quotes. */
void conform_quoted(conform_text *to, const char *text);

/* --- asking it ------------------------------------------------------------------------------- */

/** A rule and its facts. */
typedef struct conform_rule {
    cairn__arena arena;
    cairn__rule rule;
    cairn_value values[CONFORM_SLOTS_MAX];
    cairn__rule_fault fault;
} conform_rule;

/** The value of a slot; what it borrows lies in the arena. Returns why there can be none, or NULL.
 */
typedef const char *(*conform_value_of)(void *context, const cairn__rule_slot *slot,
                                        cairn__arena *arena, cairn_value *value_out);

/** Compile, load the program's bytes as a device does, and fill; returns why not, or NULL. Free in
 * both cases. */
const char *conform_compile(conform_rule *rule, const conform_text *text, conform_value_of value_of,
                            void *context);
void conform_free(conform_rule *rule);

/** Compile, fill, evaluate and compare with `wanted`; returns why it is not right, or NULL. */
const char *conform_ask(const conform_text *text, conform_value_of value_of, void *context,
                        bool wanted);

/** A JSON value as a fact; returns why it is none, or NULL. Absent (NULL) and null are null. */
const char *conform_value(json_t *from, cairn__arena *arena, cairn_value *value_out);

/** The member "a.b.c", else c of b of a; NULL: there is none. */
json_t *conform_member(json_t *object, cairn_span path);

/** conform_value_of for an object of facts, which is the context. No history. */
const char *conform_fact(void *object, const cairn__rule_slot *slot, cairn__arena *arena,
                         cairn_value *value_out);

#endif
