/* writer.c: whole batches, durable or not there.
 *
 * Why a crash cannot lose an acknowledged batch: a batch is acknowledged after write and fdatasync
 * of its file; the file's name is durable since it was made. Why a failed fdatasync cannot either:
 * after one the kernel may have dropped the pages and call the file clean, so a second fdatasync
 * would prove nothing. The batch is written again into another file, whose name is the position at
 * which the batch begins, and readers leave a file where the next one begins. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "log/segments.h"

struct cairn__log_writer {
    cairn__files files;
    cairn_allocator allocator;
    cairn__segments segments; /* scratch of open and trim */
    uint64_t segment_bytes;
    uint64_t known;    /* durable once, whatever the files say */
    uint64_t start;    /* of the current segment */
    uint64_t position; /* all before it is durable */
    int handle;        /* of the current segment; -1: none is open */
    bool suspect;      /* the current segment has failed: begin another */
    char directory[CAIRN__LOG_PATH_BYTES_MAX];
};

static void path_of(const cairn__log_writer *writer, uint64_t start, char *to) {
    bool fits = cairn__segment_path(to, writer->directory, start);
    CAIRN_ASSERT(fits); /* open has tried the longest */
}

static cairn_status refuse(cairn__log_problem *problem, const char *path, const char *what,
                           int error) {
    cairn__log_say(problem, path, what, error,
                   error == -ENOSPC ? "make room on the disk; writing goes on by itself then"
                                    : "check the disk; each later batch tries again");
    return CAIRN_STORAGE;
}

/* The file at this position holds nothing that was acknowledged, if it is there at all. */
static cairn_status begin_segment(cairn__log_writer *writer, cairn__log_problem *problem) {
    const cairn__files *files = &writer->files;
    char path[CAIRN__LOG_PATH_BYTES_MAX];
    path_of(writer, writer->position, path);
    if (writer->handle >= 0) {
        (void)files->close(files->self, writer->handle);
        writer->handle = -1;
    }
    writer->suspect = true;
    int handle = files->open(files->self, path);
    if (handle < 0) {
        return refuse(problem, path, "cannot be made", handle);
    }
    int code = files->truncate(files->self, handle, 0);
    if (code < 0) {
        (void)files->close(files->self, handle);
        return refuse(problem, path, "cannot be emptied", code);
    }
    writer->handle = handle;
    writer->start = writer->position;
    writer->suspect = false;
    return CAIRN_OK;
}

static int write_all(const cairn__log_writer *writer, cairn_span batch) {
    uint64_t offset = writer->position - writer->start;
    while (batch.len > 0) {
        int64_t done = writer->files.write(writer->files.self, writer->handle, offset, batch);
        if (done <= 0) {
            return done == 0 ? -EIO : (int)done;
        }
        CAIRN_ASSERT((uint64_t)done <= batch.len);
        batch = (cairn_span){ batch.data + done, batch.len - (size_t)done };
        offset += (uint64_t)done;
    }
    return writer->files.sync(writer->files.self, writer->handle);
}

static cairn_status try_write(cairn__log_writer *writer, cairn_span batch,
                              cairn__log_problem *problem) {
    uint64_t in_segment = writer->position - writer->start;
    if (writer->suspect || writer->handle < 0 || in_segment >= writer->segment_bytes) {
        cairn_status status = begin_segment(writer, problem);
        if (status != CAIRN_OK) {
            return status;
        }
        in_segment = 0;
    }
    int code = write_all(writer, batch);
    if (code < 0) {
        char path[CAIRN__LOG_PATH_BYTES_MAX];
        path_of(writer, writer->start, path);
        writer->suspect = true;
        /* Gives a full disk its room back; what stays when it fails, readers do not look at. */
        (void)writer->files.truncate(writer->files.self, writer->handle, in_segment);
        return refuse(problem, path, "a batch could not be made durable", code);
    }
    writer->position += batch.len;
    return CAIRN_OK;
}

cairn_status cairn__log_write(cairn__log_writer *writer, cairn_span batch,
                              cairn__log_problem *problem_out) {
    if (batch.len == 0) {
        return CAIRN_OK;
    }
    cairn_status status = try_write(writer, batch, problem_out);
    if (status != CAIRN_OK && writer->handle >= 0) {
        status = try_write(writer, batch, problem_out); /* in a new file */
    }
    return status;
}

/* --- open ------------------------------------------------------------------------------------ */

