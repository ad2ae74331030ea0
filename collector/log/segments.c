#include "log/segments.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "log/entry.h"

enum { NAME_DIGITS = 20, SEGMENTS_FIRST = 16 };

void cairn__log_say(cairn__log_problem *problem, const char *path, const char *what, int error,
                    const char *fix) {
    char why[96];
    why[0] = 0;
    if (error != 0) {
        (void)snprintf(why, sizeof why, " (%s)", strerror(error < 0 ? -error : error));
    }
    (void)snprintf(problem->text, sizeof problem->text, "%s: %s%s: %s", path, what, why, fix);
}

bool cairn__segment_path(char *to, const char *directory, uint64_t start) {
    int bytes = snprintf(to, CAIRN__LOG_PATH_BYTES_MAX, "%s/%020llu.log", directory,
                         (unsigned long long)start);
    return bytes > 0 && bytes < CAIRN__LOG_PATH_BYTES_MAX;
}

static bool read_name(const char *name, uint64_t *start_out) {
    uint64_t start = 0;
    if (strlen(name) != NAME_DIGITS + 4 || strcmp(name + NAME_DIGITS, ".log") != 0) {
        return false;
    }
    for (size_t i = 0; i < NAME_DIGITS; i++) {
        uint64_t digit = (uint64_t)(name[i] - '0');
        if (name[i] < '0' || name[i] > '9' || start > (UINT64_MAX - digit) / 10) {
            return false;
        }
        start = start * 10 + digit;
    }
    *start_out = start;
    return true;
}

static bool make_room(cairn__segments *segments) {
    if (segments->count < segments->capacity) {
        return true;
    }
    size_t wanted = segments->capacity == 0 ? SEGMENTS_FIRST : segments->capacity * 2;
    if (wanted > CAIRN__LOG_SEGMENTS_MAX) {
        return false;
    }
    cairn_allocator allocator = segments->allocator;
    void *items = allocator.resize(allocator.self, segments->items,
                                   segments->capacity * sizeof(cairn__segment),
                                   wanted * sizeof(cairn__segment));
    if (items == NULL) {
        return false;
    }
    segments->items = items;
    segments->capacity = wanted;
    return true;
}

/* Insertion keeps them in order: names usually come nearly sorted, and there are few. */
static void add(void *context, const char *name, uint64_t bytes) {
    cairn__segments *segments = context;
    uint64_t start = 0;
    if (!read_name(name, &start)) {
        return;
    }
    if (!make_room(segments)) {
        segments->failed = true;
        return;
    }
    size_t at = segments->count;
    for (; at > 0 && segments->items[at - 1].start > start; at--) {
        segments->items[at] = segments->items[at - 1];
    }
    segments->items[at] = (cairn__segment){ .start = start, .bytes = bytes };
    segments->count++;
}

cairn_status cairn__segments_list(cairn__segments *segments, const cairn__files *files,
                                  const char *directory, cairn__log_problem *problem_out) {
    segments->count = 0;
    segments->failed = false;
    int code = files->list(files->self, directory, add, segments);
    if (code < 0) {
        cairn__log_say(problem_out, directory, "cannot be listed", code,
                       "check the data directory");
        return CAIRN_STORAGE;
    }
    if (segments->failed) {
        cairn__log_say(problem_out, directory, "no memory for the list of segments", ENOMEM,
                       "give the process more memory");
        return CAIRN_NO_MEMORY;
    }
    return CAIRN_OK;
}

void cairn__segments_free(cairn__segments *segments) {
    if (segments->items != NULL) {
        segments->allocator.resize(segments->allocator.self, segments->items,
                                   segments->capacity * sizeof(cairn__segment), 0);
    }
    segments->items = NULL;
    segments->count = 0;
    segments->capacity = 0;
}

size_t cairn__segments_find(const cairn__segments *segments, uint64_t position) {
    size_t at = segments->count;
    while (at > 0 && segments->items[at - 1].start > position) {
        at--;
    }
    return at == 0 ? SIZE_MAX : at - 1;
}

uint64_t cairn__segments_end(const cairn__segments *segments, size_t index) {
    CAIRN_ASSERT(index < segments->count);
    return index + 1 < segments->count ? segments->items[index + 1].start : UINT64_MAX;
}

void cairn__window_forget(cairn__window *window) {
    window->len = 0;
}

void cairn__window_free(cairn__window *window) {
    if (window->data != NULL) {
        window->allocator.resize(window->allocator.self, window->data, window->capacity, 0);
    }
    window->data = NULL;
    window->capacity = 0;
    window->len = 0;
}

static bool holds(const cairn__window *window, uint64_t offset, size_t bytes) {
    return offset >= window->offset && offset - window->offset <= window->len &&
           window->len - (size_t)(offset - window->offset) >= bytes;
}

static bool grow(cairn__window *window, size_t bytes) {
    size_t wanted = bytes > CAIRN__LOG_WINDOW_BYTES ? bytes : CAIRN__LOG_WINDOW_BYTES;
    if (wanted <= window->capacity) {
        return true;
    }
    uint8_t *data =
        window->allocator.resize(window->allocator.self, window->data, window->capacity, wanted);
    if (data == NULL) {
        return false;
    }
    window->data = data;
    window->capacity = wanted;
    return true;
}

cairn_status cairn__window_at(cairn__window *window, int handle, uint64_t offset, size_t bytes,
                              cairn_span *bytes_out) {
    if (!holds(window, offset, bytes)) {
        if (!grow(window, bytes)) {
            return CAIRN_NO_MEMORY;
        }
        window->offset = offset;
        window->len = 0;
        int64_t got = 1;
        while (got > 0 && window->len < window->capacity) {
            got = window->files->read(window->files->self, handle, offset + window->len,
                                      window->data + window->len, window->capacity - window->len);
            window->len += got > 0 ? (size_t)got : 0;
        }
        if (got < 0 && window->len < bytes) {
            window->len = 0;
            return CAIRN_STORAGE;
        }
    }
    size_t skipped = (size_t)(offset - window->offset);
    size_t left = window->len - skipped;
    *bytes_out = (cairn_span){ window->data + skipped, left < bytes ? left : bytes };
    return CAIRN_OK;
}

cairn__finding cairn__window_entry(cairn__window *window, int handle, uint64_t offset) {
    cairn__finding finding = { .found = CAIRN__FOUND_ERROR };
    cairn_span bytes;
    finding.status = cairn__window_at(window, handle, offset, CAIRN__ENTRY_HEADER_BYTES, &bytes);
    if (finding.status != CAIRN_OK) {
        return finding;
    }
    finding.found = bytes.len == 0 ? CAIRN__FOUND_END : CAIRN__FOUND_BAD;
    if (bytes.len < CAIRN__ENTRY_HEADER_BYTES) {
        return finding;
    }
    size_t whole = cairn__entry_bytes(bytes.data);
    if (whole == 0) {
        return finding;
    }
    finding.status = cairn__window_at(window, handle, offset, whole, &bytes);
    if (finding.status != CAIRN_OK) {
        finding.found = CAIRN__FOUND_ERROR;
    } else if (cairn__entry_parse(bytes, &finding.entry, &finding.bytes)) {
        finding.found = CAIRN__FOUND_ENTRY;
    }
    return finding;
}
