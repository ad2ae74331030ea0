#include "edge/datadir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES_MAX = 1024, DIRECTORY_MODE = 0750, FILE_MODE = 0640 };

/* As mkdir -p. */
static bool make_path(const char *path) {
    char part[PATH_BYTES_MAX];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof part) {
        return false;
    }
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        char byte = part[i];
        if (byte != '/' && byte != 0) {
            continue;
        }
        part[i] = 0;
        if (mkdir(part, DIRECTORY_MODE) != 0 && errno != EEXIST) {
            return false;
        }
        part[i] = byte;
    }
    return true;
}

static int open_in(const char *path, const char *name, int flags) {
    char full[PATH_BYTES_MAX];
    int len = snprintf(full, sizeof full, "%s/%s", path, name);
    if (len < 0 || (size_t)len >= sizeof full) {
        return -1;
    }
    return open(full, flags | O_CLOEXEC, FILE_MODE);
}

/* The number in the file; 0: the file is new. -1: it is no number. */
static long read_format(int handle) {
    char text[32];
    ssize_t got = pread(handle, text, sizeof text - 1, 0);
    if (got <= 0) {
        return got == 0 ? 0 : -1;
    }
    text[got] = 0;
    char *end = NULL;
    long number = strtol(text, &end, 10);
    return end != text && *end == '\n' && number > 0 ? number : -1;
}

static bool check_format(const char *path, char *text_out, size_t text_bytes) {
    int handle = open_in(path, "format", O_RDWR | O_CREAT);
    if (handle < 0) {
        (void)snprintf(text_out, text_bytes, "%s/format: cannot be opened (%s): check its rights",
                       path, strerror(errno));
        return false;
    }
    long format = read_format(handle);
    bool good = format == CAIRN__DATA_FORMAT;
    if (format == 0) {
        char text[32];
        int len = snprintf(text, sizeof text, "%d\n", CAIRN__DATA_FORMAT);
        good = pwrite(handle, text, (size_t)len, 0) == len && fsync(handle) == 0;
        (void)snprintf(text_out, text_bytes, "%s/format: cannot be written (%s): check the disk",
                       path, strerror(errno));
    } else if (!good) {
        (void)snprintf(text_out, text_bytes,
                       "%s/format: %ld, and this program knows %d: use a newer cairn-edge, or "
                       "another data_dir",
                       path, format, CAIRN__DATA_FORMAT);
    }
    (void)close(handle);
    return good;
}

/* A lock of this process, not of its open file: a child between fork and exec does not hold it, so
 * that an edge that was killed while it started one can begin again at once. */
static bool take_lock(int file) {
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    return fcntl(file, F_SETLK, &whole) == 0;
}

bool cairn__datadir_open(const char *path, int *lock_out, char *text_out, size_t text_bytes) {
    int lock = make_path(path) ? open_in(path, "lock", O_RDWR | O_CREAT) : -1;
    if (lock < 0) {
        (void)snprintf(text_out, text_bytes, "%s: cannot be made or opened (%s): check data_dir",
                       path, strerror(errno));
        return false;
    }
    if (!take_lock(lock)) {
        (void)snprintf(text_out, text_bytes,
                       "%s: another process holds it: stop that one, or use another data_dir",
                       path);
        (void)close(lock);
        return false;
    }
    if (!check_format(path, text_out, text_bytes)) {
        (void)close(lock);
        return false;
    }
    *lock_out = lock;
    return true;
}
