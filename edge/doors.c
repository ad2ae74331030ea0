/* doors.c: the admin listener's requests about definitions: a request becomes a job of its
 * project's catalogue, the job's outcome an answer. What they promise: docs/DEFINITIONS.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/civil.h"
#include "edge/logline.h"
#include "edge/routes.h"
#include "edge/text.h"

enum {
    LIST_DEFAULT = 100,
    LIST_MAX = 1000,
    ANSWER_BYTES_MAX = 4 * 1024 * 1024,
    VERSION_ARENA_BYTES_MAX = 4 * 1024 * 1024,
    MORE_BYTES_MAX = 4096, /* of a problem's further members */
    DIGITS_MAX = 9
};

/* A request about definitions, from its head to its answer. */
typedef struct door {
    cairn__definitions_job job;
    cairn__edge *edge;
    cairn__exchange *exchange;
    cairn__catalog_change change;
    cairn__catalog_result result;
    cairn__definition_kind kind;
    uint32_t version; /* GET: the one wanted; 0: the newest */
    uint32_t unless;  /* GET: not when it is this one; 0: always */
    size_t limit;     /* LIST */
    uint32_t found;   /* GET: the version that it is */
    bool known;       /* GET: there is one */
    bool is_list;
    cairn__buffer answer;
    size_t name_bytes;
    char name[CAIRN__DEFINITION_NAME_BYTES_MAX + 1];
    size_t content_bytes;
    uint8_t content[];
} door;

static const struct {
    const char *folder;
    cairn__definition_kind kind;
} folders[] = {
    { "/v1/popups", CAIRN__DEFINITION_POPUP },
    { "/v1/slots", CAIRN__DEFINITION_SLOT },
    { "/v1/experiments", CAIRN__DEFINITION_EXPERIMENT },
    { "/v1/audiences", CAIRN__DEFINITION_AUDIENCE },
    { "/v1/decisions", CAIRN__DEFINITION_SETTINGS },
};

static const cairn__problem no_project = { .status = 400,
                                           .code = "project_missing",
                                           .field = "project",
                                           .detail = "no such project, or none named of many",
                                           .fix = "add ?project=NAME to the path" };
static const cairn__problem busy = { .status = 503,
                                     .code = "busy",
                                     .detail = "too many requests about definitions are under way",
                                     .fix = "send it again after Retry-After seconds" };

/* --- what the head says ----------------------------------------------------------------------- */

static bool read_number(cairn_span text, uint32_t most, uint32_t *number_out) {
    uint32_t number = 0;
    bool good = text.len > 0 && text.len <= DIGITS_MAX;
    for (size_t i = 0; good && i < text.len; i++) {
        good = text.data[i] >= '0' && text.data[i] <= '9';
        number = number * 10 + (uint32_t)(text.data[i] - '0');
    }
    *number_out = number;
    return good && number > 0 && number <= most;
}

/* The next of a list of entity tags; its number, 0 for one that no version has. */
static bool next_tag(cairn_span *list, uint32_t *version_out, bool *any_out) {
    while (list->len > 0 && strchr(" \t,", list->data[0]) != NULL) {
        *list = cairn__span(list->data + 1, list->len - 1);
    }
    if (list->len == 0) {
        return false;
    }
    const uint8_t *comma = memchr(list->data, ',', list->len);
    size_t len = comma == NULL ? list->len : (size_t)(comma - list->data);
    cairn_span tag = { list->data, len };
    *list = cairn__span(list->data + len, list->len - len);
    while (tag.len > 0 && strchr(" \t", tag.data[tag.len - 1]) != NULL) {
        tag.len--;
    }
    *any_out = cairn__span_equal(tag, CAIRN_STR("*"));
    bool quoted = tag.len > 2 && tag.data[0] == '"' && tag.data[tag.len - 1] == '"';
    if (!quoted || !read_number(cairn__span(tag.data + 1, tag.len - 2), UINT32_MAX, version_out)) {
        *version_out = 0;
    }
    return true;
}

