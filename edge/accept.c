/* accept.c: requests with data: undo the encoding, check, frame, answer when it is durable.
 *
 * A check is pure and knows no configuration. Small bodies are checked on the loop; large or
 * compressed ones in libuv's pool, so that nobody waits behind them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "edge/accept.h"
#include "edge/inflate.h"
#include "edge/routes.h"
#include "edge/text.h"
#include "ingest/ingest.h"

enum {
    ON_LOOP_BYTES_MAX = 32 * 1024,       /* larger bodies are checked in the pool */
    ON_LOOP_PACKED_BYTES_MAX = 4 * 1024, /* the same for compressed ones */
    EVENTS_HEADER_BYTES = 2 + CAIRN__INGEST_KEY_BYTES_MAX, /* of the payload, at most */
    ANSWER_BYTES_MAX = 4 * 1024 * 1024 + CAIRN__SERVED_BYTES_MAX
};

/* What one check takes and gives. Spans borrow the body or the arena. */
typedef struct check {
    bool is_sync;
    cairn__encoding encoding;
    cairn_span content; /* as sent */
    cairn_span idempotency_key;
    size_t body_bytes_max;
    int64_t received_ms;
    cairn__arena *arena;
    cairn__buffer unpacked; /* the body, when it was compressed */
    cairn__buffer packed;   /* the payload of an EVENTS entry */
    cairn__buffer answer;   /* its body */
    /* the outcome */
    int status; /* 200, or of the problem */
    cairn__ingest_problem problem;
    cairn_span payload;
    cairn_span project_key; /* of a sync */
    size_t event_count, rejected_count;
    uint64_t bundle_version; /* of a sync: what the device holds */
    bool wants_bundle, accepts_gzip;
    cairn__sync_head head; /* of a sync */
    cairn__tell *tell;     /* the device will be told of its person; NULL: not with this answer */
} check;

/* A check that outlives its request's bytes. */
typedef struct job {
    uv_work_t work;
    cairn__edge *edge;
    cairn__exchange *exchange;
    check check;
    cairn__arena arena;
    size_t bytes; /* of the copy behind this struct */
    uint8_t copy[];
} job;

static void set_problem(check *c, int status, const char *const texts[4]) {
    char *const to[] = { c->problem.code, c->problem.field, c->problem.detail, c->problem.fix };
    const size_t room[] = { sizeof c->problem.code, sizeof c->problem.field,
                            sizeof c->problem.detail, sizeof c->problem.fix };
    c->status = status;
    for (size_t i = 0; i < 4; i++) {
        size_t len = strlen(texts[i]);
        len = len < room[i] ? len : room[i] - 1;
        memcpy(to[i], texts[i], len);
        to[i][len] = 0;
    }
}

static const char *const out_of_memory[] = { "memory", "", "there was no memory for this request",
                                             "send smaller batches, or try again later" };

/* --- the check: any thread -------------------------------------------------------------------- */

static bool unpack(check *c, cairn_span *body) {
    static const char *const broken[] = { "body_not_decompressed", "content-encoding",
                                          "the body is not one whole stream of its encoding",
                                          "compress the whole body once" };
    static const char *const large[] = { "body_too_large", "",
                                         "the body exceeds decompressed_bytes_max",
                                         "send smaller batches" };
    *body = c->content;
    if (c->encoding == CAIRN__ENCODING_IDENTITY) {
        if (body->len > c->body_bytes_max) {
            set_problem(c, 413, large);
        }
        return c->status == 0;
    }
    c->unpacked = cairn__buffer_make(cairn__heap(), c->body_bytes_max);
    cairn_status status = cairn__inflate(c->encoding, c->content, &c->unpacked);
    if (status != CAIRN_OK) {
        set_problem(c,
                    status == CAIRN_INVALID ? 400
                    : status == CAIRN_FULL  ? 413
                                            : 503,
                    status == CAIRN_INVALID ? broken
                    : status == CAIRN_FULL  ? large
                                            : out_of_memory);
        return false;
    }
    *body = cairn__buffer_span(&c->unpacked);
    return true;
}

static int status_of(const check *c, cairn_status status) {
    if (status == CAIRN_NO_MEMORY) {
        return 503;
    }
    return strstr(c->problem.code, "too_many") != NULL ||
                   strstr(c->problem.code, "too_large") != NULL
               ? 413
               : 400;
}

static void refused(check *c, cairn_status status) {
    if (status == CAIRN_NO_MEMORY) {
        set_problem(c, 503, out_of_memory);
    }
    c->status = status_of(c, status);
}

