/* definitions.c: put, get, remove and keys: definitions of a running edge, over its admin doors
 * (docs/DEFINITIONS.md). */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/args.h"
#include "cli/command.h"
#include "cli/http.h"

#define TOKEN_VARIABLE "CAIRN_ADMIN_TOKEN"

enum { PATH_BYTES_MAX = 1500, NAME_BYTES_MAX = 256, FILE_BYTES_MAX = 4 * 1024 * 1024 };

const char cairn__definitions_help[] =
    "usage: cairn put KIND FILE|- [--name NAME] [--if-version N] [--dry-run]\n"
    "       cairn get KIND [NAME]\n"
    "       cairn remove KIND NAME [--if-version N] [--dry-run]\n"
    "       cairn keys\n\n"
    "KIND: popups, slots, experiments, audiences, settings. What may stand in a file:\n"
    "docs/DEFINITIONS.md. The name is the file's without .json, or --name; settings have none.\n"
    "keys prints the public key that a developer gives the SDK.\n\n"
    "  --if-version N  only when N is the version now (`cairn get KIND` tells it)\n"
    "  --dry-run       check everything and change nothing\n"
    "  --edge, --token, --project  as in cairn help\n";

typedef struct {
    const char *edge, *token, *project;
    const char *kind, *subject, *name;
    uint64_t if_version;
    bool dry_run;
} asking;

static bool read_flags(int argc, char **argv, asking *a) {
    *a = (asking){ .edge = CAIRN__EDGE_ADMIN_DEFAULT, .token = getenv(TOKEN_VARIABLE) };
    const cairn__arg table[] = {
        { "--edge", CAIRN__ARG_TEXT, &a->edge, 0, 0 },
        { "--token", CAIRN__ARG_TEXT, &a->token, 0, 0 },
        { "--project", CAIRN__ARG_TEXT, &a->project, 0, 0 },
        { "--name", CAIRN__ARG_TEXT, &a->name, 0, 0 },
        { "--if-version", CAIRN__ARG_WHOLE, &a->if_version, 1, UINT32_MAX },
        { "--dry-run", CAIRN__ARG_FLAG, &a->dry_run, 0, 0 },
    };
    int skipped = argc > 0 && argv[0][0] != '-' ? 1 : 0;
    a->kind = skipped == 1 ? argv[0] : NULL;
    return cairn__args_read(argc - skipped, argv + skipped, table, sizeof table / sizeof *table,
                            &a->subject);
}

static bool good_kind(const asking *a) {
    static const char *const kinds[] = { "popups", "slots", "experiments", "audiences",
                                         "settings" };
    for (size_t i = 0; a->kind != NULL && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(a->kind, kinds[i]) == 0) {
            return true;
        }
    }
    fprintf(stderr,
            "cairn: %s: no such kind; write popups, slots, experiments, audiences or "
            "settings\n",
            a->kind == NULL ? "(nothing)" : a->kind);
    return false;
}

/* "/v1/popups/welcome?project=shop&dry_run=1"; name NULL: the list. */
static bool write_path(const asking *a, const char *name, char *path) {
    bool settings = strcmp(a->kind, "settings") == 0;
    const char *slash = settings || name == NULL ? "" : "/";
    char *escaped = curl_easy_escape(NULL, slash[0] == 0 ? "" : name, 0);
    char *project = curl_easy_escape(NULL, a->project == NULL ? "" : a->project, 0);
    int length = -1;
    if (escaped != NULL && project != NULL) {
        length = snprintf(path, PATH_BYTES_MAX, "/v1/%s%s%s%s?%s%s%s", settings ? "decisions/" : "",
                          a->kind, slash, escaped, a->project == NULL ? "" : "project=", project,
                          a->dry_run ? "&dry_run=1" : "");
    }
    curl_free(escaped);
    curl_free(project);
    if (length < 0 || length >= PATH_BYTES_MAX) {
        fputs("cairn: the name or --project is too long\n", stderr);
        return false;
    }
    return true;
}

/* --- answers ---------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static void print_refusal(const cairn__answer *answer, const char *about) {
    json_t *problem = json_loads(answer->body, 0, NULL);
    const char *field = text_of(problem, "field");
    const char *shown = text_of(json_object_get(problem, "rule"), "shown");
    if (problem == NULL) {
        fprintf(stderr, "cairn: %s: the edge answered %ld\n", about, answer->status);
    } else {
        fprintf(stderr, "cairn: %s: %s%s%s; %s\n", about, field, field[0] == 0 ? "" : ": ",
                text_of(problem, "detail"), text_of(problem, "fix"));
    }
    if (shown[0] != 0) {
        fputs(shown, stderr);
    }
    json_decref(problem);
}

/* 0: `print` has the answer; 1: refused, and told. */
static int ask(const asking *a, const cairn__http_request *asked, const char *about,
               void (*print)(const char *body)) {
    char condition[64];
    cairn__answer answer;
    int code = 1;
    cairn__http_request request = *asked;
    request.edge = a->edge;
    request.token = a->token;
    if (a->if_version > 0) {
        snprintf(condition, sizeof condition, "If-Match: \"%llu\"",
                 (unsigned long long)a->if_version);
        request.header = condition;
    }
    if (!cairn__http(&request, &answer)) {
        fprintf(stderr, "cairn: --edge %s: %s; is the edge running there?\n", a->edge,
                answer.error);
    } else if (answer.status / 100 != 2) {
        print_refusal(&answer, about);
    } else {
        print(answer.body);
        code = 0;
    }
    free(answer.body);
    return code;
}

