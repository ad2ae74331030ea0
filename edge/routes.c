#include "edge/routes.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "edge/inflate.h"
#include "edge/text.h"

#define GET CAIRN__METHOD_GET
#define POST CAIRN__METHOD_POST
#define OPTIONS CAIRN__METHOD_OPTIONS
#define PUT CAIRN__METHOD_PUT
#define DELETE CAIRN__METHOD_DELETE
enum {
    PREFIX = CAIRN__ROUTE_PREFIX,
    OPEN = CAIRN__ROUTE_OPEN,
    DATA = CAIRN__ROUTE_DATA,
    JSON_ONLY = CAIRN__ROUTE_JSON_ONLY,
    KEY = CAIRN__ROUTE_KEY
};

static const cairn__route public_routes[] = {
    { "/v1/sync", cairn__handle_sync, POST, OPEN | DATA },
    { "/v1/events", cairn__handle_events, POST, OPEN | DATA | KEY },
    { "/v1/sync", cairn__handle_preflight, OPTIONS, OPEN },
    { "/v1/events", cairn__handle_preflight, OPTIONS, OPEN },
    { "/{file}", cairn__handle_static, GET, OPEN | PREFIX },
    { .path = NULL },
};

static const cairn__route admin_routes[] = {
    { "/v1/analyze", cairn__handle_analyze, POST, JSON_ONLY },
    { "/v1/scripts/run", cairn__handle_script, POST, JSON_ONLY },
    { "/v1/decide", cairn__handle_decide, POST, JSON_ONLY },
    { "/v1/persons/{id}", cairn__handle_person, GET, PREFIX },
    { "/v1/stream", cairn__handle_stream, GET, 0 },
    { "/v1/popups", cairn__handle_definition_list, GET, 0 },
    { "/v1/popups/{name}", cairn__handle_definition_get, GET, PREFIX },
    { "/v1/popups/{name}", cairn__handle_definition_put, PUT, PREFIX | JSON_ONLY },
    { "/v1/popups/{name}", cairn__handle_definition_delete, DELETE, PREFIX },
    { "/v1/slots", cairn__handle_definition_list, GET, 0 },
    { "/v1/slots/{name}", cairn__handle_definition_get, GET, PREFIX },
    { "/v1/slots/{name}", cairn__handle_definition_put, PUT, PREFIX | JSON_ONLY },
    { "/v1/slots/{name}", cairn__handle_definition_delete, DELETE, PREFIX },
    { "/v1/experiments", cairn__handle_definition_list, GET, 0 },
    { "/v1/experiments/{name}", cairn__handle_definition_get, GET, PREFIX },
    { "/v1/experiments/{name}", cairn__handle_definition_put, PUT, PREFIX | JSON_ONLY },
    { "/v1/experiments/{name}", cairn__handle_definition_delete, DELETE, PREFIX },
    { "/v1/audiences", cairn__handle_definition_list, GET, 0 },
    { "/v1/audiences/{name}", cairn__handle_definition_get, GET, PREFIX },
    { "/v1/audiences/{name}", cairn__handle_definition_put, PUT, PREFIX | JSON_ONLY },
    { "/v1/audiences/{name}", cairn__handle_definition_delete, DELETE, PREFIX },
    { "/v1/decisions/settings", cairn__handle_definition_get, GET, 0 },
    { "/v1/decisions/settings", cairn__handle_definition_put, PUT, JSON_ONLY },
    { "/v1/bundle", cairn__handle_bundle, GET, 0 },
    { "/v1/bundle/key", cairn__handle_bundle_key, GET, 0 },
    { "/healthz", cairn__handle_healthz, GET, OPEN },
    { "/readyz", cairn__handle_readyz, GET, OPEN },
    { "/metrics", cairn__handle_metrics, GET, 0 },
    { "/console/{file}", cairn__handle_console, GET, OPEN | PREFIX },
    { "/console", cairn__handle_root, GET, OPEN },
    { "/", cairn__handle_root, GET, OPEN },
    { .path = NULL },
};

