/* shop.c: a native program that tracks: a visit, a login, a purchase. See README.md.
 *   shop [SERVER_URL [WRITE_KEY [DIRECTORY]]] */
#include <stdio.h>

#include "cairn/cairn_posix.h"

static void visit(cairn_posix *cairn) {
    const cairn_property page = { CAIRN_STR("page"),
                                  { CAIRN_VALUE_STRING, { .string = CAIRN_STR("home") } } };
    const cairn_property city = { CAIRN_STR("city"),
                                  { CAIRN_VALUE_STRING, { .string = CAIRN_STR("Hangzhou") } } };
    const cairn_property order[] = {
        { CAIRN_STR("item_id"), { CAIRN_VALUE_STRING, { .string = CAIRN_STR("tent-2") } } },
        { CAIRN_STR("price"), { CAIRN_VALUE_NUMBER, { .number = 329.0 } } },
        { CAIRN_STR("count"), { CAIRN_VALUE_INTEGER, { .integer = 1 } } },
    };
    (void)cairn_posix_track(cairn, CAIRN_STR("view"), &page, 1);
    (void)cairn_posix_timer(cairn, CAIRN_STR("purchase"), CAIRN_TIMER_START);
    (void)cairn_posix_login(cairn, (cairn_id){ CAIRN_STR("login"), CAIRN_STR("u-1042") });
    (void)cairn_posix_profile(cairn, CAIRN_PROFILE_SET, &city, 1);
    (void)cairn_posix_timer_end(cairn, CAIRN_STR("purchase"), order, 3);
}

int main(int argc, char **argv) {
    const cairn_posix_options options = {
        .directory = argc > 3 ? argv[3] : "cairn-shop",
        .server_url = argc > 1 ? argv[1] : "http://127.0.0.1:8080",
        .project_key = argc > 2 ? argv[2] : "demo-write-key",
        .sdk_name = "shop",
        .sdk_version = "1.0",
    };
    cairn_posix *cairn = NULL;
    cairn_status status = cairn_posix_open(&options, &cairn);
    if (status != CAIRN_OK) {
        fprintf(stderr, "shop: cannot open %s: %s\n", options.directory, cairn_status_name(status));
        return 1;
    }
    visit(cairn);
    status = cairn_posix_flush(cairn, 3000);
    cairn_client_status now;
    cairn_posix_get_status(cairn, &now);
    printf("%llu events tracked, %llu acknowledged%s\n", (unsigned long long)now.last_seq,
           (unsigned long long)now.acked_seq,
           status == CAIRN_OK ? "" : "; the others are kept for the next run");
    cairn_posix_close(cairn, 0);
    return 0;
}
