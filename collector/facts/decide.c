#include "facts/decide.h"

#include <string.h>

#include "base/bytes.h"
#include "bundle/read.h"
#include "facts/session.h"

/* --- device.*, session.*: as the request says --------------------------------------------------
 */

static cairn_value of_session(const cairn__decide_request *request, cairn_span name) {
    if (cairn__span_equal(name, CAIRN_STR("number")) && request->session != 0) {
        return (cairn_value){ CAIRN_VALUE_INTEGER, { .integer = (int64_t)request->session } };
    }
    if (cairn__span_equal(name, CAIRN_STR("started")) && request->has_session_start) {
        return (cairn_value){ CAIRN_VALUE_TIME, { .time_ms = request->session_start_ms } };
    }
    return (cairn_value){ .kind = CAIRN_VALUE_NULL };
}

static cairn_value value_of(void *context, const cairn__rule_slot *slot) {
    const cairn__decide_request *request = context;
    if (slot->space == CAIRN__RULE_SESSION) {
        return of_session(request, slot->name);
    }
    for (size_t i = 0; i < request->device_fact_count; i++) {
        if (cairn__span_equal(request->device_facts[i].name, slot->name)) {
            return request->device_facts[i].value;
        }
    }
    return (cairn_value){ .kind = CAIRN_VALUE_NULL };
}

/* --- overrides -------------------------------------------------------------------------------- */

static int variant_named(const cairn__experiment_entry *entry, cairn_span name) {
    for (size_t i = 0; i < entry->experiment.variant_count; i++) {
        if (cairn__span_equal(entry->variants[i].name, name)) {
            return (int)i;
        }
    }
    return CAIRN__NO_VARIANT;
}

static bool find_overrides(const cairn__decide_call *call, cairn__override *to,
                           cairn__fault_problem *problem) {
    const cairn__decide_request *request = call->request;
    const cairn__fault_path list = cairn__fault_key((cairn__fault_path){ "" }, "overrides");
    for (size_t i = 0; i < request->override_count; i++) {
        cairn_span name = request->overrides[i].experiment;
        int number = cairn__bundle_experiment(call->bundle, name);
        int variant = number < 0 ? CAIRN__NO_VARIANT
                                 : variant_named(&call->bundle->definitions.experiments[number],
                                                 request->overrides[i].variant);
        if (variant < 0) {
            (void)cairn__fault(problem, "override_unknown", cairn__fault_item(list, i),
                               "there is no such %s", number < 0 ? "experiment" : "variant");
            return cairn__fault_fix(problem, "name an experiment and a variant that it has");
        }
        to[i] = (cairn__override){ name, (uint32_t)variant };
    }
    return true;
}

/* --- deciding --------------------------------------------------------------------------------- */

static void want_script(const cairn__decide_call *call, const cairn__decide_input *input,
                        const cairn__slot_decision *slot) {
    const cairn__bundle *bundle = call->bundle;
    cairn__decide_script *to = call->script;
    for (size_t i = 0; i < bundle->script_count && slot->script.len > 0; i++) {
        if (cairn__span_equal(bundle->scripts[i].name, slot->script)) {
            to->name = bundle->scripts[i].name;
            to->source = bundle->scripts[i].source;
        }
    }
    if (to->name.len == 0) {
        return;
    }
    to->now_ms = input->now_ms;
    to->seed = (uint32_t)input->seed;
    to->item_count = slot->pool_count;
    for (size_t i = 0; i < slot->pool_count; i++) {
        to->items[i] = bundle->definitions.items[slot->pool[i]].id;
    }
    cairn__slot_script_input(&bundle->definitions, input->facts, slot, &to->input);
}

static void decide_slot(const cairn__decide_call *call, const cairn__decide_input *input,
                        cairn__slot_decision *slot, cairn__buffer *answer) {
    const cairn__slot_ask ask = { .name = call->request->name, .scores = call->scores };
    cairn__decide_slot(call->decider, input, &ask, answer, slot);
    if (call->script != NULL) {
        want_script(call, input, slot);
    }
}

