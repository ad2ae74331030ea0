/* growthbook.h: GrowthBook's JSON of an experiment and a person -> Cairn's definition and input.
 * Fails the running test at a field that it does not know, so that none is passed over. */
#ifndef CAIRN_TESTS_DECIDE_GROWTHBOOK_H
#define CAIRN_TESTS_DECIDE_GROWTHBOOK_H

#include <jansson.h>

#include "decide/experiment.h"

enum { GROWTHBOOK_SLOTS_MAX = 8 };

/** What the definition and the input point to; lives as long as they are used. */
typedef struct growthbook {
    cairn__experiment experiment;
    cairn__experiment_input input;
    const char *key;       /* of the experiment */
    const char *attribute; /* whose value is the unit */
    double weights[CAIRN__VARIANTS_MAX];
    cairn__range ranges[CAIRN__VARIANTS_MAX];
    cairn__range slices[CAIRN__EXPERIMENT_NAMESPACES_MAX][CAIRN__EXPERIMENT_SLICES_MAX];
    cairn__namespace layers[CAIRN__EXPERIMENT_NAMESPACES_MAX];
    cairn__rule rule;
    cairn_value values[GROWTHBOOK_SLOTS_MAX];
    cairn__arena arena;
} growthbook;

/** `key`: the experiment's, where its JSON names none. Free with growthbook_free. */
void growthbook_read(growthbook *g, json_t *context, json_t *experiment, const char *key);
void growthbook_free(growthbook *g);

/** Ranges out of [[from, to], ...]; how many. */
size_t growthbook_ranges(json_t *list, cairn__range *ranges_out, size_t room);

/** The assignment kept for the unit, or for the id that it stands in for, in a list of documents.
 */
void growthbook_read_sticky(growthbook *g, json_t *context, json_t *experiment, json_t *documents);

/** "checkout__3": the name under which an assignment is kept. */
void growthbook_sticky_name(const growthbook *g, uint32_t version, char *into, size_t room);

#endif
