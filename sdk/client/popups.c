/* popups.c: from a decision to the screen: `$popup_show` into the queue and the device's own log,
 * both durable, and only then the listener. One popup at a time; others wait in a bounded queue and
 * are judged again when their turn comes. */
#include "base/bytes.h"
#include "base/json.h"
#include "client/client.h"
#include "client/deciding.h"

enum { POPUP_JSON_BYTES_MAX = CAIRN__BUNDLE_CONTENT_BYTES_MAX + 4096, GROUPS_MAX = 64 };

void cairn__popups_open(cairn__deciding *deciding) {
    deciding->showing.json = cairn__buffer_make(deciding->allocator, POPUP_JSON_BYTES_MAX);
    deciding->showing.shown = cairn__person_make(deciding->allocator);
}

void cairn__popups_free(cairn__deciding *deciding) {
    cairn__buffer_free(&deciding->showing.json);
    cairn__person_free(&deciding->showing.shown);
    deciding->showing.stage = CAIRN__SHOWING_NONE;
}

void cairn__popups_forget(cairn__deciding *deciding) {
    cairn__popups_free(deciding);
    deciding->queue.count = 0;
}

/* --- events ----------------------------------------------------------------------------------- */

/* The properties of a choice's events; a popup in more groups than that is counted in the first. */
static size_t properties_of(const cairn__deciding *deciding, cairn__popup_choice choice,
                            cairn_span groups[GROUPS_MAX], cairn_property *properties) {
    const cairn__definitions *definitions = &deciding->held.bundle->definitions;
    return cairn__popup_properties(definitions, choice, groups, properties);
}

static cairn_status track(cairn_client *client, cairn_span name, cairn__popup_choice choice) {
    cairn_span groups[GROUPS_MAX];
    cairn_property properties[CAIRN__POPUP_PROPERTIES_MAX];
    cairn__event event = { .name = name, .properties = properties };
    event.property_count = properties_of(&client->deciding, choice, groups, properties);
    return cairn__client_put(client, &event);
}

/* Named, so that a host can track what becomes of a popup that outlived this client (a browser's
 * tab outlives the one that sends). */
static void describe_groups(const cairn__definitions *definitions, const cairn__popup *popup,
                            cairn__buffer *to) {
    for (size_t i = 0; i < popup->group_count; i++) {
        cairn__buffer_append(to, i == 0 ? CAIRN_STR(",\"groups\":[") : CAIRN_STR(","));
        cairn__json_text(to, definitions->cap_groups[popup->groups[i]].name);
    }
    if (popup->group_count > 0) {
        cairn__buffer_byte(to, ']');
    }
}

/* What the listener gets: enough to draw it. */
static void describe(const cairn__deciding *deciding, cairn__popup_choice choice,
                     cairn__buffer *to) {
    const cairn__popup *popup = &deciding->held.bundle->definitions.popups[choice.popup];
    const cairn__variant *variant = &popup->variants[choice.variant];
    cairn__buffer_clear(to);
    CAIRN__JSON_PUT(to, "{\"popup\":");
    cairn__json_text(to, popup->name);
    CAIRN__JSON_PUT(to, ",\"version\":");
    cairn__json_integer(to, popup->version);
    CAIRN__JSON_PUT(to, ",\"variant\":");
    cairn__json_text(to, variant->name);
    describe_groups(&deciding->held.bundle->definitions, popup, to);
    CAIRN__JSON_PUT(to, ",\"template\":");
    cairn__json_text(to, popup->template_name);
    CAIRN__JSON_PUT(to, ",\"content\":");
    cairn__buffer_append(to, variant->content.len > 0 ? variant->content : CAIRN_STR("null"));
    cairn__buffer_byte(to, '}');
}

/* --- to the screen ---------------------------------------------------------------------------- */

static bool remember_shown(cairn__showing *showing, const cairn__event *event) {
    if (cairn__person_set(&showing->shown, event) != CAIRN_OK) {
        return false;
    }
    const cairn__event *view = &showing->shown.view;
    for (size_t i = 0; i < view->property_count; i++) {
        if (cairn__span_equal(view->properties[i].name, CAIRN_STR("popup"))) {
            showing->name = view->properties[i].value.as.string;
            return true;
        }
    }
    return false;
}

/* Nothing is shown that could not be remembered. */
static void begin(cairn_client *client, cairn__popup_choice choice) {
    cairn__deciding *deciding = &client->deciding;
    cairn__showing *showing = &deciding->showing;
    cairn_span groups[GROUPS_MAX];
    cairn_property properties[CAIRN__POPUP_PROPERTIES_MAX];
    cairn__event event = { .name = CAIRN__EVENT_POPUP_SHOW, .properties = properties };
    event.property_count = properties_of(deciding, choice, groups, properties);
    describe(deciding, choice, &showing->json);
    if (showing->json.failed || !remember_shown(showing, &event)) {
        return;
    }
    if (cairn__client_put(client, &event) != CAIRN_OK || deciding->note_failed) {
        return;
    }
    showing->stage = CAIRN__SHOWING_UNKEPT;
    showing->seq = client->journal.state.next_seq - 1;
    showing->local_ticket = cairn__local_ticket(deciding->local);
    showing->asked_ms = client->clock.mono_ms(client->clock.self);
}

