#include "fake_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/hash.h"

uint64_t fake_random(fake_disk *disk, uint64_t end) {
    disk->random += 0x9E3779B97F4A7C15u;
    return cairn__mix(disk->random) % end;
}

/* Whether the power is gone, or goes with this very call. */
static bool dark(fake_disk *disk) {
    if (disk->power_calls > 0 && --disk->power_calls == 0) {
        disk->power_gone = true;
    }
    return disk->power_gone;
}

static bool fails(fake_disk *disk) {
    return dark(disk) || fake_random(disk, 100) < disk->fail_percent;
}

fake_file *fake_disk_find(fake_disk *disk, const char *path) {
    for (size_t i = 0; i < FAKE_FILES_MAX; i++) {
        if (disk->files[i].exists && strcmp(disk->files[i].path, path) == 0) {
            return &disk->files[i];
        }
    }
    return NULL;
}

static fake_file *make_file(fake_disk *disk, const char *path) {
    fake_file *file = disk->files;
    while (file->exists) {
        file++;
        CAIRN_ASSERT(file < disk->files + FAKE_FILES_MAX);
    }
    CAIRN_ASSERT(strlen(path) < sizeof file->path);
    memcpy(file->path, path, strlen(path) + 1);
    file->exists = true;
    file->cache_len = 0;
    file->disk_len = 0;
    if (file->cache == NULL) {
        file->cache = calloc(3, FAKE_FILE_BYTES_MAX);
        file->disk = file->cache + FAKE_FILE_BYTES_MAX;
        file->dirty = file->disk + FAKE_FILE_BYTES_MAX;
    }
    memset(file->cache, 0, 3 * FAKE_FILE_BYTES_MAX);
    return file;
}

static int fake_make_directory(void *self, const char *path) {
    (void)path;
    return dark(self) ? -EIO : 0;
}

static int fake_list(void *self, const char *directory, cairn__files_each each, void *context) {
    fake_disk *disk = self;
    size_t skip = strlen(directory) + 1;
    if (dark(disk)) {
        return -EIO;
    }
    each(context, "notes.txt", 3);
    for (size_t i = 0; i < FAKE_FILES_MAX; i++) {
        if (disk->files[i].exists) {
            each(context, disk->files[i].path + skip, disk->files[i].cache_len);
        }
    }
    return 0;
}

/* A failed open may have made the file all the same. */
static int fake_open(void *self, const char *path) {
    fake_disk *disk = self;
    fake_file *file = fake_disk_find(disk, path);
    bool failed = fails(disk);
    if (file == NULL && (!failed || fake_random(disk, 2) == 0)) {
        file = make_file(disk, path);
    }
    if (failed) {
        return -EIO;
    }
    disk->open_handles++;
    return (int)(file - disk->files);
}

static int fake_open_read(void *self, const char *path) {
    fake_disk *disk = self;
    fake_file *file = fake_disk_find(disk, path);
    if (dark(disk)) {
        return -EIO;
    }
    if (file == NULL) {
        return -ENOENT;
    }
    disk->open_handles++;
    return (int)(file - disk->files);
}

static int64_t fake_read(void *self, int handle, uint64_t offset, uint8_t *to, size_t bytes) {
    fake_disk *disk = self;
    fake_file *file = &disk->files[handle];
    if (dark(disk)) {
        return -EIO;
    }
    if (offset >= file->cache_len) {
        return 0;
    }
    size_t left = file->cache_len - (size_t)offset;
    size_t count = left < bytes ? left : bytes;
    memcpy(to, file->cache + offset, count);
    return (int64_t)count;
}

static uint64_t used_bytes(const fake_disk *disk) {
    uint64_t sum = 0;
    for (size_t i = 0; i < FAKE_FILES_MAX; i++) {
        sum += disk->files[i].exists ? disk->files[i].cache_len : 0;
    }
    return sum;
}

static int64_t fake_write(void *self, int handle, uint64_t offset, cairn_span bytes) {
    fake_disk *disk = self;
    fake_file *file = &disk->files[handle];
    bool failed = fails(disk);
    size_t count = bytes.len;
    if (failed || fake_random(disk, 100) < disk->short_percent) {
        count = (size_t)fake_random(disk, bytes.len);
        count = !failed && count == 0 ? 1 : count;
    }
    if (disk->room_bytes != 0 && offset + count > file->cache_len &&
        used_bytes(disk) + (offset + count - file->cache_len) > disk->room_bytes) {
        return -ENOSPC;
    }
    CAIRN_ASSERT(offset + count <= FAKE_FILE_BYTES_MAX);
    memcpy(file->cache + offset, bytes.data, count);
    memset(file->dirty + offset, 1, count);
    file->cache_len = offset + count > file->cache_len ? (size_t)offset + count : file->cache_len;
    return failed ? -EIO : (int64_t)count;
}

