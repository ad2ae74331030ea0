/* caps_oracle.h: what a device has put on the screen, as plainly as possible: a list of logins,
 * logouts and shows with the clock and the place that the device had then; and whether a cap allows
 * one more. Days come from the C library. */
#ifndef TESTS_CAPS_ORACLE_H
#define TESTS_CAPS_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CAPS_RECORDS_MAX = 2000, CAPS_OF_LIST = 3, CAPS_POPUPS = 4, CAPS_OWNER_ANONYMOUS = 1000 };

typedef enum caps_window {
    CAPS_EVER,
    CAPS_ROLLING,
    CAPS_SESSION,
    CAPS_DAY,
    CAPS_WEEK,
    CAPS_MONTH
} caps_window;

typedef struct caps_cap {
    int count; /* 0: there is none */
    caps_window window;
    int64_t hours; /* of ROLLING */
} caps_cap;

typedef struct caps_list {
    caps_cap all[CAPS_OF_LIST];
} caps_list;

/** Of one bundle. Popups 0 and 1 are in the group. */
typedef struct caps_rules {
    caps_list popups[CAPS_POPUPS], group, everything;
} caps_rules;

typedef enum caps_kind { CAPS_LOGIN, CAPS_LOGOUT, CAPS_SHOW } caps_kind;

typedef struct caps_record {
    caps_kind kind;
    uint64_t seq;
    int who; /* of LOGIN the person, of SHOW the popup */
    int64_t time_ms;
    uint64_t session;
    bool heard; /* the listener was told */
    int owner;  /* made by caps_replay */
} caps_record;

typedef struct caps_life {
    caps_record records[CAPS_RECORDS_MAX];
    size_t count;
    int current; /* person, or CAPS_OWNER_ANONYMOUS + n */
} caps_life;

void caps_add(caps_life *life, caps_record record);
/** What a crash took (survived[seq] is false) never happened. @return how many shows of it were
 * heard: must be 0. */
int caps_forget(caps_life *life, const bool *survived);

/** When, where and what is asked. */
typedef struct caps_ask {
    int popup;
    int64_t now_ms;
    uint64_t session;
    const char *zone;
    bool heard_only; /* count what was on the screen; else all that were meant to be */
} caps_ask;

typedef enum caps_scope { CAPS_OF_POPUP, CAPS_OF_GROUP, CAPS_OF_ALL } caps_scope;

/** Is a cap of this list reached for the current person? */
bool caps_reached(const caps_life *life, const caps_rules *rules, const caps_ask *ask,
                  caps_scope scope);

#endif
