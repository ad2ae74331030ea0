/* sync.c: the device's side of the envelope: requests written, responses read. By hand, as events
 * are, so that the WASM core carries no tables. The server's side is sync_server.c.
 *
 * The dictionary: a first walk over the events counts each text in a bounded table; those that are
 * cheaper as a code get one; a second walk writes the events with the codes in place. */
#include "model/sync.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/varint.h"
#include "model/limits.h"
#include "model/wire.h"

enum {
    CANDIDATES_MAX = 1024, /* texts looked at; what comes later is spelt out */
    SLOTS = 2048,          /* a power of two, twice the candidates */
    WORD_BYTES_MAX = 64,   /* longer texts hardly repeat */
    CODE_FIELD_BYTES = 3   /* a tag and a code of up to 14 bits */
};

typedef struct candidate {
    cairn_span text;
    uint32_t count;
    uint32_t code; /* 0: spelt out */
} candidate;

typedef struct words {
    candidate *candidates; /* CANDIDATES_MAX */
    size_t count;
    uint16_t *slots; /* SLOTS; index of the candidate + 1 */
} words;

static bool words_open(words *w, cairn__arena *scratch) {
    w->candidates = cairn__arena_alloc(scratch, CANDIDATES_MAX * sizeof *w->candidates);
    w->slots = cairn__arena_alloc_zero(scratch, SLOTS, sizeof *w->slots);
    w->count = 0;
    return w->candidates != NULL && w->slots != NULL;
}

/* The slot where the text is, or the empty one where it would be. */
static uint16_t *words_slot(const words *w, cairn_span text) {
    size_t at = (size_t)cairn__hash(text, 0) & (SLOTS - 1);
    while (w->slots[at] != 0 && !cairn__span_equal(w->candidates[w->slots[at] - 1].text, text)) {
        at = (at + 1) & (SLOTS - 1);
    }
    return &w->slots[at];
}

static void words_count(words *w, cairn_span text) {
    if (text.len == 0 || text.len > WORD_BYTES_MAX) {
        return;
    }
    uint16_t *slot = words_slot(w, text);
    if (*slot != 0) {
        w->candidates[*slot - 1].count += 1;
    } else if (w->count < CANDIDATES_MAX) {
        w->candidates[w->count] = (candidate){ text, 1, 0 };
        w->count += 1;
        *slot = (uint16_t)w->count;
    }
}

static uint32_t words_code(const words *w, cairn_span text) {
    if (text.len == 0 || text.len > WORD_BYTES_MAX) {
        return 0;
    }
    uint16_t slot = *words_slot(w, text);
    return slot == 0 ? 0 : w->candidates[slot - 1].code;
}

/* Give codes, in the order of first sight, to the texts that pay for their entry. */
static void words_choose(words *w) {
    uint32_t code = 0;
    for (size_t i = 0; i < w->count; i++) {
        candidate *word = &w->candidates[i];
        uint64_t spelt = (uint64_t)word->count * (word->text.len + 2);
        uint64_t coded = (uint64_t)word->count * CODE_FIELD_BYTES + word->text.len + 2;
        if (coded < spelt) {
            word->code = ++code;
        }
    }
}

/* --- walking messages --------------------------------------------------------------------------*/

/* One field of a message: its tag, all its bytes, and for length-delimited ones the content. */
typedef struct field {
    uint64_t tag;
    cairn_span whole;
    cairn_span content;
} field;

/* False where the message is damaged. */
static bool next_field(cairn__cursor *at, field *out) {
    const uint8_t *from = at->at;
    out->content = (cairn_span){ NULL, 0 };
    if (!cairn__read_varint(at, &out->tag) || out->tag >> 3 == 0) {
        return false;
    }
    bool read = (out->tag & 7) == CAIRN__WIRE_BYTES
                    ? cairn__read_bytes(at, &out->content)
                    : cairn__skip_field(at, (unsigned)(out->tag & 7));
    out->whole = (cairn_span){ from, (size_t)(at->at - from) };
    return read;
}

static bool count_property(words *w, cairn_span message) {
    cairn__cursor at = cairn__cursor_of(message);
    while (at.at < at.end) {
        field f;
        if (!next_field(&at, &f)) {
            return false;
        }
        if (f.tag == CAIRN__TAG_PROPERTY_NAME || f.tag == CAIRN__TAG_PROPERTY_TEXT) {
            words_count(w, f.content);
        }
    }
    return true;
}

static bool count_event(words *w, cairn_span message) {
    if (message.len == 0) {
        return false;
    }
    cairn__cursor at = cairn__cursor_of(message);
    while (at.at < at.end) {
        field f;
        if (!next_field(&at, &f)) {
            return false;
        }
        if (f.tag == CAIRN__TAG_EVENT_NAME) {
            words_count(w, f.content);
        }
        if (f.tag == CAIRN__TAG_EVENT_PROPERTY && !count_property(w, f.content)) {
            return false;
        }
    }
    return true;
}

