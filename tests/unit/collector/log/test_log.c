/* Goal: what was acknowledged is read back once, in order, whatever the disk does; damage is told.
 * Method: a disk in memory with faults. Each payload is its own number; the test keeps a list of
 * the acknowledged numbers and compares. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "fake_files.h"
#include "log/entry.h"
#include "log/log.h"
#include "support/cmocka_all.h"

enum { NUMBERS_MAX = 8192, BATCH_ENTRIES_MAX = 5, SEGMENT_BYTES = 2000 };

typedef struct history {
    fake_disk *disk;
    cairn__files files;
    cairn__log_writer *writer;
    cairn__log_reader *live; /* reads each batch as soon as it is durable */
    cairn__log_problem problem;
    uint64_t next;                     /* number of the next entry */
    uint64_t acked[NUMBERS_MAX];       /* numbers, in order */
    uint64_t position_of[NUMBERS_MAX]; /* of acked[i] */
    size_t acked_count;
    size_t live_count; /* of acked, seen by the live reader */
} history;

static history *history_make(uint64_t seed) {
    history *h = calloc(1, sizeof *h);
    h->disk = fake_disk_make(seed);
    h->files = fake_disk_files(h->disk);
    return h;
}

static void close_log(history *h) {
    if (h->writer != NULL) {
        cairn__log_writer_close(h->writer);
    }
    if (h->live != NULL) {
        cairn__log_reader_close(h->live);
    }
    h->writer = NULL;
    h->live = NULL;
}

static void open_log(history *h) {
    assert_int_equal(
        cairn__log_writer_open(&(cairn__log_options){ &h->files, "log", cairn__heap(), 0 },
                               &h->writer, &h->problem),
        CAIRN_OK);
    cairn__log_writer_segment_bytes(h->writer, SEGMENT_BYTES);
    assert_int_equal(cairn__log_reader_open(&h->files, "log", cairn__log_writer_position(h->writer),
                                            cairn__heap(), &h->live),
                     CAIRN_OK);
    h->live_count = h->acked_count;
}

static void history_free(history *h) {
    close_log(h);
    fake_disk_free(h->disk);
    free(h);
}

static void frame_number(cairn__buffer *batch, uint64_t number, size_t padding) {
    uint8_t payload[8 + 256] = { 0 };
    CAIRN_ASSERT(padding <= 256);
    cairn__store_u64(payload, number);
    memset(payload + 8, (int)(number % 251), padding);
    const cairn__log_entry entry = { .type = CAIRN__LOG_EVENTS,
                                     .received_ms = (int64_t)number * 10,
                                     .project = CAIRN_STR("shop"),
                                     .payload = { payload, 8 + padding } };
    cairn__log_frame(batch, &entry);
}

/* One batch of 1..5 entries. True when it was acknowledged. */
static bool write_batch(history *h) {
    cairn__buffer batch = cairn__buffer_make(cairn__heap(), 1 << 20);
    size_t count = 1 + (size_t)fake_random(h->disk, BATCH_ENTRIES_MAX);
    uint64_t position = cairn__log_writer_position(h->writer);
    uint64_t first = h->next;
    uint64_t positions[BATCH_ENTRIES_MAX];
    for (size_t i = 0; i < count; i++) {
        positions[i] = position + batch.len;
        frame_number(&batch, h->next++, (size_t)fake_random(h->disk, 257));
    }
    cairn_status status = cairn__log_write(h->writer, cairn__buffer_span(&batch), &h->problem);
    uint64_t after = cairn__log_writer_position(h->writer);
    assert_int_equal(after, status == CAIRN_OK ? position + batch.len : position);
    for (size_t i = 0; status == CAIRN_OK && i < count; i++) {
        assert_true(h->acked_count < NUMBERS_MAX);
        h->position_of[h->acked_count] = positions[i];
        h->acked[h->acked_count++] = first + i;
    }
    cairn__buffer_free(&batch);
    return status == CAIRN_OK;
}

