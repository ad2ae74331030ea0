/* routes.h: which requests there are, per listener: one line each. docs/openapi.yaml is tested
 * against this table. */
#ifndef CAIRN_EDGE_ROUTES_H
#define CAIRN_EDGE_ROUTES_H

#include "edge/edge.h"

typedef enum cairn__route_flag {
    CAIRN__ROUTE_PREFIX = 1,    /* the path goes on */
    CAIRN__ROUTE_OPEN = 2,      /* admin: no token is asked for */
    CAIRN__ROUTE_DATA = 4,      /* adds to the log: refused while busy or the disk is low */
    CAIRN__ROUTE_JSON_ONLY = 8, /* the body's type must be application/json */
    CAIRN__ROUTE_KEY = 16       /* the write key is in the headers or the query */
} cairn__route_flag;

typedef void (*cairn__handler)(cairn__edge *edge, cairn__exchange *exchange,
                               const cairn__http_head *head, cairn_span content);

typedef struct cairn__route {
    const char *path; /* as in OpenAPI; what follows '{' is the prefix's rest */
    cairn__handler handle;
    cairn__http_method method;
    unsigned flags;
} cairn__route;

/** Of a listener; ends with a route whose path is NULL. */
const cairn__route *cairn__routes(bool is_public);

/** cairn__server's two callbacks; self is the edge. */
bool cairn__routes_on_head(void *self, cairn__exchange *exchange, const cairn__http_head *head);
void cairn__routes_on_request(void *self, cairn__exchange *exchange, const cairn__http_head *head,
                              cairn_span content);

/** Header lines that go with every answer of a listener (CORS); NULL: none. */
const char *cairn__routes_headers(const cairn__edge *edge, const cairn__exchange *exchange);

/* The handlers. */
void cairn__handle_sync(cairn__edge *edge, cairn__exchange *exchange, const cairn__http_head *head,
                        cairn_span content);
void cairn__handle_events(cairn__edge *edge, cairn__exchange *exchange,
                          const cairn__http_head *head, cairn_span content);
void cairn__handle_preflight(cairn__edge *edge, cairn__exchange *exchange,
                             const cairn__http_head *head, cairn_span content);
void cairn__handle_static(cairn__edge *edge, cairn__exchange *exchange,
                          const cairn__http_head *head, cairn_span content);
void cairn__handle_console(cairn__edge *edge, cairn__exchange *exchange,
                           const cairn__http_head *head, cairn_span content);
void cairn__handle_root(cairn__edge *edge, cairn__exchange *exchange, const cairn__http_head *head,
                        cairn_span content);
void cairn__handle_analyze(cairn__edge *edge, cairn__exchange *exchange,
                           const cairn__http_head *head, cairn_span content);
void cairn__handle_script(cairn__edge *edge, cairn__exchange *exchange,
                          const cairn__http_head *head, cairn_span content);
void cairn__handle_decide(cairn__edge *edge, cairn__exchange *exchange,
                          const cairn__http_head *head, cairn_span content);
void cairn__handle_person(cairn__edge *edge, cairn__exchange *exchange,
                          const cairn__http_head *head, cairn_span content);
void cairn__handle_stream(cairn__edge *edge, cairn__exchange *exchange,
                          const cairn__http_head *head, cairn_span content);
void cairn__handle_definition_put(cairn__edge *edge, cairn__exchange *exchange,
                                  const cairn__http_head *head, cairn_span content);
void cairn__handle_definition_delete(cairn__edge *edge, cairn__exchange *exchange,
                                     const cairn__http_head *head, cairn_span content);
void cairn__handle_definition_get(cairn__edge *edge, cairn__exchange *exchange,
                                  const cairn__http_head *head, cairn_span content);
void cairn__handle_definition_list(cairn__edge *edge, cairn__exchange *exchange,
                                   const cairn__http_head *head, cairn_span content);
void cairn__handle_bundle(cairn__edge *edge, cairn__exchange *exchange,
                          const cairn__http_head *head, cairn_span content);
void cairn__handle_bundle_key(cairn__edge *edge, cairn__exchange *exchange,
                              const cairn__http_head *head, cairn_span content);
void cairn__handle_healthz(cairn__edge *edge, cairn__exchange *exchange,
                           const cairn__http_head *head, cairn_span content);
void cairn__handle_readyz(cairn__edge *edge, cairn__exchange *exchange,
                          const cairn__http_head *head, cairn_span content);
void cairn__handle_metrics(cairn__edge *edge, cairn__exchange *exchange,
                           const cairn__http_head *head, cairn_span content);

#endif
