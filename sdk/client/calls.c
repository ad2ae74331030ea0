/* calls.c: what an application says becomes an event in the queue, and sometimes a state. */
#include "base/bytes.h"
#include "base/record.h"
#include "client/client.h"
#include "model/limits.h"

/* --- one event ---------------------------------------------------------------------------------*/

/* The session that this moment belongs to; true when it begins. */
static bool touch_session(cairn_client *client, int64_t wall_ms, int64_t mono_ms) {
    cairn__state *state = &client->journal.state;
    int64_t pause_ms = wall_ms - state->last_event_ms;
    bool jumped = pause_ms < -CAIRN__SESSION_PAUSE_MS; /* somebody has set the clock back */
    bool fresh = state->session == 0 || pause_ms > CAIRN__SESSION_PAUSE_MS || jumped;
    if (fresh) {
        state->session += 1;
        state->session_start_ms = wall_ms;
        client->session_mono_ms = mono_ms;
    }
    if (fresh || pause_ms > 0) {
        state->last_event_ms = wall_ms;
    }
    return fresh;
}

cairn_status cairn__client_put(cairn_client *client, cairn__event *event) {
    cairn__event_fault fault;
    if (!client->started) {
        return CAIRN_CLOSED;
    }
    event->time_ms = client->clock.wall_ms(client->clock.self);
    if (!cairn__event_check(event, &fault)) {
        return CAIRN_INVALID;
    }
    int64_t now_ms = client->clock.mono_ms(client->clock.self);
    bool fresh = touch_session(client, event->time_ms, now_ms);
    int64_t since_ms = now_ms - client->session_mono_ms;
    event->session = client->journal.state.session;
    event->mono_ms = since_ms > 0 ? (uint64_t)since_ms : 0;
    cairn__buffer_clear(&client->encoded);
    cairn__event_encode(&client->encoded, event);
    if (client->encoded.failed) {
        return CAIRN_NO_MEMORY;
    }
    uint8_t flags = event->kind == CAIRN__EVENT_TRACK ? 0 : CAIRN__RECORD_CRITICAL;
    cairn_span payload = cairn__buffer_span(&client->encoded);
    if (client->journal.mode != CAIRN__JOURNAL_OPEN) {
        return cairn__consent_hold(client, payload, flags);
    }
    cairn_status status = cairn__journal_put(&client->journal, payload, flags);
    if (status == CAIRN_OK) {
        cairn__deciding_note(client, client->journal.state.next_seq - 1, event, payload);
        cairn__sender_queued(&client->sender, now_ms);
    }
    if (fresh) {
        cairn__journal_write_state(&client->journal);
    }
    return status;
}

/* --- tracking ----------------------------------------------------------------------------------*/

