#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "log/entry.h"
#include "log/segments.h"

struct cairn__log_reader {
    cairn__files files;
    cairn_allocator allocator;
    cairn__segments segments;
    cairn__window window;
    uint64_t limit_listed; /* every segment that begins below it is in the list */
    uint64_t position;
    size_t at;  /* index of the open segment */
    int handle; /* of it; -1: none */
    char directory[CAIRN__LOG_PATH_BYTES_MAX];
};

static void close_segment(cairn__log_reader *reader) {
    if (reader->handle >= 0) {
        (void)reader->files.close(reader->files.self, reader->handle);
    }
    reader->handle = -1;
    cairn__window_forget(&reader->window);
}

static void path_at(const cairn__log_reader *reader, char *to) {
    (void)cairn__segment_path(to, reader->directory, reader->segments.items[reader->at].start);
}

/* Open the segment that holds the position. */
static cairn_status open_segment(cairn__log_reader *reader, cairn__log_problem *problem) {
    close_segment(reader);
    reader->at = cairn__segments_find(&reader->segments, reader->position);
    if (reader->at == SIZE_MAX) {
        return CAIRN_NOT_FOUND;
    }
    char path[CAIRN__LOG_PATH_BYTES_MAX];
    path_at(reader, path);
    reader->handle = reader->files.open_read(reader->files.self, path);
    if (reader->handle < 0) {
        cairn__log_say(problem, path, "cannot be opened", reader->handle, "check the disk");
        return CAIRN_STORAGE;
    }
    return CAIRN_OK;
}

static uint64_t start_of(const cairn__log_reader *reader) {
    return reader->segments.items[reader->at].start;
}

/* Step from header to header up to `target`, without reading what is between. */
static cairn_status walk_to(cairn__log_reader *reader, uint64_t target) {
    uint64_t at = start_of(reader);
    while (at < target) {
        cairn_span header;
        cairn_status status =
            cairn__window_at(&reader->window, reader->handle, at - start_of(reader),
                             CAIRN__ENTRY_HEADER_BYTES, &header);
        if (status != CAIRN_OK) {
            return status;
        }
        size_t bytes = header.len < CAIRN__ENTRY_HEADER_BYTES ? 0 : cairn__entry_bytes(header.data);
        if (bytes == 0) {
            return CAIRN_NOT_FOUND;
        }
        at += bytes;
    }
    return at == target ? CAIRN_OK : CAIRN_NOT_FOUND;
}

static cairn_status stand_at(cairn__log_reader *reader, uint64_t position) {
    cairn__log_problem problem;
    cairn_status status =
        cairn__segments_list(&reader->segments, &reader->files, reader->directory, &problem);
    if (status != CAIRN_OK) {
        return status;
    }
    if (reader->segments.count == 0) {
        return position == 0 ? CAIRN_OK : CAIRN_NOT_FOUND;
    }
    reader->position = position == 0 ? reader->segments.items[0].start : position;
    status = open_segment(reader, &problem);
    return status == CAIRN_OK ? walk_to(reader, reader->position) : status;
}

cairn_status cairn__log_reader_open(const cairn__files *files, const char *directory,
                                    uint64_t position, cairn_allocator allocator,
                                    cairn__log_reader **reader_out) {
    char longest[CAIRN__LOG_PATH_BYTES_MAX];
    if (!cairn__segment_path(longest, directory, UINT64_MAX)) {
        return CAIRN_STORAGE;
    }
    cairn__log_reader *reader = allocator.resize(allocator.self, NULL, 0, sizeof *reader);
    if (reader == NULL) {
        return CAIRN_NO_MEMORY;
    }
    *reader = (cairn__log_reader){ .files = *files,
                                   .allocator = allocator,
                                   .segments = { .allocator = allocator },
                                   .window = { .allocator = allocator },
                                   .handle = -1 };
    reader->window.files = &reader->files;
    memcpy(reader->directory, directory, strlen(directory) + 1);
    cairn_status status = stand_at(reader, position);
    if (status != CAIRN_OK) {
        cairn__log_reader_close(reader);
        return status;
    }
    *reader_out = reader;
    return CAIRN_OK;
}

/* A new limit may lie behind a segment that the list does not know, and bytes that were read may
 * belong to a batch that failed and was written anew elsewhere. */
static cairn_status refresh(cairn__log_reader *reader, uint64_t limit,
                            cairn__log_problem *problem) {
    if (limit == reader->limit_listed && reader->handle >= 0) {
        return CAIRN_OK;
    }
    cairn_status status =
        cairn__segments_list(&reader->segments, &reader->files, reader->directory, problem);
    if (status != CAIRN_OK) {
        return status;
    }
    if (reader->segments.count == 0) {
        return CAIRN_NOT_FOUND;
    }
    if (reader->position == 0) {
        reader->position = reader->segments.items[0].start;
    }
    status = open_segment(reader, problem);
    if (status == CAIRN_NOT_FOUND) {
        cairn__log_say(problem, reader->directory, "what comes next was removed", 0,
                       "restore the missing segment from a copy");
        return CAIRN_STORAGE;
    }
    reader->limit_listed = status == CAIRN_OK ? limit : 0;
    return status;
}

