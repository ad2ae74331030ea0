/* files.c: see files.h. Appends of one round are written one after the other and made durable by
 * one fdatasync for each of the two rooms, before anything else is touched: after a crash the
 * directory holds a beginning of what was submitted, as the seam asks. After a failed fdatasync
 * nobody knows what is on the disk, so everything since the last good one counts as failed. */
#include "port/posix/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum {
    NAME_BYTES_MAX = 32,
    FILE_BYTES_MAX = 5 * 1024 * 1024, /* of one that is read back; a bundle has at most 4 MiB */
    SLOTS = 4,
    SEGMENTS_MAX = 65536 /* files of the log that are read back */
};

typedef enum op_kind { OP_APPEND, OP_REMOVE, OP_STATE } op_kind;

struct cairn__files_op { /* the bytes follow in memory */
    cairn__files_op *next;
    op_kind kind;
    uint32_t ticket;
    uint32_t number;
    size_t len;
    bool durable;
};

/* --- the seam ----------------------------------------------------------------------------------*/

/* There was no memory for it: it is answered as not done. 0 is no ticket. */
static void lose(cairn__files_ops *ops, uint32_t ticket) {
    uint32_t range = ticket >> 30;
    ops->lost[range].first = ops->lost[range].first == 0 ? ticket : ops->lost[range].first;
    ops->lost[range].last = ticket;
}

static void push(cairn__files *files, const cairn__files_op *wanted, cairn_span bytes) {
    files->submitted += 1;
    files->waiting.count += 1;
    cairn__files_op *op = malloc(sizeof *op + bytes.len);
    if (op == NULL) {
        lose(&files->waiting, wanted->ticket);
        return;
    }
    *op = *wanted;
    op->len = bytes.len;
    if (bytes.len > 0) {
        memcpy(op + 1, bytes.data, bytes.len);
    }
    if (files->waiting.last == NULL) {
        files->waiting.first = op;
    } else {
        files->waiting.last->next = op;
    }
    files->waiting.last = op;
}

static void submit_append(void *self, uint32_t ticket, uint32_t segment, cairn_span bytes) {
    push(self, &(cairn__files_op){ .kind = OP_APPEND, .ticket = ticket, .number = segment }, bytes);
}

static void submit_remove(void *self, uint32_t ticket, uint32_t segment) {
    push(self, &(cairn__files_op){ .kind = OP_REMOVE, .ticket = ticket, .number = segment },
         (cairn_span){ NULL, 0 });
}

static void submit_state(void *self, uint32_t ticket, uint32_t slot, cairn_span bytes) {
    push(self, &(cairn__files_op){ .kind = OP_STATE, .ticket = ticket, .number = slot }, bytes);
}

cairn_storage cairn__files_seam(cairn__files *files) {
    return (cairn_storage){ submit_append, submit_remove, submit_state, files };
}

/* --- opening -----------------------------------------------------------------------------------*/

static void segment_name(char name[NAME_BYTES_MAX], uint32_t number) {
    (void)snprintf(name, NAME_BYTES_MAX, "log-%08x", (unsigned)number);
}

static void close_file(int *file) {
    if (*file >= 0) {
        (void)close(*file);
    }
    *file = -1;
}

static void close_segments(cairn__files *files) {
    close_file(&files->segments[0].file);
    close_file(&files->segments[1].file);
}

static cairn_status lock_directory(cairn__files *files, bool makes) {
    int flags = O_RDWR | O_CLOEXEC | (makes ? O_CREAT : 0);
    files->lock = openat(files->directory, "lock", flags, 0600);
    if (files->lock < 0) {
        return errno == ENOENT ? CAIRN_NOT_FOUND : CAIRN_STORAGE;
    }
    if (flock(files->lock, LOCK_EX | LOCK_NB) == 0) {
        return CAIRN_OK;
    }
    return errno == EWOULDBLOCK ? CAIRN_BUSY : CAIRN_STORAGE;
}