/* --- writing -----------------------------------------------------------------------------------*/

static void write_bytes(cairn__buffer *to, uint8_t tag, cairn_span bytes) {
    cairn__buffer_byte(to, tag);
    cairn__write_varint(to, bytes.len);
    cairn__buffer_append(to, bytes);
}

static void write_text(cairn__buffer *to, uint8_t tag, cairn_span text) {
    if (text.len > 0) {
        write_bytes(to, tag, text);
    }
}

static void write_number(cairn__buffer *to, uint8_t tag, uint64_t value) {
    if (value != 0) {
        cairn__buffer_byte(to, tag);
        cairn__write_varint(to, value);
    }
}

/* A nested message whose length is not known yet: the tag and one byte of room. */
static size_t open_message(cairn__buffer *to, uint8_t tag) {
    cairn__buffer_byte(to, tag);
    cairn__buffer_byte(to, 0);
    return to->len;
}

/* Write the length in front of what was written since; longer ones move it. */
static void close_message(cairn__buffer *to, size_t from) {
    size_t len = to->len - from;
    size_t more = cairn__varint_bytes(len) - 1;
    if (more > 0) {
        (void)cairn__buffer_extend(to, more);
    }
    if (to->failed) {
        return;
    }
    memmove(to->data + from + more, to->data + from, len);
    cairn__put_varint(to->data + from - 1, len);
}

/* The field as it is, or its code where it has one. */
static void write_coded(cairn__buffer *to, const words *w, const field *f, uint8_t code_tag) {
    uint32_t code = words_code(w, f->content);
    if (code == 0) {
        cairn__buffer_append(to, f->whole);
    } else {
        write_number(to, code_tag, code);
    }
}

static void write_property(cairn__buffer *to, const words *w, cairn_span message) {
    size_t from = open_message(to, CAIRN__TAG_EVENT_PROPERTY);
    cairn__cursor at = cairn__cursor_of(message);
    field f;
    while (at.at < at.end && next_field(&at, &f)) {
        if (f.tag == CAIRN__TAG_PROPERTY_NAME) {
            write_coded(to, w, &f, CAIRN__TAG_PROPERTY_NAME_CODE);
        } else if (f.tag == CAIRN__TAG_PROPERTY_TEXT) {
            write_coded(to, w, &f, CAIRN__TAG_PROPERTY_TEXT_CODE);
        } else {
            cairn__buffer_append(to, f.whole);
        }
    }
    close_message(to, from);
}

static void write_event(cairn__buffer *to, const words *w, cairn_span message) {
    size_t from = open_message(to, CAIRN__TAG_REQUEST_EVENT);
    cairn__cursor at = cairn__cursor_of(message);
    field f;
    while (at.at < at.end && next_field(&at, &f)) {
        if (f.tag == CAIRN__TAG_EVENT_NAME) {
            write_coded(to, w, &f, CAIRN__TAG_EVENT_NAME_CODE);
        } else if (f.tag == CAIRN__TAG_EVENT_PROPERTY) {
            write_property(to, w, f.content);
        } else {
            cairn__buffer_append(to, f.whole);
        }
    }
    close_message(to, from);
}

static void write_head(cairn__buffer *to, const cairn__sync_head *head) {
    write_text(to, CAIRN__TAG_REQUEST_PROJECT_KEY, head->project_key);
    write_bytes(to, CAIRN__TAG_REQUEST_DEVICE_ID,
                (cairn_span){ head->device_id, sizeof head->device_id });
    write_text(to, CAIRN__TAG_REQUEST_SDK_NAME, head->sdk_name);
    write_text(to, CAIRN__TAG_REQUEST_SDK_VERSION, head->sdk_version);
    write_text(to, CAIRN__TAG_REQUEST_PLATFORM, head->platform);
    write_number(to, CAIRN__TAG_REQUEST_SENT_MS, (uint64_t)head->sent_ms);
    for (size_t i = 0; i < head->id_count; i++) {
        size_t from = open_message(to, CAIRN__TAG_REQUEST_ID);
        write_text(to, CAIRN__TAG_ID_TYPE, head->ids[i].type);
        write_text(to, CAIRN__TAG_ID_VALUE, head->ids[i].value);
        close_message(to, from);
    }
    write_number(to, CAIRN__TAG_REQUEST_CONSENT, (uint64_t)head->consent);
    write_number(to, CAIRN__TAG_REQUEST_BUNDLE_VERSION, head->bundle_version);
    write_number(to, CAIRN__TAG_REQUEST_FACTS_VERSION, head->facts_version);
    write_number(to, CAIRN__TAG_REQUEST_CAPABILITIES, head->capabilities);
}