static bool is_kept(const cairn_client *client) {
    const cairn__deciding *deciding = &client->deciding;
    const cairn__queue_item *unkept = client->journal.queue.unkept;
    return (unkept == NULL || unkept->seq > deciding->showing.seq) &&
           cairn__local_is_durable(deciding->local, deciding->showing.local_ticket);
}

static void settle(cairn_client *client, int64_t now_ms) {
    cairn__showing *showing = &client->deciding.showing;
    const cairn_listener *listener = &client->deciding.listener;
    if (showing->stage != CAIRN__SHOWING_UNKEPT) {
        return;
    }
    if (is_kept(client)) {
        showing->stage = CAIRN__SHOWING_OPEN;
        if (listener->popup != NULL) {
            listener->popup(listener->self, cairn__buffer_span(&showing->json));
        }
    } else if (now_ms - showing->asked_ms > CAIRN__SHOW_WAIT_MS_MAX) {
        showing->stage = CAIRN__SHOWING_NONE; /* counted, not shown: never one too many */
    }
}

/* --- deciding --------------------------------------------------------------------------------- */

static void tell_chosen(const cairn__deciding *deciding, const cairn__popup_decision *decision) {
    const cairn_listener *listener = &deciding->listener;
    if (listener->popup_chosen != NULL && decision->outcome != CAIRN__POPUP_NONE) {
        const cairn__definitions *definitions = &deciding->held.bundle->definitions;
        listener->popup_chosen(listener->self, definitions->popups[decision->chosen.popup].name);
    }
}

/* Waiting is by the monotonic clock: whoever sets the other one makes nobody wait for days. */
static void follow(cairn_client *client, const cairn__popup_decision *decision) {
    cairn__deciding *deciding = &client->deciding;
    int64_t now_ms = client->clock.mono_ms(client->clock.self);
    tell_chosen(deciding, decision);
    for (size_t i = 0; i < decision->control_count; i++) {
        (void)track(client, CAIRN__EVENT_POPUP_SHOW, decision->controls[i]);
    }
    if (decision->outcome == CAIRN__POPUP_SHOW) {
        begin(client, decision->chosen);
    } else if (decision->outcome == CAIRN__POPUP_WAIT) {
        const cairn__popup *popup =
            &deciding->held.bundle->definitions.popups[decision->chosen.popup];
        (void)cairn__popup_queue_add(&deciding->queue, popup, now_ms + decision->delay_ms);
    }
}

static cairn__popup_ask ask_of(const cairn__deciding *deciding, cairn__popup_how how,
                               cairn_span name) {
    const cairn__showing *showing = &deciding->showing;
    return (cairn__popup_ask){ .how = how,
                               .name = name,
                               .open = showing->stage != CAIRN__SHOWING_NONE,
                               .open_name = showing->name,
                               .queue = &deciding->queue };
}

/* One in so many decisions that show nothing tells of the popup that was kept back, and why. */
static void tell_suppressed(cairn_client *client, const cairn__popup_decision *decision) {
    cairn_span groups[GROUPS_MAX];
    cairn_property properties[CAIRN__POPUP_PROPERTIES_MAX + 1];
    cairn__event event = { .name = CAIRN_STR("$popup_suppressed"), .properties = properties };
    size_t count = properties_of(&client->deciding, decision->suppressed, groups, properties);
    properties[count++] = (cairn_property){
        CAIRN_STR("reason"),
        { CAIRN_VALUE_STRING,
          { .string = cairn__span_of(cairn__why_text(decision->suppressed_why)) } }
    };
    event.property_count = count;
    (void)cairn__client_put(client, &event);
}

static bool is_sampled(const cairn_client *client) {
    uint8_t byte = 0;
    client->random.fill(client->random.self, &byte, 1);
    return byte < 256 / CAIRN__SUPPRESSED_ONE_IN;
}

/* Reasons cost more than the decision: written while somebody looks, and for the sample. */
static bool wants_reasons(const cairn_client *client) {
    int64_t now_ms = client->clock.mono_ms(client->clock.self);
    return now_ms < client->deciding.watched_until_ms;
}

cairn__popup_decision cairn__popups_decide(cairn_client *client, cairn__popup_how how,
                                           const cairn__event *event, cairn_span name,
                                           cairn__buffer *why) {
    cairn__deciding *deciding = &client->deciding;
    cairn__moment moment;
    cairn__popup_decision decision;
    cairn__deciding_moment(client, &moment);
    moment.input.event = event;
    const cairn__popup_ask ask = ask_of(deciding, how, name);
    cairn__decide_popup(deciding->held.decider, &moment.input, &ask, why, &decision);
    follow(client, &decision);
    return decision;
}

