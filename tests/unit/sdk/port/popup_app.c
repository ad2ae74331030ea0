/* popup_app.c: an application for popups.py: popups under caps, through cairn_posix.h.
 *   popup_app make BUNDLE                 a signed bundle of POPUPS popups, each at most CAP times
 *   popup_app run DIRECTORY BUNDLE LINES  wants popups until it is killed; each that it hears of is
 *                                         a line of LINES, on the disk before it is closed
 *   popup_app calm DIRECTORY BUNDLE LINES the same, until none comes for a while */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "cairn/cairn_posix.h"
#include "support/signed_bundle.h"
#include "world.h"

enum { POPUPS = 6, CAP = 60, BUNDLE_BYTES_MAX = 1 << 20, CALM_ROUNDS = 400, ROUND_US = 500 };

typedef struct app {
    cairn_posix *cairn;
    int lines;
    unsigned heard;
} app;

static int make(const char *path) {
    world *w = NULL;
    cairn__buffer bundle = cairn__buffer_make(cairn__heap(), BUNDLE_BYTES_MAX);
    (void)world_open((void **)&w);
    for (int i = 0; i < POPUPS; i++) {
        const char name[] = { 'p', (char)('0' + i), '\0' };
        char json[200];
        (void)snprintf(json, sizeof json,
                       "{\"triggers\":[\"view\"],\"content\":{},\"caps\":[{\"at_most\":%d}]}", CAP);
        if (world_put(w, CAIRN__DEFINITION_POPUP, name, json) != CAIRN__CATALOG_DONE) {
            return 1;
        }
    }
    (void)signed_bundle_make(w->catalog, &bundle);
    FILE *file = fopen(path, "wb");
    bool written = file != NULL && fwrite(bundle.data, 1, bundle.len, file) == bundle.len;
    written = file != NULL && fclose(file) == 0 && written;
    cairn__buffer_free(&bundle);
    (void)world_close((void **)&w);
    return written ? 0 : 1;
}

/* {"popup":"pN",...: the person sees it, and closes it. */
static void on_popup(void *self, cairn_span json) {
    app *a = self;
    const char *name = (const char *)json.data + sizeof "{\"popup\":\"" - 1;
    char line[4];
    (void)snprintf(line, sizeof line, "%.2s\n", name);
    bool kept = write(a->lines, line, 3) == 3 && fsync(a->lines) == 0;
    if (!kept) {
        abort();
    }
    a->heard += 1;
    cairn_client *client = cairn_posix_lock(a->cairn);
    (void)cairn_popup_done(client, cairn__span(name, 2), CAIRN_POPUP_CLOSED, NULL, 0);
    cairn_posix_unlock(a->cairn);
}

static bool set_bundle(cairn_posix *cairn, const char *path) {
    static uint8_t bytes[BUNDLE_BYTES_MAX];
    FILE *file = fopen(path, "rb");
    size_t len = file == NULL ? 0 : fread(bytes, 1, sizeof bytes, file);
    if (file != NULL) {
        (void)fclose(file);
    }
    cairn_status status = cairn_set_bundle(cairn_posix_lock(cairn), cairn__span(bytes, len));
    cairn_posix_unlock(cairn);
    return status == CAIRN_OK;
}

static int run(const char *directory, const char *bundle, const char *lines, bool calm) {
    static app a;
    static cairn_bundle_key key;
    key = signed_bundle_key();
    const cairn_posix_options options = { .directory = directory,
                                          .server_url = "http://127.0.0.1:9",
                                          .project_key = "shop-key",
                                          .tick_ms = 1,
                                          .queue_events_max = 500,
                                          .decide = { .keys = &key, .key_count = 1 },
                                          .popups = { on_popup, &a } };
    a.lines = open(lines, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    cairn_status status = cairn_posix_open(&options, &a.cairn);
    if (a.lines < 0 || status != CAIRN_OK || !set_bundle(a.cairn, bundle)) {
        (void)fprintf(stderr, "popup_app: %s\n", cairn_status_name(status));
        return 1;
    }
    unsigned before = 0;
    for (int quiet = 0; !calm || quiet < CALM_ROUNDS; quiet++) {
        (void)cairn_posix_track(a.cairn, CAIRN_STR("view"), NULL, 0);
        (void)usleep(ROUND_US);
        quiet = a.heard != before ? 0 : quiet;
        before = a.heard;
    }
    cairn_posix_close(a.cairn, 0);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "make") == 0) {
        return make(argv[2]);
    }
    if (argc == 5) {
        return run(argv[2], argv[3], argv[4], strcmp(argv[1], "calm") == 0);
    }
    (void)fprintf(stderr, "usage: popup_app make|run|calm ...\n");
    return 2;
}