static void read_conditions(const cairn__http_head *head, cairn__catalog_condition *condition) {
    cairn_span match = head->headers[CAIRN__HEADER_IF_MATCH];
    cairn_span none = head->headers[CAIRN__HEADER_IF_NONE_MATCH];
    uint32_t version = 0;
    bool any = false;
    while (next_tag(&match, &version, &any)) {
        condition->must_exist = condition->must_exist || any;
        if (!any && condition->version_count < CAIRN__CATALOG_TAGS_MAX) {
            condition->versions[condition->version_count++] = version;
        }
    }
    while (next_tag(&none, &version, &any)) {
        condition->must_be_new = true; /* "*"; another tag cannot be meant for a change */
    }
}

/* The kind, and where its name begins in the path; SIZE_MAX: it is the list. */
static size_t read_folder(const cairn__http_head *head, cairn__definition_kind *kind_out) {
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        size_t len = strlen(folders[i].folder);
        bool begins = head->path.len >= len && memcmp(head->path.data, folders[i].folder, len) == 0;
        if (begins && (head->path.len == len || head->path.data[len] == '/')) {
            *kind_out = folders[i].kind;
            return head->path.len == len ? SIZE_MAX : len + 1;
        }
    }
    return SIZE_MAX;
}

static bool read_name(door *d, const cairn__http_head *head, size_t start) {
    cairn_span text = cairn__span(head->path.data + start, head->path.len - start);
    uint8_t decoded[3 * CAIRN__DEFINITION_NAME_BYTES_MAX];
    size_t len = 0;
    if (text.len > sizeof decoded || !cairn__url_decode(text, decoded, &len) ||
        !cairn__definition_name_is_good(cairn__span(decoded, len))) {
        return false;
    }
    memcpy(d->name, decoded, len);
    d->name_bytes = len;
    return true;
}

static bool is_set(const cairn__http_head *head, const char *name) {
    cairn_span value = cairn__query_value(head->query, name);
    return cairn__span_equal(value, CAIRN_STR("1")) || cairn__span_equal(value, CAIRN_STR("true"));
}

/* --- answers ---------------------------------------------------------------------------------- */

static void free_door(door *d) {
    cairn__buffer_free(&d->answer);
    free(d);
}

static void answer_json(const door *d, int status, uint64_t etag, cairn_span body) {
    char headers[96];
    (void)snprintf(headers, sizeof headers, "ETag: \"%llu\"\r\nCache-Control: no-cache\r\n",
                   (unsigned long long)etag);
    cairn__exchange_answer(
        d->exchange, (cairn__answer){ .status = status,
                                      .content_type = status == 304 ? NULL : "application/json",
                                      .headers = headers,
                                      .body = status == 304 ? (cairn_span){ NULL, 0 } : body });
}

static void write_name(door *d) {
    cairn__buffer_append(&d->answer, CAIRN_STR("{\"name\":"));
    cairn__json_string(&d->answer, cairn__span(d->name, d->name_bytes));
}

static void answer_done(door *d) {
    const cairn__catalog_result *result = &d->result;
    bool created = result->created && !d->change.remove && !d->change.dry_run;
    write_name(d);
    if (d->change.dry_run) {
        cairn__buffer_format(&d->answer, ",\"valid\":true");
    } else if (d->change.remove) {
        cairn__buffer_format(&d->answer, ",\"removed\":true");
    }
    cairn__buffer_format(&d->answer, ",\"version\":%u,\"bundle_version\":%llu}\n", result->version,
                         (unsigned long long)result->bundle_version);
    answer_json(d, created ? 201 : 200, result->version, cairn__buffer_span(&d->answer));
}