static cairn_status tell_damage(const cairn__log_reader *reader, cairn__log_problem *problem) {
    char path[CAIRN__LOG_PATH_BYTES_MAX];
    char what[96];
    path_at(reader, path);
    (void)snprintf(what, sizeof what, "damaged at offset %llu",
                   (unsigned long long)(reader->position - start_of(reader)));
    cairn__log_say(problem, path, what, 0, "restore the file from a copy");
    return CAIRN_STORAGE;
}

cairn_status cairn__log_read(cairn__log_reader *reader, uint64_t limit, cairn__log_entry *entry_out,
                             cairn__log_problem *problem_out) {
    if (reader->position >= limit) {
        return CAIRN_NOT_FOUND;
    }
    cairn_status status = refresh(reader, limit, problem_out);
    if (status == CAIRN_OK &&
        reader->position == cairn__segments_end(&reader->segments, reader->at)) {
        status = open_segment(reader, problem_out);
    }
    if (status != CAIRN_OK) {
        return status;
    }
    uint64_t end = cairn__segments_end(&reader->segments, reader->at);
    cairn__finding finding =
        cairn__window_entry(&reader->window, reader->handle, reader->position - start_of(reader));
    if (finding.found == CAIRN__FOUND_ERROR) {
        return finding.status == CAIRN_NO_MEMORY ? CAIRN_NO_MEMORY
                                                 : tell_damage(reader, problem_out);
    }
    bool torn_is_end = end == UINT64_MAX && limit == UINT64_MAX;
    if (finding.found != CAIRN__FOUND_ENTRY) {
        return torn_is_end ? CAIRN_NOT_FOUND : tell_damage(reader, problem_out);
    }
    if (finding.bytes > end - reader->position || finding.bytes > limit - reader->position) {
        return tell_damage(reader, problem_out);
    }
    *entry_out = finding.entry;
    entry_out->position = reader->position;
    reader->position += finding.bytes;
    entry_out->end = reader->position;
    return CAIRN_OK;
}

void cairn__log_reader_close(cairn__log_reader *reader) {
    close_segment(reader);
    cairn__window_free(&reader->window);
    cairn__segments_free(&reader->segments);
    reader->allocator.resize(reader->allocator.self, reader, sizeof *reader, 0);
}

/* --- verify ---------------------------------------------------------------------------------- */

typedef struct verification {
    cairn__files files;
    const char *directory;
    cairn__segments segments;
    cairn__window window;
    cairn__log_report report;
    void *self;
    bool damaged;
} verification;

static void tell(verification *v, const char *path, const char *what, uint64_t offset) {
    cairn__log_problem problem;
    char text[96];
    (void)snprintf(text, sizeof text, "%s at offset %llu", what, (unsigned long long)offset);
    cairn__log_say(&problem, path, text, 0, "restore the file from a copy");
    v->damaged = true;
    v->report(v->self, problem.text);
}

static void verify_open(verification *v, size_t index, int handle, const char *path) {
    uint64_t start = v->segments.items[index].start;
    uint64_t end = cairn__segments_end(&v->segments, index);
    uint64_t offset = 0;
    cairn__finding finding = { .found = CAIRN__FOUND_END };
    cairn__window_forget(&v->window);
    while (start + offset < end) {
        finding = cairn__window_entry(&v->window, handle, offset);
        if (finding.found != CAIRN__FOUND_ENTRY) {
            break;
        }
        offset += finding.bytes;
    }
    bool last = end == UINT64_MAX;
    if (last && finding.found == CAIRN__FOUND_BAD) {
        tell(v, path, "a torn tail", offset);
    } else if (finding.found == CAIRN__FOUND_ERROR) {
        tell(v, path, "cannot be read", offset);
    } else if (!last && start + offset != end) {
        tell(v, path, "damaged", offset);
    }
}

cairn_status cairn__log_verify(const cairn__files *files, const char *directory,
                               cairn_allocator allocator, cairn__log_report report, void *self) {
    verification v = { .files = *files,
                       .directory = directory,
                       .segments = { .allocator = allocator },
                       .window = { .allocator = allocator },
                       .report = report,
                       .self = self };
    cairn__log_problem problem;
    v.window.files = &v.files;
    if (cairn__segments_list(&v.segments, files, directory, &problem) != CAIRN_OK) {
        v.damaged = true;
        report(self, problem.text);
    }
    for (size_t i = 0; i < v.segments.count; i++) {
        char path[CAIRN__LOG_PATH_BYTES_MAX];
        int handle = -1;
        if (cairn__segment_path(path, directory, v.segments.items[i].start)) {
            handle = files->open_read(files->self, path);
        }
        if (handle < 0) {
            tell(&v, path, "cannot be opened", 0);
            continue;
        }
        verify_open(&v, i, handle, path);
        (void)files->close(files->self, handle);
    }
    cairn__window_free(&v.window);
    cairn__segments_free(&v.segments);
    return v.damaged ? CAIRN_STORAGE : CAIRN_OK;
}
