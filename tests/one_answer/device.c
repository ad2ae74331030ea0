#include "device.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "client/client.h"
#include "support/signed_bundle.h"

enum { ARENA_BYTES = 4 << 20, BATCH_BYTES = 1 << 20, SETTLE_STEPS = 200, STEP_HEAD_BYTES = 9 };

/* --- seams ------------------------------------------------------------------------------------ */

static int64_t wall_ms(void *self) {
    return ((device *)self)->now_ms;
}

static int64_t mono_ms(void *self) {
    return ((device *)self)->mono_ms;
}

static uint64_t rotate(uint64_t value, unsigned bits) {
    return value << bits | value >> (64 - bits);
}

/* The same numbers as wasm/entry.c makes from the same seed. */
static void fill(void *self, uint8_t *bytes, size_t len) {
    uint64_t *state = ((device *)self)->random;
    for (size_t i = 0; i < len; i++) {
        uint64_t result = rotate(state[1] * 5, 7) * 9;
        uint64_t shifted = state[1] << 17;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= shifted;
        state[3] = rotate(state[3], 45);
        bytes[i] = (uint8_t)(result >> 56);
    }
}

static void submit(device *d, uint32_t ticket) {
    CAIRN_ASSERT(d->op_count < DEVICE_OPS_MAX);
    d->ops[d->op_count++] = ticket;
}

static void append(void *self, uint32_t ticket, uint32_t segment, cairn_span bytes) {
    (void)segment;
    (void)bytes;
    submit(self, ticket);
}

static void remove_segment(void *self, uint32_t ticket, uint32_t segment) {
    (void)segment;
    submit(self, ticket);
}

static void start_post(void *self, uint32_t ticket, cairn_span body) {
    (void)self; /* a network that never answers: device_batch() takes what waits */
    (void)ticket;
    (void)body;
}

static void heard_popup(void *self, cairn_span json) {
    device *d = self;
    cairn__buffer_clear(&d->popup);
    cairn__buffer_append(&d->popup, json);
}

/* --- what was heard --------------------------------------------------------------------------- */

static void hear(device *d, heard_kind kind, cairn_status status, cairn_span bytes) {
    cairn__buffer_u32(d->heard, kind);
    cairn__buffer_u32(d->heard, status);
    cairn__buffer_u32(d->heard, (uint32_t)bytes.len);
    cairn__buffer_append(d->heard, bytes);
}

/* The name in {"popup":"NAME",...}; names need no escapes. */
static cairn_span popup_name(const cairn__buffer *json) {
    const size_t start = sizeof "{\"popup\":\"" - 1;
    size_t end = start;
    while (end < json->len && json->data[end] != '"') {
        end += 1;
    }
    CAIRN_ASSERT(end < json->len);
    return cairn__span(json->data + start, end - start);
}

/* The person closes it, every third time with a click. */
static void answer_popup(device *d) {
    static uint8_t name[128];
    cairn_span borrowed = popup_name(&d->popup);
    CAIRN_ASSERT(borrowed.len < sizeof name);
    memcpy(name, borrowed.data, borrowed.len);
    hear(d, HEARD_POPUP, CAIRN_OK, cairn__buffer_span(&d->popup));
    cairn__buffer_clear(&d->popup);
    const cairn_span own = cairn__span(name, borrowed.len);
    d->popups += 1;
    if (d->popups % 3 == 0) {
        (void)cairn_popup_done(d->client, own, CAIRN_POPUP_CLICKED, NULL, 0);
    }
    (void)cairn_popup_done(d->client, own, CAIRN_POPUP_CLOSED, NULL, 0);
}

static void settle(device *d) {
    for (int i = 0; i < SETTLE_STEPS; i++) {
        for (size_t k = 0; k < d->op_count; k++) { /* completing one may submit another */
            cairn_storage_done(d->client, d->ops[k], true);
        }
        d->op_count = 0;
        (void)cairn_pump(d->client);
        if (d->popup.len > 0) {
            answer_popup(d);
        } else if (d->op_count == 0) {
            return;
        }
    }
    CAIRN_ASSERT(false);
}

/* --- steps ------------------------------------------------------------------------------------ */

static void copy_text(char *to, size_t bytes, cairn_span from) {
    CAIRN_ASSERT(from.len < bytes);
    memcpy(to, from.data, from.len);
    to[from.len] = '\0';
}

static cairn_status call(device *d, uint32_t method, const cairn__block *b) {
    switch (method) {
    case CALL_TRACK:
        return cairn_track(d->client, b->name, b->properties, b->property_count);
    case CALL_LOGIN:
        copy_text(d->login, sizeof d->login, b->value);
        return cairn_login(d->client, (cairn_id){ b->name, b->value });
    case CALL_PROFILE_SET:
        return cairn_profile(d->client, CAIRN_PROFILE_SET, b->properties, b->property_count);
    case CALL_PROFILE_UNSET:
        return cairn_profile(d->client, CAIRN_PROFILE_UNSET, b->properties, b->property_count);
    default:
        CAIRN_ASSERT(false);
        return CAIRN_UNSUPPORTED;
    }
}

static cairn_status slot_done(device *d, const cairn__block *b, cairn_slot_act act) {
    uint32_t position = (uint32_t)b->properties[0].value.as.integer;
    return cairn_slot_done(d->client, b->name, b->value, position, act);
}

