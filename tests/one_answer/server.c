#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "facts/decide.h"

enum { ARENA_BYTES = 64 << 20, FACTS_BYTES = 16 << 20 };

void server_open(server *s) {
    cairn__fold_problem problem = { "" };
    *s = (server){ .arena = cairn__arena_make(cairn__heap(), ARENA_BYTES) };
    (void)snprintf(s->directory, sizeof s->directory, "/tmp/cairn-one-answer-XXXXXX");
    bool made = mkdtemp(s->directory) != NULL;
    CAIRN_ASSERT(made);
    const cairn__fold_options options = { .allocator = cairn__heap(), .directory = s->directory };
    cairn_status status = cairn__fold_open(&options, &s->fold, &problem);
    CAIRN_ASSERT(status == CAIRN_OK);
}

void server_close(server *s) {
    char command[128];
    cairn__fold_close(s->fold);
    cairn__arena_free(&s->arena);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", s->directory);
    int status = system(command);
    CAIRN_ASSERT(status == 0);
}

void server_use(server *s, const world *w) {
    cairn__bundle_fault fault;
    cairn__arena_reset(&s->arena);
    cairn_status status =
        cairn__bundle_read(cairn__buffer_span(&w->bundle), &s->arena, &s->bundle, &fault);
    if (status == CAIRN_OK) {
        status = cairn__fact_needs_of(&s->bundle, &s->arena, &s->needs);
    }
    if (status == CAIRN_OK) {
        status = cairn__decider_make(&s->bundle.definitions, &s->arena, &s->decider);
    }
    CAIRN_ASSERT(status == CAIRN_OK);
}

void server_take(server *s, cairn_span body, int64_t now_ms) {
    if (body.len == 0) {
        return;
    }
    const cairn__log_entry entry = { .type = CAIRN__LOG_SYNC,
                                     .received_ms = now_ms,
                                     .project = CAIRN_STR("demo"),
                                     .payload = body,
                                     .position = s->position,
                                     .end = s->position + body.len };
    s->position = entry.end;
    cairn_status status = cairn__fold_entry(s->fold, &entry);
    CAIRN_ASSERT(status == CAIRN_OK);
}

/* --- decisions -------------------------------------------------------------------------------- */

/* What a server-side caller would write for the same person, place and moment. */
static void request_of(const device_question *question, cairn_property *facts,
                       cairn__decide_request *to) {
    size_t count = question->fact_count;
    memcpy(facts, question->facts, count * sizeof *facts);
    facts[count++] = (cairn_property){ CAIRN_STR("platform"),
                                       { CAIRN_VALUE_STRING, { .string = CAIRN_STR("web") } } };
    *to = (cairn__decide_request){ .what = (cairn__decide_what)question->method,
                                   .name = question->block->name,
                                   .event = { .name = question->block->name,
                                              .time_ms = question->now_ms,
                                              .session = question->session,
                                              .properties = question->block->properties,
                                              .property_count = question->block->property_count },
                                   .device = cairn__span_of(question->device),
                                   .page = cairn__span_of(question->page),
                                   .timezone = cairn__span_of(question->zone),
                                   .now_ms = question->now_ms,
                                   .session = question->session,
                                   .device_facts = facts,
                                   .device_fact_count = count };
    if (question->login[0] != '\0') {
        to->ids[to->id_count++] = (cairn_id){ CAIRN_STR("login"), cairn__span_of(question->login) };
    }
    to->ids[to->id_count++] = (cairn_id){ CAIRN_STR("device"), to->device };
}

static void answer_as(server *s, const cairn__decide_request *request, cairn__fold_known *known,
                      cairn__buffer *answer) {
    cairn__fault_problem problem;
    cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 20);
    cairn__decide_call call = { .allocator = cairn__heap(),
                                .bytes_max = FACTS_BYTES,
                                .request = request,
                                .bundle = &s->bundle,
                                .needs = &s->needs,
                                .decider = s->decider,
                                .person = &known->state };
    cairn_status status = CAIRN_OK;
    if (request->timezone.len > 0) {
        status =
            cairn__zone_table_find(s->bundle.zones, request->timezone, &arena, &call.user_zone);
    }
    CAIRN_ASSERT(status == CAIRN_OK);
    status = cairn__decide_answer(&call, answer, &problem);
    CAIRN_ASSERT(status == CAIRN_OK);
    cairn__arena_free(&arena);
}

void server_decide(server *s, const device_question *question, cairn__buffer *answer) {
    cairn_property facts[WORLD_DEVICE_PROPERTIES + 1];
    cairn__decide_request request;
    cairn__fold_known *known = NULL;
    request_of(question, facts, &request);
    const cairn__fold_who who = { .ids = request.ids,
                                  .id_count = request.id_count,
                                  .user = { s->needs.user, s->needs.user_count },
                                  .consent = true };
    cairn_status status = cairn__fold_know(s->fold, &who, &known);
    CAIRN_ASSERT(status == CAIRN_OK);
    answer_as(s, &request, known, answer);
    cairn__fold_known_release(known);
}