static void decide(const cairn__decide_call *call, const cairn__decide_input *input,
                   cairn__slot_decision *slot, cairn__buffer *answer) {
    const cairn__decide_request *request = call->request;
    cairn__popup_decision popup;
    cairn__experiment_answer experiment;
    cairn__popup_ask popup_ask = { .name = request->name };
    switch (request->what) {
    case CAIRN__DECIDE_EVENT:
    case CAIRN__DECIDE_POPUP:
        popup_ask.how = input->event != NULL ? CAIRN__POPUP_BY_EVENT : CAIRN__POPUP_BY_NAME;
        cairn__decide_popup(call->decider, input, &popup_ask, answer, &popup);
        break;
    case CAIRN__DECIDE_SLOT:
        decide_slot(call, input, slot, answer);
        break;
    case CAIRN__DECIDE_EXPERIMENT:
        cairn__decide_experiment(call->decider, input, request->name, answer, &experiment);
        break;
    case CAIRN__DECIDE_EXPERIMENTS:
        cairn__decide_experiments(call->decider, input, answer);
        break;
    }
}

static cairn__decide_input input_of(const cairn__decide_call *call) {
    const cairn__decide_request *request = call->request;
    unsigned denied = (call->person->denied & ~request->granted) | request->denied;
    return (cairn__decide_input){
        .now_ms = request->now_ms,
        .session = (uint64_t)cairn__session_number(request->device, request->session),
        .user_zone = call->user_zone,
        .unit = request->ids[0].value,
        .ids = request->ids,
        .id_count = request->id_count,
        .page = request->page,
        .denied = denied,
        .seed = request->session,
        .event = request->what == CAIRN__DECIDE_EVENT ? &request->event : NULL,
        .override_count = request->override_count,
    };
}

static cairn_status failed(cairn_status status, cairn__fault_problem *problem) {
    const cairn__fault_path at = cairn__fault_key((cairn__fault_path){ "" }, "ids");
    if (status == CAIRN_STORAGE) {
        (void)cairn__fault(problem, "trail_damaged", at, "the person's events cannot be read");
        (void)cairn__fault_fix(problem, "run cairn verify on the data directory");
    } else {
        (void)cairn__fault(problem, "person_too_large", at,
                           "the person has more events than a decision may read");
        (void)cairn__fault_fix(problem, "bound the functions over history, or raise "
                                        "analyze_bytes_max");
    }
    return status;
}

cairn_status cairn__decide_answer(const cairn__decide_call *call, cairn__buffer *answer,
                                  cairn__fault_problem *problem_out) {
    cairn__override overrides[CAIRN__DECIDE_OVERRIDES_MAX];
    const cairn__person_source source = {
        .allocator = call->allocator,
        .bytes_max = call->bytes_max,
        .bundle = call->bundle,
        .needs = call->needs,
        .person = call->person,
        .value_of = value_of,
        .context = (void *)(uintptr_t)call->request, /* only read */
    };
    const cairn__query_moment when = { .now_ms = call->request->now_ms,
                                       .zone = call->bundle->definitions.zone,
                                       .user_zone = call->user_zone };
    *problem_out = (cairn__fault_problem){ .code = "" };
    if (!find_overrides(call, overrides, problem_out)) {
        return CAIRN_INVALID;
    }
    cairn__person_facts *facts = NULL;
    cairn_status status = cairn__person_facts_open(&source, &facts);
    cairn__arena room = cairn__arena_make(call->allocator, 2 * sizeof(cairn__slot_decision));
    cairn__slot_decision *slot = cairn__arena_alloc_zero(&room, 1, sizeof *slot);
    if (status == CAIRN_OK && slot != NULL) {
        cairn__facts provider = cairn__person_facts_at(facts, &when);
        cairn__decide_input input = input_of(call);
        input.facts = &provider;
        input.memory = cairn__person_memory(facts);
        input.overrides = overrides;
        decide(call, &input, slot, answer);
    }
    cairn__person_facts_close(facts);
    cairn__arena_free(&room);
    if (status == CAIRN_OK && (slot == NULL || answer->failed)) {
        status = CAIRN_NO_MEMORY;
    }
    return status == CAIRN_OK ? CAIRN_OK : failed(status, problem_out);
}
