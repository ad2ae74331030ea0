/* shop.c: a native program that tracks: a visit, a login, a purchase; and decides, where it is
 * given the key of the project's bundle. See README.md. shop [SERVER_URL [WRITE_KEY [DIRECTORY
 * [KEY_ID KEY]]]] */
#include <stdio.h>
#include <string.h>

#include "cairn/cairn_posix.h"

enum { KEY_DIGITS = 87, WAIT_MS = 3000 };

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

/* An app with a screen draws it; when the person has closed it: cairn_popup_done(). */
static void on_popup(void *self, cairn_span json) {
    (void)self;
    printf("popup: %.*s\n", (int)json.len, (const char *)json.data);
}

/* What would be shown to this person now, and why; the bundle came with the last answer. */
static void decide(cairn_posix *cairn) {
    cairn_span answer;
    const cairn_decide_query query = { .what = CAIRN_DECIDE_EXPERIMENTS };
    cairn_client *client = cairn_posix_lock(cairn);
    cairn_status status = cairn_decide(client, &query, &answer);
    if (status == CAIRN_OK) {
        printf("experiments: %.*s\n", (int)answer.len, (const char *)answer.data);
    } else {
        printf("nothing to decide by: %s\n", cairn_status_name(status));
    }
    cairn_posix_unlock(cairn);
}

/* 88 digits of base64, the last of them "=": as `cairn keys` prints it. */
static bool read_key(const char *id, const char *text, cairn_bundle_key *key) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0;
    for (size_t i = 0; i < KEY_DIGITS; i++) {
        const char *digit = strchr(digits, text[i]);
        if (digit == NULL || *digit == '\0') {
            return false;
        }
        bits = bits << 6 | (unsigned)(digit - digits);
        size_t done = i * 6 / 8; /* bytes that were whole before this digit */
        if ((i + 1) * 6 / 8 > done) {
            key->bytes[done] = (uint8_t)(bits >> ((i + 1) * 6 % 8));
        }
    }
    key->id = (cairn_span){ (const uint8_t *)id, strlen(id) };
    return text[KEY_DIGITS] == '=' && text[KEY_DIGITS + 1] == '\0';
}

int main(int argc, char **argv) {
    cairn_bundle_key key;
    bool decides = argc > 5;
    if (decides && (strlen(argv[5]) != KEY_DIGITS + 1 || !read_key(argv[4], argv[5], &key))) {
        fprintf(stderr, "shop: KEY_ID and KEY are as `cairn keys` prints them\n");
        return 2;
    }
    const cairn_posix_options options = {
        .directory = argc > 3 ? argv[3] : "cairn-shop",
        .server_url = argc > 1 ? argv[1] : "http://127.0.0.1:8080",
        .project_key = argc > 2 ? argv[2] : "demo-write-key",
        .sdk_name = "shop",
        .sdk_version = "1.0",
        .decide = { .keys = &key, .key_count = decides ? 1 : 0 },
        .popups = { .show = on_popup },
    };
    cairn_posix *cairn = NULL;
    cairn_status status = cairn_posix_open(&options, &cairn);
    if (status != CAIRN_OK) {
        fprintf(stderr, "shop: cannot open %s: %s\n", options.directory, cairn_status_name(status));
        return 1;
    }
    visit(cairn);
    status = cairn_posix_flush(cairn, WAIT_MS);
    cairn_client_status now;
    cairn_posix_get_status(cairn, &now);
    printf("%llu events tracked, %llu acknowledged%s\n", (unsigned long long)now.last_seq,
           (unsigned long long)now.acked_seq,
           status == CAIRN_OK ? "" : "; the others are kept for the next run");
    if (decides) {
        decide(cairn);
    }
    cairn_posix_close(cairn, 0);
    return 0;
}