/* The live reader sees exactly the acknowledged ones. */
static void read_live(history *h) {
    cairn__log_entry entry;
    uint64_t limit = cairn__log_writer_position(h->writer);
    cairn_status status = cairn__log_read(h->live, limit, &entry, &h->problem);
    for (; status == CAIRN_OK; status = cairn__log_read(h->live, limit, &entry, &h->problem)) {
        assert_true(h->live_count < h->acked_count);
        assert_int_equal(cairn__load_u64(entry.payload.data), h->acked[h->live_count]);
        assert_int_equal(entry.position, h->position_of[h->live_count]);
        h->live_count++;
    }
    assert_int_equal(status, CAIRN_NOT_FOUND);
    assert_int_equal(h->live_count, h->acked_count);
}

/* From the oldest segment to the end: every acknowledged number once and in its place; between
 * them only numbers that were tried, each at most once. */
static void read_all(history *h) {
    cairn__log_reader *reader = NULL;
    cairn__log_entry entry;
    uint64_t limit = cairn__log_writer_position(h->writer);
    uint64_t above = 0; /* every further number is at least this */
    size_t seen = 0;
    assert_int_equal(cairn__log_reader_open(&h->files, "log", 0, cairn__heap(), &reader), CAIRN_OK);
    cairn_status status = CAIRN_OK;
    while ((status = cairn__log_read(reader, limit, &entry, &h->problem)) == CAIRN_OK) {
        uint64_t number = cairn__load_u64(entry.payload.data);
        assert_true(number >= above && number < h->next);
        above = number + 1;
        assert_int_equal(entry.received_ms, (int64_t)number * 10);
        assert_true(cairn__span_equal(entry.project, CAIRN_STR("shop")));
        assert_true(seen == h->acked_count || h->position_of[seen] >= entry.position);
        if (seen < h->acked_count && h->position_of[seen] == entry.position) {
            assert_int_equal(number, h->acked[seen]);
            seen++;
        }
    }
    assert_int_equal(status, CAIRN_NOT_FOUND);
    assert_int_equal(seen, h->acked_count);
    cairn__log_reader_close(reader);
}

/* Forget the acknowledged ones that a trim may have removed. */
static void trim_some(history *h) {
    if (h->acked_count < 20) {
        return;
    }
    size_t keep = h->acked_count / 2;
    assert_int_equal(cairn__log_trim(h->writer, h->position_of[keep]), CAIRN_OK);
    size_t left = h->acked_count - keep;
    memmove(h->acked, h->acked + keep, left * sizeof h->acked[0]);
    memmove(h->position_of, h->position_of + keep, left * sizeof h->position_of[0]);
    h->acked_count = left;
    h->live_count = left;
}

static void forget_trimmed(history *h, uint64_t oldest) {
    size_t gone = 0;
    while (gone < h->acked_count && h->position_of[gone] < oldest) {
        gone++;
    }
    memmove(h->acked, h->acked + gone, (h->acked_count - gone) * sizeof h->acked[0]);
    memmove(h->position_of, h->position_of + gone, (h->acked_count - gone) * sizeof h->acked[0]);
    h->acked_count -= gone;
}

static void run_history(uint64_t seed) {
    history *h = history_make(seed);
    open_log(h);
    bool last_ok = true;
    for (int step = 0; step < 60; step++) {
        uint64_t what = fake_random(h->disk, 100);
        h->disk->fail_percent = what < 30 ? 25 : 0;
        h->disk->short_percent = 30;
        last_ok = write_batch(h);
        h->disk->fail_percent = 0;
        read_live(h);
        if (what >= 90) { /* the power goes */
            close_log(h);
            fake_disk_power_cut(h->disk);
            open_log(h);
            read_all(h);
        } else if (what >= 85 && last_ok) { /* only the process ends */
            close_log(h);
            open_log(h);
            read_all(h);
        } else if (what >= 83) {
            trim_some(h);
        }
    }
    read_all(h);
    history_free(h);
}

static void every_acknowledged_batch_survives_faults_and_power_cuts(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 1500; seed++) {
        run_history(seed);
    }
}

static void power_that_goes_at_any_call_loses_nothing_acknowledged(void **state) {
    (void)state;
    for (uint64_t calls = 1; calls <= 60; calls++) {
        for (uint64_t seed = 1; seed <= 10; seed++) {
            history *h = history_make(seed);
            open_log(h);
            h->disk->short_percent = 20;
            h->disk->power_calls = calls;
            for (int i = 0; i < 12; i++) {
                (void)write_batch(h);
            }
            close_log(h);
            fake_disk_power_cut(h->disk);
            open_log(h);
            read_all(h);
            assert_true(write_batch(h));
            read_all(h);
            history_free(h);
        }
    }
}

