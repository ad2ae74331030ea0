/* oracle.h: decisions as docs/DECISIONS.md tells them, with nothing prepared and nothing counted:
 * the whole history is a list, every question goes through all of it, conditions are small
 * structures and not programs. Slow and obvious. */
#ifndef CAIRN_TESTS_DECIDE_ORACLE_H
#define CAIRN_TESTS_DECIDE_ORACLE_H

#include "world.h"

enum { ORACLE_FACTS = 4, ORACLE_AUDIENCES = 4, ORACLE_HISTORY_MAX = 120, ORACLE_SUBJECTS = 8 };

/** A condition: nothing, user.f0..3 >= least, member("m0".."m3"), event.n or item.price >= least.
 */
typedef enum oracle_need_kind {
    ORACLE_ALWAYS,
    ORACLE_USER,
    ORACLE_MEMBER,
    ORACLE_EVENT,
    ORACLE_ITEM
} oracle_need_kind;

typedef struct oracle_need {
    oracle_need_kind kind;
    int which;
    int64_t least;
} oracle_need;

/** Something of a number that may be unknown or not set. */
typedef struct oracle_fact {
    cairn__rule_answer known; /* TRUE: set; FALSE: not set; UNKNOWN */
    int64_t value;
} oracle_fact;

/** What the person did: `what` is a cairn__cap_count, of a popup or of an item of the slot. */
typedef struct oracle_event {
    bool of_item;
    int subject; /* number of the popup or of the item */
    int what;
    bool control;
    int64_t time_ms;
    uint64_t session;
    int64_t position;
} oracle_event;

typedef struct oracle {
    const cairn__definitions *definitions;
    const cairn__decide_input *input;
    oracle_fact facts[ORACLE_FACTS];
    oracle_need audiences[ORACLE_AUDIENCES]; /* ALWAYS: the server's, as server[] says */
    oracle_fact server[ORACLE_AUDIENCES];
    oracle_fact event_n;
    oracle_need popup_needs[ORACLE_SUBJECTS], trigger_needs[ORACLE_SUBJECTS];
    oracle_need item_needs[ORACLE_SUBJECTS], strategy_needs[2], filter_needs[2], recall_needs[2];
    int64_t prices[ORACLE_SUBJECTS], made_ms[ORACLE_SUBJECTS];
    oracle_event history[ORACLE_HISTORY_MAX];
    size_t history_count;
} oracle;

/** As a rule; empty: no condition. */
void oracle_need_text(const oracle_need *need, char text[64]);
cairn__rule_answer oracle_judge(const oracle *o, const oracle_need *need, int item);

/** A bucket in ten-thousandths. */
uint32_t oracle_bucket(const char *prefix, cairn_span salt, cairn_span unit);

/** How many of these are within the cap's window. of_group: -2: of one popup or item, -1: of all
 * popups, else of that group. */
bool oracle_capped(const oracle *o, const cairn__cap *cap, bool of_item, int subject, int of_group);

typedef struct oracle_popup_answer {
    const char *reasons[ORACLE_SUBJECTS]; /* NULL: no candidate */
    int chosen;                           /* -1: none */
    bool now;
    int variant;
    size_t controls;
} oracle_popup_answer;

oracle_popup_answer oracle_popups(const oracle *o, const cairn__popup_ask *ask);

typedef struct oracle_slot_answer {
    cairn__slot_source source;
    int strategy;
    int items[CAIRN__SLOT_SIZE_MAX];
    size_t item_count;
} oracle_slot_answer;

oracle_slot_answer oracle_slot(const oracle *o);

#endif
