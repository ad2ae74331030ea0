/* main.c: the command line of the daemon. Exit codes: 0 drained or good; 1 could not start;
 * 2 wrong use; 78 the configuration is refused (sysexits' EX_CONFIG). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/config.h"
#include "edge/life.h"
#include "edge/metrics.h"
#include "edge/routes.h"
#include "edge/sandbox_wire.h"

enum { DOCS_BYTES_MAX = 1024 * 1024 };

static const char help[] =
    "usage: cairn-edge --config FILE [--check]\n\n"
    "  --config FILE         run with this configuration (docs/CONFIG.md)\n"
    "  --check               only say whether the configuration is good\n"
    "  --print-config-docs   print docs/CONFIG.md\n"
    "  --print-metrics-docs  print docs/METRICS.md\n"
    "  --print-routes        print LISTENER METHOD PATH of every route\n"
    "  --version             print the version\n\n"
    "SIGHUP reloads, SIGTERM and SIGINT drain.\n"
    "Exit codes: 0 drained; 1 could not start; 2 wrong use; 78 the configuration is refused.\n";

static int print_docs(void (*write)(cairn__buffer *to)) {
    cairn__buffer text = cairn__buffer_make(cairn__heap(), DOCS_BYTES_MAX);
    write(&text);
    size_t done = text.failed ? 0 : fwrite(text.data, 1, text.len, stdout);
    int code = done == text.len && done > 0 ? CAIRN__EXIT_OK : CAIRN__EXIT_FAILED;
    cairn__buffer_free(&text);
    return code;
}

static int print_routes(void) {
    for (int is_public = 1; is_public >= 0; is_public--) {
        for (const cairn__route *at = cairn__routes(is_public != 0); at->path != NULL; at++) {
            const char *method = at->method == CAIRN__METHOD_GET      ? "get"
                                 : at->method == CAIRN__METHOD_POST   ? "post"
                                 : at->method == CAIRN__METHOD_PUT    ? "put"
                                 : at->method == CAIRN__METHOD_DELETE ? "delete"
                                                                      : "options";
            (void)printf("%s %s %s\n", is_public != 0 ? "public" : "admin", method, at->path);
        }
    }
    return CAIRN__EXIT_OK;
}

static int usage(void) {
    (void)fputs(help, stderr);
    return CAIRN__EXIT_USAGE;
}

static int print(const char *what) {
    if (strcmp(what, "--print-config-docs") == 0) {
        return print_docs(cairn__config_docs);
    }
    if (strcmp(what, "--print-metrics-docs") == 0) {
        return print_docs(cairn__metrics_docs);
    }
    if (strcmp(what, "--print-routes") == 0) {
        return print_routes();
    }
    if (strcmp(what, "--version") == 0) {
        (void)puts("cairn-edge " CAIRN_VERSION);
        return CAIRN__EXIT_OK;
    }
    if (strcmp(what, "--help") == 0) {
        (void)fputs(help, stdout);
        return CAIRN__EXIT_OK;
    }
    return usage();
}

int main(int argc, char **argv) {
    const char *config = NULL;
    bool check = false;
    if (argc == 2 && strcmp(argv[1], CAIRN__SANDBOX_ARGUMENT) == 0) {
        return cairn__sandbox_child(); /* the edge started it to run scripts in */
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
            config = argv[++i];
        } else if (strcmp(argv[i], "--check") == 0) {
            check = true;
        } else {
            return print(argv[i]);
        }
    }
    if (config == NULL) {
        return usage();
    }
    (void)signal(SIGPIPE, SIG_IGN);
    return check ? cairn__edge_check(config) : cairn__edge_main(config);
}
