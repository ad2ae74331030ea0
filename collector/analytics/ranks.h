/* ranks.h: the groups of an answer in the order they are shown: the heaviest first, equal ones by
 * their text, so that the same data gives the same answer. */
#ifndef CAIRN_ANALYTICS_RANKS_H
#define CAIRN_ANALYTICS_RANKS_H

#include "analytics/groups.h"

typedef struct cairn__rank {
    double weight;
    uint32_t group;
    size_t text_at, text_bytes; /* the group's values as JSON, each with a comma after it */
    const cairn__buffer *texts;
} cairn__rank;

typedef struct cairn__ranks {
    cairn__list list; /* cairn__rank */
    cairn__buffer texts;
    size_t shown; /* the first of them, by the question's limit */
} cairn__ranks;

typedef double (*cairn__ranks_weigh)(const void *self, uint32_t group);

/** Ranks groups 1.. by their weight. False: no memory (free it all the same). */
bool cairn__ranks_make(const cairn__groups *groups, cairn__ranks_weigh weigh, const void *self,
                       cairn__ranks *ranks_out);
void cairn__ranks_free(cairn__ranks *ranks);

const cairn__rank *cairn__ranks_at(const cairn__ranks *ranks, size_t index);
/** Appends the values of the group, each followed by a comma. */
void cairn__ranks_write(const cairn__ranks *ranks, size_t index, cairn__buffer *to);

#endif
