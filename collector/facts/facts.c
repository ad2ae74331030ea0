/* facts.c: the values of a bundle's facts for one person. */
#include "facts/inside.h"

#include "base/bytes.h"

enum { UNKNOWN = CAIRN__RULE_VALUE_UNKNOWN };

/* --- life ------------------------------------------------------------------------------------- */

static bool remember(cairn__person_facts *facts) {
    for (size_t i = 0; i < facts->past.count; i++) {
        const cairn__event event = cairn__person_past_event(&facts->past, i);
        if (cairn__memory_takes(event.name) &&
            cairn__memory_note(&facts->memory, &event) != CAIRN_OK) {
            return false;
        }
    }
    return true;
}

static cairn_status read_all(cairn__person_facts *facts) {
    if (facts->source.person->snapshot == NULL || facts->source.person->node_count == 0) {
        return CAIRN_OK;
    }
    cairn_status status = cairn__person_past_read(&facts->past, &facts->source);
    return status == CAIRN_OK && !remember(facts) ? CAIRN_NO_MEMORY : status;
}

cairn_status cairn__person_facts_open(const cairn__person_source *source,
                                      cairn__person_facts **facts_out) {
    cairn_allocator allocator = source->allocator;
    cairn__person_facts *facts = allocator.resize(allocator.self, NULL, 0, sizeof *facts);
    *facts_out = NULL;
    if (facts == NULL) {
        return CAIRN_NO_MEMORY;
    }
    *facts = (cairn__person_facts){
        .source = *source,
        .past = cairn__person_past_make(allocator, source->bytes_max),
        .memory = cairn__memory_make(allocator),
        .scratch = cairn__arena_make(allocator, CAIRN__QUERY_SCRATCH_BYTES_MAX),
        .values = cairn__arena_make(allocator, source->bytes_max),
    };
    cairn_status status = read_all(facts);
    if (status != CAIRN_OK) {
        cairn__person_facts_close(facts);
        return status;
    }
    *facts_out = facts;
    return CAIRN_OK;
}

void cairn__person_facts_close(cairn__person_facts *facts) {
    if (facts == NULL) {
        return;
    }
    cairn_allocator allocator = facts->source.allocator;
    cairn__person_past_free(&facts->past);
    cairn__memory_free(&facts->memory);
    cairn__arena_free(&facts->scratch);
    cairn__arena_free(&facts->values);
    (void)allocator.resize(allocator.self, facts, sizeof *facts, 0);
}

const cairn__memory *cairn__person_memory(const cairn__person_facts *facts) {
    return &facts->memory;
}

/* --- functions over history ------------------------------------------------------------------- */

typedef struct walk {
    const cairn__person_past *past;
    size_t at;
    int64_t to_ms;
    cairn__event event;
} walk;

static const cairn__event *next(void *context) {
    walk *w = context;
    if (w->at == w->past->count || w->past->list[w->at].time_ms >= w->to_ms) {
        return NULL;
    }
    w->event = cairn__person_past_event(w->past, w->at);
    w->at += 1;
    return &w->event;
}

static cairn_value copy(cairn__arena *arena, cairn_value value) {
    cairn_value unknown = { .kind = (cairn_value_kind)UNKNOWN };
    if (value.kind == CAIRN_VALUE_STRING) {
        return cairn__arena_copy(arena, value.as.string, &value.as.string) ? value : unknown;
    }
    if (value.kind != CAIRN_VALUE_LIST) {
        return value;
    }
    cairn_span *items = cairn__arena_alloc_zero(arena, value.as.list.count + 1, sizeof *items);
    for (size_t i = 0; i < value.as.list.count; i++) {
        if (items == NULL || !cairn__arena_copy(arena, value.as.list.items[i], &items[i])) {
            return unknown;
        }
    }
    value.as.list.items = items;
    return value;
}

static cairn_value evaluate(cairn__person_facts *facts, const cairn__query *query,
                            int64_t *until_ms) {
    cairn__query_times times = cairn__query_window(query, &facts->when);
    walk w = { .past = &facts->past,
               .at = cairn__person_past_place(&facts->past, times.from_ms),
               .to_ms = times.to_ms };
    const cairn__history history = { next, &w, INT64_MIN };
    cairn__arena_reset(&facts->scratch);
    cairn_value value =
        cairn__query_evaluate(query, &facts->when, &history, &facts->scratch, until_ms);
    return copy(&facts->values, value);
}