static void decide_event(cairn_client *client, const cairn__event *event) {
    cairn__deciding *deciding = &client->deciding;
    bool sampled = is_sampled(client);
    bool explains = sampled || wants_reasons(client);
    cairn__buffer_clear(&deciding->answer);
    cairn__buffer *why = explains ? &deciding->answer : NULL;
    const cairn__popup_decision decision =
        cairn__popups_decide(client, CAIRN__POPUP_BY_EVENT, event, event->name, why);
    if (explains) {
        cairn__deciding_remember(deciding, cairn__buffer_span(&deciding->answer));
    }
    if (sampled && decision.outcome == CAIRN__POPUP_NONE &&
        decision.suppressed_why != CAIRN__WHY_COUNT) {
        tell_suppressed(client, &decision);
    }
}

void cairn__popups_explain(cairn_client *client, const cairn__moment *moment, cairn_span name,
                           cairn__buffer *why) {
    cairn__popup_decision decision;
    const cairn__popup_how how =
        moment->input.event != NULL ? CAIRN__POPUP_BY_EVENT : CAIRN__POPUP_BY_NAME;
    const cairn__popup_ask ask = ask_of(&client->deciding, how, name);
    cairn__decide_popup(client->deciding.held.decider, &moment->input, &ask, why, &decision);
}

static void convert(cairn_client *client, const cairn__event *event) {
    cairn__moment moment;
    cairn__popup_choice converted[CAIRN__POPUP_CONVERSIONS_MAX];
    cairn__deciding_moment(client, &moment);
    moment.input.event = event;
    size_t count = cairn__popup_converted(client->deciding.held.decider, &moment.input, converted);
    for (size_t i = 0; i < count; i++) {
        (void)track(client, CAIRN__EVENT_POPUP_CONVERT, converted[i]);
    }
}

void cairn__popups_after(cairn_client *client, const cairn__event *event) {
    const cairn__deciding *deciding = &client->deciding;
    if (!cairn__deciding_ready(client) || cairn__memory_takes(event->name)) {
        return;
    }
    if (!cairn__decider_wants(deciding->held.decider, event->name)) {
        return;
    }
    convert(client, event);
    decide_event(client, event);
}

int64_t cairn__popups_pump(cairn_client *client) {
    cairn__deciding *deciding = &client->deciding;
    if (!cairn__deciding_ready(client)) {
        return -1;
    }
    int64_t now_ms = client->clock.mono_ms(client->clock.self);
    settle(client, now_ms);
    cairn__popup_wait waited;
    while (deciding->showing.stage == CAIRN__SHOWING_NONE &&
           cairn__popup_queue_take(&deciding->queue, now_ms, &waited)) {
        const cairn_span name = { waited.name, waited.name_bytes };
        (void)cairn__popups_decide(client, CAIRN__POPUP_BY_QUEUE, NULL, name, NULL);
    }
    if (deciding->showing.stage == CAIRN__SHOWING_UNKEPT) {
        return CAIRN__SHOW_WAIT_MS_MAX; /* a completion comes sooner */
    }
    if (deciding->showing.stage == CAIRN__SHOWING_OPEN) {
        return -1; /* whoever closes it calls */
    }
    int64_t due_ms = cairn__popup_queue_due(&deciding->queue);
    return due_ms == INT64_MAX ? -1 : (due_ms > now_ms ? due_ms - now_ms : 0);
}

/* --- what the person did ---------------------------------------------------------------------- */

cairn_status cairn_popup_done(cairn_client *client, cairn_span name, cairn_popup_act act,
                              const cairn_property *properties, size_t count) {
    cairn__showing *showing = &client->deciding.showing;
    const cairn__event *shown = &showing->shown.view;
    if (!client->started) {
        return CAIRN_CLOSED;
    }
    if (client->deciding.key_count == 0) {
        return CAIRN_UNSUPPORTED;
    }
    if (showing->stage != CAIRN__SHOWING_OPEN || !cairn__span_equal(name, showing->name)) {
        return CAIRN_NOT_FOUND;
    }
    if (act == CAIRN_POPUP_GONE) {
        showing->stage = CAIRN__SHOWING_NONE;
        return CAIRN_OK;
    }
    cairn__event event = { .properties = properties, .property_count = count };
    event.name = act == CAIRN_POPUP_CLICKED ? CAIRN__EVENT_POPUP_CLICK : CAIRN__EVENT_POPUP_CLOSE;
    cairn_status status = cairn__client_put_merged(client, shown, &event);
    if (act == CAIRN_POPUP_CLOSED) {
        showing->stage = CAIRN__SHOWING_NONE; /* it is gone, whatever became of the event */
    }
    return status;
}