static bool has(const cairn_property *properties, size_t count, cairn_span name) {
    for (size_t i = 0; i < count; i++) {
        if (cairn__span_equal(properties[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* Properties of both, the first winning; in the call's scratch. NULL: no memory. */
static cairn_property *merge(cairn_client *client, const cairn__event *first,
                             const cairn__event *second, size_t *count_out) {
    size_t count = first->property_count;
    cairn_property *merged =
        cairn__arena_alloc(&client->scratch, (count + second->property_count) * sizeof *merged);
    if (merged == NULL) {
        return NULL;
    }
    if (count > 0) {
        memcpy(merged, first->properties, count * sizeof *merged);
    }
    for (size_t i = 0; i < second->property_count; i++) {
        if (!has(first->properties, first->property_count, second->properties[i].name)) {
            merged[count++] = second->properties[i];
        }
    }
    *count_out = count;
    return merged;
}

/* The rules of privacy over the call's own properties, into the call's scratch. */
static cairn_status apply_rules(cairn_client *client, cairn__event *event) {
    cairn__properties own = { event->properties, event->property_count };
    cairn_status status =
        cairn__privacy_apply(&client->privacy, &client->scratch, event->name, &own);
    event->properties = own.list;
    event->property_count = own.count;
    return status;
}

static cairn_status track(cairn_client *client, cairn__event *event) {
    const cairn__event *super = &client->journal.person.view;
    cairn_status status = apply_rules(client, event);
    if (status != CAIRN_OK) {
        return status;
    }
    if (super->property_count > 0 && event->property_count <= CAIRN__PROPERTIES_MAX) {
        size_t count = 0;
        event->properties = merge(client, event, super, &count);
        event->property_count = count;
        if (event->properties == NULL) {
            return CAIRN_NO_MEMORY;
        }
    }
    status = cairn__client_put(client, event);
    if (status == CAIRN_OK) {
        cairn__popups_after(client, event);
    }
    return status;
}

cairn_status cairn__client_put_merged(cairn_client *client, const cairn__event *more,
                                      cairn__event *event) {
    if (event->property_count > CAIRN__PROPERTIES_MAX) {
        return CAIRN_INVALID;
    }
    cairn__arena_reset(&client->scratch);
    cairn_status status = apply_rules(client, event);
    if (status != CAIRN_OK) {
        return status;
    }
    event->properties = merge(client, more, event, &event->property_count);
    return event->properties == NULL ? CAIRN_NO_MEMORY : cairn__client_put(client, event);
}

cairn_status cairn_track(cairn_client *client, cairn_span name, const cairn_property *properties,
                         size_t count) {
    cairn__event event = { .name = name, .properties = properties, .property_count = count };
    cairn__arena_reset(&client->scratch);
    return track(client, &event);
}

/* --- super properties --------------------------------------------------------------------------*/

cairn_status cairn__client_set_person(cairn_client *client, const cairn__event *wanted) {
    cairn_status status = cairn__person_set(&client->journal.person, wanted);
    if (status == CAIRN_OK) {
        cairn__journal_write_state(&client->journal);
    }
    return status;
}

/* Replace the super properties. */
static cairn_status set_super(cairn_client *client, const cairn_property *properties,
                              size_t count) {
    cairn__event wanted = client->journal.person.view;
    cairn__event_fault fault;
    wanted.name = CAIRN_STR("register"); /* the check asks for one */
    wanted.properties = properties;
    wanted.property_count = count;
    if (!cairn__event_check(&wanted, &fault)) {
        return CAIRN_INVALID;
    }
    wanted.name = (cairn_span){ NULL, 0 };
    return cairn__client_set_person(client, &wanted);
}

cairn_status cairn_register(cairn_client *client, const cairn_property *properties, size_t count,
                            bool once) {
    const cairn__event *current = &client->journal.person.view;
    cairn__event more = { .properties = properties, .property_count = count };
    size_t merged_count = 0;
    if (!client->started) {
        return CAIRN_CLOSED;
    }
    if (count > CAIRN__PROPERTIES_MAX) {
        return CAIRN_INVALID;
    }
    cairn__arena_reset(&client->scratch);
    cairn_status status = apply_rules(client, &more);
    if (status != CAIRN_OK) {
        return status;
    }
    cairn_property *merged = once ? merge(client, current, &more, &merged_count)
                                  : merge(client, &more, current, &merged_count);
    return merged == NULL ? CAIRN_NO_MEMORY : set_super(client, merged, merged_count);
}

static bool is_among(const cairn_span *names, size_t count, cairn_span name) {
    for (size_t i = 0; i < count; i++) {
        if (cairn__span_equal(names[i], name)) {
            return true;
        }
    }
    return false;
}

cairn_status cairn_unregister(cairn_client *client, const cairn_span *names, size_t count) {
    const cairn__event *current = &client->journal.person.view;
    if (!client->started) {
        return CAIRN_CLOSED;
    }
    cairn__arena_reset(&client->scratch);
    cairn_property *left =
        cairn__arena_alloc(&client->scratch, current->property_count * sizeof *left);
    if (left == NULL) {
        return CAIRN_NO_MEMORY;
    }
    size_t left_count = 0;
    for (size_t i = 0; i < current->property_count; i++) {
        if (!is_among(names, count, current->properties[i].name)) {
            left[left_count++] = current->properties[i];
        }
    }
    return left_count == current->property_count ? CAIRN_OK : set_super(client, left, left_count);
}

/* --- timers ------------------------------------------------------------------------------------*/

cairn_status cairn_timer(cairn_client *client, cairn_span name, cairn_timer_step step) {
    const cairn__event named = { .name = name };
    cairn__event_fault fault;
    if (!client->started) {
        return CAIRN_CLOSED;
    }
    if (!cairn__event_check(&named, &fault)) {
        return CAIRN_INVALID;
    }
    int64_t now_ms = client->clock.mono_ms(client->clock.self);
    switch (step) {
    case CAIRN_TIMER_START:
        return cairn__timer_start(&client->timers, name, now_ms);
    case CAIRN_TIMER_PAUSE:
        return cairn__timer_pause(&client->timers, name, now_ms);
    case CAIRN_TIMER_RESUME:
        return cairn__timer_resume(&client->timers, name, now_ms);
    }
    return CAIRN_INVALID;
}

cairn_status cairn_timer_end(cairn_client *client, cairn_span name,
                             const cairn_property *properties, size_t count) {
    int64_t now_ms = client->clock.mono_ms(client->clock.self);
    int64_t ran_ms = 0;
    if (!client->started) {
        return CAIRN_CLOSED;
    }
    if (!cairn__timer_read(&client->timers, name, now_ms, &ran_ms)) {
        return CAIRN_NOT_FOUND;
    }
    if (count > CAIRN__PROPERTIES_MAX) {
        return CAIRN_INVALID;
    }
    const cairn_property duration = { CAIRN_STR("duration_ms"),
                                      { CAIRN_VALUE_INTEGER, { .integer = ran_ms } } };
    const cairn__event own = { .properties = &duration, .property_count = 1 };
    cairn__event event = { .name = name, .properties = properties, .property_count = count };
    cairn__arena_reset(&client->scratch);
    event.properties = merge(client, &own, &event, &event.property_count);
    cairn_status status = event.properties == NULL ? CAIRN_NO_MEMORY : track(client, &event);
    if (status == CAIRN_OK) {
        cairn__timer_remove(&client->timers, name);
    }
    return status;
}

/* --- who ---------------------------------------------------------------------------------------*/

/* The rules of privacy over an id that is named by the application. */
static cairn_status ruled_id(cairn_client *client, cairn_id *id) {
    cairn__arena_reset(&client->scratch);
    return cairn__privacy_id(&client->privacy, &client->scratch, id);
}

cairn_status cairn_login(cairn_client *client, cairn_id id) {
    const cairn__event *current = &client->journal.person.view;
    cairn_status ruled = ruled_id(client, &id);
    if (ruled != CAIRN_OK) {
        return ruled;
    }
    if (client->started && current->id_count == 1 &&
        cairn__span_equal(current->ids[0].type, id.type) &&
        cairn__span_equal(current->ids[0].value, id.value)) {
        return CAIRN_OK;
    }
    cairn__event event = { .kind = CAIRN__EVENT_LOGIN, .ids = &id, .id_count = 1 };
    cairn_status status = cairn__client_put(client, &event);
    if (status != CAIRN_OK) {
        return status;
    }
    cairn__event wanted = *current;
    wanted.ids = &id;
    wanted.id_count = 1;
    return cairn__client_set_person(client, &wanted);
}

cairn_status cairn_logout(cairn_client *client) {
    cairn__event event = { .kind = CAIRN__EVENT_LOGOUT };
    cairn_status status = cairn__client_put(client, &event);
    if (status != CAIRN_OK) {
        return status;
    }
    cairn__event wanted = client->journal.person.view;
    wanted.id_count = 0;
    return cairn__client_set_person(client, &wanted);
}

cairn_span cairn__client_device_text(const cairn_client *client,
                                     uint8_t text[CAIRN__DEVICE_TEXT_BYTES]) {
    static const char digits[] = "0123456789abcdef";
    const uint8_t *id = cairn__consent_device(client);
    for (size_t i = 0; i < CAIRN__DEVICE_TEXT_BYTES / 2; i++) {
        text[2 * i] = (uint8_t)digits[id[i] >> 4];
        text[2 * i + 1] = (uint8_t)digits[id[i] & 15];
    }
    return (cairn_span){ text, CAIRN__DEVICE_TEXT_BYTES };
}

static cairn_status put_link(cairn_client *client, cairn_id id, cairn__event_kind kind) {
    const cairn__event *current = &client->journal.person.view;
    uint8_t text[CAIRN__DEVICE_TEXT_BYTES];
    cairn_status ruled = ruled_id(client, &id);
    if (ruled != CAIRN_OK) {
        return ruled;
    }
    const cairn_id device = { CAIRN_STR("device"), cairn__client_device_text(client, text) };
    const cairn_id ids[] = { current->id_count > 0 ? current->ids[0] : device, id };
    cairn__event event = { .kind = kind, .ids = ids, .id_count = 2 };
    return cairn__client_put(client, &event);
}

cairn_status cairn_bind(cairn_client *client, cairn_id id) {
    return put_link(client, id, CAIRN__EVENT_LINK);
}

cairn_status cairn_unbind(cairn_client *client, cairn_id id) {
    return put_link(client, id, CAIRN__EVENT_UNLINK);
}

cairn_status cairn_profile(cairn_client *client, cairn_profile_change change,
                           const cairn_property *properties, size_t count) {
    static const cairn__event_kind kinds[] = {
        [CAIRN_PROFILE_SET] = CAIRN__EVENT_PROFILE_SET,
        [CAIRN_PROFILE_SET_ONCE] = CAIRN__EVENT_PROFILE_SET_ONCE,
        [CAIRN_PROFILE_INCREMENT] = CAIRN__EVENT_PROFILE_INCREMENT,
        [CAIRN_PROFILE_APPEND] = CAIRN__EVENT_PROFILE_APPEND,
        [CAIRN_PROFILE_UNION] = CAIRN__EVENT_PROFILE_UNION,
        [CAIRN_PROFILE_UNSET] = CAIRN__EVENT_PROFILE_UNSET,
        [CAIRN_PROFILE_DELETE] = CAIRN__EVENT_PROFILE_DELETE,
    };
    if ((size_t)change >= sizeof kinds / sizeof kinds[0]) {
        return CAIRN_INVALID;
    }
    cairn__event event = { .kind = kinds[change],
                           .properties = properties,
                           .property_count = count };
    cairn__arena_reset(&client->scratch);
    cairn_status status = change == CAIRN_PROFILE_UNSET ? CAIRN_OK : apply_rules(client, &event);
    if (status != CAIRN_OK) {
        return status;
    }
    if (count > 0 && event.property_count == 0) {
        return CAIRN_DENIED;
    }
    return cairn__client_put(client, &event);
}

/* --- rules that come later ---------------------------------------------------------------------*/

/* Super properties of before the rules: what these ask for is done to them now. */
static cairn_status rule_super(cairn_client *client, const cairn__privacy *before) {
    const cairn__event *current = &client->journal.person.view;
    cairn__arena_reset(&client->scratch);
    cairn_property *left =
        cairn__arena_alloc_zero(&client->scratch, current->property_count, sizeof *left);
    size_t count = 0;
    bool changed = false;
    for (size_t i = 0; left != NULL && i < current->property_count; i++) {
        const cairn_privacy_rule what = { .name = current->properties[i].name };
        int was = cairn__privacy_of(before, &what);
        int is = cairn__privacy_of(&client->privacy, &what);
        cairn__properties one = { &current->properties[i], 1 };
        if (was != is) {
            changed = true;
            cairn_status status =
                cairn__privacy_apply(&client->privacy, &client->scratch, current->name, &one);
            one.count = status == CAIRN_OK ? one.count : 0; /* rather too little */
        }
        if (one.count == 1) {
            left[count++] = one.list[0];
        }
    }
    return changed ? set_super(client, left, count) : CAIRN_OK;
}

cairn_status cairn__privacy_set(cairn_client *client, const cairn_privacy_options *rules) {
    cairn__privacy before = client->privacy;
    client->privacy.bundle = (cairn__privacy_rules){ 0 };
    cairn_status status = cairn__privacy_copy(&client->privacy.bundle, rules, client->allocator);
    if (status != CAIRN_OK) {
        client->privacy.bundle = before.bundle;
        return status;
    }
    status = rule_super(client, &before);
    before.own = (cairn__privacy_rules){ 0 };
    cairn__privacy_free(&before, client->allocator);
    return status;
}
