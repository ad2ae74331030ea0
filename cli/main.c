/* `cairn`: the command line of an edge. Exit codes: 0 done, 1 failed or refused, 2 wrong use. */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

typedef struct {
    const char *name;
    int (*run)(int argc, char **argv);
} command;

static const char help_text[] =
    "usage: cairn COMMAND [ARGUMENT] [OPTION]...\n\n"
    "Of a running edge:\n"
    "  analyze FILE|-        ask the question in FILE (JSON) and print the answer as a table\n"
    "  person TYPE:VALUE     print what is known of a person, as JSON\n"
    "  put KIND FILE|-       define a popup, slot, experiment, audience or the settings\n"
    "  get KIND [NAME]       print a definition, or the list of them; cairn help put\n"
    "  remove KIND NAME      remove a definition that nothing else names\n"
    "  keys                  print the public key of the bundle, for the SDK\n"
    "  import FILE|-         send the rows of a CSV or JSON lines as events; cairn help import\n"
    "  load                  send the events of people who do not exist; cairn help load\n\n"
    "Of a data directory, while its edge is stopped:\n"
    "  verify --data DIR     check every checksum; print each damage; exit code 1 if there is any\n"
    "  analyze, person       with --data DIR [--project NAME] [--timezone ZONE]\n\n"
    "  version               print the version\n"
    "  help [COMMAND]        print this, or all options of a command\n\n"
    "  --edge URL    the admin address of the edge (default " CAIRN__EDGE_ADMIN_DEFAULT ")\n"
    "  --token T     its admin token (default: the environment's CAIRN_ADMIN_TOKEN)\n"
    "  --project P   where there are several\n"
    "  --json        print the answer as it came\n\n"
    "Exit codes: 0 done; 1 failed, refused or bad rows; 2 wrong use.\n";

static int run_help(int argc, char **argv) {
    const char *text = help_text;
    if (argc > 0 && strcmp(argv[0], "import") == 0) {
        text = cairn__import_help;
    } else if (argc > 0 && strcmp(argv[0], "load") == 0) {
        text = cairn__load_help;
    } else if (argc > 0 && (strcmp(argv[0], "put") == 0 || strcmp(argv[0], "get") == 0 ||
                            strcmp(argv[0], "remove") == 0 || strcmp(argv[0], "keys") == 0)) {
        text = cairn__definitions_help;
    }
    fputs(text, stdout);
    return 0;
}

static int run_version(int argc, char **argv) {
    (void)argc;
    (void)argv;
    puts("cairn " CAIRN_VERSION);
    return 0;
}

static const command commands[] = {
    { "analyze", cairn__run_analyze }, /* ask.c */
    { "person", cairn__run_person },   /* ask.c */
    { "put", cairn__run_put },         /* definitions.c */
    { "get", cairn__run_get },         /* definitions.c */
    { "remove", cairn__run_remove },   /* definitions.c */
    { "keys", cairn__run_keys },       /* definitions.c */
    { "import", cairn__run_import },   /* import.c */
    { "load", cairn__run_load },       /* load/load.c */
    { "verify", cairn__run_verify },   /* verify.c */
    { "version", run_version },        { "help", run_help },
};

int main(int argc, char **argv) {
    const char *name = argc < 2 || strcmp(argv[1], "--help") == 0 ? "help" : argv[1];
    int rest = argc < 2 ? 0 : argc - 2;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(name, commands[i].name) != 0) {
            continue;
        }
        if (rest > 0 && strcmp(argv[2], "--help") == 0) {
            return run_help(1, argv + 1);
        }
        curl_global_init(CURL_GLOBAL_DEFAULT);
        int code = commands[i].run(rest, argv + argc - rest);
        curl_global_cleanup();
        return code;
    }
    fprintf(stderr, "cairn: %s: no such command; see cairn help\n", name);
    return 2;
}
