/* Goal: whatever the moments of commits and kills, every event counts exactly once and the state is
 * the same as that of a run without any.
 * Method: random entries of four devices and a JSON source, with requests sent again; commits,
 * kills, failed commits, flushes and compactions at random moments; the log is read again from the
 * committed position, as the edge does. Both runs' tables and trails are compared. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "support/cmocka_all.h"
#include "unit/collector/fold/history.h"

enum { DEVICES = 4, ENTRIES = 120, ROUNDS = 25, BATCH_MAX = 6 };

typedef struct log_of_run {
    cairn__log_entry entries[ENTRIES];
    uint64_t distinct; /* TRACK events with distinct (device, seq) */
    int64_t sum;       /* of their n */
} log_of_run;

static uint64_t dice_of(uint64_t round, uint64_t step) {
    return cairn__mix(round * 100003 + step + 1);
}

/* Event `seq` of a device, always the same. n tells it from every other. */
static cairn__event event_of(size_t device, uint64_t seq, cairn_property *property, cairn_id *id,
                             char text[16]) {
    uint64_t dice = cairn__mix(device * 7919 + seq);
    cairn__event event = { .seq = seq, .time_ms = 1700000000000 + (int64_t)(dice % 100000) };
    int len = snprintf(text, 16, "user%d", (int)(dice >> 20) % 3);
    *id = (cairn_id){ CAIRN_STR("login"), cairn__span(text, (size_t)len) };
    *property = (cairn_property){ CAIRN_STR("n"),
                                  { .kind = CAIRN_VALUE_INTEGER,
                                    .as.integer = (int64_t)(device * 1000000 + seq) } };
    event.properties = property;
    event.property_count = 1;
    unsigned kind = (unsigned)(dice >> 40) % 12;
    event.kind = kind < 7     ? CAIRN__EVENT_TRACK
                 : kind == 7  ? CAIRN__EVENT_PROFILE_INCREMENT
                 : kind == 8  ? CAIRN__EVENT_LOGIN
                 : kind == 9  ? CAIRN__EVENT_CONSENT
                 : kind == 10 ? CAIRN__EVENT_ERASE
                              : CAIRN__EVENT_LOGOUT;
    if (event.kind == CAIRN__EVENT_CONSENT) {
        *property = (cairn_property){ CAIRN_STR("marketing"),
                                      { CAIRN_VALUE_STRING,
                                        { .string = (dice & 1) != 0 ? CAIRN_STR("granted")
                                                                    : CAIRN_STR("denied") } } };
    }
    event.name = event.kind == CAIRN__EVENT_TRACK ? CAIRN_STR("step") : cairn__span(NULL, 0);
    if (event.kind == CAIRN__EVENT_LOGIN) {
        event.ids = id;
        event.id_count = 1;
    }
    if (event.kind == CAIRN__EVENT_LOGIN || event.kind == CAIRN__EVENT_LOGOUT) {
        event.property_count = 0;
    }
    return event;
}

static void make_log(history *h, uint64_t round, log_of_run *log) {
    uint64_t next[DEVICES] = { 1, 1, 1, 1 };
    uint64_t acked[DEVICES] = { 0 };
    *log = (log_of_run){ .distinct = 0 };
    for (size_t i = 0; i < ENTRIES; i++) {
        uint64_t dice = dice_of(round, i);
        size_t device = dice % DEVICES;
        bool again = (dice >> 8) % 4 == 0 && next[device] > acked[device] + 1;
        uint64_t first = again ? acked[device] + 1 : next[device];
        size_t count = 1 + (dice >> 16) % BATCH_MAX;
        cairn__event events[BATCH_MAX];
        cairn_property properties[BATCH_MAX];
        cairn_id ids[BATCH_MAX];
        char texts[BATCH_MAX][16];
        for (size_t at = 0; at < count; at++) {
            events[at] = event_of(device, first + at, &properties[at], &ids[at], texts[at]);
            bool fresh = first + at >= next[device];
            if (fresh && events[at].kind == CAIRN__EVENT_TRACK) {
                log->distinct++;
                log->sum += properties[at].value.as.integer;
            }
        }
        next[device] = first + count > next[device] ? first + count : next[device];
        acked[device] = (dice >> 24) % 3 == 0 ? next[device] - 1 : acked[device];
        history_device sender = { { (uint8_t)(device + 1) }, 0 };
        h->now_ms += 10;
        log->entries[i] = history_sync(h, &sender, events, count);
    }
}