/* What only the server can say. Audiences by a computation of the server, relations and tags are
 * not stored by this version: nobody is in such an audience, nobody has such a tag or row. A room
 * that stores them answers here. */
static cairn_value of_server(cairn__rule_history_kind kind) {
    if (kind == CAIRN__RULE_MEMBER) {
        return (cairn_value){ .kind = CAIRN_VALUE_BOOLEAN, .as = { .boolean = false } };
    }
    return (cairn_value){ .kind = CAIRN_VALUE_NULL };
}

static cairn_value of_query(cairn__person_facts *facts, uint16_t number, int64_t *until_ms) {
    const cairn__query *query = facts->source.bundle->queries[number];
    if (query == NULL) {
        return (cairn_value){ .kind = (cairn_value_kind)UNKNOWN };
    }
    cairn__rule_history_kind kind = cairn__query_kind(query);
    if (kind == CAIRN__RULE_MEMBER || kind == CAIRN__RULE_ANY_ROW || kind == CAIRN__RULE_ALL_ROWS) {
        return of_server(kind);
    }
    return evaluate(facts, query, until_ms);
}

/* --- all of them ------------------------------------------------------------------------------ */

static cairn_value of_profile(const cairn__person_facts *facts, cairn_span name) {
    const cairn__fact_needs *needs = facts->source.needs;
    const cairn__person_state *person = facts->source.person;
    size_t place = cairn__fact_needs_find(needs->user, needs->user_count, name);
    if (place == SIZE_MAX || person->node_count == 0 || person->user == NULL) {
        return (cairn_value){ .kind = CAIRN_VALUE_NULL };
    }
    return person->user[place];
}

cairn_value cairn__person_fact(cairn__person_facts *facts, uint16_t number, int64_t *until_ms_out) {
    const cairn__definitions *definitions = &facts->source.bundle->definitions;
    *until_ms_out = INT64_MAX;
    if (number >= definitions->fact_count) {
        return (cairn_value){ .kind = (cairn_value_kind)UNKNOWN };
    }
    const cairn__rule_slot *slot = &definitions->facts[number];
    if (slot->space == CAIRN__RULE_QUERY) {
        return of_query(facts, number, until_ms_out);
    }
    if (slot->space == CAIRN__RULE_USER) {
        return of_profile(facts, slot->name);
    }
    bool given = slot->space == CAIRN__RULE_DEVICE || slot->space == CAIRN__RULE_SESSION;
    return given && facts->source.value_of != NULL
               ? facts->source.value_of(facts->source.context, slot)
               : (cairn_value){ .kind = CAIRN_VALUE_NULL };
}

static cairn_value get(void *context, uint16_t number) {
    int64_t until_ms = 0;
    return cairn__person_fact(context, number, &until_ms);
}

/* --- recent events ---------------------------------------------------------------------------- */

static bool is_among(const cairn_span *texts, size_t count, cairn_span text) {
    for (size_t i = 0; i < count; i++) {
        if (cairn__span_equal(texts[i], text)) {
            return true;
        }
    }
    return false;
}

static cairn_span text_of(const cairn__event *event, cairn_span property) {
    for (size_t i = 0; i < event->property_count; i++) {
        const cairn_property *p = &event->properties[i];
        if (p->value.kind == CAIRN_VALUE_STRING && cairn__span_equal(p->name, property)) {
            return p->value.as.string;
        }
    }
    return (cairn_span){ NULL, 0 };
}

static size_t recent(void *context, cairn_span name, cairn_span property, cairn_span *texts_out,
                     size_t count_max) {
    const cairn__person_facts *facts = context;
    const cairn__person_past *past = &facts->past;
    size_t count = 0;
    for (size_t i = past->count; i > 0 && count < count_max; i--) {
        const cairn__past_row *row = &past->list[i - 1];
        if (row->time_ms > facts->when.now_ms || !cairn__span_equal(row->name, name)) {
            continue;
        }
        const cairn__event event = cairn__person_past_event(past, i - 1);
        cairn_span text = text_of(&event, property);
        if (text.len > 0 && !is_among(texts_out, count, text)) {
            texts_out[count++] = text;
        }
    }
    return count;
}

cairn__facts cairn__person_facts_at(cairn__person_facts *facts, const cairn__query_moment *when) {
    facts->when = *when;
    cairn__arena_reset(&facts->values);
    return (cairn__facts){ .get = get, .recent = recent, .context = facts };
}
