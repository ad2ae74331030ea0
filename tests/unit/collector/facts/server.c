#include "unit/collector/facts/server.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "model/sync.h"
#include "support/cmocka_all.h"
#include "support/signed_bundle.h"

enum { ARENA_BYTES = 64 << 20, FACTS_BYTES = 64 << 20 };

void server_open(server *s, const char *name) {
    *s = (server){ .bytes = cairn__buffer_make(cairn__heap(), ARENA_BYTES),
                   .arena = cairn__arena_make(cairn__heap(), ARENA_BYTES) };
    history_make(&s->state, name);
    assert_int_equal(world_open((void **)&s->w), 0);
}

void server_close(server *s) {
    assert_int_equal(world_close((void **)&s->w), 0);
    history_remove(&s->state);
    cairn__buffer_free(&s->bytes);
    cairn__arena_free(&s->arena);
}

static void read_bundle(server *s) {
    uint64_t version = 0;
    cairn__bundle_fault fault;
    cairn_span bytes = cairn__catalog_bundle(s->w->catalog, &version);
    if (version == s->version) {
        return;
    }
    cairn__buffer_clear(&s->bytes);
    cairn__buffer_append(&s->bytes, bytes);
    cairn__arena_reset(&s->arena);
    assert_int_equal(
        cairn__bundle_read(cairn__buffer_span(&s->bytes), &s->arena, &s->bundle, &fault), CAIRN_OK);
    assert_int_equal(cairn__fact_needs_of(&s->bundle, &s->arena, &s->needs), CAIRN_OK);
    assert_int_equal(cairn__decider_make(&s->bundle.definitions, &s->arena, &s->decider), CAIRN_OK);
    s->version = version;
}

void server_put(server *s, cairn__definition_kind kind, const char *name, const char *json) {
    cairn__catalog_outcome outcome = world_put(s->w, kind, name, json);
    if (outcome != CAIRN__CATALOG_DONE && outcome != CAIRN__CATALOG_SAME) {
        fail_msg("%s: %s: %s", name, json, s->w->result.problem.fault.detail);
    }
    read_bundle(s);
}

/* --- devices ---------------------------------------------------------------------------------- */

static void fold(server *s, const fake_host *host) {
    history *h = &s->state;
    h->now_ms = host->wall_ms;
    cairn__log_entry entry = { .type = CAIRN__LOG_SYNC,
                               .received_ms = host->wall_ms,
                               .project = CAIRN_STR("p"),
                               .payload = cairn__buffer_span(&host->post),
                               .position = h->next_position,
                               .end = h->next_position + HISTORY_ENTRY_STEP };
    h->next_position = entry.end;
    assert_int_equal(cairn__fold_entry(h->fold, &entry), CAIRN_OK);
}

/* Whose request it is: its ids, else its device. */
static size_t ids_of(const cairn__sync_head *head, cairn_id ids[CAIRN__EVENT_IDS_MAX + 1],
                     uint8_t hex[32]) {
    static const char digits[] = "0123456789abcdef";
    size_t count = 0;
    for (; count < head->id_count; count++) {
        ids[count] = head->ids[count];
    }
    for (size_t i = 0; i < 16; i++) {
        hex[2 * i] = (uint8_t)digits[head->device_id[i] >> 4];
        hex[2 * i + 1] = (uint8_t)digits[head->device_id[i] & 15];
    }
    if (count == 0) {
        ids[count++] = (cairn_id){ CAIRN_STR("device"), { hex, 32 } };
    }
    return count;
}

static cairn__person_source source_of(const server *s, const cairn__fold_known *known) {
    return (cairn__person_source){ .allocator = cairn__heap(),
                                   .bytes_max = FACTS_BYTES,
                                   .bundle = &s->bundle,
                                   .needs = &s->needs,
                                   .person = &known->state };
}

static void tell(server *s, fake_host *host, const cairn__sync_head *head) {
    cairn_id ids[CAIRN__EVENT_IDS_MAX + 1];
    uint8_t hex[32];
    cairn__fold_known *known = NULL;
    cairn__person_facts *facts = NULL;
    const cairn__fold_who who = { .ids = ids,
                                  .id_count = ids_of(head, ids, hex),
                                  .user = { s->needs.user, s->needs.user_count } };
    assert_int_equal(cairn__fold_know(s->state.fold, &who, &known), CAIRN_OK);
    const cairn__person_source source = source_of(s, known);
    const cairn__query_moment when = { host->wall_ms, s->bundle.definitions.zone, NULL };
    assert_int_equal(cairn__person_facts_open(&source, &facts), CAIRN_OK);
    host->facts_version = cairn__person_facts_tell(facts, &when, head->facts_version, &host->facts);
    s->told += host->facts.len > 0;
    s->same += host->facts.len == 0;
    cairn__person_facts_close(facts);
    cairn__fold_known_release(known);
}

static void on_request(void *self, fake_host *host) {
    server *s = self;
    cairn__sync_request request;
    cairn__sync_fault fault;
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    assert_int_equal(
        cairn__sync_request_decode(cairn__buffer_span(&host->post), &arena, &request, &fault),
        CAIRN_OK);
    fold(s, host);
    host->facts.allocator = cairn__heap();
    host->facts.bytes_max = FACTS_BYTES;
    cairn__buffer_clear(&host->facts);
    if (host->bundle_version != s->version) { /* signing takes longer than all the rest */
        host->bundle_version = signed_bundle_make(s->w->catalog, &host->bundle);
    }
    if (!s->mute && (request.head.capabilities & CAIRN__CAPABILITY_DECIDES) != 0) {
        tell(s, host, &request.head);
    }
    cairn__arena_free(&arena);
}

void server_serve(server *s, fake_host *host) {
    host->on_request = on_request;
    host->self = s;
}

/* --- decisions -------------------------------------------------------------------------------- */

bool server_decide(server *s, const char *json, cairn__buffer *answer) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), CAIRN__DECIDE_ARENA_BYTES_MAX);
    cairn__decide_request request;
    cairn__fold_known *known = NULL;
    const cairn__zone *zone = NULL;
    cairn_status status = cairn__decide_request_read(cairn__span_of(json), s->state.now_ms, &arena,
                                                     &request, &s->problem);
    if (status == CAIRN_OK) {
        const cairn__fold_who who = { .ids = request.ids,
                                      .id_count = request.id_count,
                                      .user = { s->needs.user, s->needs.user_count },
                                      .consent = true };
        assert_int_equal(cairn__fold_know(s->state.fold, &who, &known), CAIRN_OK);
        if (request.timezone.len > 0) {
            assert_int_equal(
                cairn__zone_table_find(s->bundle.zones, request.timezone, &arena, &zone), CAIRN_OK);
        }
        const cairn__decide_call call = { .allocator = cairn__heap(),
                                          .bytes_max = FACTS_BYTES,
                                          .request = &request,
                                          .bundle = &s->bundle,
                                          .needs = &s->needs,
                                          .decider = s->decider,
                                          .person = &known->state,
                                          .user_zone = zone };
        cairn__buffer_clear(answer);
        status = cairn__decide_answer(&call, answer, &s->problem);
    }
    cairn__fold_known_release(known);
    cairn__arena_free(&arena);
    return status == CAIRN_OK;
}
