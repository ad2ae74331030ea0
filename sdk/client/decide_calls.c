/* decide_calls.c: the questions of cairn_decide.h and cairn_script.h. */
#include "base/bytes.h"
#include "cairn/cairn_script.h"
#include "client/client.h"
#include "client/deciding.h"

enum { SCRIPT_INPUT_BYTES_MAX = 256 * 1024 }; /* as CAIRN__SCRIPT_INPUT_BYTES_MAX */

/* May anything be decided? The answer's buffer is emptied. */
static cairn_status ready(cairn_client *client) {
    if (!client->started) {
        return CAIRN_CLOSED;
    }
    if (client->deciding.key_count == 0) {
        return CAIRN_UNSUPPORTED;
    }
    cairn__buffer_clear(&client->deciding.answer);
    return cairn__deciding_ready(client) ? CAIRN_OK : CAIRN_NOT_FOUND;
}

static cairn_status give(cairn_client *client, cairn_span *answer_out) {
    cairn__deciding *deciding = &client->deciding;
    if (deciding->answer.failed) {
        return CAIRN_NO_MEMORY;
    }
    cairn__deciding_remember(deciding, cairn__buffer_span(&deciding->answer));
    if (answer_out != NULL) {
        *answer_out = cairn__buffer_span(&deciding->answer);
    }
    return CAIRN_OK;
}

static cairn_status event_of(const cairn_decide_query *query, const cairn__moment *moment,
                             cairn__event *event_out) {
    cairn__event_fault fault;
    *event_out = (cairn__event){ .name = query->name,
                                 .time_ms = moment->input.now_ms,
                                 .session = moment->input.session,
                                 .properties = query->properties,
                                 .property_count = query->property_count };
    return cairn__event_check(event_out, &fault) ? CAIRN_OK : CAIRN_INVALID;
}

static void decide_slot(cairn_client *client, const cairn__moment *moment, cairn_span name,
                        const cairn__slot_scores *scores) {
    cairn__deciding *deciding = &client->deciding;
    const cairn__slot_ask ask = { .name = name, .scores = scores };
    cairn__decide_slot(deciding->held.decider, &moment->input, &ask, &deciding->answer,
                       &deciding->slot_decision);
}

cairn_status cairn_decide(cairn_client *client, const cairn_decide_query *query,
                          cairn_span *answer_out) {
    cairn__deciding *deciding = &client->deciding;
    cairn__moment moment;
    cairn__event event;
    cairn__experiment_answer flag;
    cairn_status status = ready(client);
    if (status != CAIRN_OK) {
        return status;
    }
    cairn__deciding_moment(client, &moment);
    switch (query->what) {
    case CAIRN_DECIDE_EVENT:
        status = event_of(query, &moment, &event);
        if (status != CAIRN_OK) {
            return status;
        }
        moment.input.event = &event;
        cairn__popups_explain(client, &moment, query->name, &deciding->answer);
        break;
    case CAIRN_DECIDE_POPUP:
        cairn__popups_explain(client, &moment, query->name, &deciding->answer);
        break;
    case CAIRN_DECIDE_SLOT:
        decide_slot(client, &moment, query->name, NULL);
        break;
    case CAIRN_DECIDE_EXPERIMENT:
        cairn__decide_experiment(deciding->held.decider, &moment.input, query->name,
                                 &deciding->answer, &flag);
        break;
    case CAIRN_DECIDE_EXPERIMENTS:
        cairn__decide_experiments(deciding->held.decider, &moment.input, &deciding->answer);
        break;
    default:
        return CAIRN_INVALID;
    }
    return give(client, answer_out);
}

cairn_status cairn_popup_show(cairn_client *client, cairn_span name, cairn_span *answer_out) {
    cairn_status status = ready(client);
    if (status != CAIRN_OK) {
        return status;
    }
    (void)cairn__popups_decide(client, CAIRN__POPUP_BY_NAME, NULL, name, &client->deciding.answer);
    return give(client, answer_out);
}

cairn_status cairn_slot(cairn_client *client, cairn_span name, cairn_span *answer_out) {
    const cairn_decide_query query = { .what = CAIRN_DECIDE_SLOT, .name = name };
    return cairn_decide(client, &query, answer_out);
}

static const cairn__script_source *script_of(const cairn__bundle *bundle, cairn_span name) {
    for (size_t i = 0; i < bundle->script_count; i++) {
        if (cairn__span_equal(bundle->scripts[i].name, name)) {
            return &bundle->scripts[i];
        }
    }
    return NULL;
}