static void answer_refused(door *d) {
    const cairn__definition_problem *p = &d->result.problem;
    cairn__buffer more = cairn__buffer_make(cairn__heap(), MORE_BYTES_MAX);
    if (p->rule_line > 0) {
        cairn__buffer_format(&more, ",\"rule\":{\"line\":%u,\"column\":%u,\"shown\":", p->rule_line,
                             p->rule_column);
        cairn__json_string(&more, cairn__span_of(p->rule_shown));
        cairn__buffer_byte(&more, '}');
    }
    cairn__buffer_byte(&more, 0);
    const cairn__problem problem = {
        .status = d->result.outcome == CAIRN__CATALOG_CONFLICT ? 409 : 400,
        .code = p->fault.code,
        .field = p->fault.field,
        .detail = p->fault.detail,
        .fix = p->fault.fix,
        .more = more.failed ? NULL : (const char *)more.data,
    };
    cairn__exchange_problem(d->exchange, &problem, NULL);
    cairn__buffer_free(&more);
}

static void answer_changed(const door *d) {
    char detail[80];
    char more[48];
    char headers[48];
    uint32_t version = d->result.version;
    (void)snprintf(detail, sizeof detail,
                   version == 0 ? "there is none" : "there is one now, version %u", version);
    (void)snprintf(more, sizeof more, ",\"current_version\":%u", version);
    (void)snprintf(headers, sizeof headers, "ETag: \"%u\"\r\n", version);
    const cairn__problem problem = { .status = 412,
                                     .code = "changed",
                                     .field = d->change.condition.must_be_new ? "if-none-match"
                                                                              : "if-match",
                                     .detail = detail,
                                     .fix = "read it again, and send the change of what it is now",
                                     .more = more };
    cairn__exchange_problem(d->exchange, &problem, version == 0 ? NULL : headers);
}

static void answer_unknown(const door *d) {
    static const cairn__problem unknown = {
        .status = 404,
        .code = "definition_unknown",
        .field = "name",
        .detail = "there is no definition of this name, or no such version of it",
        .fix = "GET the folder without a name lists what there is",
    };
    cairn__exchange_problem(d->exchange, &unknown, NULL);
}

static void answer_unavailable(const door *d) {
    static const cairn__problem failed = {
        .status = 503,
        .code = "unavailable",
        .detail = "it could not be read or written now: no memory, or the disk fails",
        .fix = "send it again; readyz and the log tell more",
    };
    cairn__exchange_problem(d->exchange, &failed, "Retry-After: 1\r\n");
}

/* --- changes ---------------------------------------------------------------------------------- */

static void audit(const door *d) {
    static const char *const outcomes[] = { "done",    "same",      "refused",   "conflict",
                                            "changed", "not_found", "no_memory", "storage" };
    const cairn__logline_field fields[] = {
        { "project", d->job.project->name, 0 },
        { "kind", cairn__definition_kind_name(d->kind), 0 },
        { "name", d->name, 0 },
        { "action", d->change.remove ? "remove" : "put", 0 },
        { "outcome", outcomes[d->result.outcome], 0 },
        { "version", NULL, d->result.version },
        { "bundle_version", NULL, (int64_t)d->result.bundle_version },
    };
    cairn__logline_fields("definition", fields, sizeof fields / sizeof fields[0]);
}

/* The bundle goes out when it is newer: also after a change that failed and, as it turned out, was
 * written. Only jobs of this project change `served`, one at a time. */
static void renew_served(cairn__definitions_job *job, const cairn__catalog *catalog) {
    uint64_t version = 0;
    cairn_span bundle = cairn__catalog_bundle(catalog, &version);
    if (version > job->project->served->version) {
        job->served = cairn__served_make(bundle, version, &job->project->signing);
        if (job->served == NULL) {
            cairn__logline("error", "bundle_not_served", "no memory: the next change sends it");
        }
    }
}

static void run_change(cairn__definitions_job *job, cairn__catalog *catalog) {
    door *d = (door *)job;
    cairn__catalog_write(catalog, &d->change, &d->result);
    renew_served(job, catalog);
}

