/* caps_device.h: a device under popups with caps, on fake_host.h, held against caps_oracle.h at
 * every step. */
#ifndef TESTS_CAPS_DEVICE_H
#define TESTS_CAPS_DEVICE_H

#include "caps_oracle.h"
#include "fake_host.h"
#include "world.h"

enum { CAPS_VERSIONS_MAX = 64 };

/** A device on a host that is moved by hand, and what its screen has shown. */
typedef struct caps_device {
    world *w;
    fake_host host;
    cairn_bundle_key key;
    cairn_options options;
    cairn_client *client;
    caps_life seen;
    caps_rules rules[CAPS_VERSIONS_MAX]; /* by the bundle's version */
    uint64_t versions;
    const char *zone;
    uint64_t attempt_seq; /* of the newest show that was noted */
    unsigned heard;       /* of the listener's popups, those that were noted */
    uint64_t ops_left;    /* until the process dies */
    bool write_failed;    /* then one too few is allowed */
    int logouts;
    uint64_t shows, checks, refusals, deaths;
} caps_device;

/** A number below `below`. */
uint64_t caps_device_dice(caps_device *l, uint64_t below);
/** New definitions; the server gives them out from now on. */
void caps_device_publish(caps_device *l, const caps_rules *rules);
/** Random caps. */
caps_rules caps_device_some_rules(caps_device *l);
/** After every call of cairn.h: what did it decide, what has the listener heard? Stops the test
 * when a cap was passed. */
void caps_device_look(caps_device *l);
void caps_device_set_zone(caps_device *l, const char *zone);
/** The process dies, with what was on its way to the disk (torn: a part of it got there), and
 * starts again. */
void caps_device_die(caps_device *l, bool torn);
/** The disk does what it was told; the process dies when `ops_left` operations are done. */
void caps_device_commit(caps_device *l);
void caps_device_pump(caps_device *l);
/** Until nothing is due, with a server that answers. */
void caps_device_settle(caps_device *l);
void caps_device_close_popup(caps_device *l);
/** The event that brings every popup. */
void caps_device_view(caps_device *l);
void caps_device_log_in(caps_device *l, int person);
void caps_device_log_out(caps_device *l);
/** Both clocks go on. */
void caps_device_pass(caps_device *l, int64_t ms);
/** Each popup: is it refused only for shows that were meant to be, and allowed only where none that
 * was seen forbids it? */
void caps_device_check(caps_device *l);
/** A device that has its bundle. @param rules  NULL: random. */
void caps_device_begin(caps_device *l, uint64_t seed, const caps_rules *rules);
void caps_device_end(caps_device *l);

#endif
