/* diary.c: see diary.h. */
#include "local/diary.h"

#include "base/assert.h"

enum {
    FIRST = INT32_MIN, /* 2^31: of segments and of tickets */
    FIRST_SEQ = 1
};

cairn__diary cairn__diary_make(cairn_allocator allocator, cairn_storage storage) {
    return (cairn__diary){
        .storage = storage,
        .pending = cairn__buffer_make(allocator, CAIRN__DIARY_SEGMENT_BYTES_MAX),
        .seq = FIRST_SEQ,
        .last_ticket = (uint32_t)FIRST,
        .safe_ticket = (uint32_t)FIRST,
    };
}

void cairn__diary_free(cairn__diary *diary) {
    cairn__buffer_free(&diary->pending);
}

/* A process submits less than 2^31 times: at a million a second that is half an hour, but each is
 * at least an event of the application. */
static uint32_t take_ticket(cairn__diary *diary) {
    diary->last_ticket += 1;
    CAIRN_ASSERT(diary->last_ticket != 0);
    return diary->last_ticket;
}

void cairn__diary_break(cairn__diary *diary) {
    diary->broken = true;
    (void)take_ticket(diary); /* which nothing answers: only a snapshot goes over it */
}

static void submit(cairn__diary *diary) {
    if (diary->pending.len == 0) {
        return;
    }
    diary->bytes += diary->pending.len;
    diary->since_bytes += diary->pending.len;
    diary->room -= (uint32_t)diary->pending.len;
    diary->storage.append(diary->storage.self, take_ticket(diary), diary->newest,
                          cairn__buffer_span(&diary->pending));
    cairn__buffer_clear(&diary->pending);
}

static void open_segment(cairn__diary *diary) {
    diary->newest = diary->newest == 0 ? (uint32_t)FIRST : diary->newest + 1;
    diary->oldest = diary->oldest == 0 ? diary->newest : diary->oldest;
    diary->room = CAIRN__DIARY_SEGMENT_BYTES_MAX;
}

static void add(cairn__diary *diary, cairn__diary_type type, cairn_span payload, cairn_span tail) {
    size_t bytes = CAIRN__RECORD_HEAD_BYTES + payload.len + tail.len;
    CAIRN_ASSERT(bytes <= CAIRN__DIARY_SEGMENT_BYTES_MAX);
    if (diary->room < diary->pending.len + bytes) {
        submit(diary);
        open_segment(diary);
    }
    cairn__record record = { (uint8_t)type, 0, diary->seq, payload };
    size_t before = diary->pending.len;
    cairn__record_write_parts(&diary->pending, &record, tail);
    diary->seq += 1;
    if (diary->pending.failed) {
        diary->pending.failed = false;
        diary->pending.len = before;
        cairn__diary_break(diary);
    }
}

void cairn__diary_add(cairn__diary *diary, cairn__diary_type type, cairn_span payload,
                      cairn_span tail) {
    if (diary->broken) {
        return;
    }
    add(diary, type, payload, tail);
    if (!diary->snapshotting) {
        submit(diary);
    }
}

void cairn__diary_begin(cairn__diary *diary) {
    CAIRN_ASSERT(!diary->snapshotting && diary->pending.len == 0);
    const cairn_span none = { NULL, 0 };
    open_segment(diary);
    diary->snapshotting = true;
    diary->broken = false;
    diary->since_bytes = 0;
    diary->snapshot_segment = diary->newest;
    diary->first_of_snapshot = diary->last_ticket + 1;
    add(diary, CAIRN__DIARY_BEGIN, none, none);
}

void cairn__diary_end(cairn__diary *diary) {
    const cairn_span none = { NULL, 0 };
    if (!diary->broken) {
        add(diary, CAIRN__DIARY_END, none, none);
    }
    submit(diary);
    diary->snapshotting = false;
    diary->snapshot_bytes = diary->since_bytes;
    diary->last_of_snapshot = diary->broken ? 0 : diary->last_ticket;
}

bool cairn__diary_is_long(const cairn__diary *diary) {
    bool many = diary->newest - diary->oldest >= CAIRN__DIARY_SEGMENTS_MAX;
    bool large = diary->since_bytes > CAIRN__DIARY_SNAPSHOT_EVERY_BYTES + 2 * diary->snapshot_bytes;
    return (many || large) && !diary->broken && diary->last_of_snapshot == 0;
}

int64_t cairn__diary_wait(const cairn__diary *diary, int64_t mono_ms) {
    if (!diary->broken || diary->last_of_snapshot != 0) {
        return -1;
    }
    return diary->retry_ms > mono_ms ? diary->retry_ms - mono_ms : 0;
}

