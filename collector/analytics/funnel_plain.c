/* funnel_plain.c: the common funnel (gaps, latest entry, no conditions on events) without chains.
 *
 * One slot per step: the start of the latest chain that has made this step. An event of step k
 * hands the start in slot k - 1 on to slot k when the window still holds. Nothing is compared but
 * times, and the deepest slot that was ever filled is the person's result with its latest start. */
#include "analytics/funnel.h"

#define NEVER_MS (INT64_MIN / 4) /* no window reaches it */

typedef struct {
    int64_t start_ms;
    uint32_t start;
} slot;

typedef struct {
    const int64_t *time_ms;
    const uint16_t *name;
    const uint8_t *step_of; /* by name: every name that is read is of one step */
    int64_t to_ms, window_ms;
    uint32_t step_count;
} walk;

bool cairn__funnel_is_plain(const cairn__funnel *funnel) {
    const cairn__query *query = funnel->run->query;
    const cairn__query_funnel *options = &query->funnel;
    bool plain = options->order == CAIRN__QUERY_GAPS && options->entry == CAIRN__QUERY_LATEST &&
                 !options->hold && !options->within && !options->times && !options->overlap &&
                 !query->has_unit && query->pattern_count == options->step_count &&
                 cairn__pass_name_masks(&funnel->pass) != NULL;
    for (size_t i = 0; i < query->by_count; i++) {
        const cairn__query_by *by = &query->by[i];
        plain = plain && (by->fact.source == CAIRN__QUERY_OF_USER || by->step == 1);
    }
    return plain;
}

/* slots[0] is the event at hand, slots[k] the latest start that has made k steps. */
static uint32_t walk_rows(const walk *w, uint32_t first, uint32_t end, slot *slots) {
    for (uint32_t i = 1; i <= w->step_count; i++) {
        slots[i].start_ms = NEVER_MS;
    }
    for (uint32_t row = first; row < end; row++) {
        int64_t now = w->time_ms[row];
        uint32_t step = w->step_of[w->name[row]];
        slots[0] = (slot){ now < w->to_ms ? now : NEVER_MS, row };
        slot from = slots[step];
        slot *to = &slots[step + 1];
        bool inside = now - from.start_ms <= w->window_ms;
        to->start_ms = inside ? from.start_ms : to->start_ms;
        to->start = inside ? from.start : to->start;
    }
    uint32_t level = w->step_count;
    while (level > 0 && slots[level].start_ms == NEVER_MS) {
        level--;
    }
    return level;
}

void cairn__funnel_plain(cairn__funnel *funnel) {
    const cairn__query_funnel *options = &funnel->run->query->funnel;
    const uint64_t *masks = cairn__pass_name_masks(&funnel->pass);
    uint8_t step_of[CAIRN__READER_NAMES_MAX];
    slot slots[CAIRN__QUERY_STEPS_MAX + 1] = { { 0, 0 } };
    for (size_t i = 0; i < funnel->pass.name_count; i++) {
        step_of[i] = (uint8_t)__builtin_ctzll(masks[i]);
    }
    walk w = { .step_of = step_of,
               .to_ms = funnel->pass.side->to_ms,
               .window_ms = options->window_ms,
               .step_count = options->step_count };
    while (cairn__pass_next(&funnel->pass)) {
        w.time_ms = funnel->pass.batch.time_ms;
        w.name = funnel->pass.batch.name;
        cairn__funnel_chain chain = { 0 };
        chain.level = walk_rows(&w, funnel->pass.first, funnel->pass.end, slots);
        chain.start = slots[chain.level].start;
        chain.rows[0] = chain.start;
        if (chain.level > 0 && !cairn__funnel_take(funnel, &chain, true)) {
            return;
        }
    }
}
