/* fold.c: see fold.h. */
#include "local/fold.h"

#include "base/bytes.h"
#include "rules/query.h"

enum { UNKNOWN = CAIRN__RULE_VALUE_UNKNOWN };

/* Sums beyond this might have been rounded on the way. */
static const int64_t sum_max = INT64_C(1) << 52;

bool cairn__folds_can(const cairn__asked *asked) {
    if (asked->query == NULL || asked->query->window.user_time) {
        return false; /* the user may travel to another zone */
    }
    switch ((int)cairn__query_kind(asked->query)) {
    case CAIRN__RULE_COUNT:
    case CAIRN__RULE_DID:
    case CAIRN__RULE_SUM:
    case CAIRN__RULE_MIN:
    case CAIRN__RULE_MAX:
    case CAIRN__RULE_FIRST:
    case CAIRN__RULE_LAST:
        return true;
    default:
        return false;
    }
}

static void free_fold(cairn__queries *queries, cairn__counter *fold) {
    for (uint32_t i = 0; i < fold->count; i++) {
        cairn__kept_free(&fold->buckets[i].kept, queries->allocator);
    }
}

void cairn__folds_forget(cairn__queries *queries, cairn__asked *asked) {
    for (size_t i = 0; i < asked->fold_count; i++) {
        free_fold(queries, &asked->folds[i]);
    }
    if (asked->folds != NULL) {
        queries->allocator.resize(queries->allocator.self, asked->folds,
                                  asked->fold_capacity * sizeof *asked->folds, 0);
    }
    queries->fold_count -= asked->fold_count;
    asked->folds = NULL;
    asked->fold_count = 0;
    asked->fold_capacity = 0;
}

/* --- one event more ----------------------------------------------------------------------------*/

static cairn__counter *fold_of(cairn__queries *queries, cairn__asked *asked, uint32_t node) {
    for (size_t i = 0; i < asked->fold_count; i++) {
        if (asked->folds[i].node == node) {
            return &asked->folds[i];
        }
    }
    if (queries->fold_count >= CAIRN__FOLDS_MAX ||
        !cairn__kept_reserve(queries->allocator, (void **)&asked->folds, sizeof *asked->folds,
                             asked->fold_count, &asked->fold_capacity)) {
        return NULL;
    }
    cairn__counter *fold = &asked->folds[asked->fold_count++];
    *fold = (cairn__counter){ .node = node };
    queries->fold_count += 1;
    return fold;
}

static bool is_whole(cairn_value value) {
    return value.kind == CAIRN_VALUE_INTEGER && value.as.integer <= sum_max &&
           value.as.integer >= -sum_max;
}

static size_t text_bytes(cairn_value value) {
    size_t bytes = value.kind == CAIRN_VALUE_STRING ? value.as.string.len : 0;
    for (size_t i = 0; value.kind == CAIRN_VALUE_LIST && i < value.as.list.count; i++) {
        bytes += value.as.list.items[i].len;
    }
    return bytes;
}

typedef enum brought { NOTHING, SOMETHING, TOO_MUCH } brought;

/* Is the value one that the function looks at, and one that can be folded? */
static brought brings(cairn__rule_history_kind kind, cairn_value value) {
    bool number = value.kind == CAIRN_VALUE_INTEGER || value.kind == CAIRN_VALUE_NUMBER;
    switch ((int)kind) {
    case CAIRN__RULE_COUNT:
    case CAIRN__RULE_DID:
        return SOMETHING;
    case CAIRN__RULE_SUM:
        return is_whole(value) ? SOMETHING : number ? TOO_MUCH : NOTHING;
    case CAIRN__RULE_MIN:
    case CAIRN__RULE_MAX:
        if (!number && value.kind != CAIRN_VALUE_STRING && value.kind != CAIRN_VALUE_TIME) {
            return NOTHING;
        }
        return is_whole(value) ? SOMETHING : TOO_MUCH;
    default: /* first, last */
        if (value.kind == CAIRN_VALUE_NULL) {
            return NOTHING;
        }
        return text_bytes(value) <= CAIRN__FOLD_TEXT_BYTES_MAX ? SOMETHING : TOO_MUCH;
    }
}

/* `later` behind `earlier`, both of the same query; false: cannot be. */
static bool join_values(cairn__rule_history_kind kind, cairn_value earlier, cairn_value later,
                        cairn_value *value_out) {
    *value_out = earlier;
    switch ((int)kind) {
    case CAIRN__RULE_SUM:
        value_out->as.integer = earlier.as.integer + later.as.integer;
        return is_whole(*value_out);
    case CAIRN__RULE_MIN:
        *value_out = later.as.integer < earlier.as.integer ? later : earlier;
        return true;
    case CAIRN__RULE_MAX:
        *value_out = later.as.integer > earlier.as.integer ? later : earlier;
        return true;
    case CAIRN__RULE_LAST:
        *value_out = later;
        return true;
    default: /* first; count and did have none */
        return true;
    }
}

