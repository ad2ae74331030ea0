/* facts.c: the values of a bundle's facts from all that is known (docs/DECISIONS.md). A value that
 * was given is given again while nothing has changed and its time is not over: that takes a few
 * nanoseconds, and decisions ask for thousands. */
#include "base/assert.h"
#include "base/bytes.h"
#include "local/inside.h"
#include "rules/slot_key.h"

enum { UNKNOWN = CAIRN__RULE_VALUE_UNKNOWN, DECODE_BYTES_MAX = 256 * 1024 };

/* --- what is in use ----------------------------------------------------------------------------*/

static int64_t trimmed_of_all(const cairn__persons *persons) {
    int64_t trimmed_ms = INT64_MIN;
    for (size_t i = 0; i < persons->count; i++) {
        int64_t one_ms = persons->nodes[i].trimmed_ms;
        trimmed_ms = one_ms > trimmed_ms ? one_ms : trimmed_ms;
    }
    return trimmed_ms;
}

static bool make_places(cairn__local *local, const cairn__rule_slot *slots, size_t count) {
    if (count == 0) {
        return true;
    }
    cairn__fact_place *places =
        local->allocator.resize(local->allocator.self, NULL, 0, count * sizeof *places);
    if (places == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        bool query = slots[i].space == CAIRN__RULE_QUERY;
        places[i] = (cairn__fact_place){
            .key = cairn__rule_slot_key(&slots[i]),
            .query = query ? cairn__queries_find(&local->known.queries, slots[i].name) : SIZE_MAX,
        };
    }
    local->places = places;
    local->slots = slots;
    local->slot_count = count;
    return true;
}

/* Are these the queries that are asked already? Then the diary need not be told. */
static bool asks_more(const cairn__queries *queries, const cairn__rule_slot *slots, size_t count) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        bool query = slots[i].space == CAIRN__RULE_QUERY;
        if (query && cairn__queries_find(queries, slots[i].name) == SIZE_MAX) {
            return true;
        }
        found += query ? 1 : 0;
    }
    return found != queries->count;
}

cairn_status cairn__local_use(cairn__local *local, const cairn__rule_slot *slots, size_t count,
                              const cairn__zone *zone) {
    cairn__queries *queries = &local->known.queries;
    int64_t trimmed_ms = trimmed_of_all(&local->known.persons);
    cairn__local_free_places(local);
    bool more = asks_more(queries, slots, count);
    uint64_t print = queries->zone_print;
    cairn__queries_set_zone(queries, zone, trimmed_ms);
    local->zone_given = true;
    local->stamp += 1;
    if (more && !cairn__queries_ask(queries, slots, count, trimmed_ms)) {
        return CAIRN_NO_MEMORY;
    }
    if (!make_places(local, slots, count)) {
        return CAIRN_NO_MEMORY;
    }
    cairn__local_trim(local); /* what could not be folded before */
    if (local->started && (more || print != queries->zone_print)) {
        cairn__local_snapshot(local);
    }
    return CAIRN_OK;
}

/* --- values ------------------------------------------------------------------------------------*/

static cairn_value query_value(cairn__local *local, cairn__fact_place *place, int64_t *until_ms) {
    cairn__known *known = &local->known;
    cairn__queries_view view = { .past = &known->past,
                                 .persons = &known->persons,
                                 .when = &local->moment,
                                 .trimmed_seq = known->trimmed_seq };
    if (place->server != NULL) {
        view.server = &place->server->kept.value;
        view.server_until_ms = place->server->until_ms;
        view.server_covers = known->server.covers_seq;
    }
    cairn_value value = cairn__queries_value(&known->queries, place->query, &view);
    const cairn__asked *asked = &known->queries.items[place->query];
    *until_ms = asked->valid ? asked->until_ms : local->moment.now_ms;
    return value;
}

static cairn_value server_value(const cairn__fact_place *place) {
    cairn_value unknown = { .kind = (cairn_value_kind)UNKNOWN };
    return place->server != NULL ? place->server->kept.value : unknown;
}

static cairn_value user_value(cairn__local *local, const cairn__fact_place *place,
                              cairn_span name) {
    cairn__known *known = &local->known;
    cairn__profile_base base = { NULL, 0 };
    if (place->server != NULL) {
        base = (cairn__profile_base){ &place->server->kept.value, known->server.covers_seq };
    }
    cairn__arena_reset(&known->profile.arena);
    return cairn__profile_value(&known->profile, &known->persons, name, base);
}

static cairn_value compute(cairn__local *local, uint16_t number, int64_t *until_ms) {
    cairn__fact_place *place = &local->places[number];
    const cairn__rule_slot *slot = &local->slots[number];
    place->server = cairn__server_find(&local->known.server, place->key, local->moment.now_ms);
    if (place->query != SIZE_MAX) {
        return query_value(local, place, until_ms);
    }
    *until_ms = place->server != NULL ? place->server->until_ms : INT64_MAX;
    return slot->space == CAIRN__RULE_USER ? user_value(local, place, slot->name)
                                           : server_value(place);
}

