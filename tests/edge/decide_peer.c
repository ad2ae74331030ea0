/* decide_peer.c: a device of test_decide.py: tracks, syncs with a real edge over sockets, and holds
 * each decision of its own against POST /v1/decide, byte for byte.
 *   decide_peer PORT ADMIN_PORT WRITE_KEY KEY_ID KEY_HEX SEED ROUNDS    "<decisions> the same" */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cairn/cairn_decide.h"
#include "client/client.h"
#include "model/sync.h"
#include "unit/sdk/client/fake_host.h"

enum { ANSWER_BYTES_MAX = 8 << 20, TRIES_MAX = 50, AHEAD_MS = 2000, ARENA_BYTES_MAX = 1 << 20 };

typedef struct peer {
    fake_host host;
    cairn_client *client;
    int port, admin_port;
    char device[33];
    cairn__buffer answer;   /* of an HTTP request, its body only */
    uint64_t facts_version; /* of the newest answer to a sync */
    long same;
} peer;

static const char *const names[] = { "look", "cart", "buy" };

static void stop(const char *why) {
    (void)fprintf(stderr, "decide_peer: %s\n", why);
    exit(1);
}

static void sync_clock(peer *p) {
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    p->host.wall_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- HTTP ------------------------------------------------------------------------------------- */

static int connect_to(int port) {
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        stop("cannot connect");
    }
    return fd;
}

static void write_all(int fd, const void *bytes, size_t count) {
    for (size_t done = 0; done < count;) {
        ssize_t some = write(fd, (const char *)bytes + done, count - done);
        if (some <= 0) {
            stop("cannot write");
        }
        done += (size_t)some;
    }
}

/* The status; the body is in p->answer. */
static uint32_t post(peer *p, int port, const char *head, cairn_span body) {
    char text[512];
    uint8_t some[65536];
    unsigned status = 0;
    int fd = connect_to(port);
    int len = snprintf(text, sizeof text,
                       "POST %s\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: %zu"
                       "\r\n\r\n",
                       head, body.len);
    write_all(fd, text, (size_t)len);
    write_all(fd, body.data, body.len);
    cairn__buffer_clear(&p->answer);
    for (ssize_t count = 0; (count = read(fd, some, sizeof some)) > 0;) {
        cairn__buffer_append(&p->answer, cairn__span(some, (size_t)count));
    }
    (void)close(fd);
    cairn__buffer_byte(&p->answer, 0);
    char *found = p->answer.failed ? NULL : strstr((char *)p->answer.data, "\r\n\r\n");
    if (found == NULL || sscanf((char *)p->answer.data, "HTTP/1.1 %3u", &status) != 1) {
        stop("no answer");
    }
    size_t skip = (size_t)(found - (char *)p->answer.data) + 4;
    p->answer.len -= skip + 1;
    memmove(p->answer.data, p->answer.data + skip, p->answer.len);
    return status;
}

/* --- the device ------------------------------------------------------------------------------- */

static void serve(peer *p) {
    cairn__sync_response response;
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES_MAX);
    uint32_t status = post(p, p->port, "/v1/sync HTTP/1.1\r\nContent-Type: application/x-protobuf",
                           cairn__buffer_span(&p->host.post));
    cairn__buffer_clear(&p->host.answer);
    cairn__buffer_append(&p->host.answer, cairn__buffer_span(&p->answer));
    if (status != 200 || cairn__sync_response_decode(cairn__buffer_span(&p->answer), &arena,
                                                     &response) != CAIRN_OK) {
        stop("the sync was refused");
    }
    p->facts_version = response.facts_version;
    cairn__arena_free(&arena);
    fake_host_reply(&p->host, p->client, status, 0);
}

static void run(peer *p, int64_t ms) {
    for (int64_t end_ms = p->host.mono_ms + ms; p->host.mono_ms < end_ms;) {
        fake_host_commit(&p->host, p->client, true);
        int64_t wait_ms = cairn_pump(p->client);
        if (p->host.post_ticket != 0) {
            serve(p);
        } else if (p->host.op_count == 0) {
            p->host.mono_ms += wait_ms > 0 && wait_ms < 1000 ? wait_ms : 1000;
        }
        sync_clock(p);
    }
}

/* A popup on the screen is the device's own affair. */
static void close_popups(peer *p) {
    for (int i = 0; i < TRIES_MAX; i++) {
        run(p, 1000);
        if (p->client->deciding.showing.stage == CAIRN__SHOWING_NONE) {
            break;
        }
        (void)cairn_popup_done(p->client, p->client->deciding.showing.name, CAIRN_POPUP_CLOSED,
                               NULL, 0);
    }
    p->client->deciding.queue.count = 0;
}

static void track(peer *p, const char *name) {
    const cairn_property n = { CAIRN_STR("n"),
                               { CAIRN_VALUE_INTEGER,
                                 { .integer = (int64_t)fake_host_random(&p->host, 20) } } };
    sync_clock(p);
    (void)cairn_track(p->client, cairn__span_of(name), &n, 1);
    close_popups(p);
}