/* Let some of the dirty sectors through, `percent` of them. */
static void leak_dirty(fake_disk *disk, fake_file *file, unsigned percent) {
    for (size_t at = 0; at < file->cache_len; at += FAKE_SECTOR_BYTES) {
        bool through = fake_random(disk, 100) < percent;
        for (size_t i = at; through && i < at + FAKE_SECTOR_BYTES && i < file->cache_len; i++) {
            if (file->dirty[i] != 0) {
                file->disk[i] = file->cache[i];
                file->disk_len = i + 1 > file->disk_len ? i + 1 : file->disk_len;
            }
        }
    }
}

static int fake_sync(void *self, int handle) {
    fake_disk *disk = self;
    fake_file *file = &disk->files[handle];
    if (disk->power_gone || dark(disk)) {
        return -EIO;
    }
    bool failed = fake_random(disk, 100) < disk->fail_percent;
    if (failed) {
        leak_dirty(disk, file, 30);
    } else {
        leak_dirty(disk, file, 100);
        file->disk_len = file->cache_len;
    }
    memset(file->dirty, 0, FAKE_FILE_BYTES_MAX);
    return failed ? -EIO : 0;
}

static int fake_truncate(void *self, int handle, uint64_t bytes) {
    fake_disk *disk = self;
    fake_file *file = &disk->files[handle];
    if (fails(disk)) {
        return -EIO;
    }
    memset(file->cache + bytes, 0, FAKE_FILE_BYTES_MAX - bytes);
    memset(file->dirty + bytes, 0, FAKE_FILE_BYTES_MAX - bytes);
    file->cache_len = (size_t)bytes;
    return 0;
}

static int fake_close(void *self, int handle) {
    fake_disk *disk = self;
    (void)handle;
    CAIRN_ASSERT(disk->open_handles > 0);
    disk->open_handles--;
    return 0;
}

static int fake_remove(void *self, const char *path) {
    fake_disk *disk = self;
    fake_file *file = fake_disk_find(disk, path);
    if (fails(disk)) {
        return -EIO;
    }
    if (file == NULL) {
        return -ENOENT;
    }
    file->exists = false;
    return 0;
}

void fake_disk_power_cut(fake_disk *disk) {
    for (size_t i = 0; i < FAKE_FILES_MAX; i++) {
        fake_file *file = &disk->files[i];
        if (!file->exists) {
            continue;
        }
        leak_dirty(disk, file, (unsigned)fake_random(disk, 101));
        bool cut_is_down = file->cache_len < file->disk_len && fake_random(disk, 2) == 0;
        file->disk_len = cut_is_down ? file->cache_len : file->disk_len;
        memset(file->disk + file->disk_len, 0, FAKE_FILE_BYTES_MAX - file->disk_len);
        memcpy(file->cache, file->disk, FAKE_FILE_BYTES_MAX);
        memset(file->dirty, 0, FAKE_FILE_BYTES_MAX);
        file->cache_len = file->disk_len;
    }
    disk->power_gone = false;
    disk->power_calls = 0;
    disk->fail_percent = 0;
    disk->short_percent = 0;
}

fake_disk *fake_disk_make(uint64_t seed) {
    fake_disk *disk = calloc(1, sizeof *disk);
    disk->random = seed;
    return disk;
}

void fake_disk_free(fake_disk *disk) {
    CAIRN_ASSERT(disk->open_handles == 0);
    for (size_t i = 0; i < FAKE_FILES_MAX; i++) {
        free(disk->files[i].cache);
    }
    free(disk);
}

cairn__files fake_disk_files(fake_disk *disk) {
    return (cairn__files){ .make_directory = fake_make_directory,
                           .list = fake_list,
                           .open = fake_open,
                           .open_read = fake_open_read,
                           .read = fake_read,
                           .write = fake_write,
                           .sync = fake_sync,
                           .truncate = fake_truncate,
                           .close = fake_close,
                           .remove = fake_remove,
                           .self = disk };
}