/* Sizes only: what is inside the older files is checked by whoever reads them. */
static cairn_status check_older(cairn__log_writer *writer, cairn__log_problem *problem) {
    for (size_t i = 0; i + 1 < writer->segments.count; i++) {
        cairn__segment one = writer->segments.items[i];
        if (one.bytes < writer->segments.items[i + 1].start - one.start) {
            char path[CAIRN__LOG_PATH_BYTES_MAX];
            path_of(writer, one.start, path);
            cairn__log_say(problem, path, "is shorter than the next file's name says", 0,
                           "restore it from a copy, or move the files before the next one away");
            return CAIRN_STORAGE;
        }
    }
    return CAIRN_OK;
}

/* *end: where to begin (an entry's first byte), then where the last whole entry ends. */
static cairn_status find_end(cairn__log_writer *writer, const char *path, uint64_t *end,
                             cairn__log_problem *problem) {
    cairn__window window = { .files = &writer->files, .allocator = writer->allocator };
    cairn__finding finding;
    uint64_t offset = *end;
    for (;;) {
        finding = cairn__window_entry(&window, writer->handle, offset);
        if (finding.found != CAIRN__FOUND_ENTRY) {
            break;
        }
        offset += finding.bytes;
    }
    cairn__window_free(&window);
    *end = offset;
    if (finding.found == CAIRN__FOUND_ERROR) {
        return refuse(problem, path, "cannot be read",
                      finding.status == CAIRN_NO_MEMORY ? ENOMEM : EIO);
    }
    return CAIRN_OK;
}

static int copy_bytes(cairn__log_writer *writer, cairn__window *window, cairn__segment from,
                      int handle) {
    uint64_t written = 0;
    while (from.start + written < from.bytes) {
        cairn_span bytes;
        cairn_status status = cairn__window_at(window, writer->handle, from.start + written,
                                               CAIRN__LOG_WINDOW_BYTES, &bytes);
        if (status != CAIRN_OK || bytes.len == 0) {
            return -EIO;
        }
        bytes.len = bytes.len < CAIRN__LOG_WINDOW_BYTES ? bytes.len : CAIRN__LOG_WINDOW_BYTES;
        int64_t done = writer->files.write(writer->files.self, handle, written, bytes);
        if (done <= 0) {
            return done == 0 ? -EIO : (int)done;
        }
        written += (uint64_t)done;
    }
    return writer->files.sync(writer->files.self, handle);
}

/* A copy of the file's bytes from offset `end` on, as torn-POSITION. Damage of acknowledged entries
 * would look the same, and then somebody wants to read them. */
static int keep_tail(cairn__log_writer *writer, cairn__segment last, uint64_t end) {
    char path[CAIRN__LOG_PATH_BYTES_MAX];
    unsigned long long position = last.start + end;
    int len = snprintf(path, sizeof path, "%s/torn-%020llu", writer->directory, position);
    int handle = len < 0 || (size_t)len >= sizeof path
                     ? -ENAMETOOLONG
                     : writer->files.open(writer->files.self, path);
    if (handle < 0) {
        return handle;
    }
    cairn__window window = { .files = &writer->files, .allocator = writer->allocator };
    int code = copy_bytes(writer, &window, (cairn__segment){ end, last.bytes }, handle);
    cairn__window_free(&window);
    (void)writer->files.close(writer->files.self, handle);
    return code;
}

static cairn_status check_known(const cairn__log_writer *writer, cairn__log_problem *problem) {
    if (writer->position >= writer->known) {
        return CAIRN_OK;
    }
    char what[128];
    (void)snprintf(what, sizeof what, "ends at %llu, and the state has folded it up to %llu",
                   (unsigned long long)writer->position, (unsigned long long)writer->known);
    cairn__log_say(problem, writer->directory, what, 0,
                   "restore the newest file from a copy; nothing was changed");
    return CAIRN_STORAGE;
}

/* Cut what a crash left behind the last whole entry, and make all before it durable: a process that
 * was killed between write and fdatasync has left whole entries in the kernel's memory only. */