/* Until the server has told all there is: an answer may go out without. */
static void sync_all(peer *p) {
    for (int i = 0; i < TRIES_MAX; i++) {
        p->facts_version = 0;
        track(p, "tick");
        cairn_flush(p->client);
        run(p, 5000);
        if (p->facts_version != 0) {
            return;
        }
    }
    stop("the server tells nothing");
}

/* --- both are asked --------------------------------------------------------------------------- */

static void compare(peer *p, const cairn_decide_query *query, const char *login) {
    static const char *const whats[] = { "event", "popup", "slot", "experiment", "experiments" };
    char json[1024];
    char named[256];
    cairn_span answer;
    bool of_event = query->what == CAIRN_DECIDE_EVENT;
    (void)snprintf(named, sizeof named,
                   of_event ? "\"event\":{\"name\":\"%.*s\"}" : "\"name\":\"%.*s\"",
                   (int)query->name.len, (const char *)query->name.data);
    int len =
        snprintf(json, sizeof json,
                 "{\"what\":\"%s\",%s,\"ids\":{\"login\":\"%s\"},\"device\":\"%s\",\"now\":%" PRId64
                 ",\"session\":%" PRIu64 "}",
                 whats[query->what], named, login, p->device, p->host.wall_ms,
                 p->client->journal.state.session);
    if (cairn_decide(p->client, query, &answer) != CAIRN_OK) {
        stop("the device does not decide");
    }
    uint32_t status =
        post(p, p->admin_port, "/v1/decide HTTP/1.1\r\nContent-Type: application/json",
             cairn__span(json, (size_t)len));
    if (status != 200 || !cairn__span_equal(answer, cairn__buffer_span(&p->answer))) {
        (void)fprintf(stderr, "%s\ndevice %.*s\nserver %" PRIu32 " %.*s\n", json, (int)answer.len,
                      (const char *)answer.data, status, (int)p->answer.len,
                      (const char *)p->answer.data);
        exit(1);
    }
    p->same += 1;
}

static void compare_all(peer *p, const char *login) {
    const cairn_decide_query others[] = {
        { .what = CAIRN_DECIDE_POPUP, .name = CAIRN_STR("p0") },
        { .what = CAIRN_DECIDE_SLOT, .name = CAIRN_STR("home") },
        { .what = CAIRN_DECIDE_EXPERIMENT, .name = CAIRN_STR("e0") },
        { .what = CAIRN_DECIDE_EXPERIMENTS },
    };
    sync_clock(p);
    p->host.wall_ms += AHEAD_MS; /* behind what the two clocks' offset may add to events */
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const cairn_decide_query query = { .what = CAIRN_DECIDE_EVENT,
                                           .name = cairn__span_of(names[i]) };
        compare(p, &query, login);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        compare(p, &others[i], login);
    }
    sync_clock(p);
}

static cairn_bundle_key key_of(const char *id, const char *hex) {
    cairn_bundle_key key = { .id = cairn__span_of(id) };
    for (size_t i = 0; i < sizeof key.bytes; i++) {
        unsigned byte = 0;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1) {
            stop("the key is not hexadecimal");
        }
        key.bytes[i] = (uint8_t)byte;
    }
    return key;
}

int main(int argc, char **argv) {
    static peer p;
    char login[32];
    if (argc != 8) {
        stop("PORT ADMIN_PORT WRITE_KEY KEY_ID KEY_HEX SEED ROUNDS");
    }
    cairn_bundle_key key = key_of(argv[4], argv[5]);
    const cairn_options options = { .project_key = cairn__span_of(argv[3]),
                                    .platform = CAIRN_STR("test"),
                                    .decide = { .keys = &key, .key_count = 1 } };
    p.port = (int)strtol(argv[1], NULL, 10);
    p.admin_port = (int)strtol(argv[2], NULL, 10);
    p.answer = cairn__buffer_make(cairn__heap(), ANSWER_BYTES_MAX);
    fake_host_open(&p.host, strtoull(argv[6], NULL, 10));
    sync_clock(&p);
    p.client = fake_host_boot(&p.host, &options);
    (void)cairn__client_device_text(p.client, (uint8_t *)p.device);
    (void)snprintf(login, sizeof login, "peer-%s", argv[6]);
    (void)cairn_login(p.client, (cairn_id){ CAIRN_STR("login"), cairn__span_of(login) });
    for (long round = strtol(argv[7], NULL, 10); round > 0; round--) {
        sync_all(&p);
        compare_all(&p, login);
        track(&p, names[fake_host_random(&p.host, 3)]);
        track(&p, names[fake_host_random(&p.host, 3)]);
    }
    printf("%ld the same\n", p.same);
    cairn_close(p.client);
    fake_host_close(&p.host);
    cairn__buffer_free(&p.answer);
    return 0;
}