static void change_done(cairn__definitions_job *job) {
    door *d = (door *)job;
    cairn__catalog_outcome outcome = d->result.outcome;
    bool good = outcome == CAIRN__CATALOG_DONE || outcome == CAIRN__CATALOG_SAME;
    if (!d->change.dry_run) {
        audit(d);
        cairn__count(good ? &d->edge->metrics.definitions_written
                          : &d->edge->metrics.definitions_refused,
                     1);
    }
    if (good) {
        answer_done(d);
    } else if (outcome == CAIRN__CATALOG_REFUSED || outcome == CAIRN__CATALOG_CONFLICT) {
        answer_refused(d);
    } else if (outcome == CAIRN__CATALOG_CHANGED) {
        answer_changed(d);
    } else if (outcome == CAIRN__CATALOG_NOT_FOUND) {
        answer_unknown(d);
    } else {
        answer_unavailable(d);
    }
    d->edge->server.inflight_bytes -= d->content_bytes;
    free_door(d);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void read_old(door *d, cairn__catalog *catalog) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), VERSION_ARENA_BYTES_MAX);
    const cairn__stored which = { .kind = d->kind,
                                  .name = cairn__span(d->name, d->name_bytes),
                                  .version = d->version };
    cairn__stored stored;
    if (cairn__catalog_version(catalog, &which, &arena, &stored) == CAIRN_OK && !stored.removed) {
        d->known = true;
        d->found = stored.version;
        cairn__buffer_append(&d->answer, stored.json);
    }
    cairn__arena_free(&arena);
}

/* False, and no answer: what the disk holds is not known now. */
static bool is_ready(door *d, cairn__catalog *catalog) {
    bool ready = cairn__catalog_ready(catalog);
    renew_served(&d->job, catalog);
    d->answer.failed = !ready;
    return ready;
}

static void run_get(cairn__definitions_job *job, cairn__catalog *catalog) {
    door *d = (door *)job;
    if (!is_ready(d, catalog)) {
        return;
    }
    if (d->version != 0) {
        read_old(d, catalog);
    } else {
        const cairn__definition *definition =
            cairn__catalog_find(catalog, d->kind, cairn__span(d->name, d->name_bytes));
        d->known = definition != NULL;
        d->found = d->known ? definition->version : 0;
        cairn__buffer_append(&d->answer, d->known ? definition->json : (cairn_span){ NULL, 0 });
    }
    cairn__buffer_byte(&d->answer, '\n');
}

static void write_row(cairn__buffer *to, const cairn__definition *one, bool first) {
    char updated[CAIRN__INSTANT_TEXT_BYTES];
    (void)cairn__format_instant(one->updated_ms, updated);
    cairn__buffer_format(to, "%s{\"name\":", first ? "" : ",");
    cairn__json_string(to, one->name);
    cairn__buffer_format(to, ",\"version\":%u,\"updated\":\"%s\",\"paused\":%s", one->version,
                         updated, one->paused ? "true" : "false");
    if (one->title.len > 0) {
        cairn__buffer_append(to, CAIRN_STR(",\"title\":"));
        cairn__json_string(to, one->title);
    }
    cairn__buffer_byte(to, '}');
}

static void run_list(cairn__definitions_job *job, cairn__catalog *catalog) {
    door *d = (door *)job;
    cairn__definition *const *first = NULL;
    if (!is_ready(d, catalog)) {
        return;
    }
    size_t count =
        cairn__catalog_list(catalog, d->kind, cairn__span(d->name, d->name_bytes), &first);
    size_t shown = count < d->limit ? count : d->limit;
    cairn__buffer_append(&d->answer, CAIRN_STR("{\"items\":["));
    for (size_t i = 0; i < shown; i++) {
        write_row(&d->answer, first[i], i == 0);
    }
    cairn__buffer_byte(&d->answer, ']');
    if (shown < count) {
        cairn__buffer_append(&d->answer, CAIRN_STR(",\"next\":"));
        cairn__json_string(&d->answer, first[shown - 1]->name);
    }
    cairn__buffer_append(&d->answer, CAIRN_STR("}\n"));
}