static bool same_day(const cairn__zone *zone, int64_t a_ms, int64_t b_ms) {
    return cairn__zone_day(zone, a_ms) == cairn__zone_day(zone, b_ms);
}

/* The second bucket into the first; false: cannot be. */
static bool join_buckets(cairn__queries *queries, cairn__rule_history_kind kind,
                         cairn__bucket *into, cairn__bucket *from) {
    cairn_value value;
    if (!join_values(kind, into->kept.value, from->kept.value, &value)) {
        return false;
    }
    bool taken = value.kind == CAIRN_VALUE_STRING || value.kind == CAIRN_VALUE_LIST;
    if (kind == CAIRN__RULE_LAST) {
        cairn__kept swapped = into->kept;
        into->kept = from->kept;
        from->kept = swapped;
    } else if (!taken) {
        into->kept.value = value;
    }
    cairn__kept_free(&from->kept, queries->allocator);
    into->last_ms = from->last_ms > into->last_ms ? from->last_ms : into->last_ms;
    into->count += from->count;
    return true;
}

static bool put_event(cairn__queries *queries, cairn__rule_history_kind kind, cairn__counter *fold,
                      cairn__bucket *fresh) {
    if (fold->count > 0) {
        cairn__bucket *newest = &fold->buckets[fold->count - 1];
        if (fresh->first_ms < newest->last_ms) {
            return false; /* the clock was set back: what comes when is no longer clear */
        }
        if (same_day(queries->zone, newest->first_ms, fresh->first_ms)) {
            return join_buckets(queries, kind, newest, fresh);
        }
    }
    if (fold->count == CAIRN__FOLD_BUCKETS_MAX) {
        if (!join_buckets(queries, kind, &fold->buckets[0], &fold->buckets[1])) {
            return false;
        }
        fold->count -= 1;
        memmove(&fold->buckets[1], &fold->buckets[2], (fold->count - 1) * sizeof fold->buckets[0]);
    }
    fold->buckets[fold->count++] = *fresh;
    return true;
}

/* It cannot be folded: until this moment nothing is known of the query any more. */
static void give_up(cairn__queries *queries, cairn__asked *asked, int64_t time_ms) {
    for (size_t i = 0; i < asked->fold_count; i++) {
        const cairn__counter *fold = &asked->folds[i];
        int64_t last_ms = fold->count == 0 ? INT64_MIN : fold->buckets[fold->count - 1].last_ms;
        time_ms = last_ms > time_ms ? last_ms : time_ms;
    }
    asked->from_ms = asked->from_ms > time_ms ? asked->from_ms : time_ms + 1;
    cairn__folds_forget(queries, asked);
}

static void fold_one(cairn__queries *queries, cairn__asked *asked, const cairn__event *event,
                     uint32_t node) {
    const cairn__query_moment when = { event->time_ms, queries->zone, NULL };
    cairn__rule_history_kind kind = cairn__query_kind(asked->query);
    cairn_value value = { .kind = CAIRN_VALUE_NULL };
    if (event->time_ms < asked->from_ms ||
        !cairn__query_takes(asked->query, &when, event, &value)) {
        return;
    }
    brought what = brings(kind, value);
    if (what == NOTHING) {
        return;
    }
    cairn__counter *fold = what == SOMETHING ? fold_of(queries, asked, node) : NULL;
    cairn__bucket fresh = { event->time_ms, event->time_ms, 1, { .block = NULL } };
    bool simple = kind == CAIRN__RULE_COUNT || kind == CAIRN__RULE_DID;
    if (fold == NULL || (!simple && !cairn__kept_set(&fresh.kept, queries->allocator, value)) ||
        !put_event(queries, kind, fold, &fresh)) {
        cairn__kept_free(&fresh.kept, queries->allocator);
        give_up(queries, asked, event->time_ms);
    }
}

void cairn__queries_fold(cairn__queries *queries, const cairn__held *held) {
    size_t at = 0;
    size_t place = 0;
    bool decoded = false;
    cairn__event event = { .seq = 0 };
    while (cairn__queries_next(queries, held->name, &at, &place)) {
        cairn__asked *asked = &queries->items[place];
        if (!cairn__folds_can(asked)) {
            continue; /* the value that is kept is true, until it has to be evaluated again */
        }
        if (!decoded) {
            cairn__arena_reset(&queries->decoding);
            decoded = cairn__held_read(held, &queries->decoding, &event);
        }
        if (decoded) {
            fold_one(queries, asked, &event, held->node);
        } else {
            give_up(queries, asked, held->time_ms);
        }
    }
}

