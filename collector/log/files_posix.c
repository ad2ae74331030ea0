/* files_posix.c: the storage seam on POSIX calls. A name is durable only when its directory was
 * synced, so whoever makes a file syncs the directory before anything is written. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/files.h"

enum { PATH_BYTES_MAX = 4096, FILE_MODE = 0640, DIRECTORY_MODE = 0750 };

static int sync_parent(const char *path) {
    char parent[PATH_BYTES_MAX];
    const char *slash = strrchr(path, '/');
    size_t bytes = slash == NULL ? 0 : (size_t)(slash - path);
    if (bytes >= sizeof parent) {
        return -ENAMETOOLONG;
    }
    memcpy(parent, path, bytes);
    parent[bytes] = 0;
    const char *name = slash == NULL ? "." : bytes == 0 ? "/" : parent;
    int handle = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0) {
        return -errno;
    }
    int code = fsync(handle) == 0 ? 0 : -errno;
    (void)close(handle);
    return code;
}

static int posix_make_directory(void *self, const char *path) {
    (void)self;
    if (mkdir(path, DIRECTORY_MODE) != 0) {
        return errno == EEXIST ? 0 : -errno;
    }
    return sync_parent(path);
}

static int posix_list(void *self, const char *directory, cairn__files_each each, void *context) {
    (void)self;
    DIR *dir = opendir(directory);
    if (dir == NULL) {
        return -errno;
    }
    int code = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        struct stat about;
        if (entry == NULL) {
            code = -errno;
            break;
        }
        if (fstatat(dirfd(dir), entry->d_name, &about, 0) == 0 && S_ISREG(about.st_mode)) {
            each(context, entry->d_name, (uint64_t)about.st_size);
        }
    }
    (void)closedir(dir);
    return code;
}

static int posix_open(void *self, const char *path) {
    (void)self;
    int handle = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (handle < 0) {
        return -errno;
    }
    int code = sync_parent(path);
    if (code < 0) {
        (void)close(handle);
        return code;
    }
    return handle;
}

static int posix_open_read(void *self, const char *path) {
    (void)self;
    int handle = open(path, O_RDONLY | O_CLOEXEC);
    return handle < 0 ? -errno : handle;
}

static int64_t posix_read(void *self, int handle, uint64_t offset, uint8_t *to, size_t bytes) {
    (void)self;
    ssize_t got = -1;
    do {
        got = pread(handle, to, bytes, (off_t)offset);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

static int64_t posix_write(void *self, int handle, uint64_t offset, cairn_span bytes) {
    (void)self;
    ssize_t done = -1;
    do {
        done = pwrite(handle, bytes.data, bytes.len, (off_t)offset);
    } while (done < 0 && errno == EINTR);
    return done < 0 ? -errno : done;
}

static int posix_sync(void *self, int handle) {
    (void)self;
    return fdatasync(handle) == 0 ? 0 : -errno;
}

static int posix_truncate(void *self, int handle, uint64_t bytes) {
    (void)self;
    return ftruncate(handle, (off_t)bytes) == 0 ? 0 : -errno;
}

static int posix_close(void *self, int handle) {
    (void)self;
    return close(handle) == 0 ? 0 : -errno;
}

static int posix_remove(void *self, const char *path) {
    (void)self;
    return unlink(path) == 0 ? 0 : -errno;
}

cairn__files cairn__files_posix(void) {
    return (cairn__files){ .make_directory = posix_make_directory,
                           .list = posix_list,
                           .open = posix_open,
                           .open_read = posix_open_read,
                           .read = posix_read,
                           .write = posix_write,
                           .sync = posix_sync,
                           .truncate = posix_truncate,
                           .close = posix_close,
                           .remove = posix_remove };
}