static void a_full_disk_refuses_and_resumes_by_itself(void **state) {
    (void)state;
    history *h = history_make(7);
    open_log(h);
    h->disk->room_bytes = 5000;
    while (write_batch(h)) {
    }
    assert_non_null(strstr(h->problem.text, "make room on the disk"));
    size_t before = h->acked_count;
    for (int i = 0; i < 5; i++) {
        (void)write_batch(h);
    }
    read_live(h);
    h->disk->room_bytes = 0;
    assert_true(write_batch(h));
    assert_true(h->acked_count > before);
    read_live(h);
    read_all(h);
    history_free(h);
}

static void a_failing_sync_moves_on_to_a_new_file(void **state) {
    (void)state;
    history *h = history_make(3);
    open_log(h);
    assert_true(write_batch(h));
    h->disk->fail_percent = 100;
    assert_false(write_batch(h));
    h->disk->fail_percent = 0;
    uint64_t position = cairn__log_writer_position(h->writer);
    assert_true(write_batch(h));
    char path[64];
    (void)snprintf(path, sizeof path, "log/%020llu.log", (unsigned long long)position);
    assert_non_null(fake_disk_find(h->disk, path));
    read_all(h);
    history_free(h);
}

/* A log of one segment with about forty entries; their ends in `ends`. */
static size_t make_log(history *h, size_t *ends) {
    size_t count = 0;
    open_log(h);
    cairn__log_writer_segment_bytes(h->writer, FAKE_FILE_BYTES_MAX);
    while (count < 40) {
        cairn__buffer batch = cairn__buffer_make(cairn__heap(), 1 << 20);
        frame_number(&batch, count, 1 + count * 5);
        assert_int_equal(cairn__log_write(h->writer, cairn__buffer_span(&batch), &h->problem),
                         CAIRN_OK);
        ends[count++] = (size_t)cairn__log_writer_position(h->writer);
        cairn__buffer_free(&batch);
    }
    h->next = count;
    return count;
}

static size_t count_readable(history *h, uint64_t limit, cairn_status *status_out) {
    cairn__log_reader *reader = NULL;
    cairn__log_entry entry;
    size_t count = 0;
    assert_int_equal(cairn__log_reader_open(&h->files, "log", 0, cairn__heap(), &reader), CAIRN_OK);
    while ((*status_out = cairn__log_read(reader, limit, &entry, &h->problem)) == CAIRN_OK) {
        assert_int_equal(cairn__load_u64(entry.payload.data), count);
        count++;
    }
    cairn__log_reader_close(reader);
    return count;
}

static void every_truncation_keeps_the_whole_entries_before_it(void **state) {
    (void)state;
    history *h = history_make(1);
    size_t ends[40];
    size_t count = make_log(h, ends);
    close_log(h);
    fake_file *file = fake_disk_find(h->disk, "log/00000000000000000000.log");
    uint8_t *whole = malloc(ends[count - 1]);
    memcpy(whole, file->cache, ends[count - 1]);
    for (size_t cut = 0; cut <= ends[count - 1]; cut++) {
        memcpy(file->cache, whole, ends[count - 1]);
        file->cache_len = cut;
        size_t kept = 0;
        while (kept < count && ends[kept] <= cut) {
            kept++;
        }
        size_t end = kept == 0 ? 0 : ends[kept - 1];
        open_log(h);
        assert_int_equal(cairn__log_writer_position(h->writer), end);
        assert_int_equal(h->problem.text[0] != 0, end != cut);
        assert_int_equal(file->cache_len, end);
        cairn_status status = CAIRN_OK;
        assert_int_equal(count_readable(h, end, &status), kept);
        assert_int_equal(status, CAIRN_NOT_FOUND);
        close_log(h);
    }
    free(whole);
    history_free(h);
}

static cairn_status open_known(history *h, uint64_t known) {
    return cairn__log_writer_open(&(cairn__log_options){ &h->files, "log", cairn__heap(), known },
                                  &h->writer, &h->problem);
}

/* A byte that changed in the newest file looks like a torn tail; what the state has folded says
 * that it is none. */
