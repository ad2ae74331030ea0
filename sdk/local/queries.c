/* queries.c: which queries are asked, and which events are theirs. Folding is fold.c, values are
 * answer.c. */
#include "local/queries.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "local/fold.h"

enum {
    DECODING_BYTES_MAX = 256 * 1024,
    PRINT_SAMPLES = 3000, /* one a week from 1990 on: 57 years */
    WEEK_MS = 7 * 24 * 3600 * 1000,
    TABLE_FIRST = 64
};

static const int64_t print_from_ms = INT64_C(631152000000); /* 1990-01-01 */

cairn__queries cairn__queries_make(cairn_allocator allocator) {
    return (cairn__queries){
        .allocator = allocator,
        .arena = cairn__arena_make(allocator, CAIRN__QUERIES_BYTES_MAX),
        .decoding = cairn__arena_make(allocator, DECODING_BYTES_MAX),
        .scratch = cairn__arena_make(allocator, CAIRN__QUERY_SCRATCH_BYTES_MAX),
    };
}

static void free_table(cairn__queries *queries) {
    if (queries->table != NULL) {
        queries->allocator.resize(queries->allocator.self, queries->table,
                                  queries->table_size * sizeof *queries->table, 0);
    }
}

static void free_items(cairn__queries *queries) {
    for (size_t i = 0; i < queries->count; i++) {
        cairn__asked *asked = &queries->items[i];
        cairn__kept_free(&asked->value, queries->allocator);
        cairn__folds_forget(queries, asked);
    }
    if (queries->items != NULL) {
        queries->allocator.resize(queries->allocator.self, queries->items,
                                  queries->capacity * sizeof *queries->items, 0);
    }
    if (queries->entries != NULL) {
        queries->allocator.resize(queries->allocator.self, queries->entries,
                                  queries->entry_capacity * sizeof *queries->entries, 0);
    }
    free_table(queries);
    cairn__arena_free(&queries->arena);
}

void cairn__queries_free(cairn__queries *queries) {
    free_items(queries);
    cairn__arena_free(&queries->decoding);
    cairn__arena_free(&queries->scratch);
    *queries = cairn__queries_make(queries->allocator);
}

size_t cairn__queries_find(const cairn__queries *queries, cairn_span bytes) {
    uint64_t hash = cairn__hash(bytes, 0);
    size_t mask = queries->table_size - 1;
    for (size_t i = hash & mask; queries->table_size > 0 && queries->table[i] != 0;
         i = (i + 1) & mask) {
        size_t place = queries->table[i] - 1;
        const cairn__asked *asked = &queries->items[place];
        if (asked->hash == hash && cairn__span_equal(asked->bytes, bytes)) {
            return place;
        }
    }
    return SIZE_MAX;
}

static void put_place(cairn__queries *queries, size_t place) {
    size_t mask = queries->table_size - 1;
    size_t i = queries->items[place].hash & mask;
    while (queries->table[i] != 0) {
        i = (i + 1) & mask;
    }
    queries->table[i] = (uint32_t)place + 1;
}

/* Room for one query more. */
static bool reserve_table(cairn__queries *queries) {
    if (2 * (queries->count + 1) <= queries->table_size) {
        return true;
    }
    size_t size = queries->table_size == 0 ? TABLE_FIRST : queries->table_size * 2;
    size_t bytes = size * sizeof *queries->table;
    uint32_t *table = queries->allocator.resize(queries->allocator.self, NULL, 0, bytes);
    if (table == NULL) {
        return false;
    }
    free_table(queries);
    memset(table, 0, bytes);
    queries->table = table;
    queries->table_size = size;
    for (size_t i = 0; i < queries->count; i++) {
        put_place(queries, i);
    }
    return true;
}

/* --- by name -----------------------------------------------------------------------------------*/

static bool add_entry(cairn__queries *queries, uint32_t name, size_t asked) {
    if (!cairn__kept_reserve(queries->allocator, (void **)&queries->entries,
                             sizeof *queries->entries, queries->entry_count,
                             &queries->entry_capacity)) {
        return false;
    }
    queries->entries[queries->entry_count++] = (cairn__query_entry){ name, (uint32_t)asked };
    return true;
}

static bool index_step(cairn__queries *queries, size_t place, const cairn__query_step *step) {
    for (size_t i = 0; i < step->name_count; i++) {
        if (!add_entry(queries, cairn__past_name(step->names[i]), place)) {
            return false;
        }
    }
    return true;
}

/* The names of one query; `any` asks for the one entry of those that take every event. */
static bool index_one(cairn__queries *queries, size_t place, bool any) {
    const cairn__query_step *steps = NULL;
    const cairn__query *query = queries->items[place].query;
    size_t count = query == NULL ? 0 : cairn__query_steps(query, &steps);
    bool takes_any = false;
    for (size_t i = 0; i < count; i++) {
        takes_any = takes_any || steps[i].any;
    }
    if (takes_any || any) {
        return takes_any != any || add_entry(queries, 0, place);
    }
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        good = index_step(queries, place, &steps[i]);
    }
    return good;
}

static void sift(cairn__query_entry *entries, size_t from, size_t count) {
    for (size_t child = 2 * from + 1; child < count; child = 2 * from + 1) {
        if (child + 1 < count && entries[child + 1].name > entries[child].name) {
            child += 1;
        }
        if (entries[from].name >= entries[child].name) {
            return;
        }
        cairn__query_entry swapped = entries[from];
        entries[from] = entries[child];
        entries[child] = swapped;
        from = child;
    }
}