static void read_done(cairn__definitions_job *job) {
    door *d = (door *)job;
    if (d->answer.failed) {
        answer_unavailable(d);
    } else if (d->is_list) {
        cairn__exchange_answer(d->exchange,
                               (cairn__answer){ .status = 200,
                                                .content_type = "application/json",
                                                .headers = "Cache-Control: no-cache\r\n",
                                                .body = cairn__buffer_span(&d->answer) });
    } else if (!d->known) {
        answer_unknown(d);
    } else {
        bool same = d->unless != 0 && d->unless == d->found;
        answer_json(d, same ? 304 : 200, d->found, cairn__buffer_span(&d->answer));
    }
    free_door(d);
}

/* --- the handlers ----------------------------------------------------------------------------- */

static void refuse(cairn__exchange *exchange, const char *code, const char *field,
                   const char *detail, const char *fix) {
    const cairn__problem problem = {
        .status = 400, .code = code, .field = field, .detail = detail, .fix = fix
    };
    cairn__exchange_problem(exchange, &problem, NULL);
}

static door *make_door(cairn__edge *edge, cairn__exchange *exchange, const cairn__http_head *head,
                       cairn_span content) {
    door *d = calloc(1, sizeof *d + content.len);
    if (d == NULL) {
        cairn__exchange_problem(exchange, &busy, "Retry-After: 1\r\n");
        return NULL;
    }
    size_t start = read_folder(head, &d->kind);
    if (start == SIZE_MAX) {
        d->is_list = true;
    } else if (!read_name(d, head, start)) {
        free(d);
        refuse(exchange, "bad_name", "name", "the path does not end in a name",
               "write 1 to 100 of A-Z a-z 0-9 . _ -, a letter or digit first");
        return NULL;
    }
    d->edge = edge;
    d->exchange = exchange;
    d->answer = cairn__buffer_make(cairn__heap(), ANSWER_BYTES_MAX);
    d->content_bytes = content.len;
    if (content.len > 0) {
        memcpy(d->content, content.data, content.len);
    }
    return d;
}

static void ask(door *d, const cairn__http_head *head) {
    size_t project = cairn__edge_project_named(d->edge, cairn__query_value(head->query, "project"));
    if (project == SIZE_MAX) {
        cairn__exchange_problem(d->exchange, &no_project, NULL);
        free_door(d);
        return;
    }
    if (!cairn__definitions_ask(&d->edge->definitions, project, &d->job)) {
        cairn__exchange_problem(d->exchange, &busy, "Retry-After: 1\r\n");
        free_door(d);
    } else {
        d->edge->server.inflight_bytes += d->content_bytes;
    }
}

static void handle_change(cairn__edge *edge, cairn__exchange *exchange,
                          const cairn__http_head *head, cairn_span content, bool remove) {
    door *d = make_door(edge, exchange, head, content);
    if (d == NULL) {
        return;
    }
    d->change = (cairn__catalog_change){ .kind = d->kind,
                                         .name = cairn__span(d->name, d->name_bytes),
                                         .json = cairn__span(d->content, content.len),
                                         .remove = remove,
                                         .dry_run = is_set(head, "dry_run"),
                                         .now_ms = cairn__edge_now_ms() };
    read_conditions(head, &d->change.condition);
    d->job.run = run_change;
    d->job.done = change_done;
    ask(d, head);
}

void cairn__handle_definition_put(cairn__edge *edge, cairn__exchange *exchange,
                                  const cairn__http_head *head, cairn_span content) {
    handle_change(edge, exchange, head, content, false);
}

void cairn__handle_definition_delete(cairn__edge *edge, cairn__exchange *exchange,
                                     const cairn__http_head *head, cairn_span content) {
    (void)content;
    handle_change(edge, exchange, head, (cairn_span){ NULL, 0 }, true);
}

void cairn__handle_definition_get(cairn__edge *edge, cairn__exchange *exchange,
                                  const cairn__http_head *head, cairn_span content) {
    (void)content;
    cairn_span version = cairn__query_value(head->query, "version");
    cairn_span none = head->headers[CAIRN__HEADER_IF_NONE_MATCH];
    bool any = false;
    door *d = make_door(edge, exchange, head, (cairn_span){ NULL, 0 });
    if (d == NULL) {
        return;
    }
    if (version.data != NULL && !read_number(version, UINT32_MAX, &d->version)) {
        free_door(d);
        refuse(exchange, "bad_version", "version", "the version is no number above 0",
               "write ?version=N; the ETag says the newest");
        return;
    }
    (void)next_tag(&none, &d->unless, &any);
    d->job.run = run_get;
    d->job.done = read_done;
    ask(d, head);
}