static void what_the_state_has_folded_is_never_cut(void **state) {
    (void)state;
    history *h = history_make(3);
    size_t ends[40];
    size_t count = make_log(h, ends);
    close_log(h);
    fake_file *file = fake_disk_find(h->disk, "log/00000000000000000000.log");
    file->cache[ends[4] + 30] ^= 1; /* in entry 5 */
    assert_int_equal(open_known(h, ends[20]), CAIRN_OK);
    assert_string_equal(h->problem.text, "");
    assert_int_equal(cairn__log_writer_position(h->writer), ends[count - 1]);
    close_log(h);
    assert_int_equal(open_known(h, 0), CAIRN_OK); /* nothing known: cut, and kept beside */
    assert_int_equal(cairn__log_writer_position(h->writer), ends[4]);
    char path[64];
    (void)snprintf(path, sizeof path, "log/torn-%020llu", (unsigned long long)ends[4]);
    fake_file *kept = fake_disk_find(h->disk, path);
    assert_non_null(kept);
    assert_int_equal(kept->cache_len, ends[count - 1] - ends[4]);
    assert_non_null(strstr(h->problem.text, "torn-"));
    history_free(h);
}

static void a_log_that_ends_before_the_state_is_refused_unchanged(void **state) {
    (void)state;
    history *h = history_make(4);
    size_t ends[40];
    size_t count = make_log(h, ends);
    close_log(h);
    fake_file *file = fake_disk_find(h->disk, "log/00000000000000000000.log");
    file->cache_len = ends[10];
    assert_int_equal(open_known(h, ends[count - 1]), CAIRN_STORAGE);
    h->writer = NULL;
    assert_non_null(strstr(h->problem.text, "folded it up to"));
    assert_int_equal(file->cache_len, ends[10]);
    history_free(h);
    h = history_make(5); /* and one that is not there at all */
    assert_int_equal(open_known(h, 100), CAIRN_STORAGE);
    h->writer = NULL;
    history_free(h);
}

static void tell_nothing(void *self, const char *text) {
    (void)text;
    ++*(int *)self;
}

static void every_flipped_byte_is_told_and_hides_nothing_before_it(void **state) {
    (void)state;
    history *h = history_make(1);
    size_t ends[40];
    size_t count = make_log(h, ends);
    size_t bytes = ends[count - 1];
    fake_file *file = fake_disk_find(h->disk, "log/00000000000000000000.log");
    for (size_t at = 0; at < bytes; at++) {
        uint8_t flip = (uint8_t)(1u << (at % 8));
        file->cache[at] ^= flip;
        size_t hit = 0;
        while (ends[hit] <= at) {
            hit++;
        }
        cairn_status status = CAIRN_OK;
        assert_int_equal(count_readable(h, bytes, &status), hit);
        assert_int_equal(status, CAIRN_STORAGE); /* below the durable position: damage */
        assert_non_null(strstr(h->problem.text, "00000000000000000000.log"));
        assert_int_equal(count_readable(h, UINT64_MAX, &status), hit);
        assert_int_equal(status, CAIRN_NOT_FOUND); /* without a writer: a torn tail */
        int reports = 0;
        assert_int_equal(cairn__log_verify(&h->files, "log", cairn__heap(), tell_nothing, &reports),
                         CAIRN_STORAGE);
        assert_int_equal(reports, 1);
        file->cache[at] ^= flip;
    }
    int reports = 0;
    assert_int_equal(cairn__log_verify(&h->files, "log", cairn__heap(), tell_nothing, &reports),
                     CAIRN_OK);
    assert_int_equal(reports, 0);
    history_free(h);
}

static void damage_in_an_older_segment_is_never_an_end(void **state) {
    (void)state;
    history *h = history_make(11);
    open_log(h);
    for (int i = 0; i < 30; i++) {
        assert_true(write_batch(h));
    }
    fake_file *file = fake_disk_find(h->disk, "log/00000000000000000000.log");
    file->cache[30] ^= 1;
    cairn_status status = CAIRN_OK;
    (void)count_readable(h, UINT64_MAX, &status);
    assert_int_equal(status, CAIRN_STORAGE);
    file->cache[30] ^= 1;
    close_log(h);
    file->cache_len -= 1; /* and a missing end is seen at open */
    assert_int_equal(
        cairn__log_writer_open(&(cairn__log_options){ &h->files, "log", cairn__heap(), 0 },
                               &h->writer, &h->problem),
        CAIRN_STORAGE);
    h->writer = NULL;
    assert_non_null(strstr(h->problem.text, "shorter"));
    history_free(h);
}

