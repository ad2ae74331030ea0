/* local.c: the life of what a device knows, and the events that change it. */
#include "base/assert.h"
#include "base/bytes.h"
#include "local/inside.h"
#include "model/id.h"

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

/* --- life --------------------------------------------------------------------------------------*/

cairn__known cairn__known_make(cairn_allocator allocator) {
    return (cairn__known){ .persons = cairn__persons_make(allocator),
                           .past = { .allocator = allocator },
                           .queries = cairn__queries_make(allocator),
                           .profile = cairn__profile_make(allocator),
                           .server = { .allocator = allocator },
                           .newest_ms = INT64_MIN,
                           .noted_ms = INT64_MIN };
}

void cairn__known_free(cairn__known *known) {
    cairn__persons_free(&known->persons);
    cairn__past_free(&known->past);
    cairn__queries_free(&known->queries);
    cairn__profile_free(&known->profile);
    cairn__server_free(&known->server);
}

static uint32_t or_default(uint32_t wanted, uint32_t by_default) {
    return wanted == 0 ? by_default : wanted;
}

cairn_status cairn__local_open(const cairn__local_options *options, cairn__local **local_out) {
    cairn_allocator allocator = options->allocator;
    cairn__local *local = allocator.resize(allocator.self, NULL, 0, sizeof *local);
    *local_out = local;
    if (local == NULL) {
        return CAIRN_NO_MEMORY;
    }
    *local = (cairn__local){ .allocator = allocator,
                             .options = *options,
                             .diary = cairn__diary_make(allocator, options->storage),
                             .known = cairn__known_make(allocator),
                             .blob = cairn__buffer_make(allocator, CAIRN__BLOB_BYTES_MAX),
                             .stamp = 1,
                             .joined = cairn__memory_make(allocator) };
    cairn__local_options *own = &local->options;
    own->history_events_max = or_default(own->history_events_max, CAIRN__LOCAL_EVENTS_DEFAULT);
    own->history_bytes_max = or_default(own->history_bytes_max, CAIRN__LOCAL_BYTES_DEFAULT);
    own->history_days_max = or_default(own->history_days_max, CAIRN__LOCAL_DAYS_DEFAULT);
    if (own->history_events_max > CAIRN__LOCAL_EVENTS_MAX) {
        own->history_events_max = CAIRN__LOCAL_EVENTS_MAX;
    }
    return CAIRN_OK;
}

void cairn__local_free_places(cairn__local *local) {
    for (size_t i = 0; i < local->slot_count; i++) {
        cairn__kept_free(&local->places[i].kept, local->allocator);
    }
    if (local->places != NULL) {
        local->allocator.resize(local->allocator.self, local->places,
                                local->slot_count * sizeof *local->places, 0);
    }
    local->places = NULL;
    local->slots = NULL;
    local->slot_count = 0;
}

void cairn__local_close(cairn__local *local) {
    if (local == NULL) {
        return;
    }
    if (local->staging) {
        cairn__known_free(&local->aside);
    }
    cairn__known_free(&local->known);
    cairn__diary_free(&local->diary);
    cairn__buffer_free(&local->blob);
    cairn__memory_free(&local->joined);
    cairn__local_free_places(local);
    cairn_allocator allocator = local->allocator;
    allocator.resize(allocator.self, local, sizeof *local, 0);
}

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* Something is missing, and nobody can say what: nothing before now is certain any more. */
static void raise_floor(cairn__local *local, int64_t now_ms) {
    cairn__persons *persons = &local->known.persons;
    int64_t floor_ms = later(now_ms, local->known.newest_ms);
    floor_ms += floor_ms < INT64_MAX ? 1 : 0;
    for (size_t i = 0; i < persons->count; i++) {
        persons->nodes[i].floor_ms = later(persons->nodes[i].floor_ms, floor_ms);
    }
    persons->floor_ms = later(persons->floor_ms, floor_ms);
    persons->anonymous_floor_ms = persons->floor_ms;
    cairn__server_free(&local->known.server);
    local->known.profile.lost_seq = local->known.last_seq;
    local->known.hole = false;
}

void cairn__local_expect(cairn__local *local, uint64_t gone_seq) {
    local->gone_seq = gone_seq;
}

