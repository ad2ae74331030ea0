/* fake_files.h: a disk in memory that fails on command and forgets what was not made durable.
 *
 * Every byte of a file is clean or dirty. A sync writes the dirty ones down; a failing sync marks
 * them clean without having done so (as Linux does), except for a few that happened to get through.
 * A power cut keeps what is down, and any of the dirty sectors. */
#ifndef CAIRN_TESTS_FAKE_FILES_H
#define CAIRN_TESTS_FAKE_FILES_H

#include "log/files.h"

enum { FAKE_FILES_MAX = 256, FAKE_FILE_BYTES_MAX = 32 * 1024, FAKE_SECTOR_BYTES = 64 };

typedef struct fake_file {
    char path[64];
    bool exists;
    uint8_t *cache, *disk, *dirty;
    size_t cache_len, disk_len;
} fake_file;

typedef struct fake_disk {
    fake_file files[FAKE_FILES_MAX];
    uint64_t random;        /* state; the seed is the history */
    unsigned fail_percent;  /* of write, sync, open, truncate */
    unsigned short_percent; /* of writes that write a part only */
    uint64_t power_calls;   /* calls until the power goes; 0: it stays */
    bool power_gone;
    uint64_t room_bytes; /* of all files together; 0: no end */
    unsigned open_handles;
} fake_disk;

fake_disk *fake_disk_make(uint64_t seed);
void fake_disk_free(fake_disk *disk);
cairn__files fake_disk_files(fake_disk *disk);
/** The power goes and comes back. No fault is left armed. */
void fake_disk_power_cut(fake_disk *disk);
fake_file *fake_disk_find(fake_disk *disk, const char *path);
/** A number below `end` (not 0) from the disk's own sequence. */
uint64_t fake_random(fake_disk *disk, uint64_t end);

#endif
