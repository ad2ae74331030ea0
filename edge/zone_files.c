#include "edge/zone_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "bundle/zones.h"

enum {
    NAMES_MAX = CAIRN__ZONE_TABLE_NAMES_MAX,
    FILE_BYTES_MAX = 64 * 1024,
    LIST_BYTES_MAX = 1024 * 1024,
    ARENA_BYTES_MAX = 64 * 1024 * 1024,
    PATH_BYTES_MAX = 1200
};

typedef struct gathering {
    const char *directory;
    cairn__arena arena;
    cairn_span names[NAMES_MAX];
    cairn__zone_file files[NAMES_MAX];
    size_t name_count, file_count;
} gathering;

static bool read_file(gathering *g, const char *name, size_t bytes_max, cairn_span *bytes_out) {
    char path[PATH_BYTES_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", g->directory, name);
    uint8_t *bytes = malloc(bytes_max);
    FILE *file = bytes == NULL ? NULL : fopen(path, "rb");
    bool good = false;
    if (file != NULL) {
        size_t len = fread(bytes, 1, bytes_max, file);
        good = len > 0 && cairn__arena_copy(&g->arena, cairn__span(bytes, len), bytes_out);
        (void)fclose(file);
    }
    free(bytes);
    return good;
}

static void add_name(gathering *g, cairn_span name) {
    bool fits = name.len > 0 && name.len <= CAIRN__ZONE_NAME_BYTES_MAX && name.data[0] != '/' &&
                memchr(name.data, '.', name.len) == NULL; /* nothing leads out of the directory */
    if (fits && g->name_count < NAMES_MAX) {
        g->names[g->name_count++] = name;
    }
}

static size_t until(cairn_span text, size_t from, const char *ends) {
    while (from < text.len && strchr(ends, text.data[from]) == NULL) {
        from++;
    }
    return from;
}

/* tzdata.zi: a zone is a line "Z NAME ...", another name of it a line "L TARGET NAME". */
static void add_line(gathering *g, cairn_span line) {
    bool link = line.len > 2 && line.data[0] == 'L' && line.data[1] == ' ';
    if (!link && !(line.len > 2 && line.data[0] == 'Z' && line.data[1] == ' ')) {
        return;
    }
    size_t start = link ? until(line, 2, " ") + 1 : 2;
    if (start < line.len) {
        add_name(g, cairn__span(line.data + start, until(line, start, " ") - start));
    }
}

static void add_listed(gathering *g) {
    cairn_span list = { NULL, 0 };
    if (!read_file(g, "tzdata.zi", LIST_BYTES_MAX, &list)) {
        return;
    }
    for (size_t at = 0; at < list.len;) {
        size_t end = until(list, at, "\n");
        add_line(g, cairn__span(list.data + at, end - at));
        at = end + 1;
    }
}

static int by_name(const void *a, const void *b) {
    const cairn_span *x = a;
    const cairn_span *y = b;
    return cairn__span_compare(*x, *y);
}

static bool add_file(gathering *g, cairn_span name, bool needed) {
    char text[CAIRN__ZONE_NAME_BYTES_MAX + 1];
    cairn__zone_file *file = &g->files[g->file_count];
    memcpy(text, name.data, name.len);
    text[name.len] = 0;
    file->name = name;
    if (!read_file(g, text, FILE_BYTES_MAX, &file->tzif)) {
        return !needed;
    }
    g->file_count++;
    return true;
}

static bool is_named(const cairn_span *names, size_t count, cairn_span name) {
    for (size_t i = 0; i < count; i++) {
        if (cairn__span_equal(names[i], name)) {
            return !cairn__span_equal(name, CAIRN_STR("UTC"));
        }
    }
    return false;
}

/* Write, without those that a table cannot hold. */
static cairn_status write_table(gathering *g, cairn__buffer *to) {
    size_t before = to->len;
    for (;;) {
        size_t bad = 0;
        cairn__arena scratch = cairn__arena_make(cairn__heap(), ARENA_BYTES_MAX);
        cairn_status status = cairn__zone_table_write(g->files, g->file_count, &scratch, to, &bad);
        cairn__arena_free(&scratch);
        if ((status != CAIRN_INVALID && status != CAIRN_UNSUPPORTED) || g->file_count == 0) {
            return status;
        }
        to->len = before;
        g->file_count--;
        memmove(&g->files[bad], &g->files[bad + 1], (g->file_count - bad) * sizeof g->files[0]);
    }
}

cairn_status cairn__zone_files_table(const char *directory, const cairn_span *names, size_t count,
                                     bool all, cairn__buffer *to) {
    gathering *g = calloc(1, sizeof *g);
    if (g == NULL) {
        return CAIRN_NO_MEMORY;
    }
    g->directory = directory;
    g->arena = cairn__arena_make(cairn__heap(), ARENA_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        add_name(g, names[i]);
    }
    if (all) {
        add_listed(g);
    }
    qsort(g->names, g->name_count, sizeof g->names[0], by_name);
    bool good = true;
    for (size_t i = 0; good && i < g->name_count; i++) {
        bool again = i > 0 && cairn__span_equal(g->names[i], g->names[i - 1]);
        good = again || add_file(g, g->names[i], is_named(names, count, g->names[i]));
    }
    cairn_status status = good ? write_table(g, to) : CAIRN_NO_MEMORY;
    cairn__arena_free(&g->arena);
    free(g);
    return status;
}