cairn_status cairn__local_start(cairn__local *local, int64_t now_ms) {
    CAIRN_ASSERT(!local->started);
    cairn__local_restored(local);
    bool hole = local->known.hole || local->known.last_seq < local->gone_seq;
    bool indexed = cairn__queries_read_end(&local->known.queries);
    if (!indexed) {
        cairn__queries_free(&local->known.queries);
    }
    local->started = true;
    local->damaged = local->damaged || local->stopped || hole;
    if (hole) {
        raise_floor(local, now_ms);
    }
    if (local->damaged) {
        cairn__local_snapshot(local);
    } else {
        cairn__diary_drop_older(&local->diary);
    }
    return indexed ? CAIRN_OK : CAIRN_NO_MEMORY;
}

void cairn__local_purge(cairn__local *local) {
    const cairn__rule_slot *slots = local->slots;
    size_t count = local->slot_count;
    const cairn__zone *zone = local->known.queries.zone;
    uint64_t generation = local->known.persons.generation;
    cairn__known_free(&local->known);
    local->known = cairn__known_make(local->allocator);
    local->known.persons.generation = generation + 1;
    if (slots != NULL) {
        (void)cairn__local_use(local, slots, count, zone);
    }
    cairn__local_changed(local);
    cairn__diary_wipe(&local->diary);
}

bool cairn__local_is_purged(const cairn__local *local) {
    return cairn__diary_is_wiped(&local->diary);
}

/* --- storage -----------------------------------------------------------------------------------*/

uint32_t cairn__local_ticket(const cairn__local *local) {
    return cairn__diary_ticket(&local->diary);
}

bool cairn__local_is_durable(const cairn__local *local, uint32_t ticket) {
    return local->diary.safe_ticket >= ticket;
}

void cairn__local_done(cairn__local *local, uint32_t ticket, bool durable, int64_t mono_ms) {
    cairn__diary_done(&local->diary, ticket, durable, mono_ms);
}

int64_t cairn__local_pump(cairn__local *local, int64_t mono_ms) {
    if (local->started && cairn__diary_wait(&local->diary, mono_ms) == 0) {
        local->diary.retry_ms = mono_ms + CAIRN__DIARY_RETRY_MS; /* where memory fails again */
        cairn__local_snapshot(local);
    }
    return cairn__diary_wait(&local->diary, mono_ms);
}

/* --- persons -----------------------------------------------------------------------------------*/

void cairn__local_changed(cairn__local *local) {
    local->stamp += 1;
    local->joined_valid = false;
    cairn__queries_forget_values(&local->known.queries);
    if (local->known.server.person != local->known.persons.generation) {
        cairn__server_free(&local->known.server);
    }
}

static void forget_person(cairn__local *local, uint32_t person, bool missed) {
    cairn__known *known = &local->known;
    cairn__persons *persons = &known->persons;
    for (size_t i = persons->count; i > 0; i--) {
        cairn__node *node = &persons->nodes[i - 1];
        if (node->person != person) {
            continue;
        }
        int64_t latest_ms = cairn__past_move(&known->past, node->number, 0);
        cairn__queries_move(&known->queries, node->number, 0);
        cairn__profile_move(&known->profile, node->number, 0);
        latest_ms = later(latest_ms, node->trimmed_ms);
        latest_ms = later(latest_ms == INT64_MIN ? latest_ms : latest_ms + 1, node->floor_ms);
        persons->floor_ms = missed ? later(persons->floor_ms, latest_ms) : persons->floor_ms;
        cairn__persons_remove(persons, node);
    }
    persons->forgotten += missed ? 1 : 0;
}

static void forget_persons(cairn__local *local) {
    uint32_t victim = 0;
    bool missed = false;
    while ((victim = cairn__persons_victim(&local->known.persons, &missed)) != 0) {
        forget_person(local, victim, missed);
    }
}

/* Everything of the anonymous node is the login's. */
static cairn_status move_node(cairn__local *local, cairn__persons_change change) {
    cairn__known *known = &local->known;
    (void)cairn__past_move(&known->past, change.absorbed, change.into);
    cairn__queries_move(&known->queries, change.absorbed, change.into);
    cairn__profile_move(&known->profile, change.absorbed, change.into);
    cairn__node *from = cairn__persons_find(&known->persons, change.absorbed);
    cairn__node *into = cairn__persons_find(&known->persons, change.into);
    cairn_status status = CAIRN_OK;
    if (into->memory.count == 0) {
        cairn__memory swapped = into->memory;
        into->memory = from->memory;
        from->memory = swapped;
    } else {
        status = cairn__memory_merge(&into->memory, &from->memory);
    }
    cairn__persons_absorbed(&known->persons, change.absorbed);
    return status;
}