/* CAIRN_NOT_FOUND: it is not there, and is not to be made. */
static cairn_status open_directory(cairn__files *files, bool makes) {
    if (makes && mkdir(files->path, 0700) != 0 && errno != EEXIST) {
        return CAIRN_STORAGE;
    }
    files->directory = open(files->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (files->directory < 0) {
        return errno == ENOENT && !makes ? CAIRN_NOT_FOUND : CAIRN_STORAGE;
    }
    cairn_status status = lock_directory(files, makes);
    if (status != CAIRN_OK) {
        close_file(&files->lock);
        close_file(&files->directory);
    }
    return status;
}

cairn_status cairn__files_open(cairn__files *files, const char *directory, bool makes) {
    *files = (cairn__files){ .directory = -1, .lock = -1, .segments = { { -1 }, { -1 } } };
    if (directory == NULL) {
        return CAIRN_OK;
    }
    files->path = strdup(directory);
    if (files->path == NULL) {
        return CAIRN_NO_MEMORY;
    }
    cairn_status status = open_directory(files, makes);
    if (status == CAIRN_NOT_FOUND) {
        return CAIRN_OK; /* perform() makes it */
    }
    if (status != CAIRN_OK) {
        cairn__files_close(files);
    }
    return status;
}

static void slot_name(char name[NAME_BYTES_MAX], uint32_t slot) {
    (void)snprintf(name, NAME_BYTES_MAX, "state-%u", (unsigned)slot);
}

static bool holds_state(const cairn__files *files) {
    bool found = false;
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        char name[NAME_BYTES_MAX];
        slot_name(name, slot);
        found = found || faccessat(files->directory, name, F_OK, 0) == 0 || errno != ENOENT;
    }
    return found;
}

void cairn__files_purged(void *self) {
    cairn__files *files = self;
    if (files->directory < 0 || files->waiting.first != NULL || holds_state(files)) {
        return;
    }
    close_segments(files);
    (void)unlinkat(files->directory, "lock", 0);
    (void)rmdir(files->path); /* refused where it holds what is not ours */
    close_file(&files->lock);
    close_file(&files->directory);
}

static void free_ops(cairn__files_ops *ops) {
    while (ops->first != NULL) {
        cairn__files_op *op = ops->first;
        ops->first = op->next;
        free(op);
    }
    ops->last = NULL;
}

void cairn__files_close(cairn__files *files) {
    free_ops(&files->waiting);
    close_segments(files);
    close_file(&files->lock);
    close_file(&files->directory);
    free(files->path);
    files->path = NULL;
}

/* --- reading back ------------------------------------------------------------------------------*/

/* All of a file; one that is not there is empty. False: it cannot be read. */
static bool read_file(const cairn__files *files, const char *name, cairn__buffer *to) {
    cairn__buffer_clear(to);
    int file = openat(files->directory, name, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return errno == ENOENT;
    }
    struct stat about;
    bool read_all = fstat(file, &about) == 0;
    size_t wanted = read_all && about.st_size < FILE_BYTES_MAX ? (size_t)about.st_size : 0;
    uint8_t *at = cairn__buffer_extend(to, wanted);
    size_t got = 0;
    while (read_all && at != NULL && got < wanted) {
        ssize_t part = read(file, at + got, wanted - got);
        if (part < 0 && errno == EINTR) {
            continue;
        }
        read_all = part >= 0;
        if (part <= 0) {
            break;
        }
        got += (size_t)part;
    }
    to->len = got;
    (void)close(file);
    return read_all && at != NULL;
}

