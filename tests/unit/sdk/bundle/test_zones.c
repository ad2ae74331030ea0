/* Goal: the compact table says of every zone of this machine what its TZif file says.
 * Method: all of zoneinfo into one table; offsets and day starts compared at every change, a second
 * before and after, and at random moments from 2020 to 2037. Then damage. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/civil.h"
#include "base/hash.h"
#include "base/zone_rule.h"
#include "bundle/zones.h"
#include "support/cmocka_all.h"

enum { FILES_MAX = 1000, PATH_BYTES = 512, RANDOM_MOMENTS = 300, TABLE_BYTES_MAX = 12 * 1024 };

static const char root[] = "/usr/share/zoneinfo";
static const int64_t from_ms = INT64_C(1577836800000);
static const int64_t until_ms = INT64_C(2145916800000);

typedef struct fixture {
    cairn__arena arena, zones;
    cairn__buffer table;
    cairn__zone_file files[FILES_MAX];
    size_t count;
} fixture;

static cairn_span read_file(fixture *f, const char *path) {
    cairn_span bytes = { NULL, 0 };
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return bytes;
    }
    static uint8_t buffer[1 << 16];
    size_t len = fread(buffer, 1, sizeof buffer, file);
    (void)fclose(file);
    assert_true(cairn__arena_copy(&f->arena, cairn__span(buffer, len), &bytes));
    return bytes;
}

/* Names of zones begin with a capital, and have no dot; "right" and "posix" are other trees. */
static bool is_zone_name(const char *name) {
    return name[0] >= 'A' && name[0] <= 'Z' && strchr(name, '.') == NULL;
}