static cairn_status login(cairn__local *local, const cairn__event *event) {
    cairn__persons_change change = { 0, 0 };
    cairn_status status = cairn__persons_login(&local->known.persons, event->ids[0], &change);
    if (status == CAIRN_OK && change.absorbed != 0) {
        status = move_node(local, change);
    }
    return status;
}

/* As the collector does: an id that names nobody ("null") is as if it had not been said. */
static bool names_nobody(const cairn__event *event) {
    for (size_t i = 0; i < event->id_count; i++) {
        if (cairn__id_denied(event->ids[i])) {
            return true;
        }
    }
    return false;
}

static cairn_status apply_person(cairn__local *local, const cairn__event *event) {
    cairn__persons *persons = &local->known.persons;
    cairn_status status = CAIRN_OK;
    if (names_nobody(event)) {
        return CAIRN_OK;
    }
    switch ((int)event->kind) {
    case CAIRN__EVENT_LOGIN:
        status = login(local, event);
        break;
    case CAIRN__EVENT_LOGOUT:
        cairn__persons_logout(persons);
        break;
    case CAIRN__EVENT_LINK:
        status = cairn__persons_link(persons, event->ids);
        break;
    default:
        status = cairn__persons_unlink(persons, event->ids);
        break;
    }
    forget_persons(local);
    cairn__local_changed(local);
    return status;
}

/* --- events ------------------------------------------------------------------------------------*/

/* Also one from a future that far away: a clock was wrong, and it must not hold up the others. */
static bool is_older(const cairn__local *local, const cairn__held *held) {
    int64_t away_ms = 0;
    int64_t age_ms = local->options.history_days_max * day_ms;
    return __builtin_sub_overflow(local->known.noted_ms, held->time_ms, &away_ms) ||
           away_ms > age_ms || away_ms < -age_ms;
}

static bool is_too_much(const cairn__local *local, size_t factor) {
    const cairn__past *past = &local->known.past;
    return past->count > factor * local->options.history_events_max ||
           past->bytes > factor * local->options.history_bytes_max;
}

static void let_go(cairn__local *local) {
    cairn__known *known = &local->known;
    cairn__held *held = cairn__past_pop(&known->past);
    cairn__node *node = cairn__persons_find(&known->persons, held->node);
    cairn__queries_fold(&known->queries, held);
    node->trimmed_ms = later(node->trimmed_ms, held->time_ms + 1);
    known->trimmed_seq = held->seq > known->trimmed_seq ? held->seq : known->trimmed_seq;
    cairn__past_drop(&known->past, held);
}

/* Without the zone nothing can be folded; then a history may be twice as large for a while. */
void cairn__local_trim(cairn__local *local) {
    bool can_fold = local->zone_given || local->known.queries.count == 0;
    if (!can_fold && is_too_much(local, 2)) {
        cairn__queries_free(&local->known.queries);
        can_fold = true;
    }
    for (int i = 0; can_fold && local->known.past.oldest != NULL; i++) {
        bool old = i < CAIRN__TRIM_PER_NOTE && is_older(local, local->known.past.oldest);
        if (!old && !is_too_much(local, 1)) {
            return;
        }
        let_go(local);
    }
}

static cairn_status remember(cairn__local *local, cairn__node *node, const cairn__event *event) {
    if (!cairn__memory_takes(event->name)) {
        return CAIRN_OK;
    }
    local->joined_valid = false;
    return cairn__memory_note(&node->memory, event);
}

static cairn_status apply_track(cairn__local *local, const cairn__event *event,
                                cairn_span encoded) {
    cairn__known *known = &local->known;
    uint32_t before = known->persons.current;
    cairn__node *node = cairn__persons_current(&known->persons);
    if (node == NULL) {
        known->hole = true;
        return CAIRN_NO_MEMORY;
    }
    if (before == 0) {
        forget_persons(local);
        node = cairn__persons_current(&known->persons);
        cairn__local_changed(local);
    }
    cairn_status status = remember(local, node, event);
    if (!cairn__past_add(&known->past, node->number, event, encoded)) {
        int64_t floor_ms = event->time_ms < INT64_MAX ? event->time_ms + 1 : INT64_MAX;
        node->floor_ms = later(node->floor_ms, floor_ms);
        cairn__local_changed(local);
        return CAIRN_NO_MEMORY;
    }
    cairn__queries_note(&known->queries, event);
    local->stamp += 1;
    return status;
}

