/* query_fuzz.c: whatever the query, the engine ends with an answer or with a problem that says
 * something, on a trail of a few rows; a problem's texts are short and whole. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/analytics.h"
#include "base/assert.h"
#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BUDGET_BYTES = 8 << 20, ANSWER_BYTES_MAX = 4 << 20, STOPS = 200 };

#define NOW_MS INT64_C(1786000000000) /* 2026-08-06 */

static void add_rows(cairn__trail *trail) {
    static const char *const names[] = { "view_item", "add_cart", "purchase", "refund" };
    const cairn_property properties[] = {
        { CAIRN_STR("amount"), { .kind = CAIRN_VALUE_NUMBER, .as.number = 29.5 } },
        { CAIRN_STR("channel"), { .kind = CAIRN_VALUE_STRING, .as.string = CAIRN_STR("web") } },
        { CAIRN_STR("item_id"), { .kind = CAIRN_VALUE_INTEGER, .as.integer = 7 } },
    };
    for (uint32_t i = 0; i < 24; i++) {
        const cairn__trail_row row = { .node = i % 5,
                                       .time_ms = NOW_MS - (int64_t)(24 - i) * 7200000,
                                       .order = i + 1,
                                       .name = cairn__span_of(names[i * 7 % 4]),
                                       .properties = properties,
                                       .property_count = i % 4 };
        CAIRN_ASSERT(cairn__trail_append(trail, &row) == CAIRN_OK);
    }
}

static void read_profile(void *self, uint32_t person, const cairn_span *names, size_t count,
                         cairn_value *values_out) {
    (void)self;
    (void)names;
    for (size_t i = 0; i < count; i++) {
        values_out[i] =
            (cairn_value){ .kind = person % 2 == 0 ? CAIRN_VALUE_NULL : CAIRN_VALUE_INTEGER,
                           .as.integer = person };
    }
}

/* The time is up after a while, so that no input takes long. */
static bool stop(void *self) {
    int *left = self;
    return --*left < 0;
}

static void check(cairn_status status, const cairn__buffer *answer,
                  const cairn__analyze_problem *problem) {
    if (status == CAIRN_OK) {
        json_t *parsed =
            json_loadb((const char *)answer->data, answer->len, JSON_REJECT_DUPLICATES, NULL);
        CAIRN_ASSERT(parsed != NULL);
        json_decref(parsed);
        return;
    }
    CAIRN_ASSERT(status == CAIRN_INVALID || status == CAIRN_BUSY || status == CAIRN_NO_MEMORY);
    CAIRN_ASSERT(answer->len == 0 && problem->code[0] != 0 && problem->detail[0] != 0 &&
                 problem->fix[0] != 0);
    CAIRN_ASSERT(cairn__utf8_valid(cairn__span_of(problem->field)));
    CAIRN_ASSERT(cairn__utf8_valid(cairn__span_of(problem->detail)));
    CAIRN_ASSERT(cairn__utf8_valid(cairn__span_of(problem->fix)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sqlite3 *db = NULL;
    cairn__trail *trail = NULL;
    cairn__trail_problem trail_problem;
    const cairn__trail_options trail_options = { .allocator = cairn__heap(), .directory = "" };
    CAIRN_ASSERT(sqlite3_open(":memory:", &db) == SQLITE_OK);
    CAIRN_ASSERT(cairn__trail_open(db, &trail_options, &trail, &trail_problem) == CAIRN_OK);
    add_rows(trail);
    int left = STOPS;
    const cairn__analyze_source source = { .snapshot = cairn__trail_snapshot_take(trail),
                                           .profiles = { read_profile, NULL } };
    const cairn__analyze_options options = { .allocator = cairn__heap(),
                                             .bytes_max = BUDGET_BYTES,
                                             .now_ms = NOW_MS,
                                             .stop = stop,
                                             .self = &left };
    cairn__analyze_problem problem;
    cairn__buffer answer = cairn__buffer_make(cairn__heap(), ANSWER_BYTES_MAX);
    cairn_status status =
        cairn__analyze(&source, cairn__span(data, size), &options, &answer, &problem);
    check(status, &answer, &problem);
    cairn__buffer_free(&answer);
    cairn__trail_snapshot_release((cairn__trail_snapshot *)(uintptr_t)source.snapshot);
    cairn__trail_close(trail);
    CAIRN_ASSERT(sqlite3_close(db) == SQLITE_OK);
    return 0;
}
