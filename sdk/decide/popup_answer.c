/* popup_answer.c: the JSON answer about popups (docs/DECISIONS.md, "Answers"). */
#include "decide/popup_call.h"

void cairn__popup_answer_begin(const cairn__popup_call *call) {
    static const char *const ways[] = { "event", "name", "queue" };
    cairn__buffer *to = call->to;
    cairn__answer_head(to, call->decider, "popup");
    cairn__answer_word(to, ",\"by\":", ways[call->ask->how]);
    const cairn__event *event = call->decider->input->event;
    if (event != NULL) {
        cairn__answer_text(to, ",\"event\":", event->name);
    }
    cairn__answer_put(to, ",\"candidates\":[");
}

static void put_cap(const cairn__popup_call *call) {
    static const char *const counted[] = { "shows", "clicks", "conversions", "closes" };
    static const char *const windows[] = { "ever", "rolling", "session", "day", "week", "month" };
    cairn__buffer *to = call->to;
    const cairn__cap *cap = call->cap;
    cairn__answer_integer(to, ",\"cap\":{\"count\":", cap->count);
    cairn__answer_word(to, ",\"of\":", counted[cap->counts]);
    cairn__answer_word(to, ",\"window\":", windows[cap->window]);
    if (cap->window == CAIRN__CAP_ROLLING) {
        cairn__answer_integer(to, ",\"ms\":", cap->window_ms);
    }
    if (call->cap_group > 0) {
        cairn__answer_text(
            to, ",\"group\":", call->decider->definitions->cap_groups[call->cap_group].name);
    }
    cairn__buffer_byte(to, '}');
}

/* Of these the variant has been found. */
static bool has_variant(cairn__why why) {
    return why == CAIRN__WHY_SHOW || why == CAIRN__WHY_WAIT || why == CAIRN__WHY_CONTROL ||
           why == CAIRN__WHY_PRIORITY;
}

void cairn__popup_answer_candidate(cairn__popup_call *call, cairn__popup_choice choice,
                                   cairn__why why) {
    const cairn__popup *popup = &call->decider->definitions->popups[choice.popup];
    cairn__answer_comma(call->to, &call->first);
    cairn__answer_text(call->to, "{\"name\":", popup->name);
    cairn__answer_why(call->to, why);
    if (has_variant(why)) {
        cairn__answer_text(call->to, ",\"variant\":", popup->variants[choice.variant].name);
    }
    if (call->cap != NULL) {
        put_cap(call);
    }
    cairn__buffer_byte(call->to, '}');
}

void cairn__popup_answer_unknown(cairn__popup_call *call) {
    cairn__answer_text(call->to, "{\"name\":", call->ask->name);
    cairn__answer_why(call->to, CAIRN__WHY_UNKNOWN_NAME);
    cairn__buffer_byte(call->to, '}');
}

static void put_choice(const cairn__popup_call *call, cairn__popup_choice choice, bool whole) {
    cairn__buffer *to = call->to;
    const cairn__popup *popup = &call->decider->definitions->popups[choice.popup];
    const cairn__variant *variant = &popup->variants[choice.variant];
    cairn__answer_text(to, "{\"name\":", popup->name);
    cairn__answer_integer(to, ",\"version\":", popup->version);
    cairn__answer_text(to, ",\"variant\":", variant->name);
    if (whole) {
        cairn__answer_integer(to, ",\"delay_ms\":", call->decision->delay_ms);
        cairn__answer_text(to, ",\"template\":", popup->template_name);
        cairn__answer_json(to, ",\"content\":", variant->content);
    }
    cairn__buffer_byte(to, '}');
}

void cairn__popup_answer_end(const cairn__popup_call *call) {
    static const char *const outcomes[] = { "none", "show", "wait" };
    const cairn__popup_decision *decision = call->decision;
    cairn__answer_put(call->to, "],\"controls\":[");
    bool first = true;
    for (size_t i = 0; i < decision->control_count; i++) {
        cairn__answer_comma(call->to, &first);
        put_choice(call, decision->controls[i], false);
    }
    cairn__answer_word(call->to, "],\"outcome\":", outcomes[decision->outcome]);
    cairn__answer_put(call->to, ",\"popup\":");
    if (decision->outcome == CAIRN__POPUP_NONE) {
        cairn__answer_put(call->to, "null");
    } else {
        put_choice(call, decision->chosen, true);
    }
    cairn__buffer_byte(call->to, '}');
}