/* A node may have several counters: all are asked. */
static void move_counters(cairn__queries *queries, cairn__asked *asked, uint32_t from,
                          uint32_t to) {
    for (size_t i = asked->fold_count; i > 0; i--) {
        cairn__counter *fold = &asked->folds[i - 1];
        if (fold->node == from && to != 0) {
            fold->node = to;
        } else if (fold->node == from) {
            free_fold(queries, fold);
            *fold = asked->folds[--asked->fold_count];
            queries->fold_count -= 1;
        }
    }
}

void cairn__queries_move(cairn__queries *queries, uint32_t from, uint32_t to) {
    for (size_t i = 0; i < queries->count; i++) {
        move_counters(queries, &queries->items[i], from, to);
    }
}

/* --- joining -----------------------------------------------------------------------------------*/

typedef enum side { WITHIN, OUTSIDE, BETWEEN } side;

/* Where clocks are set back over midnight a date can come again: a bucket of several days may have
 * the next one, or the one before, in it. */
static side side_by_day(const cairn__bucket *bucket, const cairn__query_bounds *bounds) {
    int64_t first = cairn__zone_day(bounds->zone, bucket->first_ms);
    int64_t last = cairn__zone_day(bounds->zone, bucket->last_ms);
    int64_t margin = first == last ? 0 : 1;
    if (last + margin < bounds->first_day || first - margin > bounds->last_day) {
        return OUTSIDE;
    }
    bool within = first - margin >= bounds->first_day && last + margin <= bounds->last_day &&
                  cairn__query_within(bounds, bucket->first_ms) &&
                  cairn__query_within(bounds, bucket->last_ms);
    return within ? WITHIN : BETWEEN;
}

static void sooner(int64_t ms, int64_t *until_ms) {
    *until_ms = ms < *until_ms ? ms : *until_ms;
}

static side side_of(const cairn__bucket *bucket, const cairn__query_bounds *bounds, int64_t now_ms,
                    int64_t *until_ms) {
    if (bucket->last_ms > now_ms) { /* the clock was set back since */
        bool outside = bucket->first_ms > now_ms;
        sooner(outside ? bucket->first_ms : now_ms, until_ms);
        return outside ? OUTSIDE : BETWEEN;
    }
    if (bounds->by_day) {
        return side_by_day(bucket, bounds);
    }
    if (bucket->last_ms < bounds->from_ms) {
        return OUTSIDE;
    }
    if (bucket->first_ms < bounds->from_ms) {
        return BETWEEN;
    }
    if (bounds->from_ms > INT64_MIN) { /* rolling: it will leave */
        sooner(cairn__query_add(now_ms, bucket->first_ms - bounds->from_ms + 1), until_ms);
    }
    return WITHIN;
}

typedef struct joining {
    cairn__rule_history_kind kind;
    int64_t now_ms;
    uint64_t count;
    bool any;
    cairn_value value;
    int64_t at_ms; /* of the value: first, last */
    int64_t last_ms;
    bool failed;
} joining;

static void join_bucket(joining *j, const cairn__bucket *bucket) {
    cairn_value value = bucket->kept.value;
    bool ordered = j->kind == CAIRN__RULE_FIRST || j->kind == CAIRN__RULE_LAST;
    if (j->any && ordered) { /* folds of several nodes: by time; at the same moment: who knows */
        bool overlap = bucket->first_ms <= j->last_ms && bucket->last_ms >= j->at_ms;
        bool wins = (j->kind == CAIRN__RULE_LAST) == (bucket->first_ms > j->last_ms);
        j->failed = j->failed || overlap;
        j->value = wins ? value : j->value;
    } else if (j->any) {
        j->failed = !join_values(j->kind, j->value, value, &j->value) || j->failed;
    } else {
        j->value = value;
        j->at_ms = bucket->first_ms;
        j->last_ms = bucket->last_ms;
    }
    j->at_ms = bucket->first_ms < j->at_ms ? bucket->first_ms : j->at_ms;
    j->last_ms = bucket->last_ms > j->last_ms ? bucket->last_ms : j->last_ms;
    j->count += bucket->count;
    j->any = true;
}

/* Both sides brought something. */
static cairn_value with_held(const joining *j, cairn_value held) {
    cairn_value value = { .kind = (cairn_value_kind)UNKNOWN };
    switch ((int)j->kind) {
    case CAIRN__RULE_COUNT:
        held.as.integer += (int64_t)j->count;
        return held;
    case CAIRN__RULE_DID:
        held.as.boolean = true;
        return held;
    case CAIRN__RULE_FIRST:
        return j->value;
    case CAIRN__RULE_LAST:
        return held.kind == CAIRN_VALUE_NULL ? j->value : held;
    default:
        break;
    }
    if (held.kind == CAIRN_VALUE_NULL) { /* min and max of nothing */
        return j->value;
    }
    cairn_value joined;
    if (is_whole(held) && join_values(j->kind, j->value, held, &joined)) {
        value = joined;
    }
    return value;
}

