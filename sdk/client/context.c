/* context.c: where the person is: page, device, session, time zone; what rules ask of them. */
#include "base/bytes.h"
#include "client/client.h"
#include "client/deciding.h"

/* --- facts of the device ---------------------------------------------------------------------- */

static cairn_value null_value(void) {
    return (cairn_value){ .kind = CAIRN_VALUE_NULL };
}

static cairn_value text_value(cairn_span text) {
    return (cairn_value){ CAIRN_VALUE_STRING, { .string = text } };
}

static cairn_value session_value(const cairn_client *client, cairn_span name) {
    const cairn__state *state = &client->journal.state;
    if (cairn__span_equal(name, CAIRN_STR("number"))) {
        return (cairn_value){ CAIRN_VALUE_INTEGER, { .integer = (int64_t)state->session } };
    }
    if (cairn__span_equal(name, CAIRN_STR("started"))) {
        return (cairn_value){ CAIRN_VALUE_TIME, { .time_ms = state->session_start_ms } };
    }
    return null_value();
}

static cairn_value device_value(const cairn_client *client, cairn_span name) {
    const cairn__event *device = &client->deciding.device.view;
    for (size_t i = 0; i < device->property_count; i++) {
        if (cairn__span_equal(device->properties[i].name, name)) {
            return device->properties[i].value;
        }
    }
    if (cairn__span_equal(name, CAIRN_STR("platform"))) {
        return text_value(client->sender.head.platform);
    }
    if (cairn__span_equal(name, CAIRN_STR("sdk_version"))) {
        return text_value(client->sender.head.sdk_version);
    }
    return null_value();
}

cairn_value cairn__context_value(void *context, const cairn__rule_slot *slot) {
    const cairn_client *client = context;
    return slot->space == CAIRN__RULE_SESSION ? session_value(client, slot->name)
                                              : device_value(client, slot->name);
}

/* --- the zone --------------------------------------------------------------------------------- */

/* Where nobody has zoneinfo files (WASM), nothing reads them. */
#ifdef CAIRN_NO_ZONE_FILES
enum { ZONE_FILES = 0 };
#else
enum { ZONE_FILES = 1 };
#endif

/* The zone that was set, from what there is: its own file, or the bundle's table. */
cairn_status cairn__context_find_zone(cairn__deciding *deciding) {
    deciding->zone = NULL;
    cairn__arena_reset(&deciding->zone_arena);
    if (ZONE_FILES && deciding->zone_bytes.len > 0) {
        return cairn__zone_parse(cairn__buffer_span(&deciding->zone_bytes), &deciding->zone_arena,
                                 &deciding->zone);
    }
    if (deciding->zone_name.len == 0) {
        return CAIRN_OK;
    }
    if (!cairn__deciding_has_bundle(deciding) || deciding->held.bundle->zones.len == 0) {
        return CAIRN_NOT_FOUND;
    }
    return cairn__zone_table_find(deciding->held.bundle->zones,
                                  cairn__buffer_span(&deciding->zone_name), &deciding->zone_arena,
                                  &deciding->zone);
}

cairn_status cairn_set_zone(cairn_client *client, cairn_span name, cairn_span tzif) {
    cairn__deciding *deciding = &client->deciding;
    if (deciding->key_count == 0 || (tzif.len > 0 && !ZONE_FILES)) {
        return CAIRN_UNSUPPORTED;
    }
    if (name.len > CAIRN__ZONE_NAME_BYTES_MAX || tzif.len > CAIRN__ZONE_FILE_BYTES_MAX) {
        return CAIRN_INVALID;
    }
    cairn__buffer_clear(&deciding->zone_name);
    cairn__buffer_clear(&deciding->zone_bytes);
    cairn__buffer_append(&deciding->zone_name, name);
    cairn__buffer_append(&deciding->zone_bytes, tzif);
    if (deciding->zone_name.failed || deciding->zone_bytes.failed) {
        return CAIRN_NO_MEMORY;
    }
    return cairn__context_find_zone(deciding);
}

/* --- where the person is ---------------------------------------------------------------------- */

cairn_status cairn_set_page(cairn_client *client, cairn_span page) {
    cairn__deciding *deciding = &client->deciding;
    if (deciding->key_count == 0) {
        return CAIRN_UNSUPPORTED;
    }
    if (page.len > CAIRN__PAGE_BYTES_MAX || !cairn__utf8_valid(page)) {
        return CAIRN_INVALID;
    }
    cairn__buffer_clear(&deciding->page);
    cairn__buffer_append(&deciding->page, page);
    return deciding->page.failed ? CAIRN_NO_MEMORY : CAIRN_OK;
}

cairn_status cairn_set_device(cairn_client *client, const cairn_property *properties,
                              size_t count) {
    cairn__event_fault fault;
    const cairn__event wanted = { .name = CAIRN_STR("device"), /* the check asks for one */
                                  .properties = properties,
                                  .property_count = count };
    if (client->deciding.key_count == 0) {
        return CAIRN_UNSUPPORTED;
    }
    if (!cairn__event_check(&wanted, &fault)) {
        return CAIRN_INVALID;
    }
    return cairn__person_set(&client->deciding.device, &wanted);
}