static cairn_value get(void *context, uint16_t number) {
    cairn__local *local = context;
    cairn_value unknown = { .kind = (cairn_value_kind)UNKNOWN };
    if (number >= local->slot_count) {
        return unknown;
    }
    const cairn__rule_slot *slot = &local->slots[number];
    if (slot->space == CAIRN__RULE_DEVICE || slot->space == CAIRN__RULE_SESSION) {
        return local->options.value_of == NULL
                   ? unknown
                   : local->options.value_of(local->options.context, slot);
    }
    cairn__fact_place *place = &local->places[number];
    int64_t now_ms = local->moment.now_ms;
    if (place->valid && place->stamp == local->stamp && now_ms >= place->at_ms &&
        now_ms < place->until_ms) {
        return place->kept.value;
    }
    cairn_value value = compute(local, number, &place->until_ms);
    place->at_ms = now_ms;
    place->stamp = local->stamp;
    place->valid = cairn__kept_set(&place->kept, local->allocator, value);
    return place->valid ? place->kept.value : unknown;
}

/* --- recent events -----------------------------------------------------------------------------*/

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
    cairn__local *local = context;
    cairn__known *known = &local->known;
    uint32_t wanted = cairn__past_name(name);
    size_t count = 0;
    for (size_t i = known->past.count; i > 0 && count < count_max; i--) {
        const cairn__held *held = cairn__past_at(&known->past, i - 1);
        cairn__event event;
        if (held->name != wanted || held->time_ms > local->moment.now_ms ||
            !cairn__persons_is_current(&known->persons, held->node)) {
            continue;
        }
        cairn__arena_reset(&known->queries.decoding);
        if (!cairn__held_read(held, &known->queries.decoding, &event) ||
            !cairn__span_equal(event.name, name)) {
            continue;
        }
        cairn_span text = text_of(&event, property); /* in the history's own bytes */
        if (text.len > 0 && !is_among(texts_out, count, text)) {
            texts_out[count++] = text;
        }
    }
    return count;
}

cairn__facts cairn__local_facts(cairn__local *local, const cairn__query_moment *when) {
    if (when->user_zone != local->moment.user_zone) {
        cairn__queries_forget_values(&local->known.queries);
        local->stamp += 1;
    }
    local->moment = *when;
    local->moment.zone = local->known.queries.zone;
    return (cairn__facts){ .get = get, .recent = recent, .context = local };
}

/* --- the server's ------------------------------------------------------------------------------*/

static bool is_newer(const cairn__server *held, const cairn__local_server *server) {
    return held->version == 0 || held->token != server->token || held->version <= server->version;
}

/* What this device wrote to the profile and the server's values have in them. */
static void settle_writes(cairn__local *local) {
    cairn__known *known = &local->known;
    for (size_t i = 0; i < local->slot_count; i++) {
        const cairn__rule_slot *slot = &local->slots[i];
        if (slot->space == CAIRN__RULE_USER &&
            cairn__server_find(&known->server, local->places[i].key, INT64_MIN) != NULL) {
            cairn__profile_settle(&known->profile, &known->persons, slot->name,
                                  known->server.covers_seq);
        }
    }
}

cairn_status cairn__local_set_server(cairn__local *local, const cairn__local_server *server) {
    cairn__known *known = &local->known;
    if (server->person != known->persons.generation || !is_newer(&known->server, server)) {
        return CAIRN_INVALID;
    }
    if (server->count > CAIRN__FACTS_MAX) {
        return CAIRN_FULL;
    }
    if (!cairn__server_set(&known->server, server)) {
        return CAIRN_NO_MEMORY;
    }
    settle_writes(local);
    cairn__local_changed(local);
    cairn__local_write_server(local);
    return CAIRN_OK;
}

cairn_status cairn__local_same_server(cairn__local *local, uint64_t version, uint64_t person,
                                      uint64_t covers_seq) {
    cairn__server *server = &local->known.server;
    if (version == 0 || version != server->version || person != server->person ||
        person != local->known.persons.generation) {
        return CAIRN_INVALID;
    }
    if (covers_seq > server->covers_seq) {
        server->covers_seq = covers_seq;
        settle_writes(local);
        cairn__local_changed(local);
    }
    return CAIRN_OK;
}

uint64_t cairn__local_server_version(const cairn__local *local) {
    return local->known.server.version;
}

uint64_t cairn__local_server_token(const cairn__local *local) {
    return local->known.server.token;
}

/* --- memory ------------------------------------------------------------------------------------*/

/* Is this node the current person's, and is there anything in its memory? */
static bool remembers(const cairn__persons *persons, const cairn__node *node) {
    return node->memory.count > 0 && cairn__persons_is_current(persons, node->number);
}

static bool join_memories(cairn__local *local) {
    const cairn__persons *persons = &local->known.persons;
    cairn__memory_free(&local->joined);
    local->joined = cairn__memory_make(local->allocator);
    for (size_t i = 0; i < persons->count; i++) {
        if (remembers(persons, &persons->nodes[i]) &&
            cairn__memory_merge(&local->joined, &persons->nodes[i].memory) != CAIRN_OK) {
            return false;
        }
    }
    return true;
}

const cairn__memory *cairn__local_memory(cairn__local *local) {
    const cairn__persons *persons = &local->known.persons;
    const cairn__node *only = NULL;
    size_t count = 0;
    for (size_t i = 0; i < persons->count; i++) {
        bool one = remembers(persons, &persons->nodes[i]);
        only = one ? &persons->nodes[i] : only;
        count += one ? 1 : 0;
    }
    if (count == 1) {
        return &only->memory;
    }
    local->joined_valid = local->joined_valid || join_memories(local);
    return local->joined_valid ? &local->joined : NULL;
}
