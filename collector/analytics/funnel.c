#include "analytics/funnel.h"

#include "base/bytes.h"

static bool is_split(const cairn__query *query) {
    for (size_t i = 0; i < query->by_count; i++) {
        if (query->by[i].step == 0 && query->by[i].fact.source != CAIRN__QUERY_OF_USER) {
            return true;
        }
    }
    return false;
}

/* --- taking results --- */

/* Where the value of a `by` is looked up: at the event that made its step, if that was made. */
static uint32_t row_of(const cairn__query_by *by, const cairn__funnel_chain *chain) {
    if (by->step > chain->level) {
        return UINT32_MAX;
    }
    return by->step == 0 ? chain->start : chain->rows[by->step - 1];
}

static bool group_of(cairn__funnel *funnel, const cairn__funnel_chain *chain, uint32_t *group_out) {
    const cairn__query *query = funnel->run->query;
    cairn__key keys[CAIRN__QUERY_BY_MAX];
    for (size_t i = 0; i < query->by_count; i++) {
        if (!cairn__groups_key(&funnel->groups, &query->by[i], row_of(&query->by[i], chain),
                               &keys[i])) {
            return false;
        }
    }
    return cairn__groups_find(&funnel->groups, keys, group_out);
}

static bool is_wanted_group(cairn__funnel *funnel, uint32_t group) {
    while (funnel->wanted.count <= group) {
        uint8_t *added = cairn__list_add(&funnel->wanted);
        if (added == NULL) {
            funnel->failed = true;
            return false;
        }
        *added = cairn__groups_wanted(&funnel->groups, (uint32_t)funnel->wanted.count - 1,
                                      &funnel->label);
    }
    return ((const uint8_t *)funnel->wanted.items)[group] != 0;
}

static bool is_wanted_unit(cairn__funnel *funnel, uint32_t unit) {
    const cairn__query *query = funnel->run->query;
    if (query->members.unit_json.data == NULL) {
        return true;
    }
    cairn__buffer_clear(&funnel->label);
    cairn__units_write(&funnel->units, query, unit, &funnel->label);
    return cairn__span_equal(cairn__buffer_span(&funnel->label), query->members.unit_json);
}

/* Every entry of a person may be asked; the person is taken once. */
static bool take_member(cairn__funnel *funnel, uint32_t group, const cairn__funnel_chain *chain) {
    const cairn__query_members *members = &funnel->run->query->members;
    const cairn__list *taken = &funnel->report->members;
    const uint32_t *persons = taken->items;
    bool deep = members->dropped ? chain->level == members->step : chain->level >= members->step;
    if (!deep || !is_wanted_unit(funnel, chain->unit) || !is_wanted_group(funnel, group) ||
        (taken->count > 0 && persons[taken->count - 1] == funnel->pass.person)) {
        return !funnel->failed;
    }
    funnel->full = !cairn__report_member(funnel->report, funnel->pass.person, &funnel->failed);
    return !funnel->full;
}

static bool count(cairn__funnel *funnel, uint32_t group, uint32_t unit,
                  const cairn__funnel_chain *chain) {
    cairn__funnel_count *steps = cairn__funnel_counts_at(&funnel->counts, group, unit);
    return steps != NULL && cairn__funnel_counts_add(steps, &funnel->pass, chain);
}

bool cairn__funnel_take(cairn__funnel *funnel, const cairn__funnel_chain *chain, bool whole) {
    uint32_t group = 0;
    if (!group_of(funnel, chain, &group)) {
        funnel->failed = true;
        return false;
    }
    if (funnel->run->query->members.wanted) {
        return take_member(funnel, group, chain);
    }
    funnel->failed =
        !count(funnel, group, chain->unit, chain) || (whole && !count(funnel, 0, 0, chain));
    return !funnel->failed;
}

/* --- the walk --- */

typedef struct {
    cairn__funnel *funnel;
    cairn__funnel_machine cells; /* as the rows ask */
    cairn__funnel_machine whole; /* as the totals ask, where that differs */
    bool two;
} machines;

