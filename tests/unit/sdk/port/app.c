/* app.c: an application for crash.py: tracks numbered events, and says on stdout which of them are
 * on the disk.   app DIRECTORY URL FIRST COUNT   ("kept N": all below N are) COUNT 0: tracks
 * nothing, waits until all is acknowledged, and says how many were dropped. */
#include <stdio.h>
#include <stdlib.h>

#include "cairn/cairn_posix.h"

enum { SYNC_EVERY = 7, WAIT_MS = 20000 };

static int track(cairn_posix *app, long first, long count) {
    for (long i = first; i < first + count; i++) {
        const cairn_property properties[] = {
            { CAIRN_STR("id"), { CAIRN_VALUE_INTEGER, { .integer = i } } },
            { CAIRN_STR("text"), { CAIRN_VALUE_STRING, { .string = CAIRN_STR("some words") } } },
        };
        if (cairn_posix_track(app, CAIRN_STR("e"), properties, 2) != CAIRN_OK) {
            return 1;
        }
        if (i % SYNC_EVERY == 0 && cairn_posix_sync(app, WAIT_MS) == CAIRN_OK) {
            printf("kept %ld\n", i + 1);
            (void)fflush(stdout);
        }
    }
    return 0;
}

static int drain(cairn_posix *app) {
    cairn_status status = cairn_posix_flush(app, WAIT_MS);
    cairn_client_status now;
    cairn_posix_get_status(app, &now);
    printf("dropped %llu\n", (unsigned long long)now.dropped_events);
    return status == CAIRN_OK ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: app DIRECTORY URL FIRST COUNT\n");
        return 2;
    }
    const cairn_posix_options options = { .directory = argv[1],
                                          .server_url = argv[2],
                                          .project_key = "demo",
                                          .flush_interval_ms = 30,
                                          .tick_ms = 1 };
    cairn_posix *app = NULL;
    cairn_status status = cairn_posix_open(&options, &app);
    if (status != CAIRN_OK) {
        fprintf(stderr, "app: %s\n", cairn_status_name(status));
        return 3;
    }
    long count = strtol(argv[4], NULL, 10);
    int code = count == 0 ? drain(app) : track(app, strtol(argv[3], NULL, 10), count);
    cairn_posix_close(app, 0);
    return code;
}
