/* static.c: files of two folders, read in libuv's pool. The path is decoded, has no segment that
 * begins with a dot, and what it leads to after all links lies inside the folder. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "edge/routes.h"
#include "edge/text.h"

enum { FILE_BYTES_MAX = 32 * 1024 * 1024, NAME_BYTES_MAX = 512, TAG_BYTES_MAX = 64 };

typedef struct job {
    uv_work_t work;
    cairn__edge *edge;
    cairn__exchange *exchange;
    const char *folder;
    char name[NAME_BYTES_MAX]; /* inside the folder */
    char tag[TAG_BYTES_MAX];   /* the file's */
    char if_none_match[TAG_BYTES_MAX * 4];
    int status;
    uint8_t *bytes;
    size_t len;
} job;

static const char console_policy[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self' "
    "'unsafe-inline'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'\r\nReferrer-Policy: no-referrer\r\n";

static const char *type_of(const char *name) {
    static const char *const types[][2] = {
        { ".html", "text/html; charset=utf-8" },
        { ".js", "text/javascript; charset=utf-8" },
        { ".mjs", "text/javascript; charset=utf-8" },
        { ".css", "text/css; charset=utf-8" },
        { ".svg", "image/svg+xml" },
        { ".png", "image/png" },
        { ".jpg", "image/jpeg" },
        { ".webp", "image/webp" },
        { ".ico", "image/x-icon" },
        { ".wasm", "application/wasm" },
        { ".json", "application/json" },
        { ".map", "application/json" },
        { ".txt", "text/plain; charset=utf-8" },
        { ".woff2", "font/woff2" },
    };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(dot, types[i][0]) == 0) {
            return types[i][1];
        }
    }
    return "application/octet-stream";
}

/* A relative path without anything odd in it; a folder's name means its index.html. */
static bool read_name(cairn_span path, char *name) {
    size_t len = 0;
    if (path.len + sizeof "index.html" >= NAME_BYTES_MAX ||
        !cairn__url_decode(path, (uint8_t *)name, &len)) {
        return false;
    }
    name[len] = 0;
    if (len == 0 || name[len - 1] == '/') {
        memcpy(name + len, "index.html", sizeof "index.html");
    }
    bool segment_begins = true;
    for (const char *at = name; *at != 0; at++) {
        bool odd = *at == '\\' || (unsigned char)*at < ' ' ||
                   (segment_begins && (*at == '.' || *at == '/'));
        if (odd) {
            return false;
        }
        segment_begins = *at == '/';
    }
    return true;
}

/* --- the pool --------------------------------------------------------------------------------- */

/* A handle of the file, which lies inside the folder; -1: there is none. */
static int open_inside(const job *j) {
    char folder[PATH_MAX], joined[PATH_MAX], path[PATH_MAX];
    int len = snprintf(joined, sizeof joined, "%s/%s", j->folder, j->name);
    if (len < 0 || (size_t)len >= sizeof joined || realpath(j->folder, folder) == NULL ||
        realpath(joined, path) == NULL) {
        return -1;
    }
    size_t inside = strlen(folder);
    if (strncmp(path, folder, inside) != 0 || path[inside] != '/') {
        return -1;
    }
    return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

static int read_all(job *j, int handle, size_t size) {
    j->bytes = malloc(size == 0 ? 1 : size);
    if (j->bytes == NULL) {
        return 503;
    }
    while (j->len < size) {
        ssize_t got = read(handle, j->bytes + j->len, size - j->len);
        if (got <= 0) {
            return 503; /* it shrank, or the disk fails */
        }
        j->len += (size_t)got;
    }
    return 200;
}

static void on_work(uv_work_t *work) {
    job *j = work->data;
    struct stat about;
    int handle = open_inside(j);
    j->status = 404;
    if (handle < 0) {
        return;
    }
    if (fstat(handle, &about) == 0 && S_ISREG(about.st_mode) && about.st_size <= FILE_BYTES_MAX) {
        (void)snprintf(
            j->tag, sizeof j->tag, "\"%llx-%llx-%llx\"", (unsigned long long)about.st_mtim.tv_sec,
            (unsigned long long)about.st_mtim.tv_nsec, (unsigned long long)about.st_size);
        j->status = strstr(j->if_none_match, j->tag) != NULL
                        ? 304
                        : read_all(j, handle, (size_t)about.st_size);
    }
    (void)close(handle);
}

/* --- the loop --------------------------------------------------------------------------------- */

static const cairn__problem not_found = {
    .status = 404, .code = "not_found", .detail = "there is no such file", .fix = "check the path"
};
static const cairn__problem unreadable = { .status = 503,
                                           .code = "file_unreadable",
                                           .detail = "the file could not be read",
                                           .fix = "try again later" };

static void on_work_done(uv_work_t *work, int status) {
    job *j = work->data;
    (void)status;
    char headers[1024];
    const char *own = j->exchange->is_public ? "" : console_policy;
    (void)snprintf(headers, sizeof headers, "%sCache-Control: no-cache\r\nETag: %s\r\n", own,
                   j->tag);
    j->edge->working--;
    if (j->status == 200) {
        cairn__exchange_answer(j->exchange,
                               (cairn__answer){ .status = 200,
                                                .content_type = type_of(j->name),
                                                .headers = headers,
                                                .body = cairn__span(j->bytes, j->len) });
    } else if (j->status == 304) {
        cairn__exchange_answer(j->exchange, (cairn__answer){ .status = 304, .headers = headers });
    } else {
        cairn__exchange_problem(j->exchange, j->status == 404 ? &not_found : &unreadable, NULL);
    }
    free(j->bytes);
    free(j);
}

static void serve(cairn__edge *edge, cairn__exchange *exchange, const cairn__http_head *head,
                  cairn_span path) {
    const char *folder = exchange->is_public ? edge->config.static_dir : edge->config.console_dir;
    cairn_span match = head->headers[CAIRN__HEADER_IF_NONE_MATCH];
    job *j = calloc(1, sizeof *j);
    if (j == NULL || folder[0] == 0 || !read_name(path, j->name)) {
        free(j);
        cairn__exchange_problem(exchange, &not_found, NULL);
        return;
    }
    if (match.len > 0 && match.len < sizeof j->if_none_match) {
        memcpy(j->if_none_match, match.data, match.len);
    }
    j->edge = edge;
    j->exchange = exchange;
    j->folder = folder;
    j->work.data = j;
    edge->working++;
    int code = uv_queue_work(&edge->loop, &j->work, on_work, on_work_done);
    CAIRN_ASSERT(code == 0);
}

static cairn_span behind(cairn_span path, const char *prefix) {
    size_t len = strlen(prefix);
    return cairn__span(path.data + len, path.len - len);
}

void cairn__handle_static(cairn__edge *edge, cairn__exchange *exchange,
                          const cairn__http_head *head, cairn_span content) {
    (void)content;
    serve(edge, exchange, head, behind(head->path, "/"));
}

void cairn__handle_console(cairn__edge *edge, cairn__exchange *exchange,
                           const cairn__http_head *head, cairn_span content) {
    (void)content;
    serve(edge, exchange, head, behind(head->path, "/console/"));
}

void cairn__handle_root(cairn__edge *edge, cairn__exchange *exchange, const cairn__http_head *head,
                        cairn_span content) {
    (void)edge;
    (void)head;
    (void)content;
    cairn__exchange_answer(exchange, (cairn__answer){ .status = 308,
                                                      .content_type = "text/plain",
                                                      .headers = "Location: /console/\r\n",
                                                      .body = CAIRN_STR("/console/\n") });
}