static int ascending(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

/* The numbers of the log's files, in their order. False: the directory cannot be read. */
static bool list_segments(const cairn__files *files, cairn__buffer *numbers) {
    int copy = openat(files->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = copy < 0 ? NULL : fdopendir(copy);
    if (listing == NULL) {
        close_file(&copy);
        return false;
    }
    for (const struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        char *end = NULL;
        if (strncmp(entry->d_name, "log-", 4) != 0) {
            continue;
        }
        unsigned long number = strtoul(entry->d_name + 4, &end, 16);
        if (*end == '\0' && number <= UINT32_MAX) {
            cairn__buffer_u32(numbers, (uint32_t)number);
        }
    }
    (void)closedir(listing);
    if (numbers->len > 0) {
        qsort(numbers->data, numbers->len / sizeof(uint32_t), sizeof(uint32_t), ascending);
    }
    return !numbers->failed;
}

static bool restore_file(cairn__files *files, cairn_client *client, uint32_t number,
                         cairn__buffer *bytes) {
    char name[NAME_BYTES_MAX];
    segment_name(name, number);
    if (!read_file(files, name, bytes)) {
        return false;
    }
    (void)cairn_restore(client, CAIRN_SPACE_LOG, number, cairn__buffer_span(bytes));
    return true;
}

cairn_status cairn__files_restore(cairn__files *files, cairn_client *client) {
    if (files->directory < 0) {
        return CAIRN_OK;
    }
    cairn__buffer bytes = cairn__buffer_make(cairn__heap(), FILE_BYTES_MAX);
    cairn__buffer numbers = cairn__buffer_make(cairn__heap(), SEGMENTS_MAX * sizeof(uint32_t));
    bool read_all = true;
    for (uint32_t slot = 0; slot < SLOTS && read_all; slot++) {
        char name[NAME_BYTES_MAX];
        slot_name(name, slot);
        read_all = read_file(files, name, &bytes);
        (void)cairn_restore(client, CAIRN_SPACE_STATE, slot, cairn__buffer_span(&bytes));
    }
    read_all = read_all && list_segments(files, &numbers);
    for (size_t i = 0; i < numbers.len / sizeof(uint32_t) && read_all; i++) {
        uint32_t number = 0;
        memcpy(&number, numbers.data + i * sizeof number, sizeof number);
        read_all = restore_file(files, client, number, &bytes);
    }
    cairn__buffer_free(&bytes);
    cairn__buffer_free(&numbers);
    return read_all ? CAIRN_OK : CAIRN_STORAGE;
}

/* --- writing -----------------------------------------------------------------------------------*/

static bool write_all(int file, const uint8_t *bytes, size_t len) {
    while (len > 0) {
        ssize_t part = write(file, bytes, len);
        if (part < 0 && errno == EINTR) {
            continue;
        }
        if (part <= 0) {
            return false;
        }
        bytes += part;
        len -= (size_t)part;
    }
    return true;
}

/* Of the queue, or of what the device knows: segments from 2^31 on. */
static size_t room_of(uint32_t number) {
    return number >> 31;
}

static bool open_segment(const cairn__files *files, cairn__files_segment *segment,
                         uint32_t number) {
    if (segment->file >= 0 && segment->number == number) {
        return true;
    }
    char name[NAME_BYTES_MAX];
    segment_name(name, number);
    close_file(&segment->file);
    segment->file = openat(files->directory, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    segment->number = number;
    segment->made = true;
    segment->bytes = segment->file < 0 ? -1 : (int64_t)lseek(segment->file, 0, SEEK_END);
    return segment->bytes >= 0;
}

static bool append(const cairn__files *files, cairn__files_segment *segment,
                   const cairn__files_op *op) {
    if (!open_segment(files, segment, op->number)) {
        return false;
    }
    if (!write_all(segment->file, (const uint8_t *)(op + 1), op->len)) {
        (void)ftruncate(segment->file, (off_t)segment->bytes); /* tidy, not needed */
        return false;
    }
    segment->bytes += (int64_t)op->len;
    return true;
}

static bool sync_segment(const cairn__files *files, cairn__files_segment *segment) {
    if (segment->file < 0 || fdatasync(segment->file) != 0) {
        return false;
    }
    if (segment->made && fsync(files->directory) != 0) {
        return false;
    }
    segment->made = false;
    return true;
}

/* A slot without bytes is no file; nor is what a write of one may have left. */
static bool clear_slot(cairn__files *files, const char *name, const char *fresh) {
    bool gone = unlinkat(files->directory, name, 0) == 0 || errno == ENOENT;
    bool left = unlinkat(files->directory, fresh, 0) != 0 && errno != ENOENT;
    return gone && !left && fsync(files->directory) == 0;
}

static bool write_slot(cairn__files *files, const cairn__files_op *op) {
    char name[NAME_BYTES_MAX];
    slot_name(name, op->number);
    const char *fresh = "state-new";
    if (op->len == 0) {
        return clear_slot(files, name, fresh);
    }
    int file = openat(files->directory, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) {
        return false;
    }
    bool written = write_all(file, (const uint8_t *)(op + 1), op->len) && fdatasync(file) == 0;
    (void)close(file);
    return written && renameat(files->directory, fresh, files->directory, name) == 0 &&
           fsync(files->directory) == 0;
}

static bool remove_segment(cairn__files *files, uint32_t number) {
    char name[NAME_BYTES_MAX];
    segment_name(name, number);
    cairn__files_segment *segment = &files->segments[room_of(number)];
    if (segment->number == number) {
        close_file(&segment->file); /* the number may come again, after a purge */
    }
    return unlinkat(files->directory, name, 0) == 0 || errno == ENOENT;
}

static cairn__files_op *next_of_room(cairn__files_op *op, const cairn__files_op *end, size_t room) {
    while (op != end && room_of(op->number) != room) {
        op = op->next;
    }
    return op;
}

/* Appends to one segment, made durable together; the room's first that is to another one. */
static cairn__files_op *append_segment(cairn__files *files, cairn__files_op *first,
                                       const cairn__files_op *end) {
    size_t room = room_of(first->number);
    cairn__files_segment *segment = &files->segments[room];
    cairn__files_op *op = first;
    while (op != end && op->number == first->number) {
        op->durable = append(files, segment, op);
        op = next_of_room(op->next, end, room);
    }
    bool synced = sync_segment(files, segment);
    for (cairn__files_op *at = first; at != op; at = next_of_room(at->next, end, room)) {
        at->durable = at->durable && synced;
    }
    return op;
}

/* A run of appends: first all of the queue, then what the device knows, which must never be ahead
 * of it: two syncs for any number of events. The first operation that is no append. */
static cairn__files_op *append_run(cairn__files *files, cairn__files_op *first) {
    cairn__files_op *end = first;
    while (end != NULL && end->kind == OP_APPEND) {
        end = end->next;
    }
    for (size_t room = 0; room < 2; room++) {
        cairn__files_op *op = next_of_room(first, end, room);
        while (op != end) {
            op = append_segment(files, op, end);
        }
    }
    return end;
}

cairn__files_ops cairn__files_take(cairn__files *files) {
    cairn__files_ops taken = files->waiting;
    files->waiting = (cairn__files_ops){ .first = NULL };
    return taken;
}

void cairn__files_perform(cairn__files *files, const cairn__files_ops *ops) {
    cairn__files_op *op = ops->first;
    if (files->path != NULL && files->directory < 0 && op != NULL &&
        open_directory(files, true) != CAIRN_OK) {
        return; /* none of them is durable; the client tries again */
    }
    while (op != NULL) {
        if (files->path == NULL) {
            op->durable = true; /* as durable as memory is */
        } else if (op->kind == OP_APPEND) {
            op = append_run(files, op);
            continue;
        } else if (op->kind == OP_STATE) {
            op->durable = write_slot(files, op);
        } else {
            op->durable = remove_segment(files, op->number);
        }
        op = op->next;
    }
}

static bool is_listed(const cairn__files_ops *ops, uint32_t ticket) {
    const cairn__files_op *op = ops->first;
    while (op != NULL && op->ticket != ticket) {
        op = op->next;
    }
    return op != NULL;
}

static void answer_lost(const cairn__files_ops *ops, uint32_t range, cairn_client *client) {
    uint32_t ticket = ops->lost[range].first;
    while (ticket != 0) {
        if (!is_listed(ops, ticket)) {
            cairn_storage_done(client, ticket, false);
        }
        ticket = ticket == ops->lost[range].last ? 0 : ticket + 1;
    }
}

void cairn__files_answer(cairn__files *files, cairn__files_ops *ops, cairn_client *client) {
    files->answered += ops->count;
    for (const cairn__files_op *op = ops->first; op != NULL; op = op->next) {
        cairn_storage_done(client, op->ticket, op->durable);
    }
    for (uint32_t range = 0; range < CAIRN__FILES_RANGES; range++) {
        answer_lost(ops, range, client);
    }
    free_ops(ops);
}
