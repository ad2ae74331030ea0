/* needs.c: one walk over the bundle that counts, and the same walk again that collects. */
#include "facts/needs.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "decide/memory.h"
#include "trail/reader.h"

typedef struct list {
    cairn_span *items; /* NULL: only counted */
    size_t count;
} list;

typedef struct walk {
    list events, properties, user;
    bool any; /* some query looks at every event */
} walk;

static void add(list *to, cairn_span name) {
    if (to->items != NULL) {
        to->items[to->count] = name;
    }
    to->count += 1;
}

/* --- queries ---------------------------------------------------------------------------------- */

static void walk_where(walk *w, const cairn__rule *where) {
    for (size_t i = 0; i < where->slot_count; i++) {
        if (where->slots[i].space == CAIRN__RULE_EVENT) {
            add(&w->properties, where->slots[i].name);
        }
    }
}

static void walk_query(walk *w, const cairn__query *query) {
    const cairn__query_step *steps = NULL;
    size_t count = cairn__query_steps(query, &steps);
    cairn__rule_history_kind kind = cairn__query_kind(query);
    if (kind == CAIRN__RULE_MEMBER || kind == CAIRN__RULE_ANY_ROW || kind == CAIRN__RULE_ALL_ROWS) {
        return; /* not of events */
    }
    for (size_t i = 0; i < count; i++) {
        w->any = w->any || steps[i].any;
        for (size_t k = 0; k < steps[i].name_count; k++) {
            add(&w->events, steps[i].names[k]);
        }
        walk_where(w, &steps[i].where);
    }
    if (cairn__query_name(query).len > 0) {
        add(&w->properties, cairn__query_name(query));
    }
}

static void walk_facts(walk *w, const cairn__bundle *bundle) {
    for (size_t i = 0; i < bundle->definitions.fact_count; i++) {
        const cairn__rule_slot *slot = &bundle->definitions.facts[i];
        if (slot->space == CAIRN__RULE_USER) {
            add(&w->user, slot->name);
        } else if (slot->space == CAIRN__RULE_QUERY && bundle->queries[i] != NULL) {
            walk_query(w, bundle->queries[i]);
        }
    }
}

/* --- slots, memory ---------------------------------------------------------------------------- */

static void walk_strategy(walk *w, const cairn__strategy *strategy) {
    for (size_t i = 0; i < strategy->recall_count; i++) {
        if (strategy->recalls[i].event.len > 0) {
            add(&w->events, strategy->recalls[i].event);
            add(&w->properties, strategy->recalls[i].property);
        }
    }
    if (strategy->bought_event.len > 0) {
        add(&w->events, strategy->bought_event);
        add(&w->properties, strategy->bought_property);
    }
}

static void walk_memory(walk *w) {
    const cairn_span events[] = {
        CAIRN__EVENT_POPUP_SHOW,    CAIRN__EVENT_POPUP_CLICK, CAIRN__EVENT_POPUP_CLOSE,
        CAIRN__EVENT_POPUP_CONVERT, CAIRN__EVENT_SLOT_SHOW,   CAIRN__EVENT_SLOT_CLICK,
        CAIRN__EVENT_EXPOSURE,
    };
    const cairn_span properties[] = {
        CAIRN_STR("popup"),    CAIRN_STR("variant"),    CAIRN_STR("groups"),
        CAIRN_STR("control"),  CAIRN_STR("slot"),       CAIRN_STR("item"),
        CAIRN_STR("position"), CAIRN_STR("experiment"), CAIRN_STR("sticky_version"),
        CAIRN_STR("unit"),
    };
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        add(&w->events, events[i]);
    }
    for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++) {
        add(&w->properties, properties[i]);
    }
}

static void walk_bundle(walk *w, const cairn__bundle *bundle) {
    const cairn__definitions *definitions = &bundle->definitions;
    walk_facts(w, bundle);
    for (size_t i = 0; i < definitions->slot_count; i++) {
        for (size_t k = 0; k < definitions->slots[i].strategy_count; k++) {
            walk_strategy(w, &definitions->slots[i].strategies[k]);
        }
    }
    walk_memory(w);
}

/* --- lists ------------------------------------------------------------------------------------ */

static int order(cairn_span a, cairn_span b) {
    size_t len = a.len < b.len ? a.len : b.len;
    int by_bytes = len == 0 ? 0 : memcmp(a.data, b.data, len);
    return by_bytes != 0 ? by_bytes : (a.len > b.len) - (a.len < b.len);
}

static int by_name(const void *a, const void *b) {
    return order(*(const cairn_span *)a, *(const cairn_span *)b);
}

static void make_distinct(list *of) {
    size_t kept = 0;
    if (of->count > 0) {
        qsort(of->items, of->count, sizeof *of->items, by_name);
    }
    for (size_t i = 0; i < of->count; i++) {
        if (kept == 0 || !cairn__span_equal(of->items[kept - 1], of->items[i])) {
            of->items[kept++] = of->items[i];
        }
    }
    of->count = kept;
}

static bool make_room(list *of, cairn__arena *arena) {
    of->items = cairn__arena_alloc_zero(arena, of->count + 1, sizeof *of->items);
    of->count = 0;
    return of->items != NULL;
}

cairn_status cairn__fact_needs_of(const cairn__bundle *bundle, cairn__arena *arena,
                                  cairn__fact_needs *needs_out) {
    walk w = { .any = false };
    walk_bundle(&w, bundle);
    if (!make_room(&w.events, arena) || !make_room(&w.properties, arena) ||
        !make_room(&w.user, arena)) {
        return CAIRN_NO_MEMORY;
    }
    walk_bundle(&w, bundle);
    make_distinct(&w.events);
    make_distinct(&w.properties);
    make_distinct(&w.user);
    bool all = w.any || w.events.count > CAIRN__READER_NAMES_MAX;
    *needs_out = (cairn__fact_needs){ .events = w.events.items,
                                      .event_count = all ? 0 : w.events.count,
                                      .properties = w.properties.items,
                                      .property_count = w.properties.count,
                                      .user = w.user.items,
                                      .user_count = w.user.count };
    return CAIRN_OK;
}

size_t cairn__fact_needs_find(const cairn_span *names, size_t count, cairn_span name) {
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int found = order(names[middle], name);
        if (found == 0) {
            return middle;
        }
        low = found < 0 ? middle + 1 : low;
        high = found < 0 ? high : middle;
    }
    return SIZE_MAX;
}
