/* restore_fuzz.c: a client starts on any store, and then takes, drops and sends events. The input
 * is a row of pieces (u8 place, u16 length, bytes); checksums of what looks like a record are put
 * right, so that the fuzzer gets behind them. Places 0 and 1 are the state's slots, others
 * segments. */
#include "base/assert.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/record.h"
#include "cairn/cairn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PIECE_HEAD_BYTES = 3, EVENTS = 20, CHECKED_BYTES = 16, MAGIC = 0x4352 };

typedef struct host {
    int64_t now_ms;
    uint32_t tickets[256];
    size_t ticket_count;
    uint32_t post;
} host;

static int64_t now_ms(void *self) {
    return ((host *)self)->now_ms;
}

static void fill(void *self, uint8_t *bytes, size_t len) {
    (void)self;
    memset(bytes, 7, len);
}

static void note(host *h, uint32_t ticket) {
    if (h->ticket_count < sizeof h->tickets / sizeof h->tickets[0]) {
        h->tickets[h->ticket_count++] = ticket;
    }
}

static void append(void *self, uint32_t ticket, uint32_t segment, cairn_span bytes) {
    (void)segment;
    CAIRN_ASSERT(bytes.len > 0);
    note(self, ticket);
}

static void remove_segment(void *self, uint32_t ticket, uint32_t segment) {
    (void)segment;
    note(self, ticket);
}

static void write_state(void *self, uint32_t ticket, uint32_t slot, cairn_span bytes) {
    CAIRN_ASSERT(slot < 2 && (bytes.len == 0 || bytes.data != NULL)); /* none: it is cleared */
    note(self, ticket);
}

static void start_post(void *self, uint32_t ticket, cairn_span body) {
    CAIRN_ASSERT(body.len > 0);
    ((host *)self)->post = ticket;
}

static void commit(host *h, cairn_client *client) {
    size_t count = h->ticket_count;
    h->ticket_count = 0;
    for (size_t i = 0; i < count; i++) {
        cairn_storage_done(client, h->tickets[i], true);
    }
}

/* Put the checksums of a piece's records right. */
static void mend(uint8_t *bytes, size_t len) {
    size_t at = 0;
    while (len - at >= CAIRN__RECORD_HEAD_BYTES) {
        uint8_t *head = bytes + at;
        size_t payload = cairn__load_u16(head + 4);
        size_t left = len - at - CAIRN__RECORD_HEAD_BYTES;
        payload = payload < left ? payload : left;
        cairn__store_u16(head, MAGIC);
        cairn__store_u32(head + 4, (uint32_t)payload);
        uint32_t crc = cairn__crc32c(0, (cairn_span){ head, CHECKED_BYTES });
        crc = cairn__crc32c(crc, (cairn_span){ head + CAIRN__RECORD_HEAD_BYTES, payload });
        cairn__store_u32(head + CHECKED_BYTES, crc);
        at += CAIRN__RECORD_HEAD_BYTES + payload;
    }
}

static void restore(cairn_client *client, uint8_t *bytes, size_t size) {
    while (size >= PIECE_HEAD_BYTES) {
        uint32_t place = bytes[0];
        size_t len = cairn__load_u16(bytes + 1);
        size_t left = size - PIECE_HEAD_BYTES;
        len = len < left ? len : left;
        mend(bytes + PIECE_HEAD_BYTES, len);
        (void)cairn_restore(client, place < 2 ? CAIRN_SPACE_STATE : CAIRN_SPACE_LOG, place,
                            (cairn_span){ bytes + PIECE_HEAD_BYTES, len });
        bytes += PIECE_HEAD_BYTES + len;
        size -= PIECE_HEAD_BYTES + len;
    }
}

/* Somebody chooses now and then, as the bytes have it. */
static void choose(cairn_client *client, size_t dice) {
    const cairn_consent_choice yes = { .granted = CAIRN_CONSENT_ALL };
    const cairn_consent_choice no = { .denied = CAIRN_CONSENT_ANALYTICS };
    if (dice % 7 < 2) {
        (void)cairn_consent(client, dice % 7 == 0 ? &yes : &no);
    } else if (dice % 7 == 2) {
        (void)cairn_erase(client);
    }
}

static void live(host *h, cairn_client *client, size_t dice) {
    for (int i = 0; i < EVENTS; i++) {
        choose(client, dice + (size_t)i * 3);
        (void)cairn_track(client, CAIRN_STR("e"), NULL, 0);
        (void)cairn_login(client, (cairn_id){ CAIRN_STR("login"), CAIRN_STR("u") });
        commit(h, client);
        h->now_ms += 10000;
        cairn_flush(client);
        (void)cairn_pump(client);
        cairn_http_done(client, h->post, 200, 0, CAIRN_STR("\x08\x09\x60\x01"));
        commit(h, client);
    }
    (void)cairn_last_batch(client, 4096);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    host h = { .now_ms = 1790000000000 };
    const cairn_options options = { .project_key = CAIRN_STR("demo"),
                                    .queue_events_max = 8,
                                    .consent.required = size % 2 == 0 ? CAIRN_CONSENT_ALL : 0 };
    const cairn_platform platform = { .clock = { now_ms, now_ms, &h },
                                      .random = { fill, &h },
                                      .storage = { append, remove_segment, write_state, &h },
                                      .transport = { start_post, &h } };
    cairn__buffer own = cairn__buffer_make(cairn__heap(), 1 << 20);
    cairn__buffer_append(&own, (cairn_span){ data, size });
    cairn_client *client = NULL;
    if (own.failed || cairn_open(&options, &platform, &client) != CAIRN_OK) {
        cairn__buffer_free(&own);
        return 0;
    }
    restore(client, own.data, own.len);
    if (cairn_start(client) == CAIRN_OK) {
        live(&h, client, size);
    }
    cairn_client_status status;
    cairn_get_status(client, &status);
    CAIRN_ASSERT(status.acked_seq <= status.last_seq);
    cairn_close(client);
    cairn__buffer_free(&own);
    return 0;
}