static void join_counter(joining *j, const cairn__counter *fold, const cairn__query_bounds *bounds,
                         int64_t *until_ms) {
    for (uint32_t i = 0; i < fold->count; i++) {
        side where = side_of(&fold->buckets[i], bounds, j->now_ms, until_ms);
        j->failed = j->failed || where == BETWEEN;
        if (where == WITHIN) {
            join_bucket(j, &fold->buckets[i]);
        }
    }
}

cairn_value cairn__folds_join(const cairn__asked *asked, const cairn__queries_view *view,
                              cairn_value held, int64_t held_ms, int64_t *until_ms) {
    const cairn_value unknown = { .kind = (cairn_value_kind)UNKNOWN };
    cairn__query_bounds bounds = cairn__query_bounds_at(asked->query, view->when);
    joining j = { .kind = cairn__query_kind(asked->query), .now_ms = view->when->now_ms };
    for (size_t i = 0; i < asked->fold_count; i++) {
        if (cairn__persons_is_current(view->persons, asked->folds[i].node)) {
            join_counter(&j, &asked->folds[i], &bounds, until_ms);
        }
    }
    bool ordered = j.kind == CAIRN__RULE_FIRST || j.kind == CAIRN__RULE_LAST;
    if (j.failed || (j.any && ordered && j.last_ms >= held_ms)) {
        return unknown; /* an edge; or the clock was set back: which was first? */
    }
    return j.any ? with_held(&j, held) : held;
}

/* --- bytes -------------------------------------------------------------------------------------*/

void cairn__folds_write(const cairn__asked *asked, cairn__buffer *to) {
    cairn__buffer_u32(to, (uint32_t)asked->fold_count);
    for (size_t i = 0; i < asked->fold_count; i++) {
        const cairn__counter *fold = &asked->folds[i];
        cairn__buffer_u32(to, fold->node);
        cairn__buffer_u32(to, fold->count);
        for (uint32_t k = 0; k < fold->count; k++) {
            const cairn__bucket *bucket = &fold->buckets[k];
            cairn__buffer_u64(to, (uint64_t)bucket->first_ms);
            cairn__buffer_u64(to, (uint64_t)bucket->last_ms);
            cairn__buffer_u64(to, bucket->count);
            cairn__kept_write(bucket->kept.value, to);
        }
    }
}

/* Values are those that brings() lets in: what joins them takes them at their word. */
static bool read_bucket(cairn__queries *queries, cairn__asked *asked, cairn__cursor *from,
                        cairn__counter *fold) {
    cairn__bucket bucket = { .count = 0 };
    cairn_value value;
    cairn__arena_reset(&queries->decoding);
    if (!cairn__kept_i64(from, &bucket.first_ms) || !cairn__kept_i64(from, &bucket.last_ms) ||
        !cairn__kept_u64(from, &bucket.count) ||
        !cairn__kept_read(from, &queries->decoding, &value) || asked->query == NULL ||
        bucket.first_ms > bucket.last_ms || bucket.last_ms == INT64_MAX ||
        bucket.count > INT32_MAX || brings(cairn__query_kind(asked->query), value) != SOMETHING ||
        (fold->count > 0 && fold->buckets[fold->count - 1].last_ms > bucket.first_ms) ||
        !cairn__kept_set(&bucket.kept, queries->allocator, value)) {
        return false;
    }
    fold->buckets[fold->count++] = bucket;
    return true;
}

static bool read_counter(cairn__queries *queries, cairn__asked *asked, cairn__cursor *from) {
    uint32_t node = 0;
    uint32_t buckets = 0;
    if (!cairn__kept_u32(from, &node) || !cairn__kept_u32(from, &buckets) ||
        buckets > CAIRN__FOLD_BUCKETS_MAX || queries->fold_count >= CAIRN__FOLDS_MAX ||
        !cairn__kept_reserve(queries->allocator, (void **)&asked->folds, sizeof *asked->folds,
                             asked->fold_count, &asked->fold_capacity)) {
        return false;
    }
    cairn__counter *fold = &asked->folds[asked->fold_count++];
    *fold = (cairn__counter){ .node = node };
    queries->fold_count += 1;
    for (uint32_t i = 0; i < buckets; i++) {
        if (!read_bucket(queries, asked, from, fold)) {
            return false;
        }
    }
    return true;
}

bool cairn__folds_read(cairn__queries *queries, cairn__asked *asked, cairn__cursor *from) {
    uint32_t folds = 0;
    if (!cairn__kept_u32(from, &folds) || (folds > 0 && !cairn__folds_can(asked))) {
        return false;
    }
    for (uint32_t i = 0; i < folds; i++) {
        if (!read_counter(queries, asked, from)) {
            return false;
        }
    }
    return true;
}
