/* vfs.c: SQLite's files as the host's: two of them, by number, each read and written at an offset
 * at once (OPFS synchronous access handles in a worker; plain arrays in tests). The host opens both
 * before anything runs and closes them after, so nothing here waits, and one instance is the only
 * one that has them: locks have nothing to do.
 *
 * Durability: file_flush returns when the host has flushed. The rollback journal is truncated,
 * never deleted; a journal of length 0 is one that is not there. */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define IMPORT(name) __attribute__((import_module("cairn"), import_name(name)))

enum { FILE_DATABASE = 0, FILE_JOURNAL = 1, PATH_BYTES_MAX = 64, SECTOR_BYTES = 4096 };

IMPORT("now_ms") double host_now_ms(void);
/** Bytes read, or -1. */
IMPORT("file_read")
int32_t host_file_read(uint32_t file, uint8_t *to, uint32_t bytes, uint32_t offset);
/** 0: done; these below too. */
IMPORT("file_write")
int32_t host_file_write(uint32_t file, const uint8_t *from, uint32_t bytes, uint32_t offset);
IMPORT("file_truncate") int32_t host_file_truncate(uint32_t file, uint32_t bytes);
IMPORT("file_flush") int32_t host_file_flush(uint32_t file);
/** Bytes, or -1. */
IMPORT("file_size") int32_t host_file_size(uint32_t file);

typedef struct vfs_file {
    sqlite3_file base;
    uint32_t number;
} vfs_file;

static uint32_t number_of(sqlite3_file *file) {
    return ((vfs_file *)file)->number;
}

/* --- one file -------------------------------------------------------------------------------- */

static int file_close(sqlite3_file *file) {
    (void)file;
    return SQLITE_OK;
}

static int file_read(sqlite3_file *file, void *to, int bytes, sqlite3_int64 offset) {
    int32_t got = host_file_read(number_of(file), to, (uint32_t)bytes, (uint32_t)offset);
    if (got < 0) {
        return SQLITE_IOERR_READ;
    }
    if (got < bytes) {
        memset((uint8_t *)to + got, 0, (size_t)(bytes - got));
        return SQLITE_IOERR_SHORT_READ;
    }
    return SQLITE_OK;
}

static int file_write(sqlite3_file *file, const void *from, int bytes, sqlite3_int64 offset) {
    int32_t result = host_file_write(number_of(file), from, (uint32_t)bytes, (uint32_t)offset);
    return result == 0 ? SQLITE_OK : SQLITE_FULL;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 bytes) {
    int32_t result = host_file_truncate(number_of(file), (uint32_t)bytes);
    return result == 0 ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

static int file_sync(sqlite3_file *file, int flags) {
    (void)flags;
    return host_file_flush(number_of(file)) == 0 ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *bytes_out) {
    int32_t bytes = host_file_size(number_of(file));
    *bytes_out = bytes;
    return bytes < 0 ? SQLITE_IOERR_FSTAT : SQLITE_OK;
}

static int file_lock(sqlite3_file *file, int level) {
    (void)file;
    (void)level;
    return SQLITE_OK;
}

static int file_is_reserved(sqlite3_file *file, int *reserved_out) {
    (void)file;
    *reserved_out = 0;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *file, int what, void *argument) {
    (void)file;
    (void)what;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int file_sector_bytes(sqlite3_file *file) {
    (void)file;
    return SECTOR_BYTES;
}

static int file_characteristics(sqlite3_file *file) {
    (void)file;
    return 0;
}

/* --- the two --------------------------------------------------------------------------------- */

static uint32_t number_of_name(const char *name) {
    static const char suffix[] = "-journal";
    size_t len = strlen(name);
    size_t suffix_len = sizeof suffix - 1;
    bool journal = len >= suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
    return journal ? FILE_JOURNAL : FILE_DATABASE;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                    int *flags_out) {
    static const sqlite3_io_methods methods = { .iVersion = 1,
                                                .xClose = file_close,
                                                .xRead = file_read,
                                                .xWrite = file_write,
                                                .xTruncate = file_truncate,
                                                .xSync = file_sync,
                                                .xFileSize = file_size,
                                                .xLock = file_lock,
                                                .xUnlock = file_lock,
                                                .xCheckReservedLock = file_is_reserved,
                                                .xFileControl = file_control,
                                                .xSectorSize = file_sector_bytes,
                                                .xDeviceCharacteristics = file_characteristics };
    (void)vfs;
    file->pMethods = NULL;
    if (name == NULL) {
        return SQLITE_CANTOPEN; /* what is temporary is in memory (SQLITE_TEMP_STORE=3) */
    }
    ((vfs_file *)file)->number = number_of_name(name);
    file->pMethods = &methods;
    if (flags_out != NULL) {
        *flags_out = flags;
    }
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync) {
    (void)vfs;
    (void)sync;
    return host_file_truncate(number_of_name(name), 0) == 0 ? SQLITE_OK : SQLITE_IOERR_DELETE;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result_out) {
    (void)vfs;
    (void)flags;
    *result_out = host_file_size(number_of_name(name)) > 0;
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int bytes_max, char *to) {
    size_t bytes = strlen(name) + 1;
    (void)vfs;
    if (bytes > (size_t)bytes_max) {
        return SQLITE_CANTOPEN;
    }
    memcpy(to, name, bytes);
    return SQLITE_OK;
}

/* Names for savepoints and the like; nothing is protected by it. */
static int vfs_randomness(sqlite3_vfs *vfs, int bytes, char *to) {
    uint64_t state = (uint64_t)host_now_ms() | 1;
    (void)vfs;
    for (int i = 0; i < bytes; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        to[i] = (char)(state >> 56);
    }
    return bytes;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) {
    (void)vfs;
    return microseconds; /* nobody else holds the files: there is nothing to wait for */
}

static int vfs_time(sqlite3_vfs *vfs, sqlite3_int64 *ms_out) {
    const sqlite3_int64 julian_1970_ms = INT64_C(210866760000000);
    (void)vfs;
    *ms_out = julian_1970_ms + (sqlite3_int64)host_now_ms();
    return SQLITE_OK;
}

static int vfs_days(sqlite3_vfs *vfs, double *days_out) {
    const double day_ms = 86400000.0;
    sqlite3_int64 ms = 0;
    (void)vfs_time(vfs, &ms);
    *days_out = (double)ms / day_ms;
    return SQLITE_OK;
}

int sqlite3_os_init(void) {
    static sqlite3_vfs vfs = { .iVersion = 2,
                               .szOsFile = sizeof(vfs_file),
                               .mxPathname = PATH_BYTES_MAX,
                               .zName = "host",
                               .xOpen = vfs_open,
                               .xDelete = vfs_delete,
                               .xAccess = vfs_access,
                               .xFullPathname = vfs_full_path,
                               .xRandomness = vfs_randomness,
                               .xSleep = vfs_sleep,
                               .xCurrentTime = vfs_days,
                               .xCurrentTimeInt64 = vfs_time };
    return sqlite3_vfs_register(&vfs, 1);
}

int sqlite3_os_end(void) {
    return SQLITE_OK;
}