static void check_sync(check *c, cairn_span body) {
    cairn__ingest_sync_verdict verdict;
    cairn_status status = cairn__ingest_sync_check(body, c->arena, &verdict, &c->problem);
    if (status != CAIRN_OK) {
        refused(c, status);
        return;
    }
    const cairn__sync_response response = { .acked_seq = verdict.acked_seq,
                                            .rejected = verdict.rejected,
                                            .rejected_count = verdict.rejected_count,
                                            .server_ms = c->received_ms };
    cairn__sync_response_encode(&response, &c->answer);
    c->status = 200;
    c->payload = body;
    c->project_key = verdict.project_key;
    c->event_count = verdict.event_count;
    c->head = verdict.head;
    c->bundle_version = verdict.bundle_version;
    c->wants_bundle = (verdict.capabilities & CAIRN__CAPABILITY_DECIDES) != 0;
    c->rejected_count = verdict.rejected_count;
}

static void write_verdicts(check *c, const cairn__ingest_batch *batch) {
    const char *comma = "";
    cairn__buffer_format(&c->answer, "{\"accepted\":%zu,\"rejected\":[",
                         batch->event_count - batch->rejected_count);
    for (size_t i = 0; i < batch->event_count && batch->rejected_count > 0; i++) {
        const cairn__event_fault *fault = &batch->events[i].fault;
        if (fault->code == NULL) {
            continue;
        }
        cairn__buffer_format(&c->answer, "%s{\"index\":%zu,\"code\":", comma, i);
        cairn__json_string(&c->answer, cairn__span_of(fault->code));
        cairn__buffer_append(&c->answer, CAIRN_STR(",\"field\":"));
        cairn__json_string(&c->answer, cairn__span_of(fault->field));
        cairn__buffer_append(&c->answer, CAIRN_STR(",\"fix\":"));
        cairn__json_string(&c->answer, cairn__span_of(fault->fix));
        cairn__buffer_byte(&c->answer, '}');
        comma = ",";
    }
    cairn__buffer_append(&c->answer, CAIRN_STR("]}\n"));
}

static void check_events(check *c, cairn_span body) {
    cairn__ingest_batch batch;
    const cairn__ingest_json json = { c->idempotency_key, body, c->received_ms };
    cairn_status status = cairn__ingest_events(&json, c->arena, &batch, &c->problem);
    if (status != CAIRN_OK) {
        refused(c, status);
        return;
    }
    write_verdicts(c, &batch);
    c->packed = cairn__buffer_make(cairn__heap(), body.len + EVENTS_HEADER_BYTES);
    cairn__ingest_events_pack(&c->packed, c->idempotency_key, body);
    c->status = 200;
    c->payload = cairn__buffer_span(&c->packed);
    c->event_count = batch.event_count;
    c->rejected_count = batch.rejected_count;
}

static void run_check(check *c) {
    cairn_span body;
    c->status = 0;
    c->answer = cairn__buffer_make(cairn__heap(), ANSWER_BYTES_MAX);
    if (!unpack(c, &body)) {
        return;
    }
    if (c->is_sync) {
        check_sync(c, body);
    } else {
        check_events(c, body);
    }
    if (c->status == 200 && (c->answer.failed || c->packed.failed)) {
        set_problem(c, 503, out_of_memory);
    }
}

static void free_check(check *c) {
    cairn__buffer_free(&c->unpacked);
    cairn__buffer_free(&c->packed);
    cairn__buffer_free(&c->answer);
}

/* --- the outcome: the loop -------------------------------------------------------------------- */

static void refuse(cairn__edge *edge, cairn__exchange *exchange, const check *c) {
    const cairn__problem problem = { .status = c->status,
                                     .code = c->problem.code,
                                     .field = c->problem.field,
                                     .detail = c->problem.detail,
                                     .fix = c->problem.fix };
    char headers[400];
    const char *cors = cairn__routes_headers(edge, exchange);
    (void)snprintf(headers, sizeof headers, "%s%s", cors,
                   c->status == 503 ? "Retry-After: 1\r\n" : "");
    cairn__exchange_problem(exchange, &problem, headers);
}

static bool find_project(cairn__edge *edge, cairn__exchange *exchange, check *c) {
    static const char *const unknown[] = { "write_key_unknown", "project_key",
                                           "no project has this key",
                                           "use the project's write_key" };
    static const char *const many[] = { "too_many_events", "events",
                                        "there are more events than batch_events_max",
                                        "send smaller batches" };
    if (c->is_sync) {
        exchange->project = cairn__edge_project_of_key(edge, c->project_key);
    }
    if (exchange->project == SIZE_MAX) {
        set_problem(c, 401, unknown);
        return false;
    }
    if (c->event_count > (size_t)edge->config.batch_events_max) {
        set_problem(c, 413, many);
        return false;
    }
    return true;
}

