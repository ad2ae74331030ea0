/* popups.c: which popup, if any. Candidates are judged by priority; each gets the first reason that
 * speaks against it. The answer: popup_answer.c; queue, conversions and events: popup_life.c. */
#include "decide/popup_call.h"

#include "rules/pattern.h"

static bool contains(cairn_span text, cairn_span wanted) {
    for (size_t i = 0; i + wanted.len <= text.len; i++) {
        if (cairn__span_equal(wanted, (cairn_span){ text.data + i, wanted.len })) {
            return true;
        }
    }
    return false;
}

static bool page_matches(const cairn__page *page, cairn_span text) {
    cairn_span wanted = page->text;
    switch (page->how) {
    case CAIRN__PAGE_IS:
        return cairn__span_equal(wanted, text);
    case CAIRN__PAGE_STARTS_WITH:
        return text.len >= wanted.len &&
               cairn__span_equal(wanted, (cairn_span){ text.data, wanted.len });
    case CAIRN__PAGE_CONTAINS:
        return contains(text, wanted);
    case CAIRN__PAGE_MATCHES:
        return cairn__pattern_matches(wanted, text, CAIRN__FOLD_NONE);
    }
    return false;
}

static bool page_fits(const cairn__popup *popup, cairn_span text) {
    bool wanted = true;
    bool found = false;
    for (size_t i = 0; i < popup->page_count; i++) {
        const cairn__page *page = &popup->pages[i];
        bool matches = page_matches(page, text);
        if (page->excluded && matches) {
            return false;
        }
        found = found || (!page->excluded && matches);
        wanted = wanted && page->excluded; /* only exclusions: everywhere else */
    }
    return wanted || found;
}

static cairn__why live(const cairn__popup_call *call, uint16_t number) {
    const cairn__popup_line *line = &call->decider->popups[number];
    int64_t now_ms = call->decider->input->now_ms;
    if (call->decider->definitions->popups[number].paused) {
        return CAIRN__WHY_PAUSED;
    }
    if (now_ms < line->from_ms) {
        return CAIRN__WHY_NOT_YET;
    }
    return now_ms < line->to_ms ? CAIRN__WHY_COUNT : CAIRN__WHY_ENDED;
}

/* One of the triggers that want this event must hold: candidates are one per trigger. */
static cairn__why triggered(const cairn__popup_call *call, const cairn__candidate *candidates,
                            size_t count) {
    const cairn__popup *popup = &call->decider->definitions->popups[candidates[0].popup];
    cairn__why why = CAIRN__WHY_TRIGGER;
    for (size_t i = 0; i < count; i++) {
        cairn__rule_answer answer =
            cairn__decider_judge(call->decider, &popup->triggers[candidates[i].trigger].where);
        if (answer == CAIRN__RULE_TRUE) {
            return CAIRN__WHY_COUNT;
        }
        if (answer == CAIRN__RULE_UNKNOWN) {
            why = CAIRN__WHY_TRIGGER_UNKNOWN;
        }
    }
    return why;
}

int cairn__popup_variant(const cairn__decider *decider, uint16_t number, cairn_span unit) {
    const cairn__popup *popup = &decider->definitions->popups[number];
    const cairn__popup_line *line = &decider->popups[number];
    double bucket = cairn__assign_bucket_after(line->variant_hash, unit);
    int variant = cairn__assign_choose(bucket, line->ranges, popup->variant_count);
    /* the sum of the shares may be a last bit short of 1 */
    return variant != CAIRN__NO_VARIANT ? variant : (int)popup->variant_count - 1;
}

/* Holdouts. The variant is found when it is known to be needed: a hash costs more than a cap. */
static cairn__why by_chance(const cairn__popup_call *call, uint16_t number) {
    const cairn__definitions *definitions = call->decider->definitions;
    const cairn__popup *popup = &definitions->popups[number];
    const cairn__popup_line *line = &call->decider->popups[number];
    cairn_span unit = call->decider->input->unit;
    if (call->held_out) {
        return CAIRN__WHY_HOLDOUT_ALL;
    }
    if (line->plain && !(definitions->holdout > 0)) {
        return CAIRN__WHY_COUNT;
    }
    if (unit.len == 0) {
        return CAIRN__WHY_NO_UNIT;
    }
    bool out =
        popup->holdout > 0 && cairn__assign_bucket_after(line->holdout_hash, unit) < popup->holdout;
    return out ? CAIRN__WHY_HOLDOUT : CAIRN__WHY_COUNT;
}

static const cairn__memory_entry *entry_at(const cairn__popup_call *call, uint32_t place) {
    return place == 0 ? NULL : &call->decider->input->memory->entries[place - 1];
}

