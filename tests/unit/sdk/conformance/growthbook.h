/* growthbook.h: GrowthBook's JSON of conditions, experiments, flags and persons -> Cairn's rules,
 * experiments, flags and inputs. What has a field that the adapter does not know is not run. */
#ifndef CAIRN_TESTS_GROWTHBOOK_H
#define CAIRN_TESTS_GROWTHBOOK_H

#include "conform.h"
#include "decide/flag.h"

enum { GROWTHBOOK_UNIT_BYTES = 32, GROWTHBOOK_DEPTH_MAX = 8 };

/** Whom it is about: attributes, features, savedGroups, ...; `depth` of flags asking flags. */
typedef struct growthbook_world {
    json_t *context;
    unsigned depth;
} growthbook_world;

/** What the definition and the input point to; lives as long as they are used. */
typedef struct growthbook {
    cairn__experiment experiment;
    cairn__experiment_input input;
    const char *why;       /* it cannot be said in Cairn's terms; NULL: it can */
    const char *key;       /* of the experiment */
    const char *attribute; /* whose value is the unit */
    char unit[GROWTHBOOK_UNIT_BYTES];
    double weights[CAIRN__VARIANTS_MAX];
    cairn__range ranges[CAIRN__VARIANTS_MAX];
    cairn__range slices[CAIRN__EXPERIMENT_NAMESPACES_MAX][CAIRN__EXPERIMENT_SLICES_MAX];
    cairn__namespace layers[CAIRN__EXPERIMENT_NAMESPACES_MAX];
    conform_rule targeting;
} growthbook;

/** The condition as a rule; `groups` are the savedGroups. */
void growthbook_condition(conform_text *to, json_t *from, json_t *groups);

/** An experiment, or a flag's rule. `key`: where its JSON names none. Free with growthbook_free. */
void growthbook_read(growthbook *g, growthbook_world world, json_t *experiment, const char *key);
void growthbook_free(growthbook *g);

/** Ranges out of [[from, to], ...]; how many. */
size_t growthbook_ranges(json_t *list, cairn__range *ranges_out, size_t room);

/** The assignment kept for the unit, or for the id that it stands in for, in a list of documents.
 */
void growthbook_read_sticky(growthbook *g, json_t *context, json_t *experiment, json_t *documents);

/** "checkout__3": the name under which an assignment is kept. */
void growthbook_sticky_name(const growthbook *g, uint32_t version, char *into, size_t room);

/** What a flag came to. */
typedef struct growthbook_answer {
    json_t *value; /* borrowed from the flag; NULL: null */
    json_t *rule;  /* that gave it; NULL: none */
    cairn__flag_decision found;
} growthbook_answer;

/** Decide a flag of the world; returns why it cannot be asked, or NULL. */
const char *growthbook_flag(growthbook_world world, const char *name, growthbook_answer *out);

#endif
