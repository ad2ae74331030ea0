/* experiments.c: experiments by name, with what the definitions and the memory say about them:
 * prerequisites, kept assignments, exposures. The decision itself: experiment.c. */
#include "decide/decider.h"

static cairn_span unit_of(const cairn__decide_input *input, cairn_span type) {
    for (size_t i = 0; i < input->id_count && type.len > 0; i++) {
        if (cairn__span_equal(input->ids[i].type, type)) {
            return input->ids[i].value;
        }
    }
    return type.len > 0 ? (cairn_span){ NULL, 0 } : input->unit;
}

static const cairn__memory_entry *remembered(const cairn__decide_input *input, cairn_span name) {
    return input->memory == NULL ? NULL
                                 : cairn__memory_find(input->memory, CAIRN__MEMORY_EXPERIMENT, name,
                                                      (cairn_span){ NULL, 0 });
}

/* The assignment that is kept for this very unit, if its variant still exists. */
static cairn__sticky sticky_of(const cairn__experiment_entry *entry,
                               const cairn__decide_input *input, cairn_span unit) {
    const cairn__memory_entry *kept = remembered(input, entry->name);
    if (kept == NULL || kept->unit != cairn__assign_fnv(unit)) {
        return (cairn__sticky){ .present = false };
    }
    cairn__sticky sticky = { .version = kept->version };
    for (size_t i = 0; i < entry->experiment.variant_count && !sticky.present; i++) {
        sticky.present = cairn__span_equal(entry->variants[i].name, kept->variant);
        sticky.variant = (uint32_t)i;
    }
    return sticky;
}

static bool unknown(const cairn__decision *decision) {
    return decision->reason == CAIRN__REASON_TARGET_UNKNOWN ||
           decision->reason == CAIRN__REASON_PREREQUISITE_UNKNOWN;
}

/* Those that it depends on are decided. One that is not met outweighs one that is unknown. */
static cairn__prerequisite prerequisite_of(const cairn__decider *decider,
                                           const cairn__experiment_entry *entry) {
    cairn__prerequisite result = CAIRN__PREREQUISITE_MET;
    for (size_t i = 0; i < entry->prerequisite_count; i++) {
        const cairn__prerequisite_of *wanted = &entry->prerequisites[i];
        const cairn__decision *came_to = &decider->answers[wanted->experiment];
        bool met = wanted->variant == CAIRN__NO_VARIANT ? came_to->variant != CAIRN__NO_VARIANT
                                                        : came_to->variant == wanted->variant;
        if (!met && !unknown(came_to)) {
            return CAIRN__PREREQUISITE_NOT_MET;
        }
        if (!met) {
            result = CAIRN__PREREQUISITE_UNKNOWN;
        }
    }
    return result;
}

/* --- flags --- */

typedef struct asking {
    const cairn__decider *decider;
    const cairn__flag_rule *rules;
} asking;

static cairn__decision came_to(void *context, size_t index) {
    const asking *a = context;
    return a->decider->answers[a->rules[index].experiment];
}

/* Those that it names are decided. */
static cairn__flag_decision flag_of(const cairn__decider *decider,
                                    const cairn__experiment_entry *flag) {
    asking a = { decider, flag->rules };
    return cairn__flag_decide(flag->rules, flag->rule_count, came_to, &a);
}

/* Is it a flag, and were its rules asked? */
static bool rules_asked(const cairn__decider *decider, size_t number) {
    cairn__experiment_reason reason = decider->answers[number].reason;
    return decider->definitions->experiments[number].rule_count > 0 &&
           reason != CAIRN__REASON_OFF && reason != CAIRN__REASON_PAUSED;
}

