/* fault_io.c: a disk that fails, put under a program with LD_PRELOAD. Only files whose path holds
 * CAIRN_FAULT_PATH are touched; sockets and everything else work as ever.
 *
 *   CAIRN_FAULT_PATH       part of a path, for example the data folder; nothing fails without it
 *   CAIRN_FAULT_LOSE_PATH  files of which a failed sync also loses what was not yet durable
 *   CAIRN_FAULT_SEED       of the dice
 *   CAIRN_FAULT_PER_MILLE  how many calls of a thousand fail (default 20)
 *   CAIRN_FAULT_SKIP       calls that work before the first may fail (default 40: a start)
 *
 * Four things happen: a write fails with EIO; a write is short; the disk is full for the next 1..16
 * writes (ENOSPC); fsync or fdatasync fails with EIO. The kernel may drop what such a sync should
 * have written and mark the pages clean, so that the next sync "succeeds": in CAIRN_FAULT_LOSE_PATH
 * the bytes written since the last good sync become zeros.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { HANDLES_MAX = 4096, FULL_CALLS_MAX = 16, LOSE_BYTES_MAX = 64 * 1024 * 1024 };

typedef ssize_t pwrite_call(int fd, const void *bytes, size_t count, off_t offset);
typedef ssize_t write_call(int fd, const void *bytes, size_t count);
typedef int sync_call(int fd);

/* What was written to a handle since its last good sync. */
typedef struct {
    atomic_llong from;
    atomic_llong to;
} unsynced;

static struct {
    atomic_ullong calls;
    atomic_int full_calls; /* writes that still find the disk full */
    unsynced handles[HANDLES_MAX];
} disk;

static uint64_t number(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/* The n-th call's dice; SplitMix64's finaliser. */
static uint64_t dice(uint64_t n) {
    uint64_t z = number("CAIRN_FAULT_SEED", 1) * 0x9E3779B97F4A7C15u + n * 0xD1B54A32D192ED03u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static int path_holds(int fd, const char *variable) {
    const char *part = getenv(variable);
    char link[64];
    char path[PATH_MAX];
    if (part == NULL || part[0] == 0) {
        return 0;
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) {
        return 0;
    }
    path[length] = 0;
    return strstr(path, part) != NULL;
}

/* Dice for a call on a file that may fail; 0 when this one works. */
static uint64_t fault_of(int fd) {
    uint64_t n = atomic_fetch_add(&disk.calls, 1);
    uint64_t rolled = dice(n);
    if (n < number("CAIRN_FAULT_SKIP", 40) ||
        rolled % 1000 >= number("CAIRN_FAULT_PER_MILLE", 20)) {
        return 0;
    }
    return path_holds(fd, "CAIRN_FAULT_PATH") ? rolled / 1000 | 1 : 0;
}

static int disk_is_full(int fd) {
    if (atomic_load(&disk.full_calls) <= 0 || !path_holds(fd, "CAIRN_FAULT_PATH")) {
        return 0;
    }
    return atomic_fetch_sub(&disk.full_calls, 1) > 0;
}

/* How many of `count` bytes may be written: fewer, or -1 with errno. */
static ssize_t allow(int fd, size_t count) {
    if (disk_is_full(fd)) {
        errno = ENOSPC;
        return -1;
    }
    uint64_t fault = fault_of(fd);
    if (fault == 0) {
        return (ssize_t)count;
    }
    switch (fault / 2 % 3) {
    case 0:
        errno = EIO;
        return -1;
    case 1:
        atomic_store(&disk.full_calls, (int)(fault / 8 % FULL_CALLS_MAX));
        errno = ENOSPC;
        return -1;
    default:
        return count < 2 ? (ssize_t)count : (ssize_t)(1 + fault / 8 % (count - 1));
    }
}

static void note(int fd, off_t offset, ssize_t wrote) {
    if (fd < 0 || fd >= HANDLES_MAX || wrote <= 0 || offset < 0) {
        return;
    }
    unsynced *u = &disk.handles[fd];
    if (atomic_load(&u->to) == 0 || offset < atomic_load(&u->from)) {
        atomic_store(&u->from, offset);
    }
    if (offset + wrote > atomic_load(&u->to)) {
        atomic_store(&u->to, offset + wrote);
    }
}

static ssize_t real_pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    static pwrite_call *call;
    if (call == NULL) {
        *(void **)&call = dlsym(RTLD_NEXT, "pwrite64");
    }
    return call(fd, bytes, count, offset);
}

static void forget(int fd) {
    if (fd >= 0 && fd < HANDLES_MAX) {
        atomic_store(&disk.handles[fd].to, 0);
    }
}

static void lose(int fd) {
    if (fd < 0 || fd >= HANDLES_MAX || !path_holds(fd, "CAIRN_FAULT_LOSE_PATH")) {
        return;
    }
    long long from = atomic_load(&disk.handles[fd].from);
    long long bytes = atomic_load(&disk.handles[fd].to) - from;
    char *zeros = bytes > 0 && bytes <= LOSE_BYTES_MAX ? calloc(1, (size_t)bytes) : NULL;
    if (zeros != NULL && real_pwrite(fd, zeros, (size_t)bytes, from) < 0) {
        abort(); /* the test itself is broken */
    }
    free(zeros);
    forget(fd);
}

static ssize_t do_pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    ssize_t allowed = allow(fd, count);
    if (allowed < 0) {
        return -1;
    }
    ssize_t wrote = real_pwrite(fd, bytes, (size_t)allowed, offset);
    note(fd, offset, wrote);
    return wrote;
}

static int do_sync(int fd, const char *name) {
    sync_call *call;
    *(void **)&call = dlsym(RTLD_NEXT, name);
    if (fault_of(fd) != 0) {
        lose(fd);
        errno = EIO;
        return -1;
    }
    forget(fd);
    return call(fd);
}

/* --- what the program calls instead of the C library --- */

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    return do_pwrite(fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    return do_pwrite(fd, bytes, count, offset);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    static write_call *call;
    if (call == NULL) {
        *(void **)&call = dlsym(RTLD_NEXT, "write");
    }
    ssize_t allowed = allow(fd, count);
    return allowed < 0 ? -1 : call(fd, bytes, (size_t)allowed);
}

int fsync(int fd) {
    return do_sync(fd, "fsync");
}

int fdatasync(int fd) {
    return do_sync(fd, "fdatasync");
}

/* The number will name another file. */
int close(int fd) {
    sync_call *call;
    *(void **)&call = dlsym(RTLD_NEXT, "close");
    forget(fd);
    return call(fd);
}