static void a_reader_stands_only_where_an_entry_begins(void **state) {
    (void)state;
    history *h = history_make(1);
    size_t ends[40];
    size_t count = make_log(h, ends);
    size_t next = 0;
    for (uint64_t position = 1; position <= ends[count - 1] + 50; position++) {
        cairn__log_reader *reader = NULL;
        bool begins = next < count && position == ends[next];
        next += begins ? 1 : 0;
        assert_int_equal(cairn__log_reader_open(&h->files, "log", position, cairn__heap(), &reader),
                         begins ? CAIRN_OK : CAIRN_NOT_FOUND);
        if (begins) {
            cairn__log_reader_close(reader);
        }
    }
    assert_int_equal(next, count);
    history_free(h);
}

static void trimming_keeps_the_newest_segment_and_all_that_is_asked_for(void **state) {
    (void)state;
    history *h = history_make(5);
    open_log(h);
    for (int i = 0; i < 40; i++) {
        assert_true(write_batch(h));
    }
    size_t half = h->acked_count / 2;
    uint64_t wanted = h->position_of[half];
    read_live(h);
    assert_int_equal(cairn__log_trim(h->writer, wanted), CAIRN_OK);
    cairn__log_reader *reader = NULL;
    assert_int_equal(cairn__log_reader_open(&h->files, "log", wanted, cairn__heap(), &reader),
                     CAIRN_OK);
    cairn__log_reader_close(reader);
    assert_int_equal(
        cairn__log_reader_open(&h->files, "log", h->position_of[1], cairn__heap(), &reader),
        CAIRN_NOT_FOUND);
    forget_trimmed(h, wanted);
    uint64_t position = cairn__log_writer_position(h->writer);
    assert_int_equal(cairn__log_trim(h->writer, UINT64_MAX), CAIRN_OK);
    close_log(h);
    open_log(h);
    assert_int_equal(cairn__log_writer_position(h->writer), position);
    history_free(h);
}

/* Grants `left` more allocations. */
typedef struct rationed {
    size_t left;
} rationed;

static void *ration(void *self, void *at, size_t old_bytes, size_t new_bytes) {
    rationed *r = self;
    cairn_allocator heap = cairn__heap();
    if (new_bytes != 0) {
        if (r->left == 0) {
            return NULL;
        }
        r->left--;
    }
    return heap.resize(heap.self, at, old_bytes, new_bytes);
}

static void no_memory_at_any_point_is_told_and_loses_nothing(void **state) {
    (void)state;
    history *h = history_make(9);
    open_log(h);
    for (int i = 0; i < 30; i++) {
        assert_true(write_batch(h));
    }
    close_log(h);
    size_t refused = 0;
    for (size_t granted = 0; granted < 12; granted++) {
        rationed r = { granted };
        cairn_allocator allocator = { ration, &r };
        cairn__log_writer *writer = NULL;
        cairn__log_reader *reader = NULL;
        cairn__log_entry entry;
        cairn_status status = cairn__log_writer_open(
            &(cairn__log_options){ &h->files, "log", allocator, 0 }, &writer, &h->problem);
        assert_true(status == CAIRN_OK || h->problem.text[0] != 0);
        refused += status != CAIRN_OK;
        if (status == CAIRN_OK) {
            cairn__log_writer_close(writer);
        }
        r.left = granted;
        status = cairn__log_reader_open(&h->files, "log", 0, allocator, &reader);
        refused += status != CAIRN_OK;
        if (status == CAIRN_OK) {
            status = cairn__log_read(reader, UINT64_MAX, &entry, &h->problem);
            assert_true(status == CAIRN_OK || status == CAIRN_NO_MEMORY);
            r.left = 10; /* and it goes on where it stood */
            assert_int_equal(status == CAIRN_OK
                                 ? CAIRN_OK
                                 : cairn__log_read(reader, UINT64_MAX, &entry, &h->problem),
                             CAIRN_OK);
            assert_int_equal(cairn__load_u64(entry.payload.data), h->acked[0]);
            cairn__log_reader_close(reader);
        }
    }
    assert_true(refused > 3);
    open_log(h);
    read_all(h);
    history_free(h);
}