/* The caps of all popups are the same for each candidate of a call: asked once. */
static const cairn__cap *cap_of_all(cairn__popup_call *call) {
    const cairn__definitions *definitions = call->decider->definitions;
    if (!call->all_known && definitions->cap_group_count > 0) {
        call->cap_of_all = cairn__caps_reached(call->decider, definitions->cap_groups[0].caps,
                                               definitions->cap_groups[0].cap_count,
                                               entry_at(call, call->decider->group_entries[0]));
    }
    call->all_known = true;
    return call->cap_of_all;
}

static cairn__why capped(cairn__popup_call *call, uint16_t number) {
    cairn__decider *decider = call->decider;
    const cairn__popup *popup = &decider->definitions->popups[number];
    call->cap_group = -1;
    call->cap = cairn__caps_reached(decider, popup->caps, popup->cap_count,
                                    entry_at(call, decider->popups[number].entry));
    if (call->cap != NULL) {
        return CAIRN__WHY_CAP;
    }
    for (size_t i = 0; i < popup->group_count; i++) {
        const cairn__cap_group *group = &decider->definitions->cap_groups[popup->groups[i]];
        call->cap = cairn__caps_reached(decider, group->caps, group->cap_count,
                                        entry_at(call, decider->group_entries[popup->groups[i]]));
        if (call->cap != NULL) {
            call->cap_group = popup->groups[i];
            return CAIRN__WHY_CAP_GROUP;
        }
    }
    call->cap = cap_of_all(call);
    call->cap_group = 0;
    return call->cap != NULL ? CAIRN__WHY_CAP_ALL : CAIRN__WHY_COUNT;
}

static bool waits(const cairn__popup_queue *queue, cairn_span name) {
    for (size_t i = 0; i < queue->count; i++) {
        const cairn__popup_wait *wait = &queue->waiting[i];
        if (cairn__span_equal(name, (cairn_span){ wait->name, wait->name_bytes })) {
            return true;
        }
    }
    return false;
}

/* Nothing speaks against it: can it be shown now, can it wait? */
static cairn__why placed(const cairn__popup_call *call, const cairn__popup *popup) {
    const cairn__popup_ask *ask = call->ask;
    if (ask->open && cairn__span_equal(ask->open_name, popup->name)) {
        return CAIRN__WHY_OPEN;
    }
    bool queued = ask->how != CAIRN__POPUP_BY_QUEUE && ask->queue != NULL;
    if (queued && waits(ask->queue, popup->name)) {
        return CAIRN__WHY_WAITING;
    }
    bool delayed = popup->delay_ms > 0 && ask->how != CAIRN__POPUP_BY_QUEUE;
    if (!ask->open && !delayed) {
        return CAIRN__WHY_SHOW;
    }
    if (ask->open && ask->queue == NULL) {
        return CAIRN__WHY_OPEN;
    }
    bool full = ask->queue != NULL && ask->queue->count >= CAIRN__POPUP_QUEUE_MAX;
    return full ? CAIRN__WHY_QUEUE_FULL : CAIRN__WHY_WAIT;
}

/* Everything but priority; the candidates are those of one popup. */
static cairn__why judge(cairn__popup_call *call, const cairn__candidate *candidates, size_t count) {
    uint16_t number = candidates[0].popup;
    const cairn__popup *popup = &call->decider->definitions->popups[number];
    cairn__why why = live(call, number);
    if (why == CAIRN__WHY_COUNT && call->to == NULL) {
        why = capped(call, number); /* where nobody asks for the reason, the cheapest goes first */
    }
    if (why == CAIRN__WHY_COUNT && call->ask->how == CAIRN__POPUP_BY_EVENT) {
        why = triggered(call, candidates, count);
    }
    if (why == CAIRN__WHY_COUNT && popup->page_count > 0 &&
        !page_fits(popup, call->decider->input->page)) {
        why = CAIRN__WHY_PAGE;
    }
    if (why == CAIRN__WHY_COUNT) {
        cairn__rule_answer answer = cairn__decider_judge(call->decider, &popup->audience);
        why = answer == CAIRN__RULE_TRUE      ? CAIRN__WHY_COUNT
              : answer == CAIRN__RULE_UNKNOWN ? CAIRN__WHY_AUDIENCE_UNKNOWN
                                              : CAIRN__WHY_AUDIENCE;
    }
    if (why == CAIRN__WHY_COUNT) {
        why = by_chance(call, number);
    }
    if (why == CAIRN__WHY_COUNT &&
        cairn__quiet_now(call->decider, popup->quiet, popup->quiet_count)) {
        why = CAIRN__WHY_QUIET;
    }
    if (why == CAIRN__WHY_COUNT && call->to != NULL) {
        why = capped(call, number);
    }
    return why == CAIRN__WHY_COUNT ? placed(call, popup) : why;
}

