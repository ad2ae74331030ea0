/* folder.h: the thread that folds: reads the log up to the durable position, gives each entry to
 * its project's fold, commits every commit_interval_ms, and answers what only it may answer.
 *
 * A second thread runs flush and compaction of the trails. */
#ifndef CAIRN_EDGE_FOLDER_H
#define CAIRN_EDGE_FOLDER_H

#include <uv.h>

#include "edge/config.h"
#include "edge/metrics.h"
#include "fold/fold.h"
#include "log/log.h"

typedef enum cairn__ask_kind {
    CAIRN__ASK_VIEW,
    CAIRN__ASK_PERSON,
    CAIRN__ASK_KNOWN /* of a person, for decisions */
} cairn__ask_kind;

/** A question to the thread. Owned by the asker; may not be touched until done is called. */
typedef struct cairn__ask {
    cairn__ask_kind kind;
    size_t project;
    cairn_id id;              /* PERSON; borrowed */
    cairn_status status;      /* the outcome */
    cairn__fold_view *view;   /* VIEW: release it */
    cairn__buffer json;       /* PERSON */
    cairn__fold_who who;      /* KNOWN; borrowed */
    cairn__fold_known *known; /* KNOWN: release it */
    bool late;                /* answered before all that was durable when it was asked is folded */
    void (*done)(struct cairn__ask *ask); /* on the loop */
    void *self;
    uint64_t until;    /* the folder's: answered when all before it is folded ... */
    uint64_t asked_ms; /* ... or after a while */
    struct cairn__ask *next;
} cairn__ask;

typedef struct cairn__folder_project {
    const char *name;
    cairn__fold *fold;
    struct cairn__folder *folder;
    size_t index;
    bool dirty;
} cairn__folder_project;

typedef struct cairn__folder {
    const char *data_dir;
    cairn__metrics *metrics;
    cairn__folder_project *projects;
    size_t project_count;
    cairn__log_reader *reader;
    cairn__files files;
    uint64_t position;        /* read up to here */
    uint64_t committed;       /* by all */
    _Atomic uint64_t durable; /* committed by all and on the disk; any thread */
    _Atomic uint64_t commit_interval_ms;
    _Atomic bool damaged; /* the log cannot be read on */
    uv_thread_t thread, job_thread;
    uv_mutex_t mutex; /* guards the rest up to the next comment */
    uv_cond_t wake;
    uint64_t limit; /* durable position of the log */
    cairn__ask *asked_first, *asked_last;
    cairn__ask *answered;
    bool stopping;
    uint64_t stop_by_ms; /* when stopping: fold no longer than this */
    /* the job thread */
    uv_cond_t job_wake;
    cairn__trail_job *job;
    size_t job_project;
    bool job_given, job_done, job_failed, job_stopping;
    uv_async_t answers;
    /** Any thread but the loop: told for every event as it is folded. */
    void (*on_event)(void *self, size_t project, cairn_span json);
    const _Atomic bool *listen; /* whether it is */
    void *self;
    bool running;
} cairn__folder;

/** Open all projects. text_out names what is wrong. */
bool cairn__folder_open(cairn__folder *folder, const cairn__config *config, char *text_out,
                        size_t text_bytes);
/** Up to where some project has folded the log: all before it was durable. */
uint64_t cairn__folder_known(const cairn__folder *folder);
/** Stand where the log is to be read on; after the log is open for writing. */
bool cairn__folder_read(cairn__folder *folder, char *text_out, size_t text_bytes);
int cairn__folder_start(cairn__folder *folder, uv_loop_t *loop);
/** The loop: the log is durable up to here. */
void cairn__folder_limit(cairn__folder *folder, uint64_t limit);
/** The loop: ask. */
void cairn__folder_ask(cairn__folder *folder, cairn__ask *ask);
/** The loop: fold and commit what there is up to the limit, for at most fold_ms_max (the log keeps
 * the rest), then end the threads. What was asked and not answered is answered CAIRN_CLOSED. */
void cairn__folder_stop(cairn__folder *folder, uint64_t fold_ms_max);
/** Close the folds. After stop, or instead of start. */
void cairn__folder_close(cairn__folder *folder);

#endif
