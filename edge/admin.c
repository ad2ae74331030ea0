/* admin.c: what the admin listener answers from the loop: health, readiness, metrics, the stream.
 */
#include <stdio.h>

#include "base/bytes.h"
#include "edge/routes.h"
#include "edge/text.h"

enum { METRICS_BYTES_MAX = 256 * 1024 };

void cairn__handle_healthz(cairn__edge *edge, cairn__exchange *exchange,
                           const cairn__http_head *head, cairn_span content) {
    (void)edge;
    (void)head;
    (void)content;
    cairn__exchange_answer(exchange, (cairn__answer){ .status = 200,
                                                      .content_type = "application/json",
                                                      .body = CAIRN_STR("{\"status\":\"ok\"}\n") });
}

/* The truth about taking data: the first reason why not. */
static const cairn__problem *why_not_ready(const cairn__edge *edge) {
    static const cairn__problem reasons[] = {
        { 503, "draining", NULL, "the edge is about to end", "send requests elsewhere", NULL },
        { 503, "disk_low", NULL, "the disk has less room than disk_low_water",
          "make room; the edge resumes by itself", NULL },
        { 503, "log_unavailable", NULL, "the log cannot be written",
          "check the disk; the edge resumes by itself", NULL },
        { 503, "log_damaged", NULL, "the log cannot be folded on: a segment is damaged",
          "see the error in the edge's log; restore the segment from a copy", NULL },
    };
    const bool found[] = { edge->draining, edge->disk_low, edge->log_failing,
                           atomic_load(&edge->folder.damaged) };
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        if (found[i]) {
            return &reasons[i];
        }
    }
    return NULL;
}

void cairn__handle_readyz(cairn__edge *edge, cairn__exchange *exchange,
                          const cairn__http_head *head, cairn_span content) {
    (void)head;
    (void)content;
    const cairn__problem *reason = why_not_ready(edge);
    if (reason != NULL) {
        cairn__exchange_problem(exchange, reason, "Retry-After: 1\r\n");
        return;
    }
    cairn__exchange_answer(exchange,
                           (cairn__answer){ .status = 200,
                                            .content_type = "application/json",
                                            .body = CAIRN_STR("{\"status\":\"ready\"}\n") });
}

void cairn__handle_metrics(cairn__edge *edge, cairn__exchange *exchange,
                           const cairn__http_head *head, cairn_span content) {
    (void)head;
    (void)content;
    cairn__buffer text = cairn__buffer_make(cairn__heap(), METRICS_BYTES_MAX);
    cairn__metrics_text(&edge->metrics, &text);
    cairn__exchange_answer(exchange, (cairn__answer){ .status = 200,
                                                      .content_type = "text/plain; version=0.0.4",
                                                      .body = cairn__buffer_span(&text) });
    cairn__buffer_free(&text);
}

void cairn__handle_stream(cairn__edge *edge, cairn__exchange *exchange,
                          const cairn__http_head *head, cairn_span content) {
    (void)content;
    static const cairn__problem many = { .status = 503,
                                         .code = "stream_clients",
                                         .detail = "there are stream_clients_max readers already",
                                         .fix = "close one, or raise stream_clients_max" };
    static const cairn__problem unknown = { .status = 404,
                                            .code = "project_unknown",
                                            .field = "project",
                                            .detail = "there is no such project",
                                            .fix = "name a project of the configuration" };
    cairn_span name = cairn__query_value(head->query, "project");
    size_t project = name.data == NULL ? SIZE_MAX : cairn__edge_project_named(edge, name);
    if (name.data != NULL && project == SIZE_MAX) {
        cairn__exchange_problem(exchange, &unknown, NULL);
        return;
    }
    if (edge->draining || edge->live.client_count >= (size_t)edge->config.stream_clients_max ||
        !cairn__live_watch(&edge->live, exchange, project,
                           head->headers[CAIRN__HEADER_LAST_EVENT_ID])) {
        cairn__exchange_problem(exchange, &many, "Retry-After: 5\r\n");
    }
}
