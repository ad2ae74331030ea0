#include "analytics/ranks.h"

#include <stdlib.h>

#include "base/bytes.h"

static cairn_span text_of(const cairn__rank *rank) {
    if (rank->text_bytes == 0) {
        return cairn__span(NULL, 0); /* no groups, no text to point into */
    }
    return cairn__span(rank->texts->data + rank->text_at, rank->text_bytes);
}

static int compare(const void *a, const void *b) {
    const cairn__rank *left = a;
    const cairn__rank *right = b;
    if (left->weight != right->weight) {
        return left->weight > right->weight ? -1 : 1;
    }
    return cairn__span_compare(text_of(left), text_of(right));
}

bool cairn__ranks_make(const cairn__groups *groups, cairn__ranks_weigh weigh, const void *self,
                       cairn__ranks *ranks_out) {
    cairn_allocator allocator = groups->pass->run->allocator;
    ranks_out->list = cairn__list_make(allocator, sizeof(cairn__rank));
    ranks_out->texts = cairn__buffer_make(allocator, SIZE_MAX / 2);
    for (uint32_t group = 1; group < groups->count; group++) {
        cairn__rank *rank = cairn__list_add(&ranks_out->list);
        if (rank == NULL) {
            return false;
        }
        size_t start = ranks_out->texts.len;
        for (size_t i = 0; i < groups->by_count; i++) {
            cairn__groups_write(groups, group, i, &ranks_out->texts);
            cairn__buffer_byte(&ranks_out->texts, ',');
        }
        *rank = (cairn__rank){ .weight = weigh(self, group),
                               .group = group,
                               .text_at = start,
                               .text_bytes = ranks_out->texts.len - start,
                               .texts = &ranks_out->texts };
    }
    if (ranks_out->texts.failed) {
        return false;
    }
    if (ranks_out->list.count > 1) {
        qsort(ranks_out->list.items, ranks_out->list.count, sizeof(cairn__rank), compare);
    }
    size_t limit = groups->pass->run->query->limit;
    ranks_out->shown = ranks_out->list.count < limit ? ranks_out->list.count : limit;
    return true;
}

void cairn__ranks_free(cairn__ranks *ranks) {
    cairn__list_free(&ranks->list);
    cairn__buffer_free(&ranks->texts);
}

const cairn__rank *cairn__ranks_at(const cairn__ranks *ranks, size_t index) {
    return (const cairn__rank *)ranks->list.items + index;
}

void cairn__ranks_write(const cairn__ranks *ranks, size_t index, cairn__buffer *to) {
    cairn__buffer_append(to, text_of(cairn__ranks_at(ranks, index)));
}
