/* entry.c: the exports of cairn.wasm and its seams, which are imports of the one module `cairn`.
 * Numbers only, no 64-bit integer crosses the boundary: times are doubles. src/core.ts is the other
 * side; ABI_VERSION there and here change together. One instance holds one client, and the instance
 * is its lifetime: that is why this file, alone in the project, has a variable of its own. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cairn/cairn.h"
#include "model/limits.h"
#include "wasm/block.h"
#include "wasm/entry.h"

#define IMPORT(name) __attribute__((import_module("cairn"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

enum {
    ABI_VERSION = 2,
    ARGUMENTS_BYTES_MAX = 256 * 1024, /* the arrays of one call */
    LAST_BATCH_BYTES_MAX = 32 * 1024, /* browsers allow 64 KiB in flight, shared with the page */
    SEED_BYTES = 32,
    OPTIONS_BYTES = 28, /* six numbers and the key's length */
    OPTION_DROP = 1,    /* calls before consent are refused */
    OPTION_SILENT = 2,  /* the server is not told of a withdrawal */
    OPTION_SIGNAL = 4,  /* the browser says Do Not Track or Global Privacy Control */
    OPTION_HISTORY = 8, /* the history is kept without keys, too */
    REGION_BYTES_MAX = 16,
    HISTORY_BYTES_MAX = 512 * 1024,
    EMIT_ACKED = 1,
    EMIT_REFUSED = 2,
    EMIT_PURGED = 3,
    EMIT_POPUP = 4,
    EMIT_POPUP_CHOSEN = 5,
    KEY_BYTES = 65,
    KEYS_MAX = 4,
    KEY_ID_BYTES_MAX = 32
};

/* As METHODS in src/core.ts. */
typedef enum call_method {
    CALL_TRACK = 0,
    CALL_TIMER_START,
    CALL_TIMER_PAUSE,
    CALL_TIMER_RESUME,
    CALL_TIMER_END,
    CALL_REGISTER,
    CALL_REGISTER_ONCE,
    CALL_UNREGISTER,
    CALL_LOGIN,
    CALL_LOGOUT,
    CALL_BIND,
    CALL_UNBIND,
    CALL_PROFILE_SET,
    CALL_PROFILE_SET_ONCE,
    CALL_PROFILE_INCREMENT,
    CALL_PROFILE_APPEND,
    CALL_PROFILE_UNSET,
    CALL_CONSENT, /* name: source, value: version of the text, properties: category = boolean */
    CALL_ERASE
} call_method;

/* As ASKS in src/core.ts. */
typedef enum ask_method {
    ASK_EVENT = 0,   /* name: the event, with its properties: cairn_decide */
    ASK_POPUP,       /* name: the popup */
    ASK_SLOT,        /* name: the slot */
    ASK_EXPERIMENT,  /* name: the experiment */
    ASK_EXPERIMENTS, /* nothing */
    ASK_SHOW,        /* name: the popup: cairn_popup_show */
    ASK_CLICKED,     /* name: the popup, with properties: cairn_popup_done */
    ASK_CLOSED,
    ASK_EXPOSE,       /* name: the experiment: cairn_experiment */
    ASK_SLOT_SHOWN,   /* name: the slot, value: the item; property "position" */
    ASK_SLOT_CLICKED, /* the same */
    ASK_PAGE,         /* value: the page */
    ASK_ZONE,         /* name: the zone */
    ASK_DEVICE,       /* properties: device.* */
    ASK_INSPECT,      /* nothing */
    ASK_GONE          /* name: the popup, whose screen went away */
} ask_method;

/* As STATUS_* in src/core.ts. */
typedef struct call_status {
    double numbers[7];
    uint8_t device_id[16];
    uint32_t login_len;
    uint8_t login[CAIRN__ID_VALUE_BYTES_MAX];
} call_status;

typedef struct instance {
    cairn_client *client;
    uint64_t random[4]; /* xoshiro256**'s state, from the host's seed */
    cairn__arena arguments;
    call_status status;
    cairn_span exchange; /* what the host fetches after a call that hands bytes back */
    cairn_bundle_key keys[KEYS_MAX];
    uint8_t key_ids[KEYS_MAX][KEY_ID_BYTES_MAX];
    size_t key_count;
    uint8_t region[REGION_BYTES_MAX];
    size_t region_bytes;
} instance;

