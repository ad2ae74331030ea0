/* reading.h: typed access to the JSON of a definition, inside collector/definitions only.
 *
 * A **place** is a value and its path. A reader leaves its output as it is (the default) where the
 * value is missing, and returns false when it has said what is wrong (or `no_memory` is set). */
#ifndef CAIRN_DEFINITIONS_READING_H
#define CAIRN_DEFINITIONS_READING_H

#include <jansson.h>

#include "definitions/definition.h"
#include "model/limits.h"

typedef struct cairn__place {
    const json_t *json; /* NULL: it is not there */
    cairn__fault_path at;
} cairn__place;

typedef struct cairn__reader {
    cairn__definition *definition;
    cairn__definition_problem *problem;
    cairn__arena *arena;                 /* the definition's */
    cairn__arena *scratch;               /* of one rule while it is compiled */
    size_t condition_max, reference_max; /* room in the definition's lists */
    cairn__reference *references;
    bool no_memory;
} cairn__reader;

typedef struct cairn__words {
    const char *const *words;
    size_t count;
} cairn__words;
#define CAIRN__WORDS(list) ((cairn__words){ (list), sizeof(list) / sizeof((list)[0]) })

typedef struct cairn__bounds {
    int64_t min, max;
} cairn__bounds;

/** Say what is wrong, and the fix. Both are false. */
#define CAIRN__WRONG(reader, ...) cairn__fault(&(reader)->problem->fault, __VA_ARGS__)
#define CAIRN__FIX(reader, ...) cairn__fault_fix(&(reader)->problem->fault, __VA_ARGS__)

cairn__place cairn__place_key(cairn__place place, const char *key);
cairn__place cairn__place_item(cairn__place place, size_t index);

bool cairn__reader_no_memory(cairn__reader *reader); /* false */
/** `count` things of `size` bytes, cleared; NULL (and no_memory) when there is no room. */
void *cairn__reader_make(cairn__reader *reader, size_t count, size_t size);

/** A copy in the definition's arena, followed by a NUL. */
bool cairn__reader_copy(cairn__reader *reader, cairn_span text, cairn_span *copy_out);

/** It must be there. */
bool cairn__read_needed(cairn__reader *reader, cairn__place place, const char *what);
/** An object with no other keys. */
bool cairn__read_object(cairn__reader *reader, cairn__place place, cairn__words keys);
/** A list of at most `max`; how many (0 where it is missing). */
bool cairn__read_list(cairn__reader *reader, cairn__place place, size_t max, size_t *count_out);
bool cairn__read_text(cairn__reader *reader, cairn__place place, size_t bytes_max,
                      cairn_span *text_out);
/** As cairn__definition_name_is_good. */
bool cairn__read_name(cairn__reader *reader, cairn__place place, cairn_span *name_out);
bool cairn__read_flag(cairn__reader *reader, cairn__place place, bool *flag_out);
bool cairn__read_integer(cairn__reader *reader, cairn__place place, cairn__bounds bounds,
                         int64_t *number_out);
/** A finite number from min to max. */
bool cairn__read_number(cairn__reader *reader, cairn__place place, cairn__bounds bounds,
                        double *number_out);
bool cairn__read_choice(cairn__reader *reader, cairn__place place, cairn__words words,
                        size_t *index_out);
/** Any JSON, as canonical text. */
bool cairn__read_content(cairn__reader *reader, cairn__place place, cairn_span *json_out);
/** A list of texts, none twice. */
bool cairn__read_texts(cairn__reader *reader, cairn__place place, cairn__bounds counts,
                       const cairn_span **texts_out, size_t *count_out);
/** Is this key of an object a name? `place` is its value's. */
bool cairn__read_key_name(cairn__reader *reader, cairn__place place, cairn_span key);
/** An object's keys in their order of bytes. */
bool cairn__read_keys(cairn__reader *reader, cairn__place place, size_t max,
                      const cairn_span **keys_out, size_t *count_out);

/* --- reading_parts.c --- */

/** "7 days", "90 s". `bounds` in ms. */
bool cairn__read_duration(cairn__reader *reader, cairn__place place, cairn__bounds bounds,
                          int64_t *ms_out);
/** "2026-12-01T00:00:00+08:00". */
bool cairn__read_time(cairn__reader *reader, cairn__place place, int64_t *ms_out);
/** "from" and "to" of an object; from before to. */
bool cairn__read_live(cairn__reader *reader, cairn__place object, int64_t *from_ms_out,
                      int64_t *to_ms_out);

typedef struct cairn__rule_place {
    unsigned spaces, bare; /* as in rules.h */
} cairn__rule_place;
/** Of whom: user, tag, device, session, and functions over history. */
#define CAIRN__RULE_OF_PERSON                                                                      \
    (CAIRN__RULE_USER | CAIRN__RULE_TAG | CAIRN__RULE_DEVICE | CAIRN__RULE_SESSION |               \
     CAIRN__RULE_QUERY)
/** A rule; the condition must stay where it is. */
bool cairn__read_rule(cairn__reader *reader, cairn__place place, cairn__rule_place where,
                      cairn__condition *condition_out);
bool cairn__read_caps(cairn__reader *reader, cairn__place place, const cairn__cap **caps_out,
                      size_t *count_out);
bool cairn__read_quiet(cairn__reader *reader, cairn__place place, const cairn__quiet **quiet_out,
                       size_t *count_out);
/** {"event": "x" or ["x", "y"], "where": rule}, or the event alone; `more` are keys beside these.
 */
bool cairn__read_trigger(cairn__reader *reader, cairn__place place, const char *more,
                         cairn__trigger *trigger_out);
/** What a variant's keys are called. */
typedef struct cairn__variant_keys {
    const char *content;
    cairn__words keys;
    bool has_control;
} cairn__variant_keys;
bool cairn__read_variants(cairn__reader *reader, cairn__place place,
                          const cairn__variant_keys *keys, const cairn__variant **variants_out,
                          size_t *count_out);

/** Names something of another definition. */
bool cairn__reader_refer(cairn__reader *reader, const cairn__reference *reference);

/* --- the kinds --- */

bool cairn__read_popup(cairn__reader *reader, cairn__place place);
bool cairn__read_slot(cairn__reader *reader, cairn__place place);
bool cairn__read_experiment(cairn__reader *reader, cairn__place place);
bool cairn__read_audience(cairn__reader *reader, cairn__place place);
bool cairn__read_settings(cairn__reader *reader, cairn__place place);

#endif