void cairn__diary_drop_older(cairn__diary *diary) {
    if (diary->snapshot_segment == 0 || diary->oldest >= diary->snapshot_segment) {
        return;
    }
    diary->removals_from = diary->last_ticket + 1;
    for (uint32_t segment = diary->oldest; segment < diary->snapshot_segment; segment++) {
        diary->storage.remove(diary->storage.self, take_ticket(diary), segment);
    }
    diary->removals_to = diary->last_ticket;
    diary->oldest = diary->snapshot_segment;
    diary->bytes = diary->since_bytes;
}

void cairn__diary_wipe(cairn__diary *diary) {
    if (diary->newest != 0 && diary->oldest != 0) {
        diary->wipe_first = diary->wipe_first == 0 ? diary->oldest : diary->wipe_first;
        diary->wipe_last = diary->newest;
        diary->wipe_from = 0;
    }
    if (diary->wipe_first == 0 || diary->wipe_from != 0) {
        return;
    }
    diary->wipe_failed = false;
    diary->wipe_from = diary->last_ticket + 1;
    for (uint32_t segment = diary->wipe_first; segment <= diary->wipe_last; segment++) {
        diary->storage.remove(diary->storage.self, take_ticket(diary), segment);
    }
    diary->wipe_to = diary->last_ticket;
    diary->newest = diary->oldest = 0;
    diary->room = 0;
    diary->seq = FIRST_SEQ;
    diary->broken = false;
    diary->first_of_snapshot = diary->last_of_snapshot = diary->snapshot_segment = 0;
    diary->bytes = diary->since_bytes = diary->snapshot_bytes = 0;
}

bool cairn__diary_is_wiped(const cairn__diary *diary) {
    return diary->wipe_first == 0;
}

/* True: the ticket was of a wipe. */
static bool wipe_done(cairn__diary *diary, uint32_t ticket, bool durable) {
    if (diary->wipe_first == 0 || ticket < diary->wipe_from || ticket > diary->wipe_to) {
        return false;
    }
    diary->wipe_failed = diary->wipe_failed || !durable;
    diary->safe_ticket = ticket; /* there is nothing before it that could be unsafe */
    if (ticket == diary->wipe_to) {
        diary->wipe_from = 0;
        diary->wipe_first = diary->wipe_failed ? diary->wipe_first : 0;
    }
    return true;
}

static bool is_removal(const cairn__diary *diary, uint32_t ticket) {
    return ticket >= diary->removals_from && ticket <= diary->removals_to;
}

static void fail(cairn__diary *diary, uint32_t ticket, int64_t mono_ms) {
    if (diary->last_of_snapshot != 0 && ticket < diary->first_of_snapshot) {
        return; /* the snapshot under way has it */
    }
    if (ticket <= diary->last_of_snapshot) {
        diary->last_of_snapshot = 0;
    }
    if (diary->broken) {
        return; /* one of several of the same moment */
    }
    int64_t wait_ms = CAIRN__DIARY_RETRY_MS;
    for (unsigned i = 0; i < diary->failures && wait_ms < CAIRN__DIARY_RETRY_MS_MAX; i++) {
        wait_ms *= 2;
    }
    cairn__diary_break(diary);
    diary->failures += 1;
    diary->retry_ms =
        mono_ms + (wait_ms < CAIRN__DIARY_RETRY_MS_MAX ? wait_ms : CAIRN__DIARY_RETRY_MS_MAX);
}

/* Tickets are answered in order: one that follows the safe one is safe; what failed is stepped over
 * by a whole snapshot only. */
void cairn__diary_done(cairn__diary *diary, uint32_t ticket, bool durable, int64_t mono_ms) {
    if (wipe_done(diary, ticket, durable)) {
        return;
    }
    bool removed = is_removal(diary, ticket); /* what stays is removed at another start */
    if (!durable && !removed) {
        fail(diary, ticket, mono_ms);
        return;
    }
    bool whole = ticket == diary->last_of_snapshot;
    if (whole || ticket == diary->safe_ticket + 1) {
        diary->safe_ticket = ticket;
    }
    if (whole) {
        diary->last_of_snapshot = 0;
        diary->failures = 0;
        cairn__diary_drop_older(diary);
    }
}

uint32_t cairn__diary_ticket(const cairn__diary *diary) {
    return diary->last_ticket + (diary->broken ? 1 : 0);
}

void cairn__diary_see(cairn__diary *diary, uint32_t segment, size_t bytes) {
    diary->oldest = diary->oldest == 0 || segment < diary->oldest ? segment : diary->oldest;
    diary->newest = segment > diary->newest ? segment : diary->newest;
    diary->bytes += bytes;
    diary->since_bytes += bytes;
}