static cairn__decision decide_flag(cairn__decider *decider, size_t number,
                                   cairn__experiment_mode mode) {
    const cairn__experiment_entry *flag = &decider->definitions->experiments[number];
    if (mode == CAIRN__EXPERIMENT_OFF || flag->experiment.paused) {
        return (cairn__decision){ .variant = CAIRN__NO_VARIANT,
                                  .reason = mode == CAIRN__EXPERIMENT_OFF ? CAIRN__REASON_OFF
                                                                          : CAIRN__REASON_PAUSED };
    }
    cairn__flag_decision found = flag_of(decider, flag);
    if (found.rule < flag->rule_count) {
        decider->behind[number] = decider->behind[flag->rules[found.rule].experiment];
    }
    return found.decision;
}

/* --- one experiment --- */

static void find_override(const cairn__decide_input *input, cairn_span name,
                          cairn__experiment_input *about) {
    for (size_t i = 0; i < input->override_count; i++) {
        if (cairn__span_equal(input->overrides[i].experiment, name)) {
            about->override = true;
            about->override_variant = input->overrides[i].variant;
        }
    }
}

static void decide(cairn__decider *decider, size_t number) {
    const cairn__experiment_entry *entry = &decider->definitions->experiments[number];
    const cairn__decide_input *input = decider->input;
    bool denied = (input->denied & CAIRN__DENIED_PERSONALISATION) != 0;
    cairn__experiment_mode mode = denied ? CAIRN__EXPERIMENT_OFF : input->experiments;
    decider->decided[number] = decider->generation;
    decider->behind[number] = (uint16_t)number;
    if (entry->rule_count > 0) {
        decider->answers[number] = decide_flag(decider, number, mode);
        return;
    }
    cairn__experiment_input about = { .unit = unit_of(input, entry->unit_type),
                                      .mode = mode,
                                      .now_ms = input->now_ms,
                                      .zone = decider->definitions->zone,
                                      .prerequisite = prerequisite_of(decider, entry) };
    about.sticky = sticky_of(entry, input, about.unit);
    find_override(input, entry->name, &about);
    if (entry->experiment.targeting != NULL) {
        cairn__decider_gather(decider, &entry->condition);
        about.values = decider->gathered;
    }
    decider->answers[number] = cairn__experiment_decide(&entry->experiment, &about);
}

/* Mark what this one depends on; returns the lowest number of it, or its own. */
static size_t need_others(cairn__decider *decider, size_t number) {
    const cairn__experiment_entry *entry = &decider->definitions->experiments[number];
    size_t lowest = number;
    for (size_t i = 0; i < entry->prerequisite_count + entry->rule_count; i++) {
        uint16_t other = i < entry->rule_count
                             ? entry->rules[i].experiment
                             : entry->prerequisites[i - entry->rule_count].experiment;
        CAIRN_ASSERT(other < number);
        if (decider->decided[other] != decider->generation) {
            decider->decided[other] = decider->generation + 1;
            lowest = other < lowest ? other : lowest;
        }
    }
    return lowest;
}

/* Decide one and before it those that it needs, which have lower numbers. */
static void settle(cairn__decider *decider, size_t number) {
    const uint32_t needed = decider->generation + 1;
    if (decider->decided[number] == decider->generation) {
        return;
    }
    size_t lowest = number;
    decider->decided[number] = needed;
    for (size_t i = number + 1; i-- > lowest;) {
        size_t other = decider->decided[i] == needed ? need_others(decider, i) : i;
        lowest = other < lowest ? other : lowest;
    }
    for (size_t i = lowest; i <= number; i++) {
        if (decider->decided[i] == needed) {
            decide(decider, i);
        }
    }
}

/* Is an exposure of this variant in this session remembered? */
static bool exposed(const cairn__decide_input *input, const cairn__experiment_entry *entry) {
    const cairn__memory_entry *seen = remembered(input, entry->name);
    const cairn__memory_count *shows = seen == NULL ? NULL : &seen->counts[CAIRN__CAP_SHOWS];
    for (size_t i = 0; shows != NULL && i < shows->mark_count; i++) {
        if (shows->marks[i].session == input->session) {
            return true;
        }
    }
    return false;
}

