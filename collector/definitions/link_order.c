/* link_order.c: audiences name audiences, experiments name experiments: an order in which each
 * needs only earlier ones, or the circle that makes one impossible. */
#include <stdio.h>

#include "base/bytes.h"
#include "definitions/link.h"

enum { PENDING = 0, DONE = 1 };

typedef struct ordering {
    cairn__linker *linker;
    cairn__definition_kind kind;
    cairn__reference_kind reference;
    size_t count;
    uint8_t *state;
} ordering;

/* The first that this one needs and that has no place yet; SIZE_MAX: it can have its place. */
static size_t needs(const ordering *o, size_t place) {
    const cairn__definition *one = cairn__linker_at(o->linker, o->kind, place);
    for (size_t i = 0; i < one->reference_count; i++) {
        const cairn__reference *reference = &one->references[i];
        if (reference->kind != o->reference) {
            continue;
        }
        size_t other = cairn__linker_find(o->linker, o->kind, reference->name);
        if (other != SIZE_MAX && o->state[other] == PENDING) {
            return other;
        }
    }
    return SIZE_MAX;
}

static void show(const ordering *o, size_t place, char *text, size_t room) {
    cairn_span name = cairn__linker_at(o->linker, o->kind, place)->name;
    bool audience = o->kind == CAIRN__DEFINITION_AUDIENCE;
    size_t used = strlen(text);
    (void)snprintf(text + used, room - used, "%s%s%.*s%s", used == 0 ? "" : " -> ",
                   audience ? "member(\"" : "", (int)name.len, (const char *)name.data,
                   audience ? "\")" : "");
}

/* Every one that is left needs one that is left: following that long enough leads into a circle. It
 * is told from the changed definition on where that is part of it. */
static bool circle(const ordering *o) {
    size_t at = 0;
    while (o->state[at] != PENDING) {
        at++;
    }
    for (size_t i = 0; i < o->count; i++) {
        at = needs(o, at);
    }
    for (size_t i = 0; i < o->count; i++) {
        size_t next = needs(o, at);
        bool changed = cairn__linker_at(o->linker, o->kind, at) == o->linker->source->changed;
        at = changed ? at : next;
    }
    char text[200] = "";
    size_t begin = at;
    do {
        show(o, at, text, sizeof text);
        at = needs(o, at);
    } while (at != begin);
    show(o, at, text, sizeof text);
    const cairn__fault_path field = { "" };
    cairn__fault_problem *problem = &o->linker->problem->fault;
    cairn__fault(problem, "circle", field, "they need each other: %s", text);
    return cairn__fault_fix(problem, "take one of them out of the circle");
}

/* Give every one its place that needs none that is left; how many got one. */
static size_t place_some(ordering *o, uint16_t *order_out) {
    size_t placed = 0;
    for (size_t i = 0; i < o->count; i++) {
        if (o->state[i] == PENDING && needs(o, i) == SIZE_MAX) {
            o->state[i] = DONE;
            order_out[placed++] = (uint16_t)i;
        }
    }
    return placed;
}

bool cairn__link_order(cairn__linker *linker, cairn__definition_kind kind, uint16_t *order_out) {
    bool audiences = kind == CAIRN__DEFINITION_AUDIENCE;
    ordering o = { .linker = linker,
                   .kind = kind,
                   .reference = audiences ? CAIRN__REFERENCE_AUDIENCE : CAIRN__REFERENCE_EXPERIMENT,
                   .count = cairn__linker_count(linker, kind) };
    o.state = cairn__linker_make(linker, o.count, 1);
    if (o.state == NULL) {
        return false;
    }
    size_t placed = 0;
    size_t more = o.count;
    while (placed < o.count && more > 0) {
        more = place_some(&o, order_out + placed);
        placed += more;
    }
    return placed == o.count || circle(&o);
}