/* The ids of the pool, in the client's scratch; NULL: no memory. */
static const cairn_span *ids_of(cairn_client *client, const cairn__slot_decision *decision) {
    const cairn__definitions *definitions = &client->deciding.held.bundle->definitions;
    cairn__arena_reset(&client->scratch);
    cairn_span *ids =
        cairn__arena_alloc_zero(&client->scratch, decision->pool_count + 1, sizeof *ids);
    for (size_t i = 0; ids != NULL && i < decision->pool_count; i++) {
        ids[i] = definitions->items[decision->pool[i]].id;
    }
    return ids;
}

cairn_status cairn_slot_script_wanted(cairn_client *client, cairn_span slot,
                                      cairn_slot_script *script_out) {
    cairn__deciding *deciding = &client->deciding;
    cairn__slot_decision *decision = &deciding->slot_decision;
    cairn__moment moment;
    cairn_status status = ready(client);
    if (status != CAIRN_OK) {
        return status;
    }
    cairn__deciding_moment(client, &moment);
    const cairn__slot_ask ask = { .name = slot };
    cairn__decide_slot(deciding->held.decider, &moment.input, &ask, NULL, decision);
    const cairn__script_source *script = script_of(deciding->held.bundle, decision->script);
    if (script == NULL) {
        return CAIRN_NOT_FOUND;
    }
    cairn__slot_script_input(&deciding->held.bundle->definitions, &moment.facts, decision,
                             &deciding->answer);
    const cairn_span *ids = ids_of(client, decision);
    if (deciding->answer.failed || ids == NULL) {
        return CAIRN_NO_MEMORY;
    }
    *script_out = (cairn_slot_script){ .name = script->name,
                                       .source = script->source,
                                       .input = cairn__buffer_span(&deciding->answer),
                                       .items = ids,
                                       .item_count = decision->pool_count,
                                       .now_ms = moment.input.now_ms,
                                       .seed = (uint32_t)moment.input.seed };
    return deciding->answer.len > SCRIPT_INPUT_BYTES_MAX ? CAIRN_FULL : CAIRN_OK;
}

cairn_status cairn_slot_ranked(cairn_client *client, cairn_span slot,
                               const cairn_slot_ranking *ranking, cairn_span *answer_out) {
    cairn__moment moment;
    cairn__slot_scores scores = { .script = ranking->script,
                                  .items = ranking->items,
                                  .scores = ranking->scores,
                                  .count = ranking->count,
                                  .lost = CAIRN__WHY_COUNT };
    cairn_status status = ready(client);
    if (status != CAIRN_OK) {
        return status;
    }
    if (ranking->lost.len > 0 && !cairn__slot_lost_named(ranking->lost, &scores.lost)) {
        return CAIRN_INVALID;
    }
    cairn__deciding_moment(client, &moment);
    decide_slot(client, &moment, slot, &scores);
    return give(client, answer_out);
}

cairn_status cairn_slot_done(cairn_client *client, cairn_span slot, cairn_span item,
                             uint32_t position, cairn_slot_act act) {
    if (!client->started) {
        return CAIRN_CLOSED;
    }
    if (client->deciding.key_count == 0) {
        return CAIRN_UNSUPPORTED;
    }
    const cairn_property properties[] = {
        { CAIRN_STR("slot"), { CAIRN_VALUE_STRING, { .string = slot } } },
        { CAIRN_STR("item"), { CAIRN_VALUE_STRING, { .string = item } } },
        { CAIRN_STR("position"), { CAIRN_VALUE_INTEGER, { .integer = position } } },
    };
    cairn__event event = { .properties = properties, .property_count = 3 };
    event.name = act == CAIRN_SLOT_SHOWN ? CAIRN__EVENT_SLOT_SHOW : CAIRN__EVENT_SLOT_CLICK;
    return cairn__client_put(client, &event);
}

cairn_status cairn_experiment(cairn_client *client, cairn_span name, cairn_span *answer_out) {
    cairn__deciding *deciding = &client->deciding;
    cairn__moment moment;
    cairn__experiment_answer decision;
    cairn_status status = ready(client);
    if (status != CAIRN_OK) {
        return status;
    }
    cairn__deciding_moment(client, &moment);
    cairn__decide_experiment(deciding->held.decider, &moment.input, name, &deciding->answer,
                             &decision);
    if (decision.exposure) {
        cairn_property properties[CAIRN__EXPOSURE_PROPERTIES];
        cairn__event event = { .name = CAIRN__EVENT_EXPOSURE, .properties = properties };
        event.property_count = cairn__exposure_properties(&deciding->held.bundle->definitions,
                                                          &moment.input, &decision, properties);
        (void)cairn__client_put(client, &event);
    }
    return give(client, answer_out);
}