static void the_real_files_keep_a_log_too(void **state) {
    (void)state;
    char folder[] = "/tmp/cairn-log-XXXXXX";
    char directory[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(directory, sizeof directory, "%s/log", folder);
    const cairn__files files = cairn__files_posix();
    cairn__log_problem problem;
    uint64_t position = 0;
    for (uint64_t round = 0; round < 5; round++) {
        cairn__log_writer *writer = NULL;
        assert_int_equal(
            cairn__log_writer_open(&(cairn__log_options){ &files, directory, cairn__heap(), 0 },
                                   &writer, &problem),
            CAIRN_OK);
        assert_int_equal(cairn__log_writer_position(writer), position);
        cairn__log_writer_segment_bytes(writer, SEGMENT_BYTES);
        for (uint64_t i = 0; i < 20; i++) {
            cairn__buffer batch = cairn__buffer_make(cairn__heap(), 4096);
            frame_number(&batch, round * 20 + i, 200);
            assert_int_equal(cairn__log_write(writer, cairn__buffer_span(&batch), &problem),
                             CAIRN_OK);
            cairn__buffer_free(&batch);
        }
        position = cairn__log_writer_position(writer);
        cairn__log_writer_close(writer);
    }
    int reports = 0;
    assert_int_equal(cairn__log_verify(&files, directory, cairn__heap(), tell_nothing, &reports),
                     CAIRN_OK);
    cairn__log_reader *reader = NULL;
    cairn__log_entry entry;
    assert_int_equal(cairn__log_reader_open(&files, directory, 0, cairn__heap(), &reader),
                     CAIRN_OK);
    for (uint64_t number = 0; number < 100; number++) {
        assert_int_equal(cairn__log_read(reader, position, &entry, &problem), CAIRN_OK);
        assert_int_equal(cairn__load_u64(entry.payload.data), number);
    }
    assert_int_equal(cairn__log_read(reader, position, &entry, &problem), CAIRN_NOT_FOUND);
    cairn__log_reader_close(reader);
    cairn__log_writer *writer = NULL;
    assert_int_equal(
        cairn__log_writer_open(&(cairn__log_options){ &files, directory, cairn__heap(), 0 },
                               &writer, &problem),
        CAIRN_OK);
    assert_int_equal(cairn__log_trim(writer, position), CAIRN_OK);
    cairn__log_writer_close(writer);
    assert_int_equal(cairn__log_reader_open(&files, directory, 1, cairn__heap(), &reader),
                     CAIRN_NOT_FOUND);
    assert_int_equal(cairn__log_reader_open(&files, "/none/log", 0, cairn__heap(), &reader),
                     CAIRN_STORAGE);
    char command[128];
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static void frames_that_find_no_room_leave_the_batch_as_it_was(void **state) {
    (void)state;
    cairn__buffer batch = cairn__buffer_make(cairn__heap(), 100);
    frame_number(&batch, 1, 0);
    size_t len = batch.len;
    frame_number(&batch, 2, 200);
    assert_true(batch.failed);
    assert_int_equal(batch.len, len);
    cairn__buffer_free(&batch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_acknowledged_batch_survives_faults_and_power_cuts),
        cmocka_unit_test(power_that_goes_at_any_call_loses_nothing_acknowledged),
        cmocka_unit_test(a_full_disk_refuses_and_resumes_by_itself),
        cmocka_unit_test(a_failing_sync_moves_on_to_a_new_file),
        cmocka_unit_test(every_truncation_keeps_the_whole_entries_before_it),
        cmocka_unit_test(every_flipped_byte_is_told_and_hides_nothing_before_it),
        cmocka_unit_test(what_the_state_has_folded_is_never_cut),
        cmocka_unit_test(a_log_that_ends_before_the_state_is_refused_unchanged),
        cmocka_unit_test(damage_in_an_older_segment_is_never_an_end),
        cmocka_unit_test(a_reader_stands_only_where_an_entry_begins),
        cmocka_unit_test(trimming_keeps_the_newest_segment_and_all_that_is_asked_for),
        cmocka_unit_test(no_memory_at_any_point_is_told_and_loses_nothing),
        cmocka_unit_test(the_real_files_keep_a_log_too),
        cmocka_unit_test(frames_that_find_no_room_leave_the_batch_as_it_was),
    };
    return cmocka_run_group_tests_name("collector/log", tests, NULL, NULL);
}