static instance the; /* see the top of the file */

/* --- imports ------------------------------------------------------------------------------------
 */

IMPORT("now_ms") double host_now_ms(void);
IMPORT("mono_ms") double host_mono_ms(void);
IMPORT("store_append")
void host_store_append(uint32_t ticket, uint32_t segment, const uint8_t *bytes, size_t len);
IMPORT("store_remove") void host_store_remove(uint32_t ticket, uint32_t segment);
IMPORT("store_state")
void host_store_state(uint32_t ticket, uint32_t slot, const uint8_t *bytes, size_t len);
IMPORT("http_start") void host_http_start(uint32_t ticket, const uint8_t *bytes, size_t len);
IMPORT("emit") void host_emit(uint32_t kind, double seq, const uint8_t *bytes, size_t len);

static int64_t wall_ms(void *self) {
    (void)self;
    return (int64_t)host_now_ms();
}

static int64_t mono_ms(void *self) {
    (void)self;
    return (int64_t)host_mono_ms();
}

static uint64_t rotate(uint64_t value, unsigned bits) {
    return value << bits | value >> (64 - bits);
}

/* xoshiro256** (Blackman, Vigna 2018) over the host's seed: ids and jitter, no secrets. */
static uint64_t next_random(uint64_t state[4]) {
    uint64_t result = rotate(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate(state[3], 45);
    return result;
}

static void fill_random(void *self, uint8_t *bytes, size_t len) {
    instance *own = self;
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(next_random(own->random) >> 56);
    }
}

static void store_append(void *self, uint32_t ticket, uint32_t segment, cairn_span bytes) {
    (void)self;
    host_store_append(ticket, segment, bytes.data, bytes.len);
}

static void store_remove(void *self, uint32_t ticket, uint32_t segment) {
    (void)self;
    host_store_remove(ticket, segment);
}

static void store_state(void *self, uint32_t ticket, uint32_t slot, cairn_span bytes) {
    (void)self;
    host_store_state(ticket, slot, bytes.data, bytes.len);
}

static void http_start(void *self, uint32_t ticket, cairn_span body) {
    (void)self;
    host_http_start(ticket, body.data, body.len);
}

static void tell_acked(void *self, uint64_t acked_seq) {
    (void)self;
    host_emit(EMIT_ACKED, (double)acked_seq, NULL, 0);
}

static void tell_refused(void *self, uint64_t seq, cairn_span reason) {
    (void)self;
    host_emit(EMIT_REFUSED, (double)seq, reason.data, reason.len);
}

static void tell_popup(void *self, cairn_span json) {
    (void)self;
    host_emit(EMIT_POPUP, 0, json.data, json.len);
}

static void tell_popup_chosen(void *self, cairn_span name) {
    (void)self;
    host_emit(EMIT_POPUP_CHOSEN, 0, name.data, name.len);
}

static void tell_purged(void *self) {
    (void)self;
    host_emit(EMIT_PURGED, 0, NULL, 0);
}

/* --- life ----------------------------------------------------------------------------------------
 */

EXPORT("abi_version") uint32_t export_abi_version(void) {
    return ABI_VERSION;
}

EXPORT("alloc") void *export_alloc(size_t bytes) {
    return malloc(bytes);
}

EXPORT("release") void export_release(void *at) {
    free(at);
}

static cairn_platform platform(void) {
    return (cairn_platform){
        .clock = { wall_ms, mono_ms, &the },
        .random = { fill_random, &the },
        .storage = { store_append, store_remove, store_state, &the },
        .transport = { http_start, &the },
        .listener = { .acked = tell_acked,
                      .refused = tell_refused,
                      .self = &the,
                      .popup = tell_popup,
                      .popup_chosen = tell_popup_chosen,
                      .purged = tell_purged },
    };
}

/** Before init: a key whose bundles are believed; with none the core does not decide. */
EXPORT("trust")
cairn_status export_trust(const uint8_t *id, size_t id_len, const uint8_t *key, size_t len) {
    if (the.key_count == KEYS_MAX || id_len > KEY_ID_BYTES_MAX || len != KEY_BYTES) {
        return CAIRN_INVALID;
    }
    memcpy(the.key_ids[the.key_count], id, id_len);
    the.keys[the.key_count].id = (cairn_span){ the.key_ids[the.key_count], id_len };
    memcpy(the.keys[the.key_count].bytes, key, KEY_BYTES);
    the.key_count += 1;
    return CAIRN_OK;
}

