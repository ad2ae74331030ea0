/* decisions.c: POST /v1/decide: the body is read in the pool, the person comes from the folder's
 * thread, and the pool decides. A slot that wants a ranking script is decided twice: the script
 * runs in the sandbox in between, and whatever becomes of it, the second answer goes out. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "edge/ready.h"
#include "edge/routes.h"
#include "edge/text.h"
#include "facts/decide.h"

enum { DECISIONS_MAX = 256 /* under way; beyond it: 503 */ };

typedef struct decision {
    cairn__ask ask;
    uv_work_t work;
    cairn__edge *edge;
    cairn__exchange *exchange;
    cairn__ready *ready;
    cairn__arena arena;
    cairn__decide_request request;
    const cairn__zone *zone;
    cairn__fault_problem problem;
    cairn_status status;
    cairn__buffer answer;
    cairn__decide_script script;
    cairn__slot_scores scores; /* its script is empty before one was run */
    double numbers[CAIRN__SLOT_POOL_MAX];
    size_t bytes_max;
    int64_t now_ms;
    size_t content_bytes;
    uint8_t content[];
} decision;

static void refuse(decision *d) {
    static const struct {
        cairn_status status;
        int http;
    } table[] = { { CAIRN_INVALID, 400 },
                  { CAIRN_FULL, 413 },
                  { CAIRN_NO_MEMORY, 413 },
                  { CAIRN_STORAGE, 500 },
                  { CAIRN_CLOSED, 503 } };
    cairn__problem problem = { .status = 500,
                               .code = d->problem.code,
                               .field = d->problem.field,
                               .detail = d->problem.detail,
                               .fix = d->problem.fix };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        problem.status = table[i].status == d->status ? table[i].http : problem.status;
    }
    if (problem.code[0] == 0) {
        problem.status = 503;
        problem.code = "unavailable";
        problem.detail = "nothing can be decided now";
        problem.fix = "ask again later";
    }
    cairn__exchange_problem(d->exchange, &problem,
                            problem.status == 503 ? "Retry-After: 1\r\n" : NULL);
}

static void end(decision *d) {
    d->edge->deciding -= 1;
    if (d->status == CAIRN_OK) {
        cairn__exchange_answer(d->exchange,
                               (cairn__answer){ .status = 200,
                                                .content_type = "application/json",
                                                .headers = "Cache-Control: no-store\r\n",
                                                .body = cairn__buffer_span(&d->answer) });
    } else {
        cairn__count(&d->edge->metrics.decides_refused, 1);
        refuse(d);
    }
    if (d->ask.known != NULL) {
        cairn__fold_known_release(d->ask.known);
    }
    cairn__ready_release(d->ready);
    cairn__buffer_free(&d->answer);
    cairn__buffer_free(&d->script.input);
    cairn__arena_free(&d->arena);
    free(d);
}

static void work(decision *d, uv_work_cb run, uv_after_work_cb done) {
    d->edge->working += 1;
    int code = uv_queue_work(&d->edge->loop, &d->work, run, done);
    CAIRN_ASSERT(code == 0);
}

/* --- the decision ----------------------------------------------------------------------------- */

static void run_decide(uv_work_t *job) {
    decision *d = job->data;
    cairn__ready_decider *decider = cairn__ready_decider_take(d->ready);
    if (decider == NULL) {
        d->status = CAIRN_BUSY;
    } else {
        const cairn__decide_call call = { .allocator = cairn__heap(),
                                          .bytes_max = d->bytes_max,
                                          .request = &d->request,
                                          .bundle = &d->ready->bundle,
                                          .needs = &d->ready->needs,
                                          .decider = decider->decider,
                                          .person = &d->ask.known->state,
                                          .user_zone = d->zone,
                                          .scores = d->scores.script.len > 0 ? &d->scores : NULL,
                                          .script = d->scores.script.len > 0 ? NULL : &d->script };
        d->status = cairn__decide_answer(&call, &d->answer, &d->problem);
        cairn__ready_decider_give(d->ready, decider);
    }
}

