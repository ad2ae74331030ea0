/* segment_file.c: POSIX files under an image. */
#include "trail/segment_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, WRITE_BYTES = 1 << 20, NAME_DIGITS = 16, DIRECTORY_MODE = 0750 };

static bool path_of(char *to, const char *directory, uint64_t id, const char *suffix) {
    int len = snprintf(to, PATH_BYTES, "%s/%016llx.%s", directory, (unsigned long long)id, suffix);
    return len > 0 && len < PATH_BYTES;
}

static void tell(cairn__trail_problem *problem, const char *path, const char *why,
                 const char *fix) {
    (void)snprintf(problem->text, sizeof problem->text, "%.120s: %s; %s", path, why, fix);
}

static bool sync_directory(const char *directory) {
    int handle = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0) {
        return false;
    }
    bool ok = fsync(handle) == 0;
    (void)close(handle);
    return ok;
}

bool cairn__segment_directory(const char *directory, cairn__trail_problem *problem_out) {
    struct stat found;
    char parent[PATH_BYTES];
    int len = snprintf(parent, sizeof parent, "%s/..", directory);
    if (mkdir(directory, DIRECTORY_MODE) == 0) {
        if (len < PATH_BYTES && sync_directory(parent)) {
            return true;
        }
    } else if (errno == EEXIST && stat(directory, &found) == 0 && S_ISDIR(found.st_mode)) {
        return true;
    }
    tell(problem_out, directory, strerror(errno), "the trail needs a directory that it may write");
    return false;
}

static void unmap(void *self, cairn_span bytes) {
    (void)self;
    (void)munmap((void *)(uintptr_t)bytes.data, bytes.len);
}

/* The bytes of a file of exactly this size; empty: problem_out. */
static cairn_span map_file(const char *path, uint64_t bytes, cairn__trail_problem *problem_out) {
    cairn_span none = { NULL, 0 };
    const char *fix = "restore it from a backup";
    struct stat found;
    int handle = open(path, O_RDONLY | O_CLOEXEC);
    if (handle < 0 || fstat(handle, &found) != 0) {
        tell(problem_out, path, strerror(errno), fix);
        if (handle >= 0) {
            (void)close(handle);
        }
        return none;
    }
    void *data = MAP_FAILED;
    if (bytes == 0 || (uint64_t)found.st_size != bytes) {
        tell(problem_out, path, "not as long as the manifest says", fix);
    } else {
        data = mmap(NULL, (size_t)bytes, PROT_READ, MAP_SHARED, handle, 0);
        if (data == MAP_FAILED) {
            tell(problem_out, path, strerror(errno), "give the process more address space");
        }
    }
    (void)close(handle);
    return data == MAP_FAILED ? none : cairn__span(data, (size_t)bytes);
}

cairn_status cairn__segment_map(cairn_allocator allocator, const cairn__segment_name *name,
                                cairn__image **image_out, cairn__trail_problem *problem_out) {
    char path[PATH_BYTES];
    if (!path_of(path, name->directory, name->id, "seg")) {
        tell(problem_out, name->directory, "the path is too long", "choose a shorter one");
        return CAIRN_STORAGE;
    }
    cairn__image_backing backing = { map_file(path, name->bytes, problem_out), unmap, NULL };
    if (backing.bytes.data == NULL) {
        return CAIRN_STORAGE;
    }
    cairn_status status = cairn__image_open(allocator, &backing, false, image_out);
    if (status != CAIRN_OK) {
        unmap(NULL, backing.bytes);
        const char *why = status == CAIRN_UNSUPPORTED ? "written by a newer version"
                          : status == CAIRN_NO_MEMORY ? "no memory"
                                                      : "the file is damaged";
        tell(problem_out, path, why,
             status == CAIRN_UNSUPPORTED ? "start that version" : "restore it from a backup");
    }
    return status;
}

bool cairn__segment_create(cairn__segment_file *file, const char *directory, uint64_t id,
                           cairn_allocator allocator) {
    char path[PATH_BYTES];
    *file = (cairn__segment_file){ .handle = -1,
                                   .pending = cairn__buffer_make(allocator, SIZE_MAX / 2) };
    if (path_of(path, directory, id, "tmp")) {
        file->handle = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    }
    return file->handle >= 0;
}

static bool write_all(int handle, cairn_span bytes) {
    while (bytes.len != 0) {
        ssize_t written = write(handle, bytes.data, bytes.len);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        bytes.data += written;
        bytes.len -= (size_t)written;
    }
    return true;
}

static bool flush_pending(cairn__segment_file *file) {
    bool ok = !file->pending.failed && write_all(file->handle, cairn__buffer_span(&file->pending));
    cairn__buffer_clear(&file->pending);
    return ok;
}

static bool sink_file(void *self, cairn_span bytes) {
    cairn__segment_file *file = self;
    file->bytes += bytes.len;
    cairn__buffer_append(&file->pending, bytes);
    return file->pending.len < WRITE_BYTES ? !file->pending.failed : flush_pending(file);
}

cairn__image_sink cairn__segment_sink(cairn__segment_file *file) {
    return (cairn__image_sink){ sink_file, file };
}

void cairn__segment_abandon(cairn__segment_file *file, const char *directory, uint64_t id) {
    char path[PATH_BYTES];
    if (file->handle >= 0) {
        (void)close(file->handle);
        file->handle = -1;
    }
    cairn__buffer_free(&file->pending);
    if (path_of(path, directory, id, "tmp")) {
        (void)unlink(path);
    }
}

bool cairn__segment_publish(cairn__segment_file *file, const char *directory, uint64_t id) {
    char from[PATH_BYTES], to[PATH_BYTES];
    bool ok = flush_pending(file) && fsync(file->handle) == 0;
    ok = close(file->handle) == 0 && ok;
    file->handle = -1;
    ok = ok && path_of(from, directory, id, "tmp") && path_of(to, directory, id, "seg") &&
         rename(from, to) == 0;
    if (ok && !sync_directory(directory)) {
        (void)unlink(to);
        ok = false;
    }
    cairn__segment_abandon(file, directory, id); /* after a rename there is nothing to remove */
    return ok;
}

void cairn__segment_remove(const char *directory, uint64_t id) {
    char path[PATH_BYTES];
    if (path_of(path, directory, id, "seg")) {
        (void)unlink(path);
    }
}

/* "0000000000000001.seg": the id, and which suffix; false: not ours. */
static bool parse_name(const char *name, uint64_t *id_out, bool *temporary_out) {
    char *end = NULL;
    if (strspn(name, "0123456789abcdef") != NAME_DIGITS) {
        return false;
    }
    *id_out = strtoull(name, &end, 16);
    *temporary_out = strcmp(end, ".tmp") == 0;
    return *temporary_out || strcmp(end, ".seg") == 0;
}

uint64_t cairn__segment_sweep(const char *directory, cairn__segment_listed listed,
                              const void *self) {
    uint64_t highest = 0;
    DIR *files = opendir(directory);
    if (files == NULL) {
        return 0;
    }
    for (struct dirent *file = readdir(files); file != NULL; file = readdir(files)) {
        uint64_t id = 0;
        bool temporary = false;
        char path[PATH_BYTES];
        if (!parse_name(file->d_name, &id, &temporary)) {
            continue;
        }
        highest = id > highest ? id : highest;
        if ((temporary || !listed(self, id)) &&
            path_of(path, directory, id, temporary ? "tmp" : "seg")) {
            (void)unlink(path); /* if that fails, the next open tries again */
        }
    }
    (void)closedir(files);
    return highest;
}
