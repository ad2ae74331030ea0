/* device.c: see device.h. */
#include "device.h"

#include "base/assert.h"
#include "base/bytes.h"

enum { ARENA_BYTES_MAX = 1 << 24, EVENT_BYTES_MAX = 64 * 1024, ROUND_MS = 1000 };

cairn_span span_of(const char *text) {
    return (cairn_span){ (const uint8_t *)text, strlen(text) };
}

void device_init(device *d, uint64_t seed) {
    memset(d, 0, sizeof *d);
    store_init(&d->disk, seed);
    d->now_ms = INT64_C(1790000000000);
    d->arena = cairn__arena_make(cairn__heap(), ARENA_BYTES_MAX);
    d->options.allocator = cairn__heap();
    d->options.storage = store_seam(&d->disk);
}

void device_free(device *d) {
    cairn__local_close(d->local);
    store_free(&d->disk);
    cairn__arena_free(&d->arena);
}

void device_use(device *d) {
    (void)cairn__local_use(d->local, d->slots, d->slot_count, d->zone);
}

void device_boot(device *d) {
    cairn_status status = cairn__local_open(&d->options, &d->local);
    CAIRN_ASSERT(status == CAIRN_OK);
    cairn__local_expect(d->local, d->gone_seq);
    (void)store_boot(&d->disk, d->local, d->now_ms);
    device_use(d);
}

void device_crash(device *d) {
    cairn__local_close(d->local);
    d->local = NULL;
    store_crash(&d->disk);
}

size_t device_ask(device *d, const char *rule) {
    cairn__rule_fault fault;
    cairn__rule compiled;
    const cairn__rule_source source = { .text = span_of(rule),
                                        .spaces = CAIRN__RULE_USER | CAIRN__RULE_TAG |
                                                  CAIRN__RULE_QUERY | CAIRN__RULE_DEVICE,
                                        .arena = &d->arena,
                                        .fault = &fault };
    cairn_status status = cairn__rule_compile(&source, &compiled);
    CAIRN_ASSERT(status == CAIRN_OK);
    size_t first = d->slot_count;
    for (size_t i = 0; i < compiled.slot_count; i++) {
        CAIRN_ASSERT(d->slot_count < DEVICE_SLOTS_MAX);
        d->slots[d->slot_count++] = compiled.slots[i];
    }
    return first;
}

cairn_status device_note(device *d, cairn__event event) {
    cairn__buffer encoded = cairn__buffer_make(cairn__heap(), EVENT_BYTES_MAX);
    event.time_ms = event.time_ms == 0 ? d->now_ms : event.time_ms;
    cairn__event_encode(&encoded, &event);
    d->seq += 1;
    cairn_status status = cairn__local_note(d->local, d->seq, &event, cairn__buffer_span(&encoded));
    cairn__buffer_free(&encoded);
    return status;
}

cairn_status device_track(device *d, const char *name, int64_t amount) {
    const cairn_property property = { CAIRN_STR("amount"),
                                      { CAIRN_VALUE_INTEGER, { .integer = amount } } };
    return device_note(
        d, (cairn__event){ .name = span_of(name), .properties = &property, .property_count = 1 });
}

cairn_status device_login(device *d, const char *value) {
    const cairn_id id = { CAIRN_STR("login"), span_of(value) };
    return device_note(d, (cairn__event){ .kind = CAIRN__EVENT_LOGIN, .ids = &id, .id_count = 1 });
}

cairn_status device_logout(device *d) {
    return device_note(d, (cairn__event){ .kind = CAIRN__EVENT_LOGOUT });
}

cairn_status device_link(device *d, cairn__event_kind kind, cairn_id from, cairn_id to) {
    const cairn_id ids[] = { from, to };
    return device_note(d, (cairn__event){ .kind = kind, .ids = ids, .id_count = 2 });
}

cairn_value device_value(device *d, size_t slot) {
    const cairn__query_moment when = { d->now_ms, d->zone, NULL };
    cairn__facts facts = cairn__local_facts(d->local, &when);
    return facts.get(facts.context, (uint16_t)slot);
}

int64_t device_count(device *d, size_t slot) {
    cairn_value value = device_value(d, slot);
    if ((int)value.kind == CAIRN__RULE_VALUE_UNKNOWN) {
        return -1;
    }
    return value.kind == CAIRN_VALUE_INTEGER ? value.as.integer : -2;
}