/** Before init: where the person is, for the bundle's consent defaults. */
EXPORT("region") cairn_status export_region(const uint8_t *text, size_t len) {
    if (len > REGION_BYTES_MAX) {
        return CAIRN_INVALID;
    }
    memcpy(the.region, text, len);
    the.region_bytes = len;
    return CAIRN_OK;
}

EXPORT("init")
cairn_status export_init(const uint8_t *options, size_t len, const uint8_t *seed, size_t seed_len) {
    if (the.client != NULL || len < OPTIONS_BYTES || seed_len != SEED_BYTES ||
        cairn__load_u32(options + 24) != len - OPTIONS_BYTES) {
        return CAIRN_INVALID;
    }
    memcpy(the.random, seed, sizeof the.random);
    the.arguments = cairn__arena_make(cairn__heap(), ARGUMENTS_BYTES_MAX);
    cairn_options own = {
        .project_key = { options + OPTIONS_BYTES, len - OPTIONS_BYTES },
        .sdk_name = CAIRN_STR("cairn-sdk"),
        .sdk_version = CAIRN_STR(CAIRN_VERSION),
        .platform = CAIRN_STR("web"),
        .flush_interval_ms = cairn__load_u32(options),
        .queue_events_max = cairn__load_u32(options + 4),
        .queue_bytes_max = cairn__load_u32(options + 8),
        .decide = { .keys = the.keys,
                    .key_count = the.key_count,
                    .region = { the.region, the.region_bytes },
                    .keep_history = (cairn__load_u32(options + 20) & OPTION_HISTORY) != 0,
                    .history_bytes_max = HISTORY_BYTES_MAX },
        .consent = { .required = cairn__load_u32(options + 12),
                     .denied = cairn__load_u32(options + 16),
                     .drop_before = (cairn__load_u32(options + 20) & OPTION_DROP) != 0,
                     .withdraw_silently = (cairn__load_u32(options + 20) & OPTION_SILENT) != 0,
                     .signal = (cairn__load_u32(options + 20) & OPTION_SIGNAL) != 0 },
    };
    cairn_platform seams = platform();
    return cairn_open(&own, &seams, &the.client);
}

EXPORT("restore")
cairn_status export_restore(uint32_t space, uint32_t number, const uint8_t *bytes, size_t len) {
    cairn_space kind = space == CAIRN_SPACE_STATE ? CAIRN_SPACE_STATE : CAIRN_SPACE_LOG;
    return cairn_restore(the.client, kind, number, (cairn_span){ bytes, len });
}

EXPORT("start") cairn_status export_start(void) {
    return cairn_start(the.client);
}

/* --- calls ---------------------------------------------------------------------------------------
 */

static cairn_status unregister(const cairn__block *b) {
    cairn_span *names = cairn__arena_alloc_zero(&the.arguments, b->property_count, sizeof *names);
    if (names == NULL) {
        return CAIRN_NO_MEMORY;
    }
    for (size_t i = 0; i < b->property_count; i++) {
        names[i] = b->properties[i].name;
    }
    return cairn_unregister(the.client, names, b->property_count);
}

static cairn_status profile(const cairn__block *b, cairn_profile_change change) {
    return cairn_profile(the.client, change, b->properties, b->property_count);
}

static uint32_t category_of(cairn_span name) {
    if (cairn__span_equal(name, CAIRN_STR("analytics"))) {
        return CAIRN_CONSENT_ANALYTICS;
    }
    if (cairn__span_equal(name, CAIRN_STR("marketing"))) {
        return CAIRN_CONSENT_MARKETING;
    }
    return cairn__span_equal(name, CAIRN_STR("personalisation")) ? CAIRN_CONSENT_PERSONALISATION
                                                                 : 0;
}