static cairn_status take_up_last(cairn__log_writer *writer, cairn__log_problem *problem) {
    cairn__segment last = writer->segments.items[writer->segments.count - 1];
    char path[CAIRN__LOG_PATH_BYTES_MAX];
    path_of(writer, last.start, path);
    writer->handle = writer->files.open(writer->files.self, path);
    if (writer->handle < 0) {
        return refuse(problem, path, "cannot be opened", writer->handle);
    }
    uint64_t end = writer->known > last.start ? writer->known - last.start : 0;
    end = end < last.bytes ? end : last.bytes;
    cairn_status status = find_end(writer, path, &end, problem);
    writer->start = last.start;
    writer->position = last.start + end;
    if (status == CAIRN_OK) {
        status = check_known(writer, problem);
    }
    if (status != CAIRN_OK) {
        return status;
    }
    int code = 0;
    if (end < last.bytes) {
        bool kept = keep_tail(writer, last, end) >= 0;
        code = writer->files.truncate(writer->files.self, writer->handle, end);
        char what[128];
        (void)snprintf(what, sizeof what, "cut %llu bytes of a torn tail at offset %llu%s",
                       (unsigned long long)(last.bytes - end), (unsigned long long)end,
                       kept ? ", kept as torn-*" : "; they could not be kept");
        cairn__log_say(problem, path, what, 0, "nothing of it was acknowledged");
    }
    if (code >= 0) {
        code = writer->files.sync(writer->files.self, writer->handle);
    }
    if (code < 0) {
        return refuse(problem, path, "its tail cannot be cut or made durable", code);
    }
    return CAIRN_OK;
}

static cairn_status open_log(cairn__log_writer *writer, cairn__log_problem *problem) {
    int code = writer->files.make_directory(writer->files.self, writer->directory);
    if (code < 0) {
        return refuse(problem, writer->directory, "cannot be made", code);
    }
    cairn_status status =
        cairn__segments_list(&writer->segments, &writer->files, writer->directory, problem);
    if (status == CAIRN_OK) {
        status = check_older(writer, problem);
    }
    if (status != CAIRN_OK) {
        return status;
    }
    if (writer->segments.count != 0) {
        return take_up_last(writer, problem);
    }
    status = check_known(writer, problem);
    return status == CAIRN_OK ? begin_segment(writer, problem) : status;
}

cairn_status cairn__log_writer_open(const cairn__log_options *options,
                                    cairn__log_writer **writer_out,
                                    cairn__log_problem *problem_out) {
    const char *directory = options->directory;
    cairn_allocator allocator = options->allocator;
    char longest[CAIRN__LOG_PATH_BYTES_MAX];
    problem_out->text[0] = 0;
    if (!cairn__segment_path(longest, directory, UINT64_MAX)) {
        cairn__log_say(problem_out, "log", "the directory's name is too long", 0,
                       "keep it below 990 bytes");
        return CAIRN_STORAGE;
    }
    cairn__log_writer *writer = allocator.resize(allocator.self, NULL, 0, sizeof *writer);
    if (writer == NULL) {
        cairn__log_say(problem_out, directory, "no memory", ENOMEM, "give the process more");
        return CAIRN_STORAGE;
    }
    *writer = (cairn__log_writer){ .files = *options->files,
                                   .allocator = allocator,
                                   .segments = { .allocator = allocator },
                                   .segment_bytes = CAIRN__LOG_SEGMENT_BYTES,
                                   .known = options->known,
                                   .handle = -1 };
    memcpy(writer->directory, directory, strlen(directory) + 1);
    if (open_log(writer, problem_out) != CAIRN_OK) {
        cairn__log_writer_close(writer);
        return CAIRN_STORAGE;
    }
    *writer_out = writer;
    return CAIRN_OK;
}

void cairn__log_writer_segment_bytes(cairn__log_writer *writer, uint64_t bytes) {
    writer->segment_bytes = bytes;
}

uint64_t cairn__log_writer_position(const cairn__log_writer *writer) {
    return writer->position;
}

void cairn__log_writer_close(cairn__log_writer *writer) {
    if (writer->handle >= 0) {
        (void)writer->files.close(writer->files.self, writer->handle);
    }
    cairn__segments_free(&writer->segments);
    writer->allocator.resize(writer->allocator.self, writer, sizeof *writer, 0);
}

cairn_status cairn__log_trim(cairn__log_writer *writer, uint64_t position) {
    cairn__log_problem problem;
    cairn_status status =
        cairn__segments_list(&writer->segments, &writer->files, writer->directory, &problem);
    if (status != CAIRN_OK) {
        return status;
    }
    /* Oldest first, and stop at the first that stays: a log never has a hole. */
    for (size_t i = 0; i + 1 < writer->segments.count; i++) {
        char path[CAIRN__LOG_PATH_BYTES_MAX];
        if (cairn__segments_end(&writer->segments, i) > position) {
            break;
        }
        path_of(writer, writer->segments.items[i].start, path);
        if (writer->files.remove(writer->files.self, path) < 0) {
            return CAIRN_STORAGE;
        }
    }
    return CAIRN_OK;
}
