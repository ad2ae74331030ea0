#include "oracle.h"

#include <stdio.h>

#include "base/civil.h"

void oracle_need_text(const oracle_need *need, char text[64]) {
    int least = (int)need->least;
    switch (need->kind) {
    case ORACLE_ALWAYS:
        text[0] = '\0';
        break;
    case ORACLE_USER:
        (void)snprintf(text, 64, "user.f%d >= %d", need->which, least);
        break;
    case ORACLE_MEMBER:
        (void)snprintf(text, 64, "member(\"m%d\")", need->which);
        break;
    case ORACLE_EVENT:
        (void)snprintf(text, 64, "event.n >= %d", least);
        break;
    case ORACLE_ITEM:
        (void)snprintf(text, 64, "item.price >= %d", least);
        break;
    }
}

static cairn__rule_answer at_least(const oracle_fact *fact, int64_t least) {
    if (fact->known != CAIRN__RULE_TRUE) {
        return fact->known;
    }
    return fact->value >= least ? CAIRN__RULE_TRUE : CAIRN__RULE_FALSE;
}

cairn__rule_answer oracle_judge(const oracle *o, const oracle_need *need, int item) {
    oracle_fact price = { item < 0 ? CAIRN__RULE_FALSE : CAIRN__RULE_TRUE, 0 };
    if (item >= 0) {
        price.value = o->prices[item];
    }
    switch (need->kind) {
    case ORACLE_USER:
        return at_least(&o->facts[need->which], need->least);
    case ORACLE_EVENT:
        return at_least(&o->event_n, need->least);
    case ORACLE_ITEM:
        return at_least(&price, need->least);
    case ORACLE_MEMBER:
        return o->audiences[need->which].kind == ORACLE_ALWAYS
                   ? at_least(&o->server[need->which], 1)
                   : oracle_judge(o, &o->audiences[need->which], item);
    case ORACLE_ALWAYS:
        break;
    }
    return CAIRN__RULE_TRUE;
}

static uint32_t fnv(const char *text) {
    uint32_t hash = 2166136261u;
    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    }
    return hash;
}

uint32_t oracle_bucket(const char *prefix, cairn_span salt, cairn_span unit) {
    char text[300];
    (void)snprintf(text, sizeof text, "%s%.*s%.*s", prefix, (int)salt.len, (const char *)salt.data,
                   (int)unit.len, (const char *)unit.data);
    char digits[16];
    (void)snprintf(digits, sizeof digits, "%u", fnv(text));
    return fnv(digits) % 10000;
}

/* --- time --- */

static const cairn__zone *zone_of(const oracle *o) {
    return o->input->user_zone != NULL ? o->input->user_zone : o->definitions->zone;
}

/* The number of the day, week or month that a moment lies in. */
static int64_t period(const oracle *o, cairn__cap_window window, int64_t time_ms) {
    int64_t day = cairn__zone_day(zone_of(o), time_ms);
    if (window == CAIRN__CAP_DAY) {
        return day;
    }
    if (window == CAIRN__CAP_WEEK) {
        return (day + 3) / 7; /* 1970-01-01 was a Thursday; all moments are later */
    }
    cairn__civil date = cairn__civil_from_days(day);
    return (int64_t)date.year * 12 + date.month;
}

static bool inside(const oracle *o, const cairn__cap *cap, const oracle_event *event) {
    int64_t now_ms = o->input->now_ms;
    switch (cap->window) {
    case CAIRN__CAP_EVER:
        return true;
    case CAIRN__CAP_ROLLING:
        return event->time_ms > now_ms - cap->window_ms;
    case CAIRN__CAP_SESSION:
        return event->session == o->input->session;
    case CAIRN__CAP_DAY:
    case CAIRN__CAP_WEEK:
    case CAIRN__CAP_MONTH:
        break;
    }
    return period(o, cap->window, event->time_ms) >= period(o, cap->window, now_ms);
}