const cairn__route *cairn__routes(bool is_public) {
    return is_public ? public_routes : admin_routes;
}

/* --- which one -------------------------------------------------------------------------------- */

static bool fits(const cairn__route *route, cairn_span path) {
    size_t len = strcspn(route->path, "{");
    bool prefix = (route->flags & PREFIX) != 0;
    return (prefix ? path.len >= len : path.len == len) && memcmp(path.data, route->path, len) == 0;
}

static bool has_method(const cairn__route *route, cairn__http_method method) {
    return route->method == method ||
           (method == CAIRN__METHOD_HEAD && route->method == CAIRN__METHOD_GET);
}

/* The route, or NULL and the methods that the path has (0: no such path). */
static const cairn__route *find(const cairn__route *route, const cairn__http_head *head,
                                unsigned *methods_out) {
    *methods_out = 0;
    for (; route->path != NULL; route++) {
        bool everything = strcmp(route->path, "/{file}") == 0;
        if (!fits(route, head->path) || (everything && *methods_out != 0)) {
            continue; /* a path that has a route of its own is no file */
        }
        if (has_method(route, head->method)) {
            return route;
        }
        if (everything) {
            continue;
        }
        *methods_out |= (unsigned)route->method;
    }
    return NULL;
}

static bool refuse(cairn__edge *edge, cairn__exchange *exchange, cairn__problem problem,
                   const char *more) {
    char headers[512];
    const char *cors = cairn__routes_headers(edge, exchange);
    (void)snprintf(headers, sizeof headers, "%s%s", cors == NULL ? "" : cors,
                   more == NULL ? "" : more);
    cairn__exchange_problem(exchange, &problem, headers);
    return false;
}

static bool refuse_method(cairn__edge *edge, cairn__exchange *exchange, unsigned methods) {
    static const struct {
        unsigned method;
        const char *name;
    } names[] = {
        { GET, "GET, HEAD" }, { POST, "POST" },       { PUT, "PUT" },
        { DELETE, "DELETE" }, { OPTIONS, "OPTIONS" },
    };
    char allow[96] = "Allow: ";
    size_t used = strlen(allow);
    const char *comma = "";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((methods & names[i].method) != 0) {
            used +=
                (size_t)snprintf(allow + used, sizeof allow - used, "%s%s", comma, names[i].name);
            comma = ", ";
        }
    }
    (void)snprintf(allow + used, sizeof allow - used, "\r\n");
    return refuse(edge, exchange,
                  (cairn__problem){ .status = 405,
                                    .code = "method_not_allowed",
                                    .detail = "this path does not have this method",
                                    .fix = "use a method that Allow names" },
                  allow);
}

/* --- who may ---------------------------------------------------------------------------------- */

static cairn_span bearer(const cairn__http_head *head) {
    cairn_span value = head->headers[CAIRN__HEADER_AUTHORIZATION];
    cairn_span scheme = { value.data, 7 };
    if (value.len <= 7 || !cairn__http_is(scheme, "bearer ")) {
        return (cairn_span){ NULL, 0 };
    }
    return cairn__span(value.data + 7, value.len - 7);
}

static bool is_local_name(cairn_span host) {
    static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t len = strlen(names[i]);
        cairn_span name = { host.data, host.len < len ? host.len : len };
        if (cairn__http_is(name, names[i]) && (host.len == len || host.data[len] == ':')) {
            return true;
        }
    }
    return false;
}

/* Pages of other sites can make a browser send requests here; none of them can set the Host or hide
 * the Origin. */
static bool is_same_site(const cairn__http_head *head) {
    cairn_span host = head->headers[CAIRN__HEADER_HOST];
    cairn_span origin = head->headers[CAIRN__HEADER_ORIGIN];
    if (origin.data == NULL) {
        return true;
    }
    return origin.len > host.len + 3 && host.len > 0 &&
           memcmp(origin.data + origin.len - host.len, host.data, host.len) == 0 &&
           memcmp(origin.data + origin.len - host.len - 3, "://", 3) == 0;
}