static void print_plain(const char *body) {
    fputs(body, stdout);
}

static void print_pretty(const char *body) {
    json_t *parsed = json_loads(body, 0, NULL);
    if (parsed == NULL || json_dumpf(parsed, stdout, JSON_INDENT(2)) != 0) {
        fputs(body, stdout);
    } else {
        putchar('\n');
    }
    json_decref(parsed);
}

static void print_list(const char *body) {
    json_t *parsed = json_loads(body, 0, NULL);
    json_t *items = json_object_get(parsed, "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *one = json_array_get(items, i);
        printf(
            "%-32s version %-6lld %s%s %s\n", text_of(one, "name"),
            (long long)json_integer_value(json_object_get(one, "version")), text_of(one, "updated"),
            json_is_true(json_object_get(one, "paused")) ? " (paused)" : "", text_of(one, "title"));
    }
    if (json_object_get(parsed, "next") != NULL) {
        puts("... and more: GET with ?cursor= gives them");
    }
    json_decref(parsed);
}

/* --- the commands ----------------------------------------------------------------------------- */

/* The whole file, with a NUL; NULL: told. */
static char *read_file(const char *path) {
    bool from_stdin = strcmp(path, "-") == 0;
    FILE *file = from_stdin ? stdin : fopen(path, "rb");
    char *text = file == NULL ? NULL : malloc(FILE_BYTES_MAX + 1);
    size_t len = text == NULL ? 0 : fread(text, 1, FILE_BYTES_MAX, file);
    if (file != NULL && !from_stdin) {
        (void)fclose(file);
    }
    if (text == NULL || len == FILE_BYTES_MAX) {
        fprintf(stderr, "cairn: put %s: cannot be read, or is larger than 4 MiB\n", path);
        free(text);
        return NULL;
    }
    text[len] = 0;
    return text;
}

/* "examples/popups/welcome.json" -> "welcome". */
static bool name_of(const char *path, char *name) {
    const char *slash = strrchr(path, '/');
    const char *start = slash == NULL ? path : slash + 1;
    size_t len = strlen(start);
    if (len > 5 && strcmp(start + len - 5, ".json") == 0) {
        len -= 5;
    }
    if (len == 0 || len >= NAME_BYTES_MAX || strcmp(path, "-") == 0) {
        fprintf(stderr, "cairn: put %s: no name follows from this; write --name NAME\n", path);
        return false;
    }
    memcpy(name, start, len);
    name[len] = 0;
    return true;
}

int cairn__run_put(int argc, char **argv) {
    asking a;
    char path[PATH_BYTES_MAX];
    char name[NAME_BYTES_MAX] = "";
    if (!read_flags(argc, argv, &a) || !good_kind(&a)) {
        return 2;
    }
    if (a.subject == NULL) {
        fputs("cairn: use: cairn put KIND FILE|-\n", stderr);
        return 2;
    }
    bool named = strcmp(a.kind, "settings") == 0 || a.name != NULL;
    if ((!named && !name_of(a.subject, name)) ||
        !write_path(&a, a.name != NULL ? a.name : name, path)) {
        return 2;
    }
    char *text = read_file(a.subject);
    if (text == NULL) {
        return 2;
    }
    const cairn__http_request request = { .path = path, .json = text, .method = "PUT" };
    int code = ask(&a, &request, a.subject, print_plain);
    free(text);
    return code;
}

int cairn__run_get(int argc, char **argv) {
    asking a;
    char path[PATH_BYTES_MAX];
    if (!read_flags(argc, argv, &a) || !good_kind(&a) || !write_path(&a, a.subject, path)) {
        return 2;
    }
    bool list = a.subject == NULL && strcmp(a.kind, "settings") != 0;
    const cairn__http_request request = { .path = path };
    return ask(&a, &request, a.subject == NULL ? a.kind : a.subject,
               list ? print_list : print_pretty);
}

int cairn__run_remove(int argc, char **argv) {
    asking a;
    char path[PATH_BYTES_MAX];
    if (!read_flags(argc, argv, &a) || !good_kind(&a)) {
        return 2;
    }
    if (a.subject == NULL || strcmp(a.kind, "settings") == 0) {
        fputs("cairn: use: cairn remove KIND NAME; settings are put, never removed\n", stderr);
        return 2;
    }
    if (!write_path(&a, a.subject, path)) {
        return 2;
    }
    const cairn__http_request request = { .path = path, .method = "DELETE" };
    return ask(&a, &request, a.subject, print_plain);
}

int cairn__run_keys(int argc, char **argv) {
    asking a;
    char path[PATH_BYTES_MAX];
    if (!read_flags(argc, argv, &a)) {
        return 2;
    }
    a.kind = "bundle";
    if (!write_path(&a, "key", path)) {
        return 2;
    }
    const cairn__http_request request = { .path = path };
    return ask(&a, &request, "keys", print_pretty);
}
