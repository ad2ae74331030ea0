#include "unit/collector/fold/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "model/sync.h"
#include "support/cmocka_all.h"
#include "trail/reader.h"

enum { ARENA_BYTES = 16 << 20 };

static void on_event(void *self, cairn_span json) {
    history *h = self;
    if (h->live_len + json.len + 2 < sizeof h->live) {
        memcpy(h->live + h->live_len, json.data, json.len);
        h->live_len += json.len;
        h->live[h->live_len++] = '\n';
        h->live[h->live_len] = '\0';
    }
}

static void open_fold(history *h) {
    cairn__fold_options options = { .allocator = cairn__heap(),
                                    .directory = h->directory,
                                    .tail_rows_max = 500,
                                    .on_event = on_event,
                                    .self = h };
    cairn__fold_problem problem = { "" };
    cairn_status status = cairn__fold_open(&options, &h->fold, &problem);
    assert_string_equal(problem.text, "");
    assert_int_equal(status, CAIRN_OK);
}

static void remove_directory(const char *directory) {
    char command[160];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", directory);
    assert_int_equal(system(command), 0);
}

void history_make(history *h, const char *name) {
    *h = (history){ .now_ms = 1700000000000 };
    (void)snprintf(h->directory, sizeof h->directory, "/tmp/cairn_fold_%s_%d", name, (int)getpid());
    remove_directory(h->directory);
    assert_int_equal(mkdir(h->directory, 0755), 0);
    open_fold(h);
}

void history_remove(history *h) {
    cairn__fold_close(h->fold);
    remove_directory(h->directory);
}

void history_crash(history *h) {
    cairn__fold_close(h->fold);
    open_fold(h);
}

void history_commit(history *h) {
    cairn__fold_problem problem = { "" };
    cairn_status status = cairn__fold_commit(h->fold, 0, &problem);
    assert_string_equal(problem.text, "");
    assert_int_equal(status, CAIRN_OK);
}

/* The entry owns a copy of the payload. */
static cairn__log_entry entry_of(history *h, cairn__log_type type, cairn__buffer *payload) {
    assert_false(payload->failed);
    cairn__log_entry entry = { .type = type,
                               .received_ms = h->now_ms,
                               .project = CAIRN_STR("p"),
                               .payload = cairn__buffer_span(payload),
                               .position = h->next_position,
                               .end = h->next_position + HISTORY_ENTRY_STEP };
    h->next_position = entry.end;
    return entry;
}

void history_free_entry(cairn__log_entry *entry) {
    free((void *)(uintptr_t)entry->payload.data);
}

void history_json(history *h, const char *key, const char *body) {
    cairn__buffer payload = cairn__buffer_make(cairn__heap(), ARENA_BYTES);
    cairn__ingest_events_pack(&payload, cairn__span_of(key), cairn__span_of(body));
    cairn__log_entry entry = entry_of(h, CAIRN__LOG_EVENTS, &payload);
    assert_int_equal(cairn__fold_entry(h->fold, &entry), CAIRN_OK);
    history_free_entry(&entry);
}

cairn__log_entry history_sync(history *h, const history_device *device, const cairn__event *events,
                              size_t count) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    cairn_span *encoded = cairn__arena_alloc_zero(&arena, count + 1, sizeof *encoded);
    for (size_t i = 0; i < count; i++) {
        cairn__buffer one = cairn__buffer_make(cairn__heap(), ARENA_BYTES);
        cairn__event_encode(&one, &events[i]);
        assert_true(cairn__arena_copy(&arena, cairn__buffer_span(&one), &encoded[i]));
        cairn__buffer_free(&one);
    }
    cairn__sync_head head = { .project_key = CAIRN_STR("key"),
                              .sent_ms = device->sent_ms != 0 ? device->sent_ms : h->now_ms };
    memcpy(head.device_id, device->id, sizeof head.device_id);
    cairn__buffer payload = cairn__buffer_make(cairn__heap(), ARENA_BYTES);
    assert_int_equal(cairn__sync_request_encode(&head, encoded, count, &arena, &payload), CAIRN_OK);
    cairn__arena_free(&arena);
    return entry_of(h, CAIRN__LOG_SYNC, &payload);
}

void history_send(history *h, const history_device *device, const cairn__event *events,
                  size_t count) {
    cairn__log_entry entry = history_sync(h, device, events, count);
    assert_int_equal(cairn__fold_entry(h->fold, &entry), CAIRN_OK);
    history_free_entry(&entry);
}

cairn__fold_stats history_stats(const history *h) {
    cairn__fold_stats stats;
    cairn__fold_stats_of(h->fold, &stats);
    return stats;
}

uint64_t history_rows(history *h, int64_t *sum_out) {
    cairn__trail_snapshot *snapshot = cairn__trail_snapshot_take(h->fold->trail);
    assert_non_null(snapshot);
    cairn_span names[1] = { CAIRN_STR("n") };
    cairn__reader_options options = { .allocator = cairn__heap(),
                                      .bytes_max = ARENA_BYTES,
                                      .properties = names,
                                      .property_count = 1,
                                      .from_ms = INT64_MIN,
                                      .to_ms = INT64_MAX,
                                      .person_end = UINT32_MAX };
    options.person_of = cairn__identity_map(h->fold->identity, &options.node_count);
    cairn__reader *reader = NULL;
    assert_int_equal(cairn__reader_open(snapshot, &options, &reader), CAIRN_OK);
    uint64_t rows = 0;
    *sum_out = 0;
    for (;;) {
        cairn__reader_batch batch;
        assert_int_equal(cairn__reader_next(reader, &batch), CAIRN_OK);
        if (batch.person_count == 0) {
            break;
        }
        rows += batch.row_count;
        for (size_t i = 0; i < batch.row_count; i++) {
            bool has = batch.columns[0].kind[i] == CAIRN_VALUE_INTEGER;
            *sum_out += has ? (int64_t)batch.columns[0].bits[i] : 0;
        }
    }
    cairn__reader_close(reader);
    cairn__trail_snapshot_release(snapshot);
    return rows;
}

const char *history_person(history *h, const char *type, const char *value) {
    static char text[65536];
    cairn__buffer json = cairn__buffer_make(cairn__heap(), sizeof text - 1);
    cairn_id id = { cairn__span_of(type), cairn__span_of(value) };
    cairn_status status = cairn__fold_person(h->fold, id, &json);
    assert_true(status == CAIRN_OK || status == CAIRN_NOT_FOUND);
    if (json.len != 0) {
        memcpy(text, json.data, json.len);
    }
    text[json.len] = '\0';
    cairn__buffer_free(&json);
    return text;
}