/* Of those against which nothing speaks: the first is chosen, control arms before it are counted.
 */
static cairn__why choose(cairn__popup_call *call, cairn__popup_choice *variant_of, cairn__why why) {
    cairn__popup_decision *decision = call->decision;
    const cairn__popup *popup = &call->decider->definitions->popups[variant_of->popup];
    if (popup->variant_count > 1) {
        variant_of->variant = (uint8_t)cairn__popup_variant(call->decider, variant_of->popup,
                                                            call->decider->input->unit);
    }
    const cairn__popup_choice choice = *variant_of;
    if (decision->outcome != CAIRN__POPUP_NONE) {
        return CAIRN__WHY_PRIORITY;
    }
    if (popup->variants[choice.variant].control) {
        if (decision->control_count == CAIRN__POPUP_CONTROLS_MAX) {
            return CAIRN__WHY_CONTROL_FULL;
        }
        decision->controls[decision->control_count] = choice;
        decision->control_count += 1;
        return CAIRN__WHY_CONTROL;
    }
    bool now = why == CAIRN__WHY_SHOW;
    decision->outcome = now ? CAIRN__POPUP_SHOW : CAIRN__POPUP_WAIT;
    decision->chosen = choice;
    decision->delay_ms = now || call->ask->how == CAIRN__POPUP_BY_QUEUE ? 0 : popup->delay_ms;
    return why;
}

/* Was it kept from somebody whom it was meant for? Not before its time, for another event or page.
 */
static bool is_suppression(cairn__why why) {
    return why >= CAIRN__WHY_AUDIENCE && why <= CAIRN__WHY_QUEUE_FULL && why != CAIRN__WHY_CONTROL;
}

static void consider(cairn__popup_call *call, const cairn__candidate *candidates, size_t count) {
    cairn__popup_choice choice = { .popup = candidates[0].popup };
    call->cap = NULL;
    cairn__why why = CAIRN__WHY_NO_CONSENT;
    if ((call->decider->input->denied & CAIRN__DENIED_MARKETING) == 0) {
        why = judge(call, candidates, count);
    }
    if (why == CAIRN__WHY_SHOW || why == CAIRN__WHY_WAIT) {
        why = choose(call, &choice, why);
    }
    if (is_suppression(why) && call->decision->suppressed_why == CAIRN__WHY_COUNT) {
        call->decision->suppressed = choice;
        call->decision->suppressed_why = why;
    }
    if (call->to != NULL) {
        cairn__popup_answer_candidate(call, choice, why);
    }
}

static void consider_event(cairn__popup_call *call) {
    const cairn__event_index *index = &call->decider->triggers;
    const cairn__event *event = call->decider->input->event;
    int row = event == NULL ? -1 : cairn__names_find(&index->names, event->name);
    if (row < 0) {
        return;
    }
    const cairn__candidate *all = index->candidates + index->rows[row].first;
    size_t count = index->rows[row].count;
    size_t next = 0;
    for (size_t i = 0; i < count; i = next) {
        for (next = i + 1; next < count && all[next].popup == all[i].popup; next++) {
        }
        consider(call, all + i, next - i);
        if (call->to == NULL && call->decision->outcome != CAIRN__POPUP_NONE) {
            return; /* nobody asks for the others' reasons */
        }
    }
}

static void consider_name(cairn__popup_call *call) {
    int number = cairn__names_find(&call->decider->popup_names, call->ask->name);
    if (number < 0) {
        if (call->to != NULL) {
            cairn__popup_answer_unknown(call);
        }
        return;
    }
    cairn__candidate only = { .popup = (uint16_t)number };
    consider(call, &only, 1);
}

void cairn__decide_popup(cairn__decider *decider, const cairn__decide_input *input,
                         const cairn__popup_ask *ask, cairn__buffer *why,
                         cairn__popup_decision *decision_out) {
    const cairn__definitions *definitions = decider->definitions;
    cairn__popup_call call = {
        .decider = decider, .ask = ask, .to = why, .decision = decision_out, .first = true
    };
    *decision_out =
        (cairn__popup_decision){ .outcome = CAIRN__POPUP_NONE, .suppressed_why = CAIRN__WHY_COUNT };
    cairn__decider_begin(decider, input);
    call.held_out =
        definitions->holdout > 0 && input->unit.len > 0 &&
        cairn__assign_bucket_after(decider->holdout_hash, input->unit) < definitions->holdout;
    if (why != NULL) {
        cairn__popup_answer_begin(&call);
    }
    if (ask->how == CAIRN__POPUP_BY_EVENT) {
        consider_event(&call);
    } else {
        consider_name(&call);
    }
    if (why != NULL) {
        cairn__popup_answer_end(&call);
    }
}