static cairn_status consent(const cairn__block *b) {
    cairn_consent_choice choice = { .source = b->name, .text_version = b->value };
    for (size_t i = 0; i < b->property_count; i++) {
        const cairn_value *value = &b->properties[i].value;
        uint32_t category = category_of(b->properties[i].name);
        if (category == 0 || value->kind != CAIRN_VALUE_BOOLEAN) {
            return CAIRN_INVALID;
        }
        *(value->as.boolean ? &choice.granted : &choice.denied) |= category;
    }
    return cairn_consent(the.client, &choice);
}

static cairn_status run(uint32_t method, const cairn__block *b) {
    cairn_id id = { b->name, b->value };
    switch (method) {
    case CALL_TRACK:
        return cairn_track(the.client, b->name, b->properties, b->property_count);
    case CALL_TIMER_START:
        return cairn_timer(the.client, b->name, CAIRN_TIMER_START);
    case CALL_TIMER_PAUSE:
        return cairn_timer(the.client, b->name, CAIRN_TIMER_PAUSE);
    case CALL_TIMER_RESUME:
        return cairn_timer(the.client, b->name, CAIRN_TIMER_RESUME);
    case CALL_TIMER_END:
        return cairn_timer_end(the.client, b->name, b->properties, b->property_count);
    case CALL_REGISTER:
    case CALL_REGISTER_ONCE:
        return cairn_register(the.client, b->properties, b->property_count,
                              method == CALL_REGISTER_ONCE);
    case CALL_UNREGISTER:
        return unregister(b);
    case CALL_LOGIN:
        return cairn_login(the.client, id);
    case CALL_LOGOUT:
        return cairn_logout(the.client);
    case CALL_BIND:
        return cairn_bind(the.client, id);
    case CALL_UNBIND:
        return cairn_unbind(the.client, id);
    case CALL_PROFILE_SET:
        return profile(b, CAIRN_PROFILE_SET);
    case CALL_PROFILE_SET_ONCE:
        return profile(b, CAIRN_PROFILE_SET_ONCE);
    case CALL_PROFILE_INCREMENT:
        return profile(b, CAIRN_PROFILE_INCREMENT);
    case CALL_PROFILE_APPEND:
        return profile(b, CAIRN_PROFILE_APPEND);
    case CALL_PROFILE_UNSET:
        return profile(b, CAIRN_PROFILE_UNSET);
    case CALL_CONSENT:
        return consent(b);
    case CALL_ERASE:
        return cairn_erase(the.client);
    default:
        return CAIRN_UNSUPPORTED;
    }
}

EXPORT("call") cairn_status export_call(uint32_t method, const uint8_t *bytes, size_t len) {
    cairn__block block;
    cairn__arena_reset(&the.arguments);
    cairn_status status = cairn__block_read((cairn_span){ bytes, len }, &the.arguments, &block);
    return status == CAIRN_OK ? run(method, &block) : status;
}

/* --- decisions -----------------------------------------------------------------------------------
 */

static cairn_status decide(uint32_t method, const cairn__block *b) {
    const cairn_decide_query query = { .what = (cairn_decide_what)method,
                                       .name = b->name,
                                       .properties = b->properties,
                                       .property_count = b->property_count };
    return cairn_decide(the.client, &query, &the.exchange);
}

static cairn_status slot_done(const cairn__block *b, cairn_slot_act act) {
    bool numbered = b->property_count == 1 && b->properties[0].value.kind == CAIRN_VALUE_INTEGER;
    uint32_t position = numbered ? (uint32_t)b->properties[0].value.as.integer : 0;
    return cairn_slot_done(the.client, b->name, b->value, position, act);
}

static cairn_status popup_done(const cairn__block *b, cairn_popup_act act) {
    return cairn_popup_done(the.client, b->name, act, b->properties, b->property_count);
}

