/* bench_door.c: requests of one body to a door of a running edge, from several connections at once,
 * each one after the other; prints one line of JSON.
 *   bench_door PORT PATH BODY_FILE CONNECTIONS SECONDS */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BODY_BYTES_MAX = 1 << 20, ANSWER_BYTES_MAX = 4 << 20, SAMPLES_MAX = 1 << 22 };

static void stop(const char *why) {
    (void)fprintf(stderr, "bench_door: %s\n", why);
    exit(1);
}

static int64_t now_us(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int connect_to(int port) {
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int on = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        stop("cannot connect");
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/* One request and its answer; only 200 will do. */
static void exchange(int fd, const char *request, size_t len, char *answer) {
    size_t got = 0;
    size_t whole = SIZE_MAX;
    if (write(fd, request, len) != (ssize_t)len) {
        stop("cannot write");
    }
    while (got < whole) {
        ssize_t some = read(fd, answer + got, ANSWER_BYTES_MAX - 1 - got);
        if (some <= 0) {
            stop("the answer was cut off");
        }
        got += (size_t)some;
        answer[got] = 0;
        const char *end = whole == SIZE_MAX ? strstr(answer, "\r\n\r\n") : NULL;
        const char *length = end == NULL ? NULL : strstr(answer, "Content-Length:");
        if (length != NULL) {
            whole = (size_t)(end + 4 - answer) + strtoul(length + 15, NULL, 10);
        }
    }
    if (strncmp(answer, "HTTP/1.1 200", 12) != 0) {
        stop(answer);
    }
}

/* One connection's life; its times in us go into the pipe. */
static void load(int port, const char *request, size_t len, int seconds, int to) {
    char *answer = malloc(ANSWER_BYTES_MAX);
    int fd = connect_to(port);
    int64_t end_us = now_us() + (int64_t)seconds * 1000000;
    for (int64_t start_us = now_us(); start_us < end_us;) {
        exchange(fd, request, len, answer);
        int64_t done_us = now_us();
        uint32_t took_us = (uint32_t)(done_us - start_us);
        if (write(to, &took_us, sizeof took_us) != (ssize_t)sizeof took_us) {
            stop("nobody listens");
        }
        start_us = done_us;
    }
    exit(0);
}

static int ascending(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static size_t read_file(const char *path, char *to) {
    FILE *file = fopen(path, "rb");
    size_t len = file == NULL ? 0 : fread(to, 1, BODY_BYTES_MAX, file);
    if (file == NULL || len == 0) {
        stop("no body");
    }
    (void)fclose(file);
    return len;
}

int main(int argc, char **argv) {
    static char body[BODY_BYTES_MAX];
    static char request[BODY_BYTES_MAX + 512];
    static uint32_t took[SAMPLES_MAX];
    int ends[2];
    if (argc != 6 || pipe(ends) != 0) {
        stop("PORT PATH BODY_FILE CONNECTIONS SECONDS");
    }
    size_t body_len = read_file(argv[3], body);
    int head = snprintf(request, 512,
                        "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        argv[2], body_len);
    memcpy(request + head, body, body_len);
    int seconds = (int)strtol(argv[5], NULL, 10);
    for (long i = strtol(argv[4], NULL, 10); i > 0; i--) {
        if (fork() == 0) {
            load((int)strtol(argv[1], NULL, 10), request, (size_t)head + body_len, seconds,
                 ends[1]);
        }
    }
    (void)close(ends[1]);
    size_t count = 0;
    while (count < SAMPLES_MAX && read(ends[0], &took[count], sizeof *took) > 0) {
        count += 1;
    }
    while (wait(NULL) > 0) {
    }
    if (count == 0) {
        stop("no answer");
    }
    qsort(took, count, sizeof *took, ascending);
    printf("{\"requests\": %zu, \"per_second\": %zu, \"p50_us\": %u, \"p99_us\": %u}\n", count,
           count / (size_t)seconds, took[count / 2], took[count - 1 - count / 100]);
    return 0;
}
