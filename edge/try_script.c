/* try_script.c: POST /v1/scripts/run: an author tries a script on an input, in the sandbox in which
 * it will run. The answer is what a decision would get: a result, or a default and its reason. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "edge/routes.h"
#include "edge/text.h"

enum { ANSWER_BYTES_MAX = 512 * 1024 };

typedef struct attempt {
    cairn__edge *edge;
    cairn__exchange *exchange;
    uint64_t begun_ns;
} attempt;

static void write_answer(const attempt *a, cairn__script_outcome outcome, cairn_span text,
                         cairn__buffer *to) {
    const char *reason = cairn__script_reason(outcome);
    if (reason == NULL) {
        cairn__buffer_append(to, CAIRN_STR("{\"result\":"));
        cairn__buffer_append(to,
                             text); /* JSON that the engine wrote and the pool checked as UTF-8 */
    } else {
        cairn__buffer_format(to, "{\"use_default\":true,\"reason\":\"%s\",\"text\":", reason);
        cairn__json_string(to, text);
    }
    cairn__buffer_format(to, ",\"microseconds\":%llu}\n",
                         (unsigned long long)((uv_hrtime() - a->begun_ns) / 1000));
}

/* The process is not believed: its result goes on only when it is JSON. */
static bool is_json(cairn_span text) {
    json_error_t error;
    json_t *value = json_loadb((const char *)text.data, text.len, JSON_DECODE_ANY, &error);
    json_decref(value);
    return value != NULL;
}

static void on_done(void *self, cairn__script_outcome outcome, cairn_span text) {
    attempt *a = self;
    cairn__buffer answer = cairn__buffer_make(cairn__heap(), ANSWER_BYTES_MAX);
    if (outcome == CAIRN__SCRIPT_OK && !is_json(text)) {
        outcome = CAIRN__SCRIPT_RESULT;
        text = CAIRN_STR("the script's process gave no JSON");
    }
    write_answer(a, outcome, text, &answer);
    a->edge->asking--;
    cairn__exchange_answer(a->exchange, (cairn__answer){ .status = 200,
                                                         .content_type = "application/json",
                                                         .headers = "Cache-Control: no-store\r\n",
                                                         .body = cairn__buffer_span(&answer) });
    cairn__buffer_free(&answer);
    free(a);
}

/* NULL: good; otherwise the field that is not. The job borrows from the request and `input_out`. */
static const char *read_job(const json_t *request, cairn__script_job *job, char **input_out) {
    const json_t *use = json_object_get(request, "use");
    const json_t *source = json_object_get(request, "source");
    const json_t *now = json_object_get(request, "now_ms");
    const json_t *seed = json_object_get(request, "seed");
    const json_t *input = json_object_get(request, "input");
    if (use != NULL &&
        (!json_is_string(use) ||
         !cairn__script_use_named(cairn__span_of(json_string_value(use)), &job->use))) {
        return "use";
    }
    if (!json_is_string(source)) {
        return "source";
    }
    job->source = cairn__span(json_string_value(source), json_string_length(source));
    if (now != NULL && !json_is_integer(now)) {
        return "now_ms";
    }
    if (seed != NULL && !json_is_integer(seed)) {
        return "seed";
    }
    job->now_ms = now == NULL ? cairn__edge_now_ms() : (int64_t)json_integer_value(now);
    job->seed = seed == NULL ? 0 : (uint64_t)json_integer_value(seed);
    *input_out = input == NULL ? NULL : json_dumps(input, JSON_COMPACT | JSON_ENCODE_ANY);
    job->input = cairn__span_of(*input_out);
    return NULL;
}

static void refuse(cairn__exchange *exchange, const char *field) {
    const cairn__problem problem = { .status = 400,
                                     .code = "script_request_invalid",
                                     .field = field,
                                     .detail = "this member is missing or of the wrong kind",
                                     .fix = "send {\"use\":\"score\",\"source\":\"function main(i) "
                                            "{ return 1; }\",\"input\":{}}" };
    cairn__exchange_problem(exchange, &problem, NULL);
}

static void submit(cairn__edge *edge, cairn__exchange *exchange, const cairn__script_job *job) {
    attempt *a = calloc(1, sizeof *a);
    if (a == NULL) {
        static const cairn__problem full = { .status = 503,
                                             .code = "busy",
                                             .detail = "there is no memory for one more script",
                                             .fix = "try again later" };
        cairn__exchange_problem(exchange, &full, "Retry-After: 1\r\n");
        return;
    }
    *a = (attempt){ edge, exchange, uv_hrtime() };
    edge->asking++;
    cairn__script_outcome outcome = cairn__sandbox_submit(edge->sandbox, job, on_done, a);
    if (outcome != CAIRN__SCRIPT_OK) {
        on_done(a, outcome, CAIRN_STR("the script was not run"));
    }
}

void cairn__handle_script(cairn__edge *edge, cairn__exchange *exchange,
                          const cairn__http_head *head, cairn_span content) {
    (void)head;
    json_error_t error;
    cairn__script_job job = { 0 };
    char *input = NULL;
    json_t *request =
        json_loadb((const char *)content.data, content.len, JSON_REJECT_DUPLICATES, &error);
    const char *field = json_is_object(request) ? read_job(request, &job, &input) : "body";
    if (field != NULL) {
        refuse(exchange, field);
    } else {
        submit(edge, exchange, &job);
    }
    free(input);
    json_decref(request);
}