static cairn_status answer(uint32_t method, const cairn__block *b) {
    switch (method) {
    case ASK_SHOW:
        return cairn_popup_show(the.client, b->name, &the.exchange);
    case ASK_CLICKED:
        return popup_done(b, CAIRN_POPUP_CLICKED);
    case ASK_CLOSED:
        return popup_done(b, CAIRN_POPUP_CLOSED);
    case ASK_EXPOSE:
        return cairn_experiment(the.client, b->name, &the.exchange);
    case ASK_SLOT_SHOWN:
        return slot_done(b, CAIRN_SLOT_SHOWN);
    case ASK_SLOT_CLICKED:
        return slot_done(b, CAIRN_SLOT_CLICKED);
    case ASK_PAGE:
        return cairn_set_page(the.client, b->value);
    case ASK_ZONE:
        return cairn_set_zone(the.client, b->name, (cairn_span){ NULL, 0 });
    case ASK_DEVICE:
        return cairn_set_device(the.client, b->properties, b->property_count);
    case ASK_GONE:
        return popup_done(b, CAIRN_POPUP_GONE);
    case ASK_INSPECT:
        return cairn_inspect(the.client, &the.exchange);
    default:
        return method <= ASK_EXPERIMENTS ? decide(method, b) : CAIRN_UNSUPPORTED;
    }
}

/** A question or an act of cairn_decide.h; exchange() and exchange_bytes() have the answer. */
EXPORT("ask") cairn_status export_ask(uint32_t method, const uint8_t *bytes, size_t len) {
    cairn__block block;
    the.exchange = (cairn_span){ NULL, 0 };
    cairn__arena_reset(&the.arguments);
    cairn_status status = cairn__block_read((cairn_span){ bytes, len }, &the.arguments, &block);
    return status == CAIRN_OK ? answer(method, &block) : status;
}

/** A signed bundle that came another way than with an answer of the edge. */
EXPORT("set_bundle") cairn_status export_set_bundle(const uint8_t *bytes, size_t len) {
    return cairn_set_bundle(the.client, (cairn_span){ bytes, len });
}

/* --- driving
 * --------------------------------------------------------------------------------------- */

EXPORT("flush") void export_flush(void) {
    cairn_flush(the.client);
}

EXPORT("pump") double export_pump(void) {
    return (double)cairn_pump(the.client);
}

/** The length of the last batch; exchange() says where it is. */
EXPORT("last_gasp") size_t export_last_gasp(void) {
    the.exchange = cairn_last_batch(the.client, LAST_BATCH_BYTES_MAX);
    return the.exchange.len;
}

cairn_client *cairn__wasm_client(void) {
    return the.client;
}

void cairn__wasm_exchange(cairn_span bytes) {
    the.exchange = bytes;
}

EXPORT("exchange") const uint8_t *export_exchange(void) {
    return the.exchange.data;
}

EXPORT("exchange_bytes") size_t export_exchange_bytes(void) {
    return the.exchange.len;
}

EXPORT("io_done") void export_io_done(uint32_t ticket, uint32_t durable) {
    cairn_storage_done(the.client, ticket, durable != 0);
}

EXPORT("http_done")
void export_http_done(uint32_t ticket, uint32_t status, double retry_after_ms, const uint8_t *body,
                      size_t len) {
    cairn_http_done(the.client, ticket, status, (uint32_t)retry_after_ms,
                    (cairn_span){ body, len });
}

/* What was said of the three categories, two bits each, and above them one bit of each that is
 * allowed now. */
EXPORT("consent") uint32_t export_consent(void) {
    uint32_t word = 0;
    for (uint32_t i = 0; i < 3; i++) {
        cairn_consent_category category = (cairn_consent_category)(1u << i);
        word |= (uint32_t)cairn_consent_said(the.client, category) << (2 * i);
        word |= (uint32_t)cairn_consent_allows(the.client, category) << (6 + i);
    }
    return word | (cairn_purging(the.client) ? 1u << 9 : 0);
}

EXPORT("status") const call_status *export_status(void) {
    cairn_client_status s;
    cairn_get_status(the.client, &s);
    const double numbers[] = { (double)s.queued_events,  (double)s.queued_bytes,
                               (double)s.last_seq,       (double)s.acked_seq,
                               (double)s.dropped_events, (double)s.refused_events,
                               (double)s.retry_in_ms };
    memcpy(the.status.numbers, numbers, sizeof numbers);
    memcpy(the.status.device_id, s.device_id, sizeof s.device_id);
    size_t login_len = s.login_id.len; /* it may come from a damaged disk: cut, never trusted */
    login_len = login_len < sizeof the.status.login ? login_len : sizeof the.status.login;
    the.status.login_len = (uint32_t)login_len;
    if (login_len > 0) {
        memcpy(the.status.login, s.login_id.data, login_len);
    }
    return &the.status;
}