static bool take_results(cairn__funnel *funnel, const cairn__funnel_machine *machine, bool whole) {
    const cairn__funnel_result *results = machine->results.items;
    for (size_t i = 0; i < machine->results.count; i++) {
        if (!results[i].dropped && !cairn__funnel_take(funnel, &results[i].chain, whole)) {
            return false;
        }
    }
    return true;
}

static bool count_whole(cairn__funnel *funnel, const cairn__funnel_machine *machine) {
    const cairn__funnel_result *results = machine->results.items;
    for (size_t i = 0; i < machine->results.count && !funnel->failed; i++) {
        funnel->failed = !results[i].dropped && !count(funnel, 0, 0, &results[i].chain);
    }
    return !funnel->failed;
}

static bool walk_person(machines *m) {
    cairn__funnel *funnel = m->funnel;
    const uint64_t *masks = cairn__pass_masks(&funnel->pass);
    return masks != NULL && cairn__funnel_machine_run(&m->cells, masks) &&
           take_results(funnel, &m->cells, !m->two) &&
           (!m->two ||
            (cairn__funnel_machine_run(&m->whole, masks) && count_whole(funnel, &m->whole)));
}

/* Totals of units and of split values are funnels of their own: they cannot be added up. */
static void walk(cairn__funnel *funnel) {
    const cairn__query *query = funnel->run->query;
    bool split = is_split(query);
    machines m = { .funnel = funnel, .two = (query->has_unit || split) && !query->members.wanted };
    m.cells =
        cairn__funnel_machine_make(&funnel->pass, query->has_unit ? &funnel->units : NULL, split);
    m.whole = cairn__funnel_machine_make(&funnel->pass, NULL, false);
    while (cairn__pass_next(&funnel->pass) && walk_person(&m)) {
    }
    cairn__funnel_machine_free(&m.cells);
    cairn__funnel_machine_free(&m.whole);
}

static cairn_status answer(cairn__funnel *funnel, const cairn__query_side *side) {
    uint32_t group;
    const cairn__query *query = funnel->run->query;
    /* A question without groups has its rows even when there is nobody. */
    if (query->by_count == 0 && !cairn__groups_find(&funnel->groups, NULL, &group)) {
        return CAIRN_NO_MEMORY;
    }
    uint32_t last = funnel->groups.count - 1;
    if (cairn__funnel_counts_at(&funnel->counts, last, 0) == NULL) {
        return CAIRN_NO_MEMORY;
    }
    if (cairn__funnel_is_plain(funnel)) {
        cairn__funnel_plain(funnel);
    } else {
        walk(funnel);
    }
    if (funnel->failed) {
        return CAIRN_NO_MEMORY;
    }
    if (funnel->pass.status != CAIRN_OK || query->members.wanted) {
        return funnel->pass.status;
    }
    return cairn__funnel_write(funnel, side);
}

cairn_status cairn__funnel_run(cairn__run *run, const cairn__query_side *side,
                               cairn__report *report) {
    const cairn__query_funnel *options = &run->query->funnel;
    cairn__funnel funnel = { .run = run, .report = report };
    int64_t to_ms = side->to_ms + (options->end_at_range ? 0 : options->window_ms);
    cairn_status status = cairn__units_make(run->allocator, run->query, side, &funnel.units);
    if (status != CAIRN_OK) {
        return status;
    }
    status = cairn__pass_open(&funnel.pass, run, side, to_ms);
    if (status == CAIRN_OK) {
        funnel.groups = cairn__groups_make(&funnel.pass);
        funnel.counts = cairn__funnel_counts_make(run, &funnel.units);
        funnel.wanted = cairn__list_make(run->allocator, sizeof(uint8_t));
        funnel.label = cairn__buffer_make(run->allocator, SIZE_MAX / 2);
        status = answer(&funnel, side);
        cairn__groups_free(&funnel.groups);
        cairn__funnel_counts_free(&funnel.counts);
        cairn__list_free(&funnel.wanted);
        cairn__buffer_free(&funnel.label);
        cairn__pass_close(&funnel.pass);
    }
    cairn__units_free(&funnel.units);
    return status;
}
