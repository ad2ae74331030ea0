/* `cairn`: the command line of an edge. Exit codes: 0 done, 1 failed or refused, 2 wrong use. */
#include "cli/http.h"
#include "cli/table.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#define EDGE_DEFAULT "http://127.0.0.1:8081"

typedef struct {
    const char *edge;
    const char *subject; /* the one argument that is no option */
    bool json;
} options;

typedef struct {
    const char *name;
    const char *use;
    int (*run)(const options *o);
} command;

static const char help_text[] =
    "usage: cairn COMMAND [ARGUMENT] [--edge URL] [--json]\n\n"
    "  analyze FILE|-        ask the question in FILE (JSON) and print the answer as a table\n"
    "  person TYPE:VALUE     print what is known of a person, as JSON\n"
    "  version               print the version\n"
    "  help                  print this\n\n"
    "  --edge URL   the admin address of the edge (default " EDGE_DEFAULT ")\n"
    "  --json       print the answer as it came\n\n"
    "Exit codes: 0 done; 1 the edge could not be reached or refused; 2 wrong use.\n";

static int run_help(const options *o) {
    (void)o;
    fputs(help_text, stdout);
    return 0;
}

static int run_version(const options *o) {
    (void)o;
    puts("cairn " CAIRN_VERSION);
    return 0;
}

static int print_answer(const options *o, const cairn__answer *answer) {
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
    if (o->json || !cairn__table_print(parsed, stdout)) {
        puts(answer->body);
    }
    json_decref(parsed);
    return 0;
}

static int ask(const options *o, const char *path, const char *json) {
    cairn__answer answer;
    int code = 1;
    if (cairn__http(o->edge, path, json, &answer)) {
        code = print_answer(o, &answer);
    } else {
        fprintf(stderr, "cairn: --edge %s: %s; is the edge running there?\n", o->edge,
                answer.error);
    }
    free(answer.body);
    return code;
}

static int run_analyze(const options *o) {
    json_error_t error;
    bool from_stdin = strcmp(o->subject, "-") == 0;
    json_t *query =
        from_stdin ? json_loadf(stdin, 0, &error) : json_load_file(o->subject, 0, &error);
    if (query == NULL) {
        fprintf(stderr, "cairn: analyze %s: line %d: %s\n", o->subject, error.line, error.text);
        return 2;
    }
    char *text = json_dumps(query, JSON_COMPACT);
    int code = text == NULL ? 1 : ask(o, "/v1/analyze", text);
    free(text);
    json_decref(query);
    return code;
}

static int run_person(const options *o) {
    const char *colon = strchr(o->subject, ':');
    if (colon == NULL || colon == o->subject || colon[1] == 0) {
        fprintf(stderr, "cairn: person %s: write TYPE:VALUE, for example login:u1\n", o->subject);
        return 2;
    }
    char path[1024];
    char *type = curl_easy_escape(NULL, o->subject, (int)(colon - o->subject));
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
    return ask(o, path, NULL);
}

static const command commands[] = {
    { "analyze", "FILE|-", run_analyze },
    { "person", "TYPE:VALUE", run_person },
    { "version", NULL, run_version },
    { "help", NULL, run_help },
};

/* False, having said why, when an argument is not understood. */
static bool read_options(int argc, char **argv, options *o) {
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
        } else if (strcmp(argv[i], "--edge") == 0 && i + 1 < argc) {
            o->edge = argv[++i];
        } else if ((argv[i][0] != '-' || argv[i][1] == 0) && o->subject == NULL) {
            o->subject = argv[i];
        } else {
            fprintf(stderr, "cairn: %s: not understood here; see cairn help\n", argv[i]);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv) {
    options o = { .edge = EDGE_DEFAULT };
    const char *name = argc < 2 || strcmp(argv[1], "--help") == 0 ? "help" : argv[1];
    if (!read_options(argc, argv, &o)) {
        return 2;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const command *c = &commands[i];
        if (strcmp(name, c->name) != 0) {
            continue;
        }
        if ((c->use == NULL) != (o.subject == NULL)) {
            fprintf(stderr, "cairn: use: cairn %s %s\n", c->name, c->use == NULL ? "" : c->use);
            return 2;
        }
        return c->run(&o);
    }
    fprintf(stderr, "cairn: %s: no such command; see cairn help\n", name);
    return 2;
}