cairn_status cairn__sync_request_encode(const cairn__sync_head *head, const cairn_span *events,
                                        size_t event_count, cairn__arena *scratch,
                                        cairn__buffer *to) {
    words w;
    if (!words_open(&w, scratch)) {
        return CAIRN_NO_MEMORY;
    }
    for (size_t i = 0; i < event_count; i++) {
        if (!count_event(&w, events[i])) {
            return CAIRN_INVALID;
        }
    }
    words_choose(&w);
    write_head(to, head);
    for (size_t i = 0; i < w.count; i++) {
        if (w.candidates[i].code != 0) {
            write_bytes(to, CAIRN__TAG_REQUEST_DICTIONARY, w.candidates[i].text);
        }
    }
    for (size_t i = 0; i < event_count; i++) {
        write_event(to, &w, events[i]);
    }
    return to->failed ? CAIRN_NO_MEMORY : CAIRN_OK;
}

/* --- the response ------------------------------------------------------------------------------*/

static bool count_rejected(cairn_span body, size_t *count_out) {
    cairn__cursor at = cairn__cursor_of(body);
    size_t count = 0;
    while (at.at < at.end) {
        field f;
        if (!next_field(&at, &f)) {
            return false;
        }
        count += f.tag == CAIRN__TAG_RESPONSE_REJECTED;
    }
    *count_out = count;
    return true;
}

/* The value of a varint field that next_field has stepped over. */
static uint64_t varint_of(const field *f) {
    cairn__cursor at = cairn__cursor_of(f->whole);
    uint64_t value = 0;
    (void)cairn__read_varint(&at, &value); /* the tag */
    (void)cairn__read_varint(&at, &value);
    return value;
}

static bool read_rejected(cairn_span message, cairn__sync_rejected *out) {
    cairn__cursor at = cairn__cursor_of(message);
    while (at.at < at.end) {
        field f;
        if (!next_field(&at, &f)) {
            return false;
        }
        if (f.tag == CAIRN__TAG_REJECTED_SEQ) {
            out->seq = varint_of(&f);
        } else if (f.tag == CAIRN__TAG_REJECTED_REASON) {
            out->reason = f.content;
        }
    }
    return true;
}

static uint32_t clamp_u32(uint64_t value) {
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static void take_field(const field *f, cairn__sync_response *out) {
    switch (f->tag) {
    case CAIRN__TAG_RESPONSE_ACKED_SEQ:
        out->acked_seq = varint_of(f);
        break;
    case CAIRN__TAG_RESPONSE_SERVER_MS:
        out->server_ms = (int64_t)varint_of(f);
        break;
    case CAIRN__TAG_RESPONSE_BUNDLE:
        out->bundle = f->content;
        break;
    case CAIRN__TAG_RESPONSE_BUNDLE_VERSION:
        out->bundle_version = varint_of(f);
        break;
    case CAIRN__TAG_RESPONSE_FACTS:
        out->facts = f->content;
        break;
    case CAIRN__TAG_RESPONSE_FACTS_VERSION:
        out->facts_version = varint_of(f);
        break;
    case CAIRN__TAG_RESPONSE_NEXT_SYNC_MS:
        out->next_sync_ms = clamp_u32(varint_of(f));
        break;
    case CAIRN__TAG_RESPONSE_RETRY_AFTER_MS:
        out->retry_after_ms = clamp_u32(varint_of(f));
        break;
    case CAIRN__TAG_RESPONSE_NEW_DEVICE_ID:
        out->new_device_id = varint_of(f) != 0;
        break;
    default:
        break; /* of a later version */
    }
}

cairn_status cairn__sync_response_decode(cairn_span body, cairn__arena *arena,
                                         cairn__sync_response *response_out) {
    *response_out = (cairn__sync_response){ 0 };
    if (body.len == 0) {
        return CAIRN_OK; /* a message of defaults */
    }
    size_t count = 0;
    if (!count_rejected(body, &count)) {
        return CAIRN_INVALID;
    }
    if (count > CAIRN__BATCH_EVENTS_MAX) {
        return CAIRN_INVALID; /* more than a request can carry */
    }
    cairn__sync_rejected *rejected = cairn__arena_alloc_zero(arena, count, sizeof *rejected);
    if (rejected == NULL) {
        return CAIRN_NO_MEMORY;
    }
    response_out->rejected = rejected;
    cairn__cursor at = cairn__cursor_of(body);
    field f;
    while (at.at < at.end && next_field(&at, &f)) {
        if (f.tag != CAIRN__TAG_RESPONSE_REJECTED) {
            take_field(&f, response_out);
        } else if (!read_rejected(f.content, &rejected[response_out->rejected_count++])) {
            return CAIRN_INVALID;
        }
    }
    return CAIRN_OK;
}
