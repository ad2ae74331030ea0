/* ask.c: analyze and person: questions to a running edge, on its admin address, or with --data to
 * the directory of a stopped one. */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cli/args.h"
#include "cli/command.h"
#include "cli/http.h"
#include "cli/offline.h"
#include "cli/table.h"

#define TOKEN_VARIABLE "CAIRN_ADMIN_TOKEN"

typedef struct {
    const char *edge;
    const char *token;   /* NULL: none */
    const char *data;    /* a directory to ask instead of the edge; NULL: none */
    const char *project; /* NULL: the only one there is */
    const char *zone;    /* with --data, where the question names none */
    const char *subject;
    bool json;
} asking;

static bool read_flags(int argc, char **argv, asking *a, const char *use) {
    *a = (asking){ .edge = CAIRN__EDGE_ADMIN_DEFAULT, .token = getenv(TOKEN_VARIABLE) };
    const cairn__arg table[] = {
        { "--edge", CAIRN__ARG_TEXT, &a->edge, 0, 0 },
        { "--token", CAIRN__ARG_TEXT, &a->token, 0, 0 },
        { "--data", CAIRN__ARG_TEXT, &a->data, 0, 0 },
        { "--project", CAIRN__ARG_TEXT, &a->project, 0, 0 },
        { "--timezone", CAIRN__ARG_TEXT, &a->zone, 0, 0 },
        { "--json", CAIRN__ARG_FLAG, &a->json, 0, 0 },
    };
    if (!cairn__args_read(argc, argv, table, sizeof table / sizeof *table, &a->subject)) {
        return false;
    }
    if (a->subject == NULL) {
        fprintf(stderr, "cairn: use: cairn %s\n", use);
    }
    return a->subject != NULL;
}

static void print_good(const asking *a, const char *text) {
    json_t *parsed = json_loads(text, 0, NULL);
    if (a->json || !cairn__table_print(parsed, stdout)) {
        puts(text);
    }
    json_decref(parsed);
}

static int ask_data(const asking *a, const char *query, cairn_id person) {
    const cairn__offline offline = {
        .data = a->data, .project = a->project, .zone = a->zone, .query = query, .person = person
    };
    char *answer = cairn__offline_ask(&offline);
    if (answer != NULL) {
        print_good(a, answer);
    }
    free(answer);
    return answer == NULL ? 1 : 0;
}

static int print_answer(const asking *a, const cairn__answer *answer) {
    json_t *parsed = json_loads(answer->body, 0, NULL);
    if (answer->status / 100 != 2) {
        const char *detail = json_string_value(json_object_get(parsed, "detail"));
        const char *fix = json_string_value(json_object_get(parsed, "fix"));
        fprintf(stderr, "cairn: the edge answered %ld: %s%s%s\n", answer->status,
                detail == NULL ? answer->body : detail, fix == NULL ? "" : "; ",
                fix == NULL ? "" : fix);
        json_decref(parsed);
        return 1;
    }
    json_decref(parsed);
    print_good(a, answer->body);
    return 0;
}

static int ask(const asking *a, const char *path, const char *json) {
    char url_path[1400];
    char *project = curl_easy_escape(NULL, a->project == NULL ? "" : a->project, 0);
    int length = snprintf(url_path, sizeof url_path, "%s%s%s", path,
                          a->project == NULL ? "" : "?project=", project == NULL ? "" : project);
    curl_free(project);
    if (length < 0 || (size_t)length >= sizeof url_path) {
        fputs("cairn: --project: the name is too long\n", stderr);
        return 2;
    }
    const cairn__http_request request = {
        .edge = a->edge, .path = url_path, .json = json, .token = a->token
    };
    cairn__answer answer;
    int code = 1;
    if (cairn__http(&request, &answer)) {
        code = print_answer(a, &answer);
    } else {
        fprintf(stderr, "cairn: --edge %s: %s; is the edge running there?\n", a->edge,
                answer.error);
    }
    free(answer.body);
    return code;
}

int cairn__run_analyze(int argc, char **argv) {
    asking a;
    json_error_t error;
    if (!read_flags(argc, argv, &a, "analyze FILE|-")) {
        return 2;
    }
    bool from_stdin = strcmp(a.subject, "-") == 0;
    json_t *query =
        from_stdin ? json_loadf(stdin, 0, &error) : json_load_file(a.subject, 0, &error);
    if (query == NULL) {
        fprintf(stderr, "cairn: analyze %s: line %d: %s\n", a.subject, error.line, error.text);
        return 2;
    }
    char *text = json_dumps(query, JSON_COMPACT);
    int code = 1;
    if (text != NULL) {
        code = a.data == NULL ? ask(&a, "/v1/analyze", text)
                              : ask_data(&a, text, (cairn_id){ { NULL, 0 }, { NULL, 0 } });
    }
    free(text);
    json_decref(query);
    return code;
}

static int ask_person(const asking *a, const char *colon) {
    char path[1024];
    char *type = curl_easy_escape(NULL, a->subject, (int)(colon - a->subject));
    char *value = curl_easy_escape(NULL, colon + 1, 0);
    int length = -1;
    if (type != NULL && value != NULL) {
        length = snprintf(path, sizeof path, "/v1/persons/%s:%s", type, value);
    }
    curl_free(type);
    curl_free(value);
    if (length < 0 || (size_t)length >= sizeof path) {
        fprintf(stderr, "cairn: person: the id is too long; it fits 1,000 bytes when escaped\n");
        return 2;
    }
    return ask(a, path, NULL);
}

int cairn__run_person(int argc, char **argv) {
    asking a;
    if (!read_flags(argc, argv, &a, "person TYPE:VALUE")) {
        return 2;
    }
    const char *colon = strchr(a.subject, ':');
    if (colon == NULL || colon == a.subject || colon[1] == 0) {
        fprintf(stderr, "cairn: person %s: write TYPE:VALUE, for example login:u1\n", a.subject);
        return 2;
    }
    if (a.data != NULL) {
        const cairn_id person = { cairn__span(a.subject, (size_t)(colon - a.subject)),
                                  cairn__span_of(colon + 1) };
        return ask_data(&a, NULL, person);
    }
    return ask_person(&a, colon);
}