/* Does the device get the bundle with this answer? Where it has the newest, only its version. While
 * too much is under way it waits: the device asks again with its next sync. */
static const cairn__served *bundle_for(cairn__edge *edge, const cairn__exchange *exchange,
                                       check *c) {
    const cairn__served *served = edge->definitions.projects[exchange->project].served;
    if (!c->wants_bundle || served->version == 0) {
        return NULL;
    }
    if (c->bundle_version >= served->version) {
        cairn__served_append_version(served, &c->answer);
        return NULL;
    }
    if (edge->server.inflight_bytes + served->part.len > (size_t)edge->config.inflight_bytes_soft) {
        cairn__count(&edge->metrics.bundles_deferred, 1);
        return NULL;
    }
    cairn__count(&edge->metrics.bundles_sent, 1);
    return served;
}

bool cairn__sync_answer_prepare(cairn__edge *edge, cairn__exchange *exchange,
                                const cairn__sync_answer *how) {
    const cairn__served *served = edge->definitions.projects[exchange->project].served;
    const char *cors = cairn__routes_headers(edge, exchange);
    cairn__answer answer = { .status = 200,
                             .content_type = "application/x-protobuf",
                             .headers = cors };
    char headers[400];
    cairn__buffer packed = cairn__buffer_make(cairn__heap(), ANSWER_BYTES_MAX);
    if (how->with_bundle && how->accepts_gzip && served->packed.len > 0) {
        cairn__served_gzip(served, cairn__buffer_span(how->response), &packed);
        (void)snprintf(headers, sizeof headers,
                       "%sContent-Encoding: gzip\r\nVary: Accept-Encoding\r\n", cors);
        answer.headers = headers;
        answer.body = cairn__buffer_span(&packed);
    } else {
        if (how->with_bundle) {
            cairn__served_append(served, how->response);
        }
        answer.body = cairn__buffer_span(how->response);
    }
    bool good = !how->response->failed && !packed.failed;
    cairn__exchange_prepare(exchange, answer);
    cairn__buffer_free(&packed);
    return good;
}

static void on_durable(cairn__exchange *exchange, bool durable) {
    cairn__tell *tell = exchange->job;
    exchange->durable = NULL;
    if (durable) {
        cairn__tell_ready(tell);
    } else {
        cairn__tell_drop(tell);
    }
}

static bool prepare_sync(cairn__edge *edge, cairn__exchange *exchange, check *c) {
    const cairn__served *served = bundle_for(edge, exchange, c);
    const cairn__sync_answer answer = { &c->answer, served != NULL, c->accepts_gzip };
    bool decides =
        c->wants_bundle && edge->definitions.projects[exchange->project].served->version > 0;
    c->tell = decides ? cairn__tell_make(&edge->telling, exchange, &c->head) : NULL;
    if (c->tell != NULL) {
        cairn__tell_keep(c->tell, cairn__buffer_span(&c->answer), served != NULL, c->accepts_gzip);
    } else if (decides) {
        cairn__count(&edge->metrics.facts_deferred, 1);
    }
    return cairn__sync_answer_prepare(edge, exchange, &answer);
}

static bool prepare(cairn__edge *edge, cairn__exchange *exchange, check *c) {
    if (c->is_sync) {
        return prepare_sync(edge, exchange, c);
    }
    cairn__exchange_prepare(exchange,
                            (cairn__answer){ .status = 200,
                                             .content_type = "application/json",
                                             .headers = cairn__routes_headers(edge, exchange),
                                             .body = cairn__buffer_span(&c->answer) });
    return !c->answer.failed;
}

/* It was prepared, and is not sent. */
static void give_up(cairn__edge *edge, cairn__exchange *exchange, check *c) {
    if (c->tell != NULL) {
        cairn__tell_drop(c->tell);
        exchange->durable = NULL;
    }
    refuse(edge, exchange, c);
}

