/* restore_fuzz.c: a device starts on any store, is asked, and goes on. The input is a row of pieces
 * (u8 segment, u16 length, bytes); checksums and numbers of what looks like a record are put right,
 * so that the fuzzer gets behind them. */
#include "base/assert.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/record.h"
#include "local/local.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    PIECE_HEAD_BYTES = 3,
    CHECKED_BYTES = 16,
    MAGIC = 0x4352,
    SEGMENT_BYTES_MAX = 64 * 1024,
    EVENTS = 20,
    EVENT_BYTES_MAX = 1024,
    COPY_BYTES_MAX = 1 << 20
};

static void append(void *self, uint32_t ticket, uint32_t segment, cairn_span bytes) {
    (void)self;
    CAIRN_ASSERT(cairn__local_has_ticket(ticket) && cairn__local_has_segment(segment));
    CAIRN_ASSERT(bytes.len > 0 && bytes.len <= SEGMENT_BYTES_MAX);
}

static void remove_segment(void *self, uint32_t ticket, uint32_t segment) {
    (void)self;
    CAIRN_ASSERT(cairn__local_has_ticket(ticket) && cairn__local_has_segment(segment));
}

static void write_state(void *self, uint32_t ticket, uint32_t slot, cairn_span bytes) {
    (void)self;
    (void)ticket;
    (void)slot;
    (void)bytes;
}

/* Whole records in a row, as far as their lengths allow. */
static void mend(uint8_t *at, size_t len, uint64_t *seq) {
    while (len >= CAIRN__RECORD_HEAD_BYTES) {
        size_t payload = cairn__load_u32(at + 4);
        size_t bytes = CAIRN__RECORD_HEAD_BYTES + payload;
        if (payload > len || bytes > len) {
            return;
        }
        cairn__store_u16(at, MAGIC);
        cairn__store_u64(at + 8, (*seq)++);
        uint32_t crc = cairn__crc32c(0, (cairn_span){ at, CHECKED_BYTES });
        crc = cairn__crc32c(crc, (cairn_span){ at + CAIRN__RECORD_HEAD_BYTES, payload });
        cairn__store_u32(at + CHECKED_BYTES, crc);
        at += bytes;
        len -= bytes;
    }
}

static void hand_back(cairn__local *local, uint8_t *data, size_t size) {
    uint64_t seq = 1;
    while (size >= PIECE_HEAD_BYTES) {
        uint32_t segment = CAIRN__LOCAL_SEGMENT_FIRST + data[0];
        size_t len = cairn__load_u16(data + 1);
        data += PIECE_HEAD_BYTES;
        size -= PIECE_HEAD_BYTES;
        len = len < size ? len : size;
        mend(data, len, &seq);
        (void)cairn__local_restore(local, segment, (cairn_span){ data, len });
        data += len;
        size -= len;
    }
}

static void ask(cairn__local *local, int64_t now_ms) {
    cairn_span texts[4];
    const cairn__query_moment when = { now_ms, NULL, NULL };
    cairn__facts facts = cairn__local_facts(local, &when);
    (void)facts.get(facts.context, 0);
    (void)facts.recent(facts.context, CAIRN_STR("buy"), CAIRN_STR("item"), texts, 4);
    (void)cairn__local_memory(local);
}

static void go_on(cairn__local *local, uint64_t seq) {
    const cairn_id somebody = { CAIRN_STR("login"), CAIRN_STR("a") };
    int64_t now_ms = INT64_C(1790000000000);
    cairn__buffer encoded = cairn__buffer_make(cairn__heap(), EVENT_BYTES_MAX);
    for (int i = 0; i < EVENTS && seq < UINT64_MAX; i++) {
        cairn__event event = { .name = CAIRN_STR("buy"), .time_ms = now_ms + i };
        if (i % 5 == 4) {
            event = (cairn__event){ .kind = i % 2 == 0 ? CAIRN__EVENT_LOGIN : CAIRN__EVENT_LOGOUT,
                                    .ids = &somebody,
                                    .id_count = i % 2 == 0 ? 1 : 0 };
        }
        cairn__buffer_clear(&encoded);
        cairn__event_encode(&encoded, &event);
        (void)cairn__local_note(local, ++seq, &event, cairn__buffer_span(&encoded));
        ask(local, now_ms + i);
    }
    cairn__buffer_free(&encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const cairn__rule_slot slot = { CAIRN__RULE_USER, CAIRN_STR("plan") };
    const cairn__local_options options = {
        .allocator = cairn__heap(),
        .storage = { append, remove_segment, write_state, NULL },
        .history_events_max = 8,
    };
    cairn__local *local = NULL;
    cairn__buffer copy = cairn__buffer_make(cairn__heap(), COPY_BYTES_MAX);
    cairn__buffer_append(&copy, (cairn_span){ data, size });
    if (!copy.failed && cairn__local_open(&options, &local) == CAIRN_OK) {
        cairn__local_expect(local, size % 4);
        if (copy.len > 0) {
            hand_back(local, copy.data, copy.len);
        }
        (void)cairn__local_start(local, INT64_C(1790000000000));
        (void)cairn__local_use(local, &slot, 1, NULL);
        go_on(local, cairn__local_last_seq(local));
        cairn__local_purge(local);
        ask(local, 0);
    }
    cairn__local_close(local);
    cairn__buffer_free(&copy);
    return 0;
}
