/* ask.c: questions: a view from the folder's thread, the work in libuv's pool, with a deadline and
 * a memory budget; and persons, whom only the folder's thread can look up. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "edge/routes.h"
#include "edge/text.h"

enum { ANSWER_BYTES_MAX = 64 * 1024 * 1024, PERSON_BYTES_MAX = 16 * 1024 * 1024 };

typedef struct question {
    cairn__ask ask;
    uv_work_t work;
    cairn__edge *edge;
    cairn__exchange *exchange; /* its job points back; NULL-ed connection: nobody waits */
    cairn__analyze_options options;
    cairn__analyze_problem problem;
    cairn__buffer answer;
    cairn_status status;
    uint64_t end_ns;
    _Atomic bool nobody_waits;
    const char *zone; /* of the project; copied behind this struct */
    cairn_span query;
    uint8_t bytes[];
} question;

static const cairn__problem project_missing = { .status = 400,
                                                .code = "project_missing",
                                                .field = "project",
                                                .detail = "no such project, or none named of many",
                                                .fix = "add ?project=NAME to the path" };
static const cairn__problem busy = { .status = 503,
                                     .code = "busy",
                                     .detail = "analyze_concurrent_max questions are under way",
                                     .fix = "ask again after Retry-After seconds" };

static size_t project_of(const cairn__edge *edge, const cairn__http_head *head) {
    return cairn__edge_project_named(edge, cairn__query_value(head->query, "project"));
}

/* --- analyze ---------------------------------------------------------------------------------- */

static bool stop(void *self) {
    question *q = self;
    return uv_hrtime() > q->end_ns || atomic_load(&q->nobody_waits);
}

static int64_t mono_ms(void *self) {
    (void)self;
    return (int64_t)(uv_hrtime() / 1000000);
}

static void on_gone(cairn__exchange *exchange) {
    question *q = exchange->job;
    atomic_store(&q->nobody_waits, true);
}

static void send_problem(question *q) {
    const struct {
        cairn_status status;
        int http;
    } table[] = {
        { CAIRN_INVALID, 400 }, { CAIRN_BUSY, 503 },   { CAIRN_NO_MEMORY, 413 },
        { CAIRN_STORAGE, 500 }, { CAIRN_CLOSED, 503 },
    };
    cairn__problem problem = { .status = 500,
                               .code = q->problem.code,
                               .field = q->problem.field,
                               .detail = q->problem.detail,
                               .fix = q->problem.fix };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        problem.status = table[i].status == q->status ? table[i].http : problem.status;
    }
    if (problem.code[0] == 0) {
        problem.code = q->status == CAIRN_NO_MEMORY ? "memory" : "unavailable";
        problem.detail = "the question could not be answered now";
        problem.fix = "ask again later, or for less";
    }
    if (problem.status == 503) {
        cairn__count(&q->edge->metrics.questions_busy, 1);
    }
    cairn__exchange_problem(q->exchange, &problem,
                            problem.status == 503 ? "Retry-After: 1\r\n" : NULL);
}

static void end(question *q) {
    q->edge->asking--;
    q->exchange->gone = NULL;
    if (q->status == CAIRN_OK && !q->answer.failed) {
        cairn__exchange_answer(q->exchange,
                               (cairn__answer){ .status = 200,
                                                .content_type = "application/json",
                                                .headers = "Cache-Control: no-store\r\n",
                                                .body = cairn__buffer_span(&q->answer) });
    } else {
        q->status = q->status == CAIRN_OK ? CAIRN_NO_MEMORY : q->status;
        send_problem(q);
    }
    cairn__buffer_free(&q->answer);
    free(q);
}

static void on_work(uv_work_t *work) {
    question *q = work->data;
    cairn__analyze_zones zones = cairn__zones_seam(&q->edge->zones);
    const cairn__fold_question asked = { q->query, &zones, cairn__span_of(q->zone), &q->options };
    q->status = cairn__fold_analyze(q->ask.view, &asked, &q->answer, &q->problem);
    cairn__fold_view_release(q->ask.view);
}

static void on_work_done(uv_work_t *work, int status) {
    question *q = work->data;
    (void)status;
    q->edge->working--;
    end(q);
}

static void on_view(cairn__ask *ask) {
    question *q = ask->self;
    q->status = ask->status;
    if (ask->status != CAIRN_OK) {
        end(q);
        return;
    }
    q->edge->working++;
    int code = uv_queue_work(&q->edge->loop, &q->work, on_work, on_work_done);
    CAIRN_ASSERT(code == 0);
}

