/* popup_world.h: a world with popups on the event "open", and what the decision says of "p". */
#ifndef CAIRN_TESTS_DECIDE_POPUP_WORLD_H
#define CAIRN_TESTS_DECIDE_POPUP_WORLD_H

#include "world.h"

/** A popup that always shows. */
cairn__popup popup(const char *name);
/** With a decider for them, and the event has happened. */
void use(world *w, const cairn__popup *popups, size_t count);
/** Decide with and without reasons: the same decision. */
cairn__popup_decision ask(world *w, const cairn__popup_ask *how);
cairn__popup_decision decide(world *w);
/** What is said of popup "p". */
void expect(world *w, const char *reason);

int popup_setup(void **state);
int popup_teardown(void **state);

#endif