static void finish(cairn__edge *edge, cairn__exchange *exchange, check *c) {
    static const char *const full[] = { "busy", "", "too much is on its way to the disk",
                                        "send it again after Retry-After seconds" };
    if (c->status != 200 || !find_project(edge, exchange, c)) {
        refuse(edge, exchange, c);
        return;
    }
    if (!prepare(edge, exchange, c)) {
        set_problem(c, 503, out_of_memory);
        give_up(edge, exchange, c);
        return;
    }
    if (c->event_count == 0) { /* nothing to keep */
        if (c->tell != NULL) {
            cairn__tell_ready(c->tell);
        } else {
            cairn__exchange_send(exchange);
        }
        return;
    }
    if (c->tell != NULL) {
        exchange->job = c->tell;
        exchange->durable = on_durable;
    }
    const cairn__log_entry entry = {
        .type = c->is_sync ? CAIRN__LOG_SYNC : CAIRN__LOG_EVENTS,
        .received_ms = c->received_ms,
        .project = cairn__span_of(edge->config.projects[exchange->project].name),
        .payload = c->payload,
    };
    if (!cairn__commit_add(&edge->commit, exchange, &entry)) {
        set_problem(c, 503, full);
        cairn__count(&edge->metrics.refused_busy, 1);
        give_up(edge, exchange, c);
        return;
    }
    cairn__count(&edge->metrics.requests_accepted, 1);
    cairn__count(&edge->metrics.events_accepted, c->event_count - c->rejected_count);
    cairn__count(&edge->metrics.events_rejected, c->rejected_count);
}

static void on_work(uv_work_t *work) {
    job *j = work->data;
    run_check(&j->check);
}

static void on_work_done(uv_work_t *work, int status) {
    job *j = work->data;
    (void)status; /* never cancelled */
    j->edge->working--;
    j->edge->server.inflight_bytes -= j->bytes;
    finish(j->edge, j->exchange, &j->check);
    free_check(&j->check);
    cairn__arena_free(&j->arena);
    free(j);
}

static void check_in_pool(cairn__edge *edge, cairn__exchange *exchange, const check *c) {
    size_t bytes = c->content.len + c->idempotency_key.len;
    job *j = calloc(1, sizeof *j + bytes);
    static const cairn__problem busy = { .status = 503,
                                         .code = "memory",
                                         .detail = "there was no memory for this request",
                                         .fix = "try again later" };
    if (j == NULL) {
        cairn__exchange_problem(exchange, &busy, "Retry-After: 1\r\n");
        return;
    }
    j->edge = edge;
    j->exchange = exchange;
    j->check = *c;
    j->bytes = bytes;
    j->arena = cairn__arena_make(cairn__heap(), CAIRN__CHECK_ARENA_BYTES_MAX);
    j->check.arena = &j->arena;
    memcpy(j->copy, c->content.data, c->content.len);
    j->check.content.data = j->copy;
    if (c->idempotency_key.len > 0) {
        memcpy(j->copy + c->content.len, c->idempotency_key.data, c->idempotency_key.len);
        j->check.idempotency_key.data = j->copy + c->content.len;
    }
    j->work.data = j;
    edge->working++;
    edge->server.inflight_bytes += bytes;
    int code = uv_queue_work(&edge->loop, &j->work, on_work, on_work_done);
    CAIRN_ASSERT(code == 0); /* fails only without a work function */
}

static void take(cairn__edge *edge, cairn__exchange *exchange, check *c) {
    c->received_ms = cairn__edge_now_ms();
    c->body_bytes_max = (size_t)edge->config.decompressed_bytes_max;
    bool packed = c->encoding != CAIRN__ENCODING_IDENTITY;
    if (c->content.len > (packed ? ON_LOOP_PACKED_BYTES_MAX : ON_LOOP_BYTES_MAX)) {
        check_in_pool(edge, exchange, c);
        return;
    }
    c->arena = &edge->scratch;
    run_check(c);
    finish(edge, exchange, c);
    free_check(c);
    cairn__arena_reset(&edge->scratch);
}

void cairn__handle_sync(cairn__edge *edge, cairn__exchange *exchange, const cairn__http_head *head,
                        cairn_span content) {
    check c = { .is_sync = true,
                .encoding = cairn__encoding_of(head->headers[CAIRN__HEADER_CONTENT_ENCODING]),
                .content = content,
                .accepts_gzip = cairn__accepts_gzip(head->headers[CAIRN__HEADER_ACCEPT_ENCODING]) };
    take(edge, exchange, &c);
}

void cairn__handle_events(cairn__edge *edge, cairn__exchange *exchange,
                          const cairn__http_head *head, cairn_span content) {
    check c = { .encoding = cairn__encoding_of(head->headers[CAIRN__HEADER_CONTENT_ENCODING]),
                .content = content,
                .idempotency_key = head->headers[CAIRN__HEADER_IDEMPOTENCY_KEY] };
    static const char *const long_key[] = { "idempotency_key_too_long", "idempotency-key",
                                            "the Idempotency-Key is longer than 256 bytes",
                                            "use a shorter one, for example a UUID" };
    if (c.idempotency_key.len > CAIRN__INGEST_KEY_BYTES_MAX) {
        set_problem(&c, 400, long_key);
        refuse(edge, exchange, &c);
        return;
    }
    take(edge, exchange, &c);
}
