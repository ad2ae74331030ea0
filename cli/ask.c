/* ask.c: questions to a running edge, on its admin address: analyze and person. */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/command.h"
#include "cli/http.h"
#include "cli/table.h"

#define TOKEN_VARIABLE "CAIRN_ADMIN_TOKEN"

typedef struct {
    const char *edge;
    const char *token; /* NULL: none */
    const char *subject;
    bool json;
} asking;

static bool read_flags(int argc, char **argv, asking *a, const char *use) {
    *a = (asking){ .edge = CAIRN__EDGE_ADMIN_DEFAULT, .token = getenv(TOKEN_VARIABLE) };
    const cairn__arg table[] = {
        { "--edge", CAIRN__ARG_TEXT, &a->edge, 0, 0 },
        { "--token", CAIRN__ARG_TEXT, &a->token, 0, 0 },
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
    if (a->json || !cairn__table_print(parsed, stdout)) {
        puts(answer->body);
    }
    json_decref(parsed);
    return 0;
}

static int ask(const asking *a, const char *path, const char *json) {
    const cairn__http_request request = {
        .edge = a->edge, .path = path, .json = json, .token = a->token
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
    int code = text == NULL ? 1 : ask(&a, "/v1/analyze", text);
    free(text);
    json_decref(query);
    return code;
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
    char path[1024];
    char *type = curl_easy_escape(NULL, a.subject, (int)(colon - a.subject));
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
    return ask(&a, path, NULL);
}
