/* store.c: see store.h. */
#include "store.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"

enum { BYTES_MAX = 1 << 20 };

uint64_t store_random(store *s, uint64_t below) {
    s->random = cairn__mix(s->random + 0x9E3779B97F4A7C15u);
    return below == 0 ? 0 : s->random % below;
}

static void push(store *s, bool removes, uint32_t ticket, uint32_t number, cairn_span bytes) {
    CAIRN_ASSERT(s->op_count < STORE_OPS_MAX && cairn__local_has_ticket(ticket) &&
                 cairn__local_has_segment(number));
    store_op *op = &s->ops[s->op_count++];
    *op = (store_op){ removes, ticket, number, cairn__buffer_make(cairn__heap(), BYTES_MAX) };
    cairn__buffer_append(&op->bytes, bytes);
}

static void append(void *self, uint32_t ticket, uint32_t segment, cairn_span bytes) {
    CAIRN_ASSERT(bytes.len > 0);
    ((store *)self)->appends += 1;
    push(self, false, ticket, segment, bytes);
}

static void remove_segment(void *self, uint32_t ticket, uint32_t segment) {
    push(self, true, ticket, segment, (cairn_span){ NULL, 0 });
}

static void write_state(void *self, uint32_t ticket, uint32_t slot, cairn_span bytes) {
    (void)self;
    (void)ticket;
    (void)slot;
    (void)bytes;
    CAIRN_ASSERT(false); /* the slots of state are the client's */
}

cairn_storage store_seam(store *s) {
    return (cairn_storage){ append, remove_segment, write_state, s };
}

void store_init(store *s, uint64_t seed) {
    memset(s, 0, sizeof *s);
    s->random = seed;
}

static void forget(store *s) {
    for (size_t i = 0; i < s->op_count; i++) {
        cairn__buffer_free(&s->ops[i].bytes);
    }
    s->op_count = 0;
}

void store_free(store *s) {
    forget(s);
    for (size_t i = 0; i < s->segment_count; i++) {
        cairn__buffer_free(&s->segments[i].bytes);
    }
    s->segment_count = 0;
}

static store_segment *segment_of(store *s, uint32_t number) {
    size_t at = 0;
    while (at < s->segment_count && s->segments[at].number < number) {
        at += 1;
    }
    if (at < s->segment_count && s->segments[at].number == number) {
        return &s->segments[at];
    }
    CAIRN_ASSERT(s->segment_count < STORE_SEGMENTS_MAX);
    memmove(s->segments + at + 1, s->segments + at,
            (s->segment_count - at) * sizeof s->segments[0]);
    s->segments[at] = (store_segment){ number, cairn__buffer_make(cairn__heap(), BYTES_MAX) };
    s->segment_count += 1;
    return &s->segments[at];
}

static void remove_number(store *s, uint32_t number) {
    for (size_t at = 0; at < s->segment_count; at++) {
        if (s->segments[at].number == number) {
            cairn__buffer_free(&s->segments[at].bytes);
            s->segment_count -= 1;
            memmove(s->segments + at, s->segments + at + 1,
                    (s->segment_count - at) * sizeof s->segments[0]);
            return;
        }
    }
}

static void apply(store *s, const store_op *op, size_t len) {
    if (op->removes) {
        remove_number(s, op->number);
    } else if (len > 0) {
        store_segment *segment = segment_of(s, op->number);
        cairn__buffer_append(&segment->bytes, (cairn_span){ op->bytes.data, len });
        CAIRN_ASSERT(segment->bytes.len <= 64 * 1024);
    }
}

void store_commit_one(store *s, cairn__local *local, bool durable) {
    if (s->op_count == 0) {
        return;
    }
    store_op op = s->ops[0];
    s->op_count -= 1;
    memmove(s->ops, s->ops + 1, s->op_count * sizeof s->ops[0]);
    if (durable) {
        apply(s, &op, op.bytes.len);
    } else if (!op.removes) {
        apply(s, &op, (size_t)store_random(s, op.bytes.len + 1));
    }
    cairn__buffer_free(&op.bytes);
    cairn__local_done(local, op.ticket, durable, 0);
}

void store_commit(store *s, cairn__local *local) {
    while (s->op_count > 0) {
        store_commit_one(s, local, true);
    }
}

void store_crash(store *s) {
    size_t whole = (size_t)store_random(s, s->op_count + 1);
    for (size_t i = 0; i < whole; i++) {
        apply(s, &s->ops[i], s->ops[i].bytes.len);
    }
    if (whole < s->op_count && !s->ops[whole].removes) {
        apply(s, &s->ops[whole], (size_t)store_random(s, s->ops[whole].bytes.len));
    }
    forget(s);
}

cairn_status store_boot(store *s, cairn__local *local, int64_t now_ms) {
    for (size_t i = 0; i < s->segment_count; i++) {
        (void)cairn__local_restore(local, s->segments[i].number,
                                   cairn__buffer_span(&s->segments[i].bytes));
    }
    return cairn__local_start(local, now_ms);
}
