/* popup_call.h: one decision about popups under way, for popups.c and popup_answer.c. */
#ifndef CAIRN_DECIDE_POPUP_CALL_H
#define CAIRN_DECIDE_POPUP_CALL_H

#include "decide/decider.h"

typedef struct cairn__popup_call {
    cairn__decider *decider;
    const cairn__popup_ask *ask;
    cairn__popup_decision *decision;
    cairn__buffer *to; /* the answer; NULL: none is wanted */
    bool first;        /* no candidate has been written yet */
    bool held_out;     /* of all popups */
    bool all_known;    /* cap_of_all is known */
    const cairn__cap *cap_of_all;
    const cairn__cap *cap; /* of the candidate: the one that is reached */
    int cap_group;         /* whose it is; -1: its own */
} cairn__popup_call;

/** {..., "candidates":[ */
void cairn__popup_answer_begin(const cairn__popup_call *call);
void cairn__popup_answer_candidate(cairn__popup_call *call, cairn__popup_choice choice,
                                   cairn__why why);
/** The asked name, where none has it. */
void cairn__popup_answer_unknown(cairn__popup_call *call);
/** ], what was chosen } */
void cairn__popup_answer_end(const cairn__popup_call *call);

#endif
