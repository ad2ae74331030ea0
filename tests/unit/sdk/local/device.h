/* device.h: one device in a test: a store, what it knows, and short ways to say what happens. */
#ifndef TESTS_LOCAL_DEVICE_H
#define TESTS_LOCAL_DEVICE_H

#include "store.h"

enum { DEVICE_SLOTS_MAX = 64 };

typedef struct device {
    store disk;
    cairn__local *local;
    cairn__local_options options;
    int64_t now_ms;
    uint64_t gone_seq;  /* the queue may lack events up to it */
    uint64_t seq;       /* of the queue, which loses nothing */
    cairn__arena arena; /* of the slots */
    cairn__rule_slot slots[DEVICE_SLOTS_MAX];
    size_t slot_count;
    const cairn__zone *zone;
} device;

void device_init(device *d, uint64_t seed);
void device_free(device *d);
/** A new process on what the disk holds; the slots are used. */
void device_boot(device *d);
/** The process ends without a word: what is under way has happened in part. */
void device_crash(device *d);

/** A slot for each function in the rule text; returns the number of the first. */
size_t device_ask(device *d, const char *rule);
/** Use the slots that were asked for. */
void device_use(device *d);

/** Fill in seq, kind and time, encode, note. */
cairn_status device_note(device *d, cairn__event event);
cairn_status device_track(device *d, const char *name, int64_t amount);
cairn_status device_login(device *d, const char *value);
cairn_status device_logout(device *d);
cairn_status device_link(device *d, cairn__event_kind kind, cairn_id from, cairn_id to);

cairn_value device_value(device *d, size_t slot);
/** The value of a whole number; -1: unknown, -2: another kind. */
int64_t device_count(device *d, size_t slot);

cairn_span span_of(const char *text);

#endif
