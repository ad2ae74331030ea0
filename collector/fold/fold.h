/* fold.h: the one writer of a project's state: takes log entries in order through identity, profile
 * and trail, and commits their effects together with the log position.
 *
 * Deterministic: the same entries give the same state; the clock it sees is received_ms. In memory
 * between commits; what lies after the last commit is folded again from the log after a crash.
 *
 * Threads: everything belongs to the folder's thread, except a cairn__fold_view (immutable, any
 * thread; its release too) and cairn__fold_job_run. */
#ifndef CAIRN_FOLD_FOLD_H
#define CAIRN_FOLD_FOLD_H

#include "analytics/analytics.h"
#include "facts/facts.h"
#include "log/log.h"
#include "trail/trail.h"

typedef struct cairn__fold cairn__fold;

typedef struct cairn__fold_options {
    cairn_allocator allocator;
    const char *directory; /* of this project: state.db and trail/ ; made when missing */
    size_t tail_rows_max;  /* as in trail/trail.h; 0: its default */
    /** Called for every event as it is folded, before its commit (the live view). May be NULL. */
    void (*on_event)(void *self, cairn_span json);
    void *self;
} cairn__fold_options;

typedef struct cairn__fold_problem {
    char text[256]; /* names the file and the fix */
} cairn__fold_problem;

cairn_status cairn__fold_open(const cairn__fold_options *options, cairn__fold **fold_out,
                              cairn__fold_problem *problem_out);
/** The position up to which entries are committed: reading goes on from here. */
uint64_t cairn__fold_position(const cairn__fold *fold);
/** Whether on_event is called from now on (at first: when it is given). Making the lines costs more
 * than folding, so turn it off while nobody listens. */
void cairn__fold_listen(cairn__fold *fold, bool on);
/** Fold one entry of this project. Entries before cairn__fold_position are ignored.
 * @retval CAIRN_OK         Done (bad events went to quarantine; that is no failure).
 * @retval CAIRN_NO_MEMORY  The entry is not done; commit and try again.
 * @retval CAIRN_STORAGE    The state database cannot be read. */
cairn_status cairn__fold_entry(cairn__fold *fold, const cairn__log_entry *entry);
/** Commit all folded so far and `position` (the end of the last entry, or later).
 * @retval CAIRN_STORAGE  Nothing committed; try again later: nothing is lost. */
cairn_status cairn__fold_commit(cairn__fold *fold, uint64_t position,
                                cairn__fold_problem *problem_out);
/** Put what was committed on the disk itself. A commit survives a kill; the power may take the
 * newest ones back (synchronous=NORMAL), and then the log is needed from an earlier position: trim
 * it only up to a position that was committed before this said true. False: not now (a reader holds
 * it up, or the disk fails); ask again later. */
bool cairn__fold_make_durable(cairn__fold *fold);
void cairn__fold_close(cairn__fold *fold); /* without a commit */

/** A moment of the state, for questions: everything folded before the call is in it. */
typedef struct cairn__fold_view cairn__fold_view;
cairn__fold_view *cairn__fold_view_take(cairn__fold *fold);
void cairn__fold_view_release(cairn__fold_view *view);
/** A question and what it is asked with. */
typedef struct cairn__fold_question {
    cairn_span query; /* the JSON of POST /v1/analyze */
    const cairn__analyze_zones *zones;
    cairn_span project_zone;
    const cairn__analyze_options *options;
} cairn__fold_question;
/** Answer a question on the view (any thread; one question at a time per view). As
 * cairn__analyze. */
cairn_status cairn__fold_analyze(cairn__fold_view *view, const cairn__fold_question *question,
                                 cairn__buffer *answer, cairn__analyze_problem *problem_out);
/** The 360 view of a person as JSON: ids, profile, newest events. Folder's thread.
 * @retval CAIRN_NOT_FOUND  Nobody has this id. */
cairn_status cairn__fold_person(cairn__fold *fold, cairn_id id, cairn__buffer *json);

/** Whom a decision is about. */
typedef struct cairn__fold_who {
    const cairn_id *ids; /* the strongest that somebody has decides: login before others before
                            device and cookie */
    size_t id_count;
    cairn_string_list user; /* properties of the profile that are wanted */
    bool consent;           /* state.denied is wanted */
} cairn__fold_who;

/** A person at a moment, for facts (facts/facts.h); immutable. */
typedef struct cairn__fold_known {
    cairn__person_state state;
    cairn__arena arena;
    cairn_allocator allocator;
} cairn__fold_known;

/** What is known of a person: everything folded before the call is in it, committed or not. Costs
 * the ids, the properties and a snapshot of the trail; the trail itself is read by whoever asks.
 * Folder's thread. Where nobody has the ids the state has no nodes. Release it on any thread.
 * @retval CAIRN_NO_MEMORY, CAIRN_STORAGE  known_out is NULL. */
cairn_status cairn__fold_know(cairn__fold *fold, const cairn__fold_who *who,
                              cairn__fold_known **known_out);
void cairn__fold_known_release(cairn__fold_known *known);

/** Flush and compaction of the trail; as trail/trail.h. finish takes the job over; the next commit
 * takes its result in. */
cairn__trail_job *cairn__fold_job_plan(cairn__fold *fold);
cairn_status cairn__fold_job_finish(cairn__fold *fold, cairn__trail_job *job);

typedef struct cairn__fold_stats {
    uint64_t events, duplicates, quarantined, persons, nodes, merges;
    uint64_t trail_rows, trail_bytes, tail_rows, segments;
    uint64_t position;
} cairn__fold_stats;
void cairn__fold_stats_of(const cairn__fold *fold, cairn__fold_stats *stats_out);

/** Check the state database and the trail. */
cairn_status cairn__fold_verify(cairn__fold *fold, cairn__trail_report report, void *self);

#endif