static bool belongs(const oracle *o, const oracle_event *event, int subject, int of_group) {
    if (of_group == -2) {
        return event->subject == subject;
    }
    if (of_group == -1) {
        return !event->control;
    }
    const cairn__popup *popup = &o->definitions->popups[event->subject];
    for (size_t i = 0; i < popup->group_count; i++) {
        if (popup->groups[i] == of_group) {
            return !event->control;
        }
    }
    return false;
}

bool oracle_capped(const oracle *o, const cairn__cap *cap, bool of_item, int subject,
                   int of_group) {
    uint32_t count = 0;
    for (size_t i = 0; i < o->history_count; i++) {
        const oracle_event *event = &o->history[i];
        count += event->of_item == of_item && event->what == (int)cap->counts &&
                 belongs(o, event, subject, of_group) && inside(o, cap, event);
    }
    return count >= cap->count;
}

static bool any_cap(const oracle *o, const cairn__cap *caps, size_t count, int subject,
                    int of_group) {
    for (size_t i = 0; i < count; i++) {
        if (oracle_capped(o, &caps[i], false, subject, of_group)) {
            return true;
        }
    }
    return false;
}

static bool quiet(const oracle *o, const cairn__popup *popup) {
    const cairn__zone *zone = zone_of(o);
    int64_t local_ms = o->input->now_ms + cairn__zone_offset(zone, o->input->now_ms) * 1000LL;
    int64_t minute = local_ms / 60000 % 1440;
    int64_t weekday = (local_ms / CAIRN__DAY_MS + 3) % 7;
    for (size_t i = 0; i < popup->quiet_count; i++) {
        const cairn__quiet *q = &popup->quiet[i];
        int64_t length = (q->to_minute - q->from_minute + 1439) % 1440 + 1; /* 1..1440 minutes */
        for (int back = 0; back < 2; back++) { /* did one begin today or yesterday? */
            int64_t since = minute + back * 1440 - q->from_minute;
            int64_t day = (weekday + 7 - back) % 7;
            bool on = q->days == 0 || (q->days >> day & 1) != 0;
            if (on && since >= 0 && since < length) {
                return true;
            }
        }
    }
    return false;
}

/* --- popups --- */

static const char *unfit(const oracle *o, const cairn__popup_ask *ask, int number) {
    const cairn__popup *popup = &o->definitions->popups[number];
    if (popup->paused) {
        return "paused";
    }
    if (o->input->now_ms < popup->from_ms) {
        return "not_yet";
    }
    if (o->input->now_ms >= popup->to_ms) {
        return "ended";
    }
    if (ask->how == CAIRN__POPUP_BY_EVENT) {
        cairn__rule_answer answer = oracle_judge(o, &o->trigger_needs[number], -1);
        if (answer != CAIRN__RULE_TRUE) {
            return answer == CAIRN__RULE_FALSE ? "trigger" : "trigger_unknown";
        }
    }
    cairn__rule_answer answer = oracle_judge(o, &o->popup_needs[number], -1);
    if (answer != CAIRN__RULE_TRUE) {
        return answer == CAIRN__RULE_FALSE ? "audience" : "audience_unknown";
    }
    return NULL;
}

static const char *held_out(const oracle *o, int number) {
    const cairn__popup *popup = &o->definitions->popups[number];
    cairn_span unit = o->input->unit;
    if (unit.len > 0 && oracle_bucket("holdout:", o->definitions->holdout_salt, unit) <
                            o->definitions->holdout * 10000) {
        return "holdout_all";
    }
    bool needs_unit = o->definitions->holdout > 0 || popup->holdout > 0 || popup->variant_count > 1;
    if (unit.len == 0 && needs_unit) {
        return "no_unit";
    }
    return oracle_bucket("holdout:", popup->name, unit) < popup->holdout * 10000 ? "holdout" : NULL;
}