static void on_decided(uv_work_t *job, int status);

/* --- its script ------------------------------------------------------------------------------- */

/* The process is not believed: one finite number for each item, or none at all. */
static bool read_scores(decision *d, cairn_span text) {
    json_error_t error;
    json_t *list = json_loadb((const char *)text.data, text.len, 0, &error);
    bool good = json_is_array(list) && json_array_size(list) == d->script.item_count;
    for (size_t i = 0; good && i < d->script.item_count; i++) {
        const json_t *one = json_array_get(list, i);
        good = json_is_number(one);
        d->numbers[i] = json_number_value(one);
    }
    json_decref(list);
    return good;
}

static void on_ranked(void *self, cairn__script_outcome outcome, cairn_span text) {
    decision *d = self;
    d->edge->working -= 1;
    if (outcome == CAIRN__SCRIPT_OK && !read_scores(d, text)) {
        outcome = CAIRN__SCRIPT_RESULT;
    }
    const char *reason = cairn__script_reason(outcome);
    d->scores = (cairn__slot_scores){ .script = d->script.name,
                                      .items = d->script.items,
                                      .scores = d->numbers,
                                      .count = reason == NULL ? d->script.item_count : 0,
                                      .lost = CAIRN__WHY_COUNT };
    if (reason != NULL) {
        bool named = cairn__slot_lost_named(cairn__span_of(reason), &d->scores.lost);
        CAIRN_ASSERT(named);
        cairn__count(&d->edge->metrics.decides_script_lost, 1);
    }
    cairn__buffer_clear(&d->answer);
    work(d, run_decide, on_decided);
}

/* As work in the pool: it ends by itself, soon, and the end of the edge waits for it. */
static void run_script(decision *d) {
    d->edge->working += 1;
    const cairn__script_job job = { .use = CAIRN__SCRIPT_RANK,
                                    .source = d->script.source,
                                    .input = cairn__buffer_span(&d->script.input),
                                    .now_ms = d->script.now_ms,
                                    .seed = d->script.seed };
    cairn__script_outcome outcome =
        d->script.input.failed ? CAIRN__SCRIPT_ERROR
                               : cairn__sandbox_submit(d->edge->sandbox, &job, on_ranked, d);
    if (outcome != CAIRN__SCRIPT_OK) {
        on_ranked(d, outcome, (cairn_span){ NULL, 0 });
    }
}

static void on_decided(uv_work_t *job, int status) {
    decision *d = job->data;
    (void)status; /* never cancelled */
    d->edge->working -= 1;
    if (d->status == CAIRN_OK && d->script.name.len > 0 && d->scores.script.len == 0) {
        run_script(d);
    } else {
        end(d);
    }
}

static void on_known(cairn__ask *ask) {
    decision *d = ask->self;
    d->status = ask->status == CAIRN_NO_MEMORY ? CAIRN_BUSY : ask->status;
    if (ask->status == CAIRN_OK) {
        work(d, run_decide, on_decided);
    } else {
        end(d);
    }
}

/* --- the request ------------------------------------------------------------------------------ */

/* As on the device: the bundle's table; and the system's, which knows more. */
static bool find_zone(decision *d) {
    const cairn_span name = d->request.timezone;
    const cairn_span table = d->ready->bundle.zones;
    if (name.len == 0 ||
        (table.len > 0 && cairn__zone_table_find(table, name, &d->arena, &d->zone) == CAIRN_OK)) {
        return true;
    }
    const cairn__analyze_zones zones = cairn__zones_seam(&d->edge->zones);
    d->zone = zones.find(zones.self, name);
    if (d->zone != NULL) {
        return true;
    }
    (void)cairn__fault(&d->problem, "timezone_unknown",
                       cairn__fault_key((cairn__fault_path){ "" }, "timezone"),
                       "there is no time zone of this name");
    return cairn__fault_fix(&d->problem, "write an IANA name, for example Asia/Shanghai");
}