/* Heapsort: no memory, no worst case. */
static void sort_entries(cairn__query_entry *entries, size_t count) {
    for (size_t i = count / 2; i > 0; i--) {
        sift(entries, i - 1, count);
    }
    for (size_t left = count; left > 1; left--) {
        cairn__query_entry swapped = entries[0];
        entries[0] = entries[left - 1];
        entries[left - 1] = swapped;
        sift(entries, 0, left - 1);
    }
}

static bool index_all(cairn__queries *queries) {
    queries->entry_count = 0;
    queries->any_count = 0;
    for (size_t i = 0; i < queries->count; i++) {
        if (!index_one(queries, i, false)) {
            return false;
        }
    }
    size_t named = queries->entry_count;
    for (size_t i = 0; i < queries->count; i++) {
        if (!index_one(queries, i, true)) {
            return false;
        }
    }
    sort_entries(queries->entries, named);
    queries->any_count = queries->entry_count - named;
    return true;
}

static size_t place_of(const cairn__query_entry *entries, size_t count, uint32_t name) {
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entries[middle].name < name) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool cairn__queries_next(const cairn__queries *queries, uint32_t name, size_t *at,
                         size_t *place_out) {
    size_t named = queries->entry_count - queries->any_count;
    *at = *at == 0 ? place_of(queries->entries, named, name) + 1 : *at;
    size_t index = *at - 1;
    if (index < named && queries->entries[index].name != name) {
        index = named;
    }
    if (index >= queries->entry_count) {
        return false;
    }
    *place_out = queries->entries[index].asked;
    *at = index + 2;
    return true;
}

/* --- asking ------------------------------------------------------------------------------------*/

/* A query more. */
static bool add_query(cairn__queries *queries, cairn_span bytes, int64_t complete_ms) {
    if (!cairn__kept_reserve(queries->allocator, (void **)&queries->items, sizeof *queries->items,
                             queries->count, &queries->capacity) ||
        !reserve_table(queries)) {
        return false;
    }
    cairn__asked asked = { .hash = cairn__hash(bytes, 0), .from_ms = complete_ms };
    if (!cairn__arena_copy(&queries->arena, bytes, &asked.bytes)) {
        return false;
    }
    cairn_status status = cairn__query_load(asked.bytes, &queries->arena, &asked.query);
    asked.query = status == CAIRN_OK ? asked.query : NULL;
    queries->items[queries->count] = asked;
    put_place(queries, queries->count);
    queries->count += 1;
    return status != CAIRN_NO_MEMORY;
}

/* What was known of queries that are asked again. */
static void take_over(cairn__queries *queries, cairn__queries *old) {
    for (size_t i = 0; i < queries->count; i++) {
        cairn__asked *asked = &queries->items[i];
        size_t place = cairn__queries_find(old, asked->bytes);
        if (place == SIZE_MAX) {
            continue;
        }
        cairn__asked *before = &old->items[place];
        asked->from_ms = before->from_ms;
        asked->folds = before->folds;
        asked->fold_count = before->fold_count;
        asked->fold_capacity = before->fold_capacity;
        queries->fold_count += before->fold_count;
        before->folds = NULL;
        before->fold_count = 0;
    }
}

bool cairn__queries_ask(cairn__queries *queries, const cairn__rule_slot *slots, size_t count,
                        int64_t complete_ms) {
    cairn__queries fresh = cairn__queries_make(queries->allocator);
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        good = slots[i].space != CAIRN__RULE_QUERY ||
               cairn__queries_find(&fresh, slots[i].name) != SIZE_MAX ||
               add_query(&fresh, slots[i].name, complete_ms);
    }
    good = good && index_all(&fresh);
    if (good) {
        fresh.zone = queries->zone;
        fresh.zone_print = queries->zone_print;
        take_over(&fresh, queries);
        cairn__queries_free(queries);
        *queries = fresh;
    } else {
        cairn__queries_free(&fresh);
    }
    return good;
}

static uint64_t print_of(const cairn__zone *zone) {
    uint64_t print = 0;
    for (int64_t i = 0; zone != NULL && i < PRINT_SAMPLES; i++) {
        int32_t offset = cairn__zone_offset(zone, print_from_ms + i * WEEK_MS);
        print = cairn__mix(print ^ (uint64_t)(int64_t)offset) + 1;
    }
    return print;
}

void cairn__queries_set_zone(cairn__queries *queries, const cairn__zone *zone,
                             int64_t complete_ms) {
    uint64_t print = print_of(zone);
    queries->zone = zone;
    if (print == queries->zone_print) {
        return;
    }
    queries->zone_print = print;
    for (size_t i = 0; i < queries->count; i++) {
        cairn__asked *asked = &queries->items[i];
        asked->valid = false;
        if (complete_ms > asked->from_ms) {
            asked->from_ms = complete_ms;
        }
        cairn__folds_forget(queries, asked);
    }
}

void cairn__queries_forget_values(cairn__queries *queries) {
    for (size_t i = 0; i < queries->count; i++) {
        queries->items[i].valid = false;
    }
}

/* --- bytes -------------------------------------------------------------------------------------*/

void cairn__queries_write_one(const cairn__asked *asked, cairn__buffer *to) {
    cairn__kept_write_span(asked->bytes, to);
    cairn__buffer_u64(to, (uint64_t)asked->from_ms);
    cairn__folds_write(asked, to);
}

bool cairn__queries_read_one(cairn__queries *queries, cairn_span bytes) {
    cairn__cursor from = cairn__cursor_of(bytes);
    cairn_span query;
    int64_t from_ms = 0;
    return cairn__kept_span(&from, &query) && cairn__kept_i64(&from, &from_ms) &&
           cairn__queries_find(queries, query) == SIZE_MAX && add_query(queries, query, from_ms) &&
           cairn__folds_read(queries, &queries->items[queries->count - 1], &from);
}

bool cairn__queries_read_end(cairn__queries *queries) {
    return index_all(queries);
}