static cairn__experiment_answer answer_of(cairn__decider *decider, size_t number) {
    settle(decider, number);
    const cairn__experiment_entry *entry = &decider->definitions->experiments[number];
    cairn__experiment_answer answer = { .experiment = (int)number,
                                        .by = -1,
                                        .decision = decider->answers[number],
                                        .value = entry->fallback };
    cairn__experiment_reason reason = answer.decision.reason;
    if (answer.decision.variant != CAIRN__NO_VARIANT) {
        answer.by = decider->behind[number];
        entry = &decider->definitions->experiments[answer.by];
        answer.value = entry->variants[answer.decision.variant].content;
    }
    if (answer.value.len == 0) {
        answer.value = CAIRN_STR("null");
    }
    /* who was forced is no part of the experiment */
    answer.exposure = (reason == CAIRN__REASON_ASSIGNED || reason == CAIRN__REASON_STICKY) &&
                      !exposed(decider->input, entry);
    return answer;
}

/* --- the answer --- */

static void put_reason(const cairn__decider *decider, const cairn__decision *decision,
                       cairn__buffer *to) {
    bool denied = (decider->input->denied & CAIRN__DENIED_PERSONALISATION) != 0;
    const char *text = decision->reason == CAIRN__REASON_OFF && denied
                           ? cairn__why_text(CAIRN__WHY_NO_CONSENT)
                           : cairn__experiment_reason_text(decision->reason);
    cairn__answer_word(to, ",\"reason\":", text);
}

/* Of a flag why, and the rule that ended the search. */
static void put_flag_reason(const cairn__decider *decider, const cairn__experiment_entry *flag,
                            cairn__buffer *to) {
    cairn__flag_decision found = flag_of(decider, flag);
    cairn__answer_word(to, ",\"reason\":", cairn__flag_reason_text(found.reason));
    if (found.rule < flag->rule_count) {
        uint16_t number = flag->rules[found.rule].experiment;
        cairn__answer_text(to, ",\"rule\":", decider->definitions->experiments[number].name);
    }
}

/* What one came to; the object stays open. */
static void put_decision(const cairn__decider *decider, size_t number, cairn__buffer *to) {
    const cairn__experiment_entry *all = decider->definitions->experiments;
    const cairn__decision *decision = &decider->answers[number];
    cairn__answer_text(to, "{\"name\":", all[number].name);
    cairn__answer_integer(to, ",\"version\":", all[number].version);
    if (rules_asked(decider, number)) {
        put_flag_reason(decider, &all[number], to);
    } else {
        put_reason(decider, decision, to);
    }
    if (decision->variant != CAIRN__NO_VARIANT) {
        const cairn__variant *variants = all[decider->behind[number]].variants;
        cairn__answer_text(to, ",\"variant\":", variants[decision->variant].name);
    }
    if (decision->has_bucket) {
        double parts = decision->bucket * 10000;
        cairn__answer_integer(to, ",\"bucket\":", (int64_t)(parts + 0.5));
    }
}

static void put_rules(const cairn__decider *decider, size_t number, cairn__buffer *to) {
    const cairn__experiment_entry *all = decider->definitions->experiments;
    const cairn__experiment_entry *flag = &all[number];
    size_t asked = rules_asked(decider, number) ? flag_of(decider, flag).rule + 1 : 0;
    bool first = true;
    cairn__answer_put(to, ",\"rules\":[");
    for (size_t i = 0; i < flag->rule_count; i++) {
        cairn__answer_comma(to, &first);
        if (i < asked) {
            put_decision(decider, flag->rules[i].experiment, to);
        } else {
            cairn__answer_text(to, "{\"name\":", all[flag->rules[i].experiment].name);
            cairn__answer_why(to, CAIRN__WHY_NOT_ASKED);
        }
        cairn__buffer_byte(to, '}');
    }
    cairn__buffer_byte(to, ']');
}