static void run_read(uv_work_t *job) {
    decision *d = job->data;
    const cairn_span content = { d->content, d->content_bytes };
    if (cairn__ready_read(d->ready) != CAIRN_OK) {
        d->status = CAIRN_BUSY;
        return;
    }
    d->status = cairn__decide_request_read(content, d->now_ms, &d->arena, &d->request, &d->problem);
    if (d->status == CAIRN_OK && !find_zone(d)) {
        d->status = CAIRN_INVALID;
    }
}

static void on_read(uv_work_t *job, int status) {
    decision *d = job->data;
    (void)status; /* never cancelled */
    d->edge->working -= 1;
    if (d->status != CAIRN_OK) {
        end(d);
        return;
    }
    d->ask.who = (cairn__fold_who){ .ids = d->request.ids,
                                    .id_count = d->request.id_count,
                                    .user = { d->ready->needs.user, d->ready->needs.user_count },
                                    .consent = true };
    cairn__folder_ask(&d->edge->folder, &d->ask);
}

static decision *make(cairn__edge *edge, size_t project, cairn_span content) {
    decision *d = calloc(1, sizeof *d + content.len);
    if (d == NULL) {
        return NULL;
    }
    d->edge = edge;
    d->work.data = d;
    d->arena = cairn__arena_make(cairn__heap(), CAIRN__DECIDE_ARENA_BYTES_MAX);
    d->answer = cairn__buffer_make(cairn__heap(), CAIRN__DECIDE_ANSWER_BYTES_MAX);
    d->script.input = cairn__buffer_make(cairn__heap(), CAIRN__SCRIPT_INPUT_BYTES_MAX);
    d->bytes_max = (size_t)edge->config.analyze_bytes_max;
    d->now_ms = cairn__edge_now_ms();
    d->content_bytes = content.len;
    if (content.len > 0) {
        memcpy(d->content, content.data, content.len);
    }
    d->ask =
        (cairn__ask){ .kind = CAIRN__ASK_KNOWN, .project = project, .done = on_known, .self = d };
    return d;
}

void cairn__handle_decide(cairn__edge *edge, cairn__exchange *exchange,
                          const cairn__http_head *head, cairn_span content) {
    static const cairn__problem no_project = { .status = 400,
                                               .code = "project_missing",
                                               .field = "project",
                                               .detail = "no such project, or none named of many",
                                               .fix = "add ?project=NAME to the path" };
    static const cairn__problem no_bundle = { .status = 404,
                                              .code = "definitions_missing",
                                              .detail = "the project has no definitions yet",
                                              .fix = "put popups, slots or experiments first" };
    static const cairn__problem busy = { .status = 503,
                                         .code = "busy",
                                         .detail = "too many decisions are under way",
                                         .fix = "ask again after Retry-After seconds" };
    size_t project = cairn__edge_project_named(edge, cairn__query_value(head->query, "project"));
    if (project == SIZE_MAX) {
        cairn__exchange_problem(exchange, &no_project, NULL);
        return;
    }
    cairn__count(&edge->metrics.decides_total, 1);
    if (edge->definitions.projects[project].served->version == 0) {
        cairn__count(&edge->metrics.decides_refused, 1);
        cairn__exchange_problem(exchange, &no_bundle, NULL);
        return;
    }
    decision *d = edge->deciding < DECISIONS_MAX ? make(edge, project, content) : NULL;
    cairn__ready *ready = d == NULL ? NULL : cairn__edge_ready(edge, project);
    if (ready == NULL) {
        free(d);
        cairn__count(&edge->metrics.decides_refused, 1);
        cairn__exchange_problem(exchange, &busy, "Retry-After: 1\r\n");
        return;
    }
    d->ready = ready;
    d->exchange = exchange;
    edge->deciding += 1;
    work(d, run_read, on_read);
}