static bool may_ask(cairn__edge *edge, cairn__exchange *exchange, const cairn__route *route,
                    const cairn__http_head *head) {
    const char *token = edge->config.admin_token;
    if (token[0] == 0 && !is_local_name(head->headers[CAIRN__HEADER_HOST])) {
        return refuse(
            edge, exchange,
            (cairn__problem){ .status = 403,
                              .code = "host_not_local",
                              .field = "host",
                              .detail = "without admin_token only local names are served",
                              .fix = "call it 127.0.0.1 or localhost, or set admin_token" },
            NULL);
    }
    if (!is_same_site(head)) {
        return refuse(edge, exchange,
                      (cairn__problem){ .status = 403,
                                        .code = "origin_foreign",
                                        .field = "origin",
                                        .detail = "a page of another site may not ask here",
                                        .fix = "open the console at this listener's own address" },
                      NULL);
    }
    if (token[0] == 0 || (route->flags & OPEN) != 0 || cairn__same_secret(bearer(head), token)) {
        return true;
    }
    return refuse(edge, exchange,
                  (cairn__problem){ .status = 401,
                                    .code = "token_wrong",
                                    .field = "authorization",
                                    .detail = "the admin token is missing or wrong",
                                    .fix = "send Authorization: Bearer and the admin_token" },
                  "WWW-Authenticate: Bearer\r\n");
}

static bool has_key(cairn__edge *edge, cairn__exchange *exchange, const cairn__http_head *head) {
    cairn_span key = bearer(head);
    if (key.data == NULL) {
        key = head->headers[CAIRN__HEADER_CAIRN_KEY];
    }
    if (key.data == NULL) {
        key = cairn__query_value(head->query, "key");
    }
    exchange->project = cairn__edge_project_of_key(edge, key);
    if (exchange->project != SIZE_MAX) {
        return true;
    }
    return refuse(
        edge, exchange,
        (cairn__problem){ .status = 401,
                          .code = "write_key_unknown",
                          .field = "authorization",
                          .detail = "the write key is missing or unknown",
                          .fix = "send Authorization: Bearer and the project's write_key" },
        "WWW-Authenticate: Bearer\r\n");
}

/* --- what is sent ----------------------------------------------------------------------------- */

static bool type_is(cairn_span type, const char *wanted) {
    const uint8_t *semicolon = type.len == 0 ? NULL : memchr(type.data, ';', type.len);
    size_t len = semicolon == NULL ? type.len : (size_t)(semicolon - type.data);
    while (len > 0 && (type.data[len - 1] == ' ' || type.data[len - 1] == '\t')) {
        len--;
    }
    return cairn__http_is(cairn__span(type.data, len), wanted);
}

static bool good_type(const cairn__route *route, cairn_span type) {
    static const char *const of_sync[] = { "application/x-protobuf", "application/protobuf",
                                           "application/octet-stream", NULL };
    static const char *const of_events[] = { "application/json", "application/x-ndjson",
                                             "application/jsonl", "text/plain", NULL };
    const char *const *types = (route->flags & KEY) != 0 ? of_events : of_sync;
    if ((route->flags & JSON_ONLY) != 0) {
        return type_is(type, "application/json");
    }
    for (; type.data != NULL && *types != NULL; types++) {
        if (type_is(type, *types)) {
            return true;
        }
    }
    return type.data == NULL;
}

