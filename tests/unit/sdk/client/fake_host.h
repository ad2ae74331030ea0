/* fake_host.h: surroundings that a test moves by hand: two clocks, a disk that forgets what was not
 * committed and can be damaged, a network, and a server that keeps each event once by (device,
 * seq). Everything random comes from one seed. */
#ifndef TESTS_FAKE_HOST_H
#define TESTS_FAKE_HOST_H

#include "base/memory.h"
#include "cairn/cairn.h"

enum {
    HOST_OPS_MAX = 4096,
    HOST_SEGMENTS_MAX = 512,
    HOST_EVENTS_MAX = 8192,
    HOST_DEVICES_MAX = 64,
    HOST_SLOTS = 4
};

typedef enum host_op_kind { HOST_APPEND, HOST_REMOVE, HOST_STATE } host_op_kind;

typedef struct host_op {
    host_op_kind kind;
    uint32_t ticket;
    uint32_t number;
    cairn__buffer bytes;
} host_op;

typedef struct host_segment {
    uint32_t number;
    cairn__buffer bytes;
} host_segment;

/** One event as the server counts it. */
typedef struct host_event {
    size_t device;
    uint64_t seq;
    int64_t id; /* its property "id"; -1: none */
    int kind;
    uint64_t session;
    uint64_t mono_ms;
    int64_t time_ms;
    int64_t dropped; /* property "count" of a "$dropped" */
} host_event;

typedef struct fake_host {
    uint64_t random;
    int64_t wall_ms;
    int64_t mono_ms;
    cairn_platform platform;

    /* the disk, and what is on its way to it */
    host_segment segments[HOST_SEGMENTS_MAX];
    size_t segment_count;
    cairn__buffer slots[HOST_SLOTS];
    host_op ops[HOST_OPS_MAX];
    size_t op_count;
    uint64_t submitted; /* operations ever */

    /* the request under way */
    uint32_t post_ticket; /* 0: none */
    cairn__buffer post;
    cairn__buffer answer;
    uint32_t posts;

    /* the server */
    uint8_t devices[HOST_DEVICES_MAX][16];
    size_t device_count;
    host_event events[HOST_EVENTS_MAX];
    size_t event_count;
    size_t duplicates;    /* seen again and not counted */
    size_t events_max;    /* more in one request: 413; 0: any number */
    uint64_t refuse_seq;  /* answer "rejected" for it */
    bool new_device;      /* say so in the next answer */
    bool collided;        /* two events under one (device, seq) */
    cairn__buffer bundle; /* given to devices that decide and have another version; may be empty */
    uint64_t bundle_version;
    cairn__buffer facts; /* given with every answer to devices that decide; may be empty */
    uint64_t facts_version;
    /** Told of each request (in `post`) before it is answered; may set bundle and facts. */
    void (*on_request)(void *self, struct fake_host *host);
    void *self;

    /* what the listener heard */
    uint64_t acked_seq;
    uint64_t refused_seq;
    char refused_reason[64];
    unsigned purges;
    cairn__buffer popup; /* the newest */
    unsigned popups;
    unsigned popups_chosen;
} fake_host;

void fake_host_open(fake_host *host, uint64_t seed);
void fake_host_close(fake_host *host);

/** A new process: a client on what the disk holds. Not started when `start` says so. */
cairn_client *fake_host_boot(fake_host *host, const cairn_options *options);

/** A number below `below`. */
uint64_t fake_host_random(fake_host *host, uint64_t below);

/** Do all operations under way; done(false), and a random part of the bytes, when not `durable`. */
void fake_host_commit(fake_host *host, cairn_client *client, bool durable);

/** Do the oldest operation under way; nothing happens when there is none. */
void fake_host_commit_one(fake_host *host, cairn_client *client, bool durable);

/** Nothing of what is under way happens. */
void fake_host_forget(fake_host *host);

/** The process dies: the first operations under way have happened, the next one in part. */
void fake_host_crash(fake_host *host);

/** The server takes the request under way (if any); its answer waits in host->answer. The status.
 */
uint32_t fake_host_serve(fake_host *host);

/** Tell the client about the request under way: `status` with host->answer as its body. */
void fake_host_reply(fake_host *host, cairn_client *client, uint32_t status,
                     uint32_t retry_after_ms);

/** Commit, pump, serve and let time pass, until nothing is due any more or ms have passed. */
void fake_host_pass(fake_host *host, cairn_client *client, int64_t ms);

/** How often the server counts the event of this property "id". */
size_t fake_host_count(const fake_host *host, int64_t id);

/** Whether the disk holds no byte, and nothing is on its way to it. */
bool fake_host_empty(const fake_host *host);

/** Track an event "e" with this property "id". */
cairn_status fake_host_track(cairn_client *client, int64_t id);

/** The segment of this number; made where there is none. */
host_segment *fake_host_segment(fake_host *host, uint32_t number);

#endif