void cairn__handle_definition_list(cairn__edge *edge, cairn__exchange *exchange,
                                   const cairn__http_head *head, cairn_span content) {
    (void)content;
    cairn_span cursor = cairn__query_value(head->query, "cursor");
    cairn_span limit = cairn__query_value(head->query, "limit");
    uint32_t number = LIST_DEFAULT;
    if (limit.data != NULL && !read_number(limit, LIST_MAX, &number)) {
        refuse(exchange, "bad_limit", "limit", "the limit is no number from 1 to 1000",
               "write ?limit=100, or leave it out");
        return;
    }
    if (cursor.len > CAIRN__DEFINITION_NAME_BYTES_MAX) {
        refuse(exchange, "bad_cursor", "cursor", "this is no cursor",
               "write what `next` of the answer before said");
        return;
    }
    door *d = make_door(edge, exchange, head, (cairn_span){ NULL, 0 });
    if (d == NULL) {
        return;
    }
    if (cursor.len > 0) {
        memcpy(d->name, cursor.data, cursor.len);
    }
    d->name_bytes = cursor.len;
    d->limit = number;
    d->job.run = run_list;
    d->job.done = read_done;
    ask(d, head);
}

/* --- the bundle: the loop has it -------------------------------------------------------------- */

static const cairn__definitions_project *project_of(cairn__edge *edge, cairn__exchange *exchange,
                                                    const cairn__http_head *head) {
    size_t project = cairn__edge_project_named(edge, cairn__query_value(head->query, "project"));
    if (project == SIZE_MAX) {
        cairn__exchange_problem(exchange, &no_project, NULL);
        return NULL;
    }
    return &edge->definitions.projects[project];
}

void cairn__handle_bundle(cairn__edge *edge, cairn__exchange *exchange,
                          const cairn__http_head *head, cairn_span content) {
    (void)content;
    static const cairn__problem none = { .status = 404,
                                         .code = "bundle_none",
                                         .detail = "nobody has put a definition yet",
                                         .fix = "PUT one first" };
    const cairn__definitions_project *project = project_of(edge, exchange, head);
    if (project == NULL) {
        return;
    }
    const cairn__served *served = project->served;
    if (served->version == 0) {
        cairn__exchange_problem(exchange, &none, NULL);
        return;
    }
    char headers[96];
    (void)snprintf(headers, sizeof headers, "ETag: \"%llu\"\r\nCache-Control: no-cache\r\n",
                   (unsigned long long)served->version);
    cairn__exchange_answer(exchange, (cairn__answer){ .status = 200,
                                                      .content_type = "application/x-protobuf",
                                                      .headers = headers,
                                                      .body = cairn__served_signed(served) });
}

void cairn__handle_bundle_key(cairn__edge *edge, cairn__exchange *exchange,
                              const cairn__http_head *head, cairn_span content) {
    (void)content;
    char text[CAIRN__PUBLIC_TEXT_BYTES];
    const cairn__definitions_project *project = project_of(edge, exchange, head);
    if (project == NULL) {
        return;
    }
    cairn__buffer json = cairn__buffer_make(cairn__heap(), MORE_BYTES_MAX);
    cairn__signing_public_text(&project->signing, text);
    cairn__buffer_format(&json,
                         "{\"project\":\"%s\",\"id\":\"%s\",\"algorithm\":\"ECDSA P-256 SHA-256\","
                         "\"public_key\":\"%s\"}\n",
                         project->name, project->signing.id, text);
    cairn__exchange_answer(exchange, (cairn__answer){ .status = 200,
                                                      .content_type = "application/json",
                                                      .body = cairn__buffer_span(&json) });
    cairn__buffer_free(&json);
}
