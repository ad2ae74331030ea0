/* device.h: the native SDK, through cairn.h, with a host whose clock stands where a life's steps
 * put it and whose disk keeps everything at once. drive.mjs is the same around cairn.wasm. */
#ifndef CAIRN_TESTS_ONE_ANSWER_DEVICE_H
#define CAIRN_TESTS_ONE_ANSWER_DEVICE_H

#include "cairn/cairn.h"
#include "wasm/block.h"
#include "world.h"

enum { DEVICE_OPS_MAX = 64, ZONE_NAME_BYTES = 65, PAGE_BYTES = 65, LOGIN_BYTES = 65 };

/** A question, where and for whom it was asked: what the server must be told to answer it. */
typedef struct device_question {
    uint32_t method;
    const cairn__block *block;
    int64_t now_ms;
    char device[33];
    const char *login, *zone, *page;
    const cairn_property *facts; /* device.*, as it was set */
    size_t fact_count;
    uint64_t session;
} device_question;

typedef struct device {
    cairn_client *client;
    int64_t now_ms, mono_ms;
    uint64_t random[4];
    uint32_t ops[DEVICE_OPS_MAX]; /* tickets on their way to the disk */
    size_t op_count;
    cairn__buffer popup; /* heard and not answered yet */
    unsigned popups;
    cairn__arena arguments, facts_arena;
    char login[LOGIN_BYTES], zone[ZONE_NAME_BYTES], page[PAGE_BYTES];
    cairn_property facts[WORLD_DEVICE_PROPERTIES];
    size_t fact_count;
    cairn__buffer *heard;
    /** Called with each question and its answer. */
    void (*on_answer)(void *self, struct device *d, const device_question *question,
                      cairn_span answer);
    void *self;
} device;

/** Run a whole life from nothing under the world's bundle; `heard` as in world.h. */
void device_live(device *d, const world *w, const world_life *life);

/** Everything that the server has not seen yet, as a sync request; borrowed until the next call. */
cairn_span device_batch(device *d);

#endif