static const char *too_often(const oracle *o, int number) {
    const cairn__popup *popup = &o->definitions->popups[number];
    if (any_cap(o, popup->caps, popup->cap_count, number, -2)) {
        return "cap";
    }
    for (size_t i = 0; i < popup->group_count; i++) {
        const cairn__cap_group *group = &o->definitions->cap_groups[popup->groups[i]];
        if (any_cap(o, group->caps, group->cap_count, number, popup->groups[i])) {
            return "cap_group";
        }
    }
    const cairn__cap_group *all = &o->definitions->cap_groups[0];
    return any_cap(o, all->caps, all->cap_count, number, -1) ? "cap_all" : NULL;
}

static bool is_waiting(const cairn__popup_queue *queue, cairn_span name) {
    for (size_t i = 0; i < queue->count; i++) {
        if (cairn__span_equal(
                name, (cairn_span){ queue->waiting[i].name, queue->waiting[i].name_bytes })) {
            return true;
        }
    }
    return false;
}

static const char *where_to(const cairn__popup *popup, const cairn__popup_ask *ask) {
    if (ask->open && cairn__span_equal(ask->open_name, popup->name)) {
        return "open";
    }
    if (ask->how == CAIRN__POPUP_BY_QUEUE) {
        if (!ask->open) {
            return "show";
        }
        return ask->queue == NULL                            ? "open"
               : ask->queue->count == CAIRN__POPUP_QUEUE_MAX ? "queue_full"
                                                             : "wait";
    }
    if (ask->queue != NULL && is_waiting(ask->queue, popup->name)) {
        return "waiting";
    }
    if (!ask->open && popup->delay_ms == 0) {
        return "show";
    }
    if (ask->queue == NULL) {
        return ask->open ? "open" : "wait";
    }
    return ask->queue->count == CAIRN__POPUP_QUEUE_MAX ? "queue_full" : "wait";
}

static int variant_of(const oracle *o, const cairn__popup *popup) {
    if (popup->variant_count == 1) {
        return 0;
    }
    double sum = 0;
    double from = 0;
    for (size_t i = 0; i < popup->variant_count; i++) {
        sum += popup->variants[i].weight;
    }
    for (size_t i = 0; i < popup->variant_count; i++) {
        from += popup->variants[i].weight / sum;
        if (oracle_bucket("", popup->name, o->input->unit) / 10000.0 < from) {
            return (int)i;
        }
    }
    return (int)popup->variant_count - 1;
}

static void take(const oracle *o, const cairn__popup_ask *ask, int number,
                 oracle_popup_answer *answer) {
    const cairn__popup *popup = &o->definitions->popups[number];
    const char *why = unfit(o, ask, number);
    why = why != NULL ? why : held_out(o, number);
    why = why != NULL ? why : quiet(o, popup) ? "quiet" : NULL;
    why = why != NULL ? why : too_often(o, number);
    if (why == NULL) {
        why = where_to(popup, ask);
        bool fits = strcmp(why, "show") == 0 || strcmp(why, "wait") == 0;
        int variant = fits ? variant_of(o, popup) : 0;
        if (fits && answer->chosen >= 0) {
            why = "priority";
        } else if (fits && popup->variants[variant].control) {
            why = "control";
            answer->controls += 1;
        } else if (fits) {
            answer->chosen = number;
            answer->now = strcmp(why, "show") == 0;
            answer->variant = variant;
        }
    }
    answer->reasons[number] = why;
}

oracle_popup_answer oracle_popups(const oracle *o, const cairn__popup_ask *ask) {
    oracle_popup_answer answer = { .chosen = -1 };
    for (size_t i = 0; i < o->definitions->popup_count; i++) {
        const cairn__popup *popup = &o->definitions->popups[i];
        bool asked = ask->how == CAIRN__POPUP_BY_EVENT ? !popup->manual
                                                       : cairn__span_equal(popup->name, ask->name);
        if (asked && (o->input->denied & CAIRN__DENIED_MARKETING) != 0) {
            answer.reasons[i] = "no_consent";
        } else if (asked) {
            take(o, ask, (int)i, &answer);
        }
    }
    return answer;
}