static bool good_body(cairn__edge *edge, cairn__exchange *exchange, const cairn__route *route,
                      const cairn__http_head *head) {
    if (route->method != POST && route->method != PUT) {
        return true;
    }
    if (!head->chunked && head->headers[CAIRN__HEADER_CONTENT_LENGTH].data == NULL) {
        return refuse(edge, exchange,
                      (cairn__problem){ .status = 411,
                                        .code = "length_required",
                                        .field = "content-length",
                                        .detail = "the request has no body and no length",
                                        .fix = "send Content-Length or chunks" },
                      NULL);
    }
    if (!good_type(route, head->headers[CAIRN__HEADER_CONTENT_TYPE])) {
        const char *fix = (route->flags & (KEY | JSON_ONLY)) != 0
                              ? "send Content-Type: application/json"
                              : "send Content-Type: application/x-protobuf";
        return refuse(edge, exchange,
                      (cairn__problem){ .status = 415,
                                        .code = "content_type",
                                        .field = "content-type",
                                        .detail = "bodies of this type are not read here",
                                        .fix = fix },
                      NULL);
    }
    cairn__encoding encoding = cairn__encoding_of(head->headers[CAIRN__HEADER_CONTENT_ENCODING]);
    bool is_data = (route->flags & DATA) != 0;
    if (encoding == CAIRN__ENCODING_UNKNOWN || (!is_data && encoding != CAIRN__ENCODING_IDENTITY)) {
        return refuse(edge, exchange,
                      (cairn__problem){ .status = 415,
                                        .code = "content_encoding",
                                        .field = "content-encoding",
                                        .detail = "this encoding of the body is not read here",
                                        .fix = is_data ? "use gzip or zstd, or none" : "use none" },
                      "Accept-Encoding: gzip, zstd\r\n");
    }
    return true;
}

static bool has_room(cairn__edge *edge, cairn__exchange *exchange, const cairn__route *route) {
    if ((route->flags & DATA) == 0) {
        return true;
    }
    if (edge->disk_low) {
        cairn__count(&edge->metrics.refused_disk, 1);
        return refuse(edge, exchange,
                      (cairn__problem){ .status = 503,
                                        .code = "disk_low",
                                        .detail = "the disk has less room than disk_low_water",
                                        .fix = "make room; the edge resumes by itself" },
                      "Retry-After: 10\r\n");
    }
    if (edge->server.inflight_bytes > (size_t)edge->config.inflight_bytes_soft) {
        cairn__count(&edge->metrics.refused_busy, 1);
        return refuse(edge, exchange,
                      (cairn__problem){ .status = 503,
                                        .code = "busy",
                                        .detail = "too many bytes are under way",
                                        .fix = "send it again after Retry-After seconds" },
                      "Retry-After: 1\r\n");
    }
    return true;
}

bool cairn__routes_on_head(void *self, cairn__exchange *exchange, const cairn__http_head *head) {
    cairn__edge *edge = self;
    unsigned methods = 0;
    const cairn__route *route = find(cairn__routes(exchange->is_public), head, &methods);
    if (route == NULL && methods != 0) {
        return refuse_method(edge, exchange, methods);
    }
    if (route == NULL) {
        return refuse(edge, exchange,
                      (cairn__problem){ .status = 404,
                                        .code = "not_found",
                                        .detail = "there is nothing at this path",
                                        .fix = "see docs/openapi.yaml for the paths there are" },
                      NULL);
    }
    exchange->route = route;
    return (exchange->is_public || may_ask(edge, exchange, route, head)) &&
           good_body(edge, exchange, route, head) &&
           ((route->flags & KEY) == 0 || has_key(edge, exchange, head)) &&
           has_room(edge, exchange, route);
}

void cairn__routes_on_request(void *self, cairn__exchange *exchange, const cairn__http_head *head,
                              cairn_span content) {
    const cairn__route *route = exchange->route;
    route->handle(self, exchange, head, content);
}

const char *cairn__routes_headers(const cairn__edge *edge, const cairn__exchange *exchange) {
    return exchange->is_public ? edge->cors_header : NULL;
}

void cairn__handle_preflight(cairn__edge *edge, cairn__exchange *exchange,
                             const cairn__http_head *head, cairn_span content) {
    (void)head;
    (void)content;
    char headers[768];
    (void)snprintf(headers, sizeof headers,
                   "%sAccess-Control-Allow-Methods: POST, OPTIONS\r\n"
                   "Access-Control-Allow-Headers: content-type, content-encoding, "
                   "idempotency-key, authorization, x-cairn-key\r\n"
                   "Access-Control-Max-Age: 7200\r\n",
                   cairn__routes_headers(edge, exchange));
    cairn__exchange_answer(exchange, (cairn__answer){ .status = 204, .headers = headers });
}