static void free_log(log_of_run *log) {
    for (size_t i = 0; i < ENTRIES; i++) {
        history_free_entry(&log->entries[i]);
    }
}

/* Everything that must not depend on when commits came, as one hash. */
static uint64_t state_of(history *h) {
    static const char *const selects[] = {
        "SELECT * FROM identity_id ORDER BY type, value",
        "SELECT * FROM identity_node ORDER BY node",
        "SELECT * FROM identity_map ORDER BY chunk",
        "SELECT * FROM identity_journal ORDER BY id",
        "SELECT * FROM profile_name ORDER BY id",
        "SELECT * FROM profile_value ORDER BY name, node",
        "SELECT * FROM consent_ledger ORDER BY id, category",
        "SELECT * FROM erase_requests ORDER BY id",
        "SELECT key, state FROM fold_source ORDER BY key",
        "SELECT position, events, duplicates, quarantined FROM fold_progress",
    };
    uint64_t hash = 0;
    for (size_t i = 0; i < sizeof selects / sizeof selects[0]; i++) {
        sqlite3_stmt *select = NULL;
        assert_int_equal(sqlite3_prepare_v2(h->fold->db, selects[i], -1, &select, NULL), SQLITE_OK);
        while (sqlite3_step(select) == SQLITE_ROW) {
            for (int column = 0; column < sqlite3_column_count(select); column++) {
                const void *data = sqlite3_column_blob(select, column);
                size_t len = (size_t)sqlite3_column_bytes(select, column);
                hash = cairn__hash(cairn__span(data, len), hash + (uint64_t)column + i);
            }
        }
        sqlite3_finalize(select);
    }
    return hash;
}

/* Flush or compact, whole, as the edge does on another thread. */
static void run_job(history *h) {
    cairn__trail_job *job = cairn__fold_job_plan(h->fold);
    if (job != NULL) {
        (void)cairn__trail_job_run(job);
        assert_int_equal(cairn__fold_job_finish(h->fold, job), CAIRN_OK);
        history_commit(h);
    }
}

static void fail_a_commit(history *h) {
    cairn__fold_problem problem;
    assert_int_equal(sqlite3_exec(h->fold->db, "PRAGMA query_only = 1", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_not_equal(cairn__fold_commit(h->fold, 0, &problem), CAIRN_OK);
    assert_int_equal(sqlite3_exec(h->fold->db, "PRAGMA query_only = 0", NULL, NULL, NULL),
                     SQLITE_OK);
}

/* Fold the whole log, going back to the committed position at every kill. */
static void run(history *h, const log_of_run *log, uint64_t round, bool calm) {
    uint64_t first = log->entries[0].position;
    uint64_t step = 0;
    size_t at = 0;
    while (at < ENTRIES) {
        assert_int_equal(cairn__fold_entry(h->fold, &log->entries[at]), CAIRN_OK);
        at++;
        unsigned what = (unsigned)(dice_of(round + 5000, step++) >> 9) % 16;
        if (calm || what >= 8) {
            continue;
        }
        if (what < 3) {
            history_commit(h);
        } else if (what < 5) {
            history_crash(h);
            uint64_t position = cairn__fold_position(h->fold);
            at = position <= first ? 0 : (size_t)((position - first) / HISTORY_ENTRY_STEP);
        } else if (what < 6) {
            fail_a_commit(h);
        } else {
            run_job(h);
        }
    }
    history_commit(h);
}

static void every_event_counts_once_and_the_state_is_that_of_a_calm_run(void **state) {
    (void)state;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        history calm;
        history wild;
        log_of_run log;
        history_make(&calm, "calm");
        history_make(&wild, "wild");
        make_log(&calm, round, &log);
        run(&calm, &log, round, true);
        run(&wild, &log, round, false);
        int64_t sum = 0;
        assert_int_equal(history_rows(&calm, &sum), log.distinct);
        assert_int_equal(sum, log.sum);
        assert_int_equal(history_rows(&wild, &sum), log.distinct);
        assert_int_equal(sum, log.sum);
        assert_true(state_of(&calm) == state_of(&wild));
        history_crash(&wild); /* and what is on disk says the same */
        assert_int_equal(history_rows(&wild, &sum), log.distinct);
        assert_int_equal(sum, log.sum);
        assert_int_equal(cairn__fold_verify(wild.fold, NULL, NULL), CAIRN_OK);
        free_log(&log);
        history_remove(&calm);
        history_remove(&wild);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_counts_once_and_the_state_is_that_of_a_calm_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
