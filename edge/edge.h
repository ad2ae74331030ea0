/* edge.h: the daemon as one value: what the routes, the log, the folder and the stream share.
 * Everything in it belongs to the loop's thread, except what its own header says. */
#ifndef CAIRN_EDGE_EDGE_H
#define CAIRN_EDGE_EDGE_H

#include "edge/commit.h"
#include "edge/config.h"
#include "edge/connection.h"
#include "edge/definitions.h"
#include "edge/folder.h"
#include "edge/live.h"
#include "edge/metrics.h"
#include "edge/ready.h"
#include "edge/sandbox.h"
#include "edge/telling.h"
#include "edge/zones.h"

enum { CAIRN__TICK_ENTRY_BYTES = 20 }; /* an entry without project and payload */
enum { CAIRN__CHECK_ARENA_BYTES_MAX = 128 * 1024 * 1024 }; /* of one request's check */

typedef struct cairn__edge cairn__edge;
struct cairn__edge {
    uv_loop_t loop;
    cairn__config config;
    cairn__config first_config; /* whose texts other threads use */
    cairn__log_writer *writer;  /* until the group commit has it */
    const char *config_path;
    cairn__metrics metrics;
    cairn__server server;
    cairn__commit commit;
    cairn__folder folder;
    cairn__live live;
    cairn__zones zones;
    cairn__definitions_all definitions;
    cairn__sandbox *sandbox; /* where scripts run */
    char cors_header[320];   /* a header line of the public listener */
    cairn__arena scratch;    /* of one request that is checked on the loop */
    int lock;                /* the data directory's; a file descriptor */
    uv_timer_t second;       /* disk, memory, failing log */
    uv_timer_t minute;       /* the clock's entries */
    uv_timer_t drain;
    uv_signal_t signals[3];
    cairn__ready **ready; /* per project; NULL: its bundle was not asked for yet */
    cairn__telling telling;
    size_t deciding; /* decisions under way */
    size_t asking;   /* questions under way */
    size_t working;  /* jobs of the pool under way */
    uint64_t position_at_tick;
    uint64_t drain_end_ms;
    bool reloaded; /* config is not first_config any more */
    bool failed;   /* to start */
    bool disk_low;
    bool log_failing;
    bool draining; /* readyz says no */
    bool closing;  /* and no connection is accepted */
};

/** Wall clock of now. */
int64_t cairn__edge_now_ms(void);
/** Index of the project that has this write key; SIZE_MAX: nobody has it. */
size_t cairn__edge_project_of_key(const cairn__edge *edge, cairn_span key);
/** Index of a project by its name; SIZE_MAX: there is none. An empty name means the only one. */
size_t cairn__edge_project_named(const cairn__edge *edge, cairn_span name);

/** The project's newest bundle, read for decisions or to be read; release it. NULL: there is none,
 * or no memory. */
cairn__ready *cairn__edge_ready(cairn__edge *edge, size_t project);

#endif
