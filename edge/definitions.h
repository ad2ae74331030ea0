/* definitions.h: the definitions of all projects in the daemon: their catalogues, their keys, and
 * the bundle that goes out.
 *
 * A catalogue is used by one thread at a time: changes and reads are jobs in the pool, one per
 * project under way, the others wait in their order. The loop owns everything else. */
#ifndef CAIRN_EDGE_DEFINITIONS_H
#define CAIRN_EDGE_DEFINITIONS_H

#include <uv.h>

#include "definitions/catalog.h"
#include "edge/config.h"
#include "edge/served.h"
#include "edge/zones.h"

enum {
    CAIRN__DEFINITIONS_WAITING_MAX = 256
}; /* jobs of a project; further ones are answered 503 */

/** A piece of work with a project's catalogue. */
typedef struct cairn__definitions_job {
    uv_work_t work;
    struct cairn__definitions_project *project;
    void (*run)(struct cairn__definitions_job *job, cairn__catalog *catalog); /* in the pool */
    void (*done)(struct cairn__definitions_job *job);                         /* on the loop */
    cairn__served *served; /* run may leave a newer one here */
    struct cairn__definitions_job *next;
} cairn__definitions_job;

typedef struct cairn__definitions_project {
    struct cairn__definitions_all *all;
    const char *name;
    cairn__catalog *catalog; /* the running job's */
    cairn__signing signing;
    cairn__served *served;                /* never NULL while open; version 0: there is no bundle */
    cairn__definitions_job *first, *last; /* the first one runs */
    size_t job_count;
} cairn__definitions_project;

typedef struct cairn__definitions_all {
    uv_loop_t *loop;
    size_t *working; /* jobs of the pool under way; the edge's */
    cairn__definitions_project *projects;
    size_t count;
    cairn__zones *zones;
    const char *zone_directory;
    cairn__link_zones zone_seam;
    uv_mutex_t mutex;        /* guards the next */
    cairn__buffer all_zones; /* the table of all, made when first asked for */
} cairn__definitions_all;

/** Open all: DATA/definitions/PROJECT.db, DATA/keys/PROJECT.pem. Sets projects and count; the rest
 * is the caller's. False: text_out names what is wrong. */
bool cairn__definitions_open(cairn__definitions_all *all, const cairn__config *config,
                             char *text_out, size_t text_bytes);
/** No job may be under way. */
void cairn__definitions_close(cairn__definitions_all *all);

/** Run a job in its turn; done is called later, on the loop. False: too many wait. */
bool cairn__definitions_ask(cairn__definitions_all *all, size_t project,
                            cairn__definitions_job *job);

#endif