static cairn_status apply_profile(cairn__local *local, const cairn__event *event) {
    cairn__known *known = &local->known;
    uint32_t before = known->persons.current;
    const cairn__node *node = cairn__persons_current(&known->persons);
    if (node == NULL) {
        known->hole = true;
        return CAIRN_NO_MEMORY;
    }
    uint32_t number = node->number;
    if (before == 0) {
        forget_persons(local);
        cairn__local_changed(local);
    }
    local->stamp += 1;
    return cairn__profile_note(&known->profile, number, event) ? CAIRN_OK : CAIRN_NO_MEMORY;
}

cairn_status cairn__local_apply(cairn__local *local, const cairn__event *event,
                                cairn_span encoded) {
    cairn__known *known = &local->known;
    known->last_seq = event->seq > known->last_seq ? event->seq : known->last_seq;
    known->newest_ms = later(known->newest_ms, event->time_ms);
    known->noted_ms = event->time_ms;
    if (event->kind == CAIRN__EVENT_TRACK) {
        return apply_track(local, event, encoded);
    }
    if (event->kind >= CAIRN__EVENT_LOGIN && event->kind <= CAIRN__EVENT_LOGOUT) {
        return apply_person(local, event);
    }
    if (event->kind >= CAIRN__EVENT_PROFILE_SET && event->kind <= CAIRN__EVENT_PROFILE_DELETE) {
        return apply_profile(local, event);
    }
    return CAIRN_OK;
}

cairn_status cairn__local_note(cairn__local *local, uint64_t seq, const cairn__event *event,
                               cairn_span encoded) {
    CAIRN_ASSERT(local->started && seq > 0);
    if (seq <= local->known.last_seq) {
        return CAIRN_OK;
    }
    uint8_t head[16];
    cairn__event noted = *event;
    noted.seq = seq;
    cairn__store_u64(head, seq);
    cairn__store_u64(head + 8, (uint64_t)local->known.newest_ms);
    cairn_status status = cairn__local_apply(local, &noted, encoded);
    cairn__diary_add(&local->diary, CAIRN__DIARY_EVENT, cairn__span(head, sizeof head), encoded);
    if (local->known.hole) { /* there was not even memory to know whose it is */
        raise_floor(local, event->time_ms);
        cairn__local_changed(local);
    }
    cairn__local_trim(local);
    if (cairn__diary_is_long(&local->diary)) {
        cairn__local_snapshot(local);
    }
    return status;
}

uint64_t cairn__local_last_seq(const cairn__local *local) {
    return local->known.last_seq;
}

bool cairn__local_history_after(cairn__local *local, uint64_t seq, cairn__local_event *event_out) {
    const cairn__held *held = cairn__past_after(&local->known.past, seq);
    if (held == NULL) {
        return false;
    }
    const cairn__node *node = cairn__persons_find(&local->known.persons, held->node);
    *event_out =
        (cairn__local_event){ held->seq, node == NULL ? 0 : node->person, cairn__held_bytes(held) };
    return true;
}

cairn_id cairn__local_current(const cairn__local *local) {
    const cairn__persons *persons = &local->known.persons;
    const cairn__node *node = cairn__persons_find(persons, persons->current);
    return node == NULL ? (cairn_id){ { NULL, 0 }, { NULL, 0 } } : node->id;
}

uint64_t cairn__local_person(const cairn__local *local) {
    return local->known.persons.generation;
}

void cairn__local_get_status(const cairn__local *local, cairn__local_status *status_out) {
    const cairn__known *known = &local->known;
    const cairn__node *node = cairn__persons_find(&known->persons, known->persons.current);
    size_t ids = 0;
    for (size_t i = 0; i < known->persons.count; i++) {
        ids += known->persons.nodes[i].id.value.len > 0;
    }
    *status_out = (cairn__local_status){
        .persons = cairn__persons_number(&known->persons),
        .ids = ids,
        .events = known->past.count,
        .event_bytes = known->past.bytes,
        .queries = known->queries.count,
        .server_facts = known->server.count,
        .writes = known->profile.count,
        .log_bytes = local->diary.bytes,
        .forgotten = known->persons.forgotten,
        .oldest_ms = known->past.count == 0 ? INT64_MAX : cairn__past_at(&known->past, 0)->time_ms,
        .complete_ms = node == NULL ? known->persons.anonymous_floor_ms
                                    : later(node->floor_ms, node->trimmed_ms),
        .damaged = local->damaged,
        .failing = local->diary.broken,
    };
}