static question *make_question(cairn__edge *edge, size_t project, cairn_span content) {
    const char *zone = edge->config.projects[project].timezone;
    size_t zone_bytes = strlen(zone) + 1;
    question *q = calloc(1, sizeof *q + zone_bytes + content.len);
    if (q == NULL) {
        return NULL;
    }
    memcpy(q->bytes, zone, zone_bytes);
    if (content.len > 0) {
        memcpy(q->bytes + zone_bytes, content.data, content.len);
    }
    q->zone = (const char *)q->bytes;
    q->query = cairn__span(q->bytes + zone_bytes, content.len);
    q->edge = edge;
    q->work.data = q;
    q->answer = cairn__buffer_make(cairn__heap(), ANSWER_BYTES_MAX);
    q->end_ns = uv_hrtime() + (uint64_t)edge->config.analyze_timeout_ms * 1000000;
    q->options = (cairn__analyze_options){ .allocator = cairn__heap(),
                                           .bytes_max = (size_t)edge->config.analyze_bytes_max,
                                           .now_ms = cairn__edge_now_ms(),
                                           .stop = stop,
                                           .mono_ms = mono_ms,
                                           .self = q };
    q->ask =
        (cairn__ask){ .kind = CAIRN__ASK_VIEW, .project = project, .done = on_view, .self = q };
    return q;
}

void cairn__handle_analyze(cairn__edge *edge, cairn__exchange *exchange,
                           const cairn__http_head *head, cairn_span content) {
    size_t project = project_of(edge, head);
    if (project == SIZE_MAX) {
        cairn__exchange_problem(exchange, &project_missing, NULL);
        return;
    }
    cairn__count(&edge->metrics.questions_total, 1);
    question *q = NULL;
    if (edge->asking < (size_t)edge->config.analyze_concurrent_max) {
        q = make_question(edge, project, content);
    }
    if (q == NULL) {
        cairn__count(&edge->metrics.questions_busy, 1);
        cairn__exchange_problem(exchange, &busy, "Retry-After: 1\r\n");
        return;
    }
    q->exchange = exchange;
    exchange->job = q;
    exchange->gone = on_gone;
    edge->asking++;
    cairn__folder_ask(&edge->folder, &q->ask);
}

/* --- persons ---------------------------------------------------------------------------------- */

typedef struct lookup {
    cairn__ask ask;
    cairn__exchange *exchange;
    uint8_t bytes[];
} lookup;

static void on_person(cairn__ask *ask) {
    lookup *l = ask->self;
    static const cairn__problem nobody = { .status = 404,
                                           .code = "person_unknown",
                                           .field = "id",
                                           .detail = "nobody has this id",
                                           .fix = "check type and value: /v1/persons/login:u1" };
    static const cairn__problem failed = { .status = 503,
                                           .code = "unavailable",
                                           .detail = "the person could not be looked up now",
                                           .fix = "ask again later" };
    if (ask->status == CAIRN_OK && !ask->json.failed) {
        cairn__exchange_answer(l->exchange,
                               (cairn__answer){ .status = 200,
                                                .content_type = "application/json",
                                                .headers = "Cache-Control: no-store\r\n",
                                                .body = cairn__buffer_span(&ask->json) });
    } else {
        cairn__exchange_problem(l->exchange, ask->status == CAIRN_NOT_FOUND ? &nobody : &failed,
                                NULL);
    }
    cairn__buffer_free(&ask->json);
    free(l);
}

void cairn__handle_person(cairn__edge *edge, cairn__exchange *exchange,
                          const cairn__http_head *head, cairn_span content) {
    (void)content;
    static const cairn__problem bad = { .status = 400,
                                        .code = "id_invalid",
                                        .field = "id",
                                        .detail = "the path does not end in TYPE:VALUE",
                                        .fix = "write for example /v1/persons/login:u1" };
    size_t prefix = strlen("/v1/persons/");
    cairn_span text = cairn__span(head->path.data + prefix, head->path.len - prefix);
    size_t project = project_of(edge, head);
    if (project == SIZE_MAX) {
        cairn__exchange_problem(exchange, &project_missing, NULL);
        return;
    }
    lookup *l = calloc(1, sizeof *l + text.len + 1);
    if (l == NULL) {
        cairn__exchange_problem(exchange, &busy, "Retry-After: 1\r\n");
        return;
    }
    size_t len = 0;
    bool decoded = cairn__url_decode(text, l->bytes, &len);
    const uint8_t *colon = decoded && len > 0 ? memchr(l->bytes, ':', len) : NULL;
    if (colon == NULL || colon == l->bytes || colon + 1 == l->bytes + len) {
        free(l);
        cairn__exchange_problem(exchange, &bad, NULL);
        return;
    }
    size_t type_len = (size_t)(colon - l->bytes);
    l->exchange = exchange;
    l->ask = (cairn__ask){ .kind = CAIRN__ASK_PERSON,
                           .project = project,
                           .id = { { l->bytes, type_len }, { colon + 1, len - type_len - 1 } },
                           .json = cairn__buffer_make(cairn__heap(), PERSON_BYTES_MAX),
                           .done = on_person,
                           .self = l };
    cairn__folder_ask(&edge->folder, &l->ask);
}