static void put_answer(const cairn__decider *decider, const cairn__experiment_answer *answer,
                       cairn__buffer *to) {
    size_t number = (size_t)answer->experiment;
    put_decision(decider, number, to);
    if (decider->definitions->experiments[number].rule_count > 0) {
        put_rules(decider, number, to);
    }
    if (answer->exposure) {
        cairn__answer_put(to, ",\"exposure\":true");
    }
    cairn__answer_json(to, ",\"value\":", answer->value);
    cairn__buffer_byte(to, '}');
}

void cairn__decide_experiment(cairn__decider *decider, const cairn__decide_input *input,
                              cairn_span name, cairn__buffer *why,
                              cairn__experiment_answer *answer_out) {
    cairn__decider_begin(decider, input);
    int number = cairn__names_find(&decider->experiment_names, name);
    if (number < 0) {
        *answer_out = (cairn__experiment_answer){ .experiment = -1,
                                                  .by = -1,
                                                  .decision = { .variant = CAIRN__NO_VARIANT,
                                                                .reason = CAIRN__REASON_INVALID },
                                                  .value = CAIRN_STR("null") };
    } else {
        *answer_out = answer_of(decider, (size_t)number);
    }
    if (why == NULL) {
        return;
    }
    cairn__answer_head(why, decider, "experiment");
    cairn__answer_put(why, ",\"experiments\":[");
    if (number < 0) {
        cairn__answer_text(why, "{\"name\":", name);
        cairn__answer_why(why, CAIRN__WHY_UNKNOWN_NAME);
        cairn__answer_put(why, ",\"value\":null}");
    } else {
        put_answer(decider, answer_out, why);
    }
    cairn__answer_put(why, "]}");
}

void cairn__decide_experiments(cairn__decider *decider, const cairn__decide_input *input,
                               cairn__buffer *why) {
    cairn__decider_begin(decider, input);
    cairn__answer_head(why, decider, "experiment");
    cairn__answer_put(why, ",\"experiments\":[");
    bool first = true;
    for (size_t i = 0; i < decider->definitions->experiment_count; i++) {
        cairn__experiment_answer answer = answer_of(decider, i);
        cairn__answer_comma(why, &first);
        put_answer(decider, &answer, why);
    }
    cairn__answer_put(why, "]}");
}

size_t cairn__exposure_properties(const cairn__definitions *definitions,
                                  const cairn__decide_input *input,
                                  const cairn__experiment_answer *answer,
                                  cairn_property properties_out[CAIRN__EXPOSURE_PROPERTIES]) {
    CAIRN_ASSERT(answer->by >= 0);
    const cairn__experiment_entry *entry = &definitions->experiments[answer->by];
    uint32_t unit = cairn__assign_fnv(unit_of(input, entry->unit_type));
    const cairn_value values[CAIRN__EXPOSURE_PROPERTIES] = {
        { .kind = CAIRN_VALUE_STRING, .as.string = entry->name },
        { .kind = CAIRN_VALUE_INTEGER, .as.integer = entry->version },
        { .kind = CAIRN_VALUE_STRING, .as.string = entry->variants[answer->decision.variant].name },
        { .kind = CAIRN_VALUE_INTEGER, .as.integer = entry->experiment.sticky_version },
        { .kind = CAIRN_VALUE_INTEGER, .as.integer = unit },
    };
    const cairn_span names[CAIRN__EXPOSURE_PROPERTIES] = {
        CAIRN_STR("experiment"), CAIRN_STR("version"), CAIRN_STR("variant"),
        CAIRN_STR("sticky_version"), CAIRN_STR("unit")
    };
    for (size_t i = 0; i < CAIRN__EXPOSURE_PROPERTIES; i++) {
        properties_out[i] = (cairn_property){ names[i], values[i] };
    }
    return CAIRN__EXPOSURE_PROPERTIES;
}
