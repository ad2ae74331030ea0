/* consent.h: what is allowed, what waits for it, and the ways between: silent -> open (a grant),
 * open -> purging -> silent (a withdrawal, an erasure). cairn_consent.h says what is promised. */
#ifndef CAIRN_CLIENT_CONSENT_H
#define CAIRN_CLIENT_CONSENT_H

#include "cairn/cairn_consent.h"
#include "client/queue.h"
#include "model/event.h"

enum {
    CAIRN__WAIT_EVENTS_DEFAULT = 200,
    CAIRN__WAIT_BYTES_DEFAULT = 128 * 1024,
    CAIRN__CONSENT_CATEGORIES = 3,
    CAIRN__FAREWELL_DAYS_MAX = 30 /* a farewell that nobody took is given up then */
};

typedef struct cairn__consent {
    cairn_consent_options options;
    cairn__queue waiting;    /* events before consent, in memory only; their seq is of no meaning */
    uint64_t waited;         /* how many ever waited: gives those numbers */
    uint8_t next_device[16]; /* who the device is after a purge */
    bool stored;             /* the store holds, or may hold, something of the device */
} cairn__consent;

/** After restore: open, wait, or go on with a purge. @retval CAIRN_NO_MEMORY  Nothing changed. */
cairn_status cairn__consent_begin(cairn_client *client, bool known);

/** An encoded event that the store may not keep now: it waits in memory, or is refused.
 * @retval CAIRN_NO_CONSENT  Denied, or not to be kept.
 * @retval CAIRN_FULL        Only identities and profiles wait, and there is no room. */
cairn_status cairn__consent_hold(cairn_client *client, cairn_span payload, uint8_t flags);

/** Go on with a purge, if there is one. */
void cairn__consent_step(cairn_client *client);

/** The wait until a step is due though nothing happens (a purge hook is asked again), or -1. */
int64_t cairn__consent_wait(const cairn_client *client);

/** The device's id as it is, or will be once it may be kept. */
const uint8_t *cairn__consent_device(const cairn_client *client);

void cairn__consent_free(cairn_client *client);

/** Other defaults from now on (the bundle, by region); what the person has said stays.
 * @param required, denied  As in cairn_consent_options. */
void cairn__consent_defaults(cairn_client *client, uint32_t required, uint32_t denied);

#endif
