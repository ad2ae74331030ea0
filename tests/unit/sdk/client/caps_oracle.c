#include "caps_oracle.h"

#include <stdlib.h>
#include <time.h>

#include "base/assert.h"

/* Whoever was nobody until now was this person all along. */
static void log_in(caps_life *life, size_t at) {
    int before = life->current;
    life->current = life->records[at].who;
    for (size_t i = 0; i < at && before >= CAPS_OWNER_ANONYMOUS; i++) {
        caps_record *r = &life->records[i];
        r->owner = r->owner == before ? life->current : r->owner;
    }
}

static void replay(caps_life *life) {
    int anonymous = CAPS_OWNER_ANONYMOUS;
    life->current = anonymous;
    for (size_t i = 0; i < life->count; i++) {
        caps_record *r = &life->records[i];
        if (r->kind == CAPS_LOGOUT) {
            anonymous += 1;
            life->current = anonymous;
        } else if (r->kind == CAPS_SHOW) {
            r->owner = life->current;
        } else {
            log_in(life, i);
        }
    }
}

void caps_add(caps_life *life, caps_record record) {
    CAIRN_ASSERT(life->count < CAPS_RECORDS_MAX);
    record.owner = -1;
    life->records[life->count++] = record;
    replay(life);
}

int caps_forget(caps_life *life, const bool *survived) {
    int heard = 0;
    size_t kept = 0;
    for (size_t i = 0; i < life->count; i++) {
        life->records[kept] = life->records[i];
        life->records[kept].owner = -1;
        bool gone = !survived[life->records[i].seq];
        heard += gone && life->records[i].heard;
        kept += !gone;
    }
    life->count = kept;
    replay(life);
    return heard;
}

static int64_t start_of(caps_window window, int64_t now_ms, const char *zone) {
    struct tm local;
    time_t seconds = (time_t)(now_ms / 1000);
    (void)setenv("TZ", zone, 1);
    tzset();
    (void)localtime_r(&seconds, &local);
    local.tm_hour = 0;
    local.tm_min = 0;
    local.tm_sec = 0;
    local.tm_isdst = -1;
    local.tm_mday = window == CAPS_MONTH  ? 1
                    : window == CAPS_WEEK ? local.tm_mday - (local.tm_wday + 6) % 7
                                          : local.tm_mday;
    return (int64_t)mktime(&local) * 1000;
}

static bool in_window(const caps_cap *cap, const caps_record *r, const caps_ask *ask) {
    switch (cap->window) {
    case CAPS_EVER:
        return true;
    case CAPS_ROLLING:
        return r->time_ms > ask->now_ms - cap->hours * 3600000;
    case CAPS_SESSION:
        return r->session == ask->session;
    case CAPS_DAY:
    case CAPS_WEEK:
    case CAPS_MONTH:
        break;
    }
    return r->time_ms >= start_of(cap->window, ask->now_ms, ask->zone);
}

static bool concerns(const caps_record *r, const caps_ask *ask, caps_scope scope) {
    return scope == CAPS_OF_ALL || (scope == CAPS_OF_GROUP ? r->who < 2 : r->who == ask->popup);
}

static bool reached(const caps_life *life, const caps_cap *cap, const caps_ask *ask,
                    caps_scope scope) {
    int found = 0;
    for (size_t i = 0; i < life->count; i++) {
        const caps_record *r = &life->records[i];
        bool counts = r->kind == CAPS_SHOW && r->owner == life->current &&
                      (r->heard || !ask->heard_only) && concerns(r, ask, scope);
        found += counts && in_window(cap, r, ask);
    }
    return found >= cap->count;
}

bool caps_reached(const caps_life *life, const caps_rules *rules, const caps_ask *ask,
                  caps_scope scope) {
    const caps_list *list = scope == CAPS_OF_POPUP   ? &rules->popups[ask->popup]
                            : scope == CAPS_OF_GROUP ? &rules->group
                                                     : &rules->everything;
    bool outside = scope == CAPS_OF_GROUP && ask->popup >= 2;
    for (size_t i = 0; i < CAPS_OF_LIST && !outside; i++) {
        if (list->all[i].count > 0 && reached(life, &list->all[i], ask, scope)) {
            return true;
        }
    }
    return false;
}