/* The block's arena is emptied by the next step. */
static cairn_status set_device(device *d, const cairn__block *b) {
    cairn__arena_reset(&d->facts_arena);
    CAIRN_ASSERT(b->property_count <= WORLD_DEVICE_PROPERTIES);
    for (size_t i = 0; i < b->property_count; i++) {
        cairn_property *own = &d->facts[i];
        *own = b->properties[i];
        bool fits = cairn__arena_copy(&d->facts_arena, own->name, &own->name);
        if (own->value.kind == CAIRN_VALUE_STRING) {
            fits = cairn__arena_copy(&d->facts_arena, own->value.as.string, &own->value.as.string);
        }
        CAIRN_ASSERT(fits);
    }
    d->fact_count = b->property_count;
    return cairn_set_device(d->client, b->properties, b->property_count);
}

static cairn_status ask(device *d, uint32_t method, const cairn__block *b, cairn_span *answer) {
    const cairn_decide_query query = { .what = (cairn_decide_what)method,
                                       .name = b->name,
                                       .properties = b->properties,
                                       .property_count = b->property_count };
    switch (method) {
    case ASK_SHOW:
        return cairn_popup_show(d->client, b->name, answer);
    case ASK_EXPOSE:
        return cairn_experiment(d->client, b->name, answer);
    case ASK_SLOT_SHOWN:
        return slot_done(d, b, CAIRN_SLOT_SHOWN);
    case ASK_SLOT_CLICKED:
        return slot_done(d, b, CAIRN_SLOT_CLICKED);
    case ASK_PAGE:
        copy_text(d->page, sizeof d->page, b->value);
        return cairn_set_page(d->client, b->value);
    case ASK_ZONE:
        copy_text(d->zone, sizeof d->zone, b->name);
        return cairn_set_zone(d->client, b->name, (cairn_span){ NULL, 0 });
    case ASK_DEVICE:
        return set_device(d, b);
    default:
        CAIRN_ASSERT(method <= ASK_EXPERIMENTS);
        return cairn_decide(d->client, &query, answer);
    }
}

static void tell_answer(device *d, uint32_t method, const cairn__block *b, cairn_span answer) {
    device_question question = { .method = method,
                                 .block = b,
                                 .now_ms = d->now_ms,
                                 .login = d->login,
                                 .zone = d->zone,
                                 .page = d->page,
                                 .facts = d->facts,
                                 .fact_count = d->fact_count,
                                 .session = d->client->journal.state.session };
    uint8_t hex[32];
    (void)cairn__client_device_text(d->client, hex);
    memcpy(question.device, hex, sizeof hex);
    d->on_answer(d->self, d, &question, answer);
}

static void step(device *d, step_kind kind, uint32_t method, cairn_span bytes) {
    cairn__block block;
    cairn_span answer = { NULL, 0 };
    if (kind == STEP_NOW) {
        uint64_t bits = cairn__load_u64(bytes.data);
        double now_ms = 0;
        memcpy(&now_ms, &bits, sizeof now_ms);
        int64_t passed_ms = (int64_t)now_ms - d->now_ms;
        d->mono_ms += passed_ms > 0 ? passed_ms : 0; /* the clock is set back now and then */
        d->now_ms = (int64_t)now_ms;
        settle(d);
        return;
    }
    cairn__arena_reset(&d->arguments);
    cairn_status status = cairn__block_read(bytes, &d->arguments, &block);
    CAIRN_ASSERT(status == CAIRN_OK);
    if (kind == STEP_CALL) {
        hear(d, HEARD_CALL, call(d, method, &block), answer);
    } else {
        status = ask(d, method, &block, &answer);
        hear(d, HEARD_ANSWER, status, answer);
        if (method <= ASK_EXPERIMENTS && d->on_answer != NULL) {
            tell_answer(d, method, &block, answer);
        }
    }
    settle(d);
}

/* --- a life ----------------------------------------------------------------------------------- */

static void begin(device *d, const world *w, const world_life *life) {
    static cairn_bundle_key key;
    key = signed_bundle_key();
    const cairn_options options = { .project_key = CAIRN_STR("demo"),
                                    .sdk_name = CAIRN_STR("cairn-sdk"),
                                    .sdk_version = CAIRN_STR(CAIRN_VERSION),
                                    .platform = CAIRN_STR("web"),
                                    .flush_interval_ms = 2000,
                                    .decide = { .keys = &key, .key_count = 1 } };
    const cairn_platform platform = { .clock = { wall_ms, mono_ms, d },
                                      .random = { fill, d },
                                      .storage = { append, remove_segment, append, d },
                                      .transport = { start_post, d },
                                      .listener = { .self = d, .popup = heard_popup } };
    for (size_t i = 0; i < 4; i++) {
        d->random[i] = cairn__load_u64(life->seed + 8 * i);
    }
    cairn_status status = cairn_open(&options, &platform, &d->client);
    CAIRN_ASSERT(status == CAIRN_OK);
    status = cairn_start(d->client);
    CAIRN_ASSERT(status == CAIRN_OK);
    status = cairn_set_bundle(d->client, cairn__buffer_span(&w->signed_bundle));
    CAIRN_ASSERT(status == CAIRN_OK);
    settle(d);
}

void device_live(device *d, const world *w, const world_life *life) {
    d->arguments = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    d->facts_arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    d->popup = cairn__buffer_make(cairn__heap(), ARENA_BYTES);
    begin(d, w, life);
    const uint8_t *at = life->steps.data;
    const uint8_t *end = at + life->steps.len;
    while (at < end) {
        uint32_t len = cairn__load_u32(at + 5);
        step(d, (step_kind)at[0], cairn__load_u32(at + 1), cairn__span(at + STEP_HEAD_BYTES, len));
        at += STEP_HEAD_BYTES + len;
    }
    cairn_close(d->client);
    cairn__arena_free(&d->arguments);
    cairn__arena_free(&d->facts_arena);
    cairn__buffer_free(&d->popup);
}

cairn_span device_batch(device *d) {
    return cairn_last_batch(d->client, BATCH_BYTES);
}
