/* sql_app.c: an application for sql_crash.py: tracks numbered events with the table in SQL beside,
 * and says on stdout which of them are on the disk. sql_app DIRECTORY FIRST COUNT   ("kept N": all
 * below N are) COUNT 0: reads questions from stdin, a line each, and writes the answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cairn/cairn_posix_full.h"

enum { SYNC_EVERY = 7, WAIT_MS = 20000, LINE_BYTES_MAX = 1024 };

static int track(cairn_posix *app, long first, long count) {
    for (long i = first; i < first + count; i++) {
        const cairn_property property = { CAIRN_STR("id"),
                                          { CAIRN_VALUE_INTEGER, { .integer = i } } };
        if (cairn_posix_track(app, CAIRN_STR("e"), &property, 1) != CAIRN_OK) {
            return 1;
        }
        if (i % SYNC_EVERY == 0 && cairn_posix_sync(app, WAIT_MS) == CAIRN_OK) {
            printf("kept %ld\n", i + 1);
            (void)fflush(stdout);
        }
    }
    return 0;
}

static int answer(cairn_posix *app) {
    char line[LINE_BYTES_MAX];
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *text = NULL;
        const cairn_span question = { (const uint8_t *)line, strlen(line) };
        cairn_status status = cairn_posix_sql(app, question, &text);
        printf("%s\n", text == NULL ? "no memory" : text);
        free(text);
        if (status != CAIRN_OK) {
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: sql_app DIRECTORY FIRST COUNT\n");
        return 2;
    }
    const cairn_posix_options options = { .directory = argv[1],
                                          .server_url = "http://127.0.0.1:1",
                                          .project_key = "demo",
                                          .queue_events_max = 200000,
                                          .queue_bytes_max = 64 << 20,
                                          .tick_ms = 1 };
    cairn_posix *app = NULL;
    cairn_status status = cairn_posix_full_open(&options, NULL, &app);
    if (status != CAIRN_OK) {
        fprintf(stderr, "sql_app: %s\n", cairn_status_name(status));
        return 3;
    }
    long count = strtol(argv[3], NULL, 10);
    int code = count == 0 ? answer(app) : track(app, strtol(argv[2], NULL, 10), count);
    cairn_posix_close(app, 0);
    return code;
}