static void collect(fixture *f, const char *folder) {
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", root, folder);
    DIR *dir = opendir(path);
    for (struct dirent *entry = NULL; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char name[PATH_BYTES / 2];
        int len =
            snprintf(name, sizeof name, "%s%s%s", folder, folder[0] == 0 ? "" : "/", entry->d_name);
        if (!is_zone_name(entry->d_name) || len <= 0 || (size_t)len >= sizeof name) {
            continue;
        }
        (void)snprintf(path, sizeof path, "%s/%s", root, name);
        cairn_span bytes = read_file(f, path);
        if (bytes.len < 4 || memcmp(bytes.data, "TZif", 4) != 0) {
            collect(f, name); /* a folder, or no zone */
            continue;
        }
        assert_true(f->count < FILES_MAX);
        assert_true(
            cairn__arena_copy(&f->arena, cairn__span(name, (size_t)len), &f->files[f->count].name));
        f->files[f->count++].tzif = bytes;
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
}

static int by_name(const void *a, const void *b) {
    return cairn__span_compare(((const cairn__zone_file *)a)->name,
                               ((const cairn__zone_file *)b)->name);
}

static int open_fixture(void **state) {
    static fixture f;
    f.arena = cairn__arena_make(cairn__heap(), 64 << 20);
    f.zones = cairn__arena_make(cairn__heap(), 1 << 20);
    f.table = cairn__buffer_make(cairn__heap(), 1 << 20);
    f.count = 0;
    collect(&f, "");
    qsort(f.files, f.count, sizeof *f.files, by_name);
    *state = &f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    cairn__arena_free(&f->arena);
    cairn__arena_free(&f->zones);
    cairn__buffer_free(&f->table);
    return 0;
}

static void write_table(fixture *f) {
    size_t bad = 0;
    cairn_status status = cairn__zone_table_write(f->files, f->count, &f->arena, &f->table, &bad);
    if (status != CAIRN_OK) {
        print_message("%.*s: %s\n", (int)f->files[bad].name.len,
                      (const char *)f->files[bad].name.data, cairn_status_name(status));
    }
    assert_int_equal(status, CAIRN_OK);
}

static void agree_at(const cairn__zone *whole, const cairn__zone *compact, int64_t ms) {
    if (ms < from_ms || ms >= until_ms) {
        return;
    }
    assert_int_equal(cairn__zone_offset(whole, ms), cairn__zone_offset(compact, ms));
    int64_t day = cairn__zone_day(whole, ms);
    assert_int_equal(day, cairn__zone_day(compact, ms));
    if (ms > from_ms + 2 * CAIRN__DAY_MS) {
        assert_int_equal(cairn__zone_day_start(whole, day), cairn__zone_day_start(compact, day));
    }
}

static void agree(const cairn__zone *whole, const cairn__zone *compact, uint64_t seed) {
    int64_t seconds = from_ms / 1000;
    for (;;) {
        cairn__zone_segment segment = cairn__zone_segment_at(whole, seconds);
        if (segment.to >= until_ms / 1000) {
            break;
        }
        seconds = segment.to;
        for (int64_t delta = -1000; delta <= 1000; delta += 1000) {
            agree_at(whole, compact, seconds * 1000 + delta);
        }
    }
    for (uint64_t i = 0; i < RANDOM_MOMENTS; i++) {
        uint64_t random = cairn__mix(seed * 1000 + i) % (uint64_t)(until_ms - from_ms);
        agree_at(whole, compact, from_ms + (int64_t)random);
    }
    agree_at(whole, compact, from_ms);
    agree_at(whole, compact, until_ms - 1);
}

static void every_zone_of_this_machine_is_the_same_from_2020_to_2037(void **state) {
    fixture *f = *state;
    if (f->count == 0) {
        skip();
    }
    write_table(f);
    cairn_span table = cairn__buffer_span(&f->table);
    assert_true(cairn__zone_table_check(table));
    print_message("%zu zones in %zu bytes\n", f->count, table.len);
    assert_true(f->count < 100 || table.len <= TABLE_BYTES_MAX);
    for (size_t i = 0; i < f->count; i++) {
        const cairn__zone *whole = NULL;
        const cairn__zone *compact = NULL;
        cairn__arena_reset(&f->zones);
        assert_int_equal(cairn__zone_parse(f->files[i].tzif, &f->zones, &whole), CAIRN_OK);
        assert_int_equal(cairn__zone_table_find(table, f->files[i].name, &f->zones, &compact),
                         CAIRN_OK);
        agree(whole, compact, i);
    }
}

static void a_name_that_is_not_there_is_not_found(void **state) {
    fixture *f = *state;
    const cairn__zone *zone = NULL;
    write_table(f);
    cairn_span table = cairn__buffer_span(&f->table);
    assert_int_equal(cairn__zone_table_find(table, CAIRN_STR("Europe/Atlantis"), &f->zones, &zone),
                     CAIRN_NOT_FOUND);
    assert_int_equal(cairn__zone_table_find((cairn_span){ NULL, 0 }, CAIRN_STR("Europe/Berlin"),
                                            &f->zones, &zone),
                     CAIRN_NOT_FOUND);
    assert_null(zone);
}

static void names_out_of_order_and_damaged_files_are_refused(void **state) {
    fixture *f = *state;
    size_t bad = 0;
    if (f->count < 3) {
        skip();
    }
    cairn__zone_file files[3] = { f->files[0], f->files[2], f->files[1] };
    assert_int_equal(cairn__zone_table_write(files, 3, &f->arena, &f->table, &bad), CAIRN_INVALID);
    assert_int_equal(bad, 2);
    files[1].tzif.len = 50;
    assert_int_equal(cairn__zone_table_write(files, 2, &f->arena, &f->table, &bad), CAIRN_INVALID);
    assert_int_equal(bad, 1);
}

static void a_cut_table_is_refused(void **state) {
    fixture *f = *state;
    write_table(f);
    for (size_t len = 0; len < f->table.len; len++) {
        assert_false(cairn__zone_table_check(cairn__span(f->table.data, len)));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_zone_of_this_machine_is_the_same_from_2020_to_2037,
                                        open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(a_name_that_is_not_there_is_not_found, open_fixture,
                                        close_fixture),
        cmocka_unit_test_setup_teardown(names_out_of_order_and_damaged_files_are_refused,
                                        open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(a_cut_table_is_refused, open_fixture, close_fixture),
    };
    return cmocka_run_group_tests_name("sdk/bundle/zones", tests, NULL, NULL);
}
