/* real_trail.c: the world's rows in a real trail, in memory: some committed in several images, the
 * last in the open tail, so that the reader has runs to merge. */
#include <sqlite3.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "support/cmocka_all.h"
#include "trail/trail.h"
#include "world.h"

enum { IMAGE_ROWS = 60 };

/* What a snapshot was made from; only one is out at a time. */
typedef struct {
    sqlite3 *db;
    cairn__trail *trail;
} store;

static store *store_out(void) {
    static store only;
    return &only;
}

static void commit(store *s) {
    assert_int_equal(sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(cairn__trail_commit(s->trail), CAIRN_OK);
    assert_int_equal(sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    cairn__trail_committed(s->trail, true);
}

cairn__trail_snapshot *world_snapshot_take(const world *w) {
    store *s = store_out();
    cairn__trail_problem problem;
    const cairn__trail_options options = { .allocator = cairn__heap(), .directory = "" };
    assert_int_equal(sqlite3_open(":memory:", &s->db), SQLITE_OK);
    assert_int_equal(cairn__trail_open(s->db, &options, &s->trail, &problem), CAIRN_OK);
    for (size_t i = 0; i < w->count; i++) {
        const world_event *event = &w->events[i];
        const cairn__trail_row row = { .node = event->node,
                                       .time_ms = event->time_ms,
                                       .order = event->order,
                                       .name = cairn__span_of(event->name),
                                       .properties = event->properties,
                                       .property_count = event->property_count };
        assert_int_equal(cairn__trail_append(s->trail, &row), CAIRN_OK);
        if (i % IMAGE_ROWS == IMAGE_ROWS - 1) {
            commit(s);
        }
    }
    cairn__trail_snapshot *snapshot = cairn__trail_snapshot_take(s->trail);
    assert_non_null(snapshot);
    return snapshot;
}

void world_snapshot_release(cairn__trail_snapshot *snapshot) {
    store *s = store_out();
    cairn__trail_snapshot_release(snapshot);
    cairn__trail_close(s->trail);
    assert_int_equal(sqlite3_close(s->db), SQLITE_OK);
}
