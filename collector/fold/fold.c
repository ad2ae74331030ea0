/* fold.c: opening, entries, commits. */
#include "fold/fold.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "fold/state.h"

#define SCRATCH_BYTES_MAX ((size_t)256 * 1024 * 1024)

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS fold_progress(id INTEGER PRIMARY KEY CHECK(id = 1),"
    " format INTEGER NOT NULL, position INTEGER NOT NULL, done INTEGER NOT NULL,"
    " events INTEGER NOT NULL, duplicates INTEGER NOT NULL, quarantined INTEGER NOT NULL);";

static cairn_status explain(cairn__fold_problem *problem_out, cairn_status status,
                            const char *text) {
    (void)snprintf(problem_out->text, sizeof problem_out->text, "%.250s", text);
    return status;
}

/* --- opening ------------------------------------------------------------------------------- */

static cairn_status read_progress(cairn__fold *fold, cairn__db_problem *problem_out) {
    sqlite3_stmt *select = cairn__db_prepare(
        fold->db,
        "SELECT format, position, done, events, duplicates, quarantined FROM fold_progress",
        problem_out);
    if (select == NULL) {
        return CAIRN_STORAGE;
    }
    cairn_status status = CAIRN_OK;
    int result = sqlite3_step(select);
    if (result == SQLITE_ROW && sqlite3_column_int64(select, 0) > CAIRN__FOLD_FORMAT) {
        (void)snprintf(problem_out->text, sizeof problem_out->text,
                       "%.160s: written by a newer version (format %lld); use that one",
                       fold->db_path, (long long)sqlite3_column_int64(select, 0));
        status = CAIRN_UNSUPPORTED;
    } else if (result == SQLITE_ROW) {
        fold->progress = (cairn__fold_progress){
            .position = (uint64_t)sqlite3_column_int64(select, 1),
            .done = (uint64_t)sqlite3_column_int64(select, 2),
            .events = (uint64_t)sqlite3_column_int64(select, 3),
            .duplicates = (uint64_t)sqlite3_column_int64(select, 4),
            .quarantined = (uint64_t)sqlite3_column_int64(select, 5),
        };
        fold->committed_position = fold->progress.position;
    } else if (result != SQLITE_DONE) {
        status = CAIRN_STORAGE;
    }
    sqlite3_finalize(select);
    return status;
}

static cairn_status open_rooms(cairn__fold *fold, cairn__db_problem *problem_out) {
    cairn_allocator heap = fold->options.allocator;
    cairn_status status = cairn__identity_open(fold->db, heap, &fold->identity, problem_out);
    if (status == CAIRN_OK) {
        status = cairn__profile_open(fold->db, heap, &fold->profile, problem_out);
    }
    if (status == CAIRN_OK) {
        status = cairn__dedupe_open(&fold->dedupe, fold->db, heap, problem_out);
    }
    if (status == CAIRN_OK) {
        status = cairn__quarantine_open(&fold->quarantine, fold->db, heap, problem_out);
    }
    if (status == CAIRN_OK) {
        status = cairn__ledger_open(&fold->ledger, fold->db, heap, problem_out);
    }
    if (status != CAIRN_OK) {
        return status;
    }
    char trail[CAIRN__FOLD_PATH_BYTES];
    (void)snprintf(trail, sizeof trail, "%s/trail", fold->options.directory);
    cairn__trail_options options = { .allocator = heap,
                                     .directory = trail,
                                     .tail_rows_max = fold->options.tail_rows_max };
    cairn__trail_problem trail_problem = { "" };
    status = cairn__trail_open(fold->db, &options, &fold->trail, &trail_problem);
    if (status != CAIRN_OK) {
        memcpy(problem_out->text, trail_problem.text, sizeof problem_out->text);
    }
    return status;
}

static cairn_status open_all(cairn__fold *fold, cairn__db_problem *problem_out) {
    cairn_status status = cairn__db_open(fold->db_path, &fold->db, problem_out);
    if (status == CAIRN_OK) {
        status = cairn__db_run(fold->db, tables, problem_out);
    }
    if (status == CAIRN_OK) {
        status = read_progress(fold, problem_out);
    }
    if (status == CAIRN_OK) {
        fold->put_progress = cairn__db_prepare(
            fold->db, "INSERT OR REPLACE INTO fold_progress VALUES(1, ?, ?, ?, ?, ?, ?)",
            problem_out);
        status = fold->put_progress == NULL ? CAIRN_STORAGE : open_rooms(fold, problem_out);
    }
    return status;
}

cairn_status cairn__fold_open(const cairn__fold_options *options, cairn__fold **fold_out,
                              cairn__fold_problem *problem_out) {
    *fold_out = NULL;
    cairn_allocator heap = options->allocator;
    cairn__fold *fold = heap.resize(heap.self, NULL, 0, sizeof *fold);
    if (fold == NULL) {
        return explain(problem_out, CAIRN_NO_MEMORY, "no memory for a project's state");
    }
    *fold = (cairn__fold){ .options = *options, .listening = options->on_event != NULL };
    fold->scratch = cairn__arena_make(heap, SCRATCH_BYTES_MAX);
    int len = snprintf(fold->db_path, sizeof fold->db_path, "%s/state.db", options->directory);
    if (len < 0 || (size_t)len + sizeof "trail" >= sizeof fold->db_path) {
        cairn__fold_close(fold);
        return explain(problem_out, CAIRN_INVALID, "the data directory's name is too long");
    }
    cairn__db_problem problem = { "" };
    cairn_status status = open_all(fold, &problem);
    if (status != CAIRN_OK) {
        (void)explain(problem_out, status, problem.text);
        cairn__fold_close(fold);
        return status;
    }
    *fold_out = fold;
    return CAIRN_OK;
}

void cairn__fold_close(cairn__fold *fold) {
    if (fold == NULL) {
        return;
    }
    cairn__trail_close(fold->trail);
    cairn__identity_close(fold->identity);
    cairn__profile_close(fold->profile);
    if (fold->dedupe.allocator.resize != NULL) {
        cairn__dedupe_close(&fold->dedupe);
    }
    if (fold->quarantine.allocator.resize != NULL) {
        cairn__quarantine_close(&fold->quarantine);
    }
    if (fold->ledger.allocator.resize != NULL) {
        cairn__ledger_close(&fold->ledger);
    }
    sqlite3_finalize(fold->put_progress);
    sqlite3_close(fold->db);
    cairn__arena_free(&fold->scratch);
    cairn_allocator heap = fold->options.allocator;
    (void)heap.resize(heap.self, fold, sizeof *fold, 0);
}

uint64_t cairn__fold_position(const cairn__fold *fold) {
    return fold->committed_position;
}

void cairn__fold_listen(cairn__fold *fold, bool on) {
    fold->listening = on && fold->options.on_event != NULL;
}

/* --- entries ------------------------------------------------------------------------------- */

cairn_status cairn__fold_set_aside(cairn__fold *fold, const cairn__folding *folding,
                                   const cairn__event_fault *fault) {
    cairn_status status = cairn__quarantine_add(
        &fold->quarantine, &(cairn__quarantined){ folding->order, folding->received_ms, *fault,
                                                  folding->in->original });
    fold->progress.quarantined += status == CAIRN_OK;
    return status;
}

static cairn_status fold_event(cairn__fold *fold, cairn__folding *folding) {
    const cairn__ingest_event *in = folding->in;
    cairn__source *source = folding->source;
    bool numbered = source != NULL && in->event.seq != 0;
    if (numbered && cairn__source_seen(source, in->event.seq)) {
        fold->progress.duplicates++;
        return CAIRN_OK;
    }
    folding->time_ms = in->event.time_ms;
    if (source != NULL) {
        folding->time_ms = cairn__source_correct(source, in->event.time_ms);
    }
    cairn_status status = in->fault.code != NULL ? cairn__fold_set_aside(fold, folding, &in->fault)
                                                 : cairn__fold_apply(fold, folding);
    if (status == CAIRN_OK && numbered) {
        status = cairn__dedupe_mark(&fold->dedupe, source, in->event.seq);
    }
    return status;
}

static cairn_status fold_batch(cairn__fold *fold, const cairn__log_entry *entry,
                               const cairn__ingest_batch *batch) {
    cairn__folding folding = { .batch = batch, .received_ms = entry->received_ms };
    if (batch->source.len != 0) {
        cairn_status status =
            cairn__dedupe_get(&fold->dedupe, batch->device_source, batch->source, &folding.source);
        if (status != CAIRN_OK) {
            return status;
        }
        cairn__dedupe_clock(&fold->dedupe, folding.source, batch->sent_ms, entry->received_ms);
    }
    while (fold->progress.done < batch->event_count) {
        uint64_t index = fold->progress.done;
        folding.in = &batch->events[index];
        folding.order = entry->position << CAIRN__ORDER_SHIFT | index;
        cairn_status status = fold_event(fold, &folding);
        if (status != CAIRN_OK) {
            return status;
        }
        fold->progress.done++;
    }
    return CAIRN_OK;
}

static cairn_status read_batch(cairn__fold *fold, const cairn__log_entry *entry,
                               cairn__ingest_batch *batch_out) {
    cairn__ingest_problem problem;
    if (entry->type == CAIRN__LOG_SYNC) {
        return cairn__ingest_sync(entry->payload, &fold->scratch, batch_out, &problem);
    }
    cairn__ingest_json json = { .received_ms = entry->received_ms };
    cairn_status status =
        cairn__ingest_events_unpack(entry->payload, &json.idempotency_key, &json.body);
    if (status == CAIRN_OK) {
        status = cairn__ingest_events(&json, &fold->scratch, batch_out, &problem);
    }
    return status;
}

/* An entry that was accepted and cannot be read (by another version, say) is kept whole. */
static cairn_status set_entry_aside(cairn__fold *fold, const cairn__log_entry *entry) {
    static const cairn__event_fault fault = { "entry_unreadable", "",
                                              "replay it with the version that accepted it" };
    fold->progress.quarantined++;
    return cairn__quarantine_add(
        &fold->quarantine, &(cairn__quarantined){ entry->position << CAIRN__ORDER_SHIFT,
                                                  entry->received_ms, fault, entry->payload });
}

cairn_status cairn__fold_entry(cairn__fold *fold, const cairn__log_entry *entry) {
    if (entry->position < fold->progress.position) {
        return CAIRN_OK;
    }
    if (entry->position > fold->progress.position) {
        fold->progress.position = entry->position;
        fold->progress.done = 0;
    }
    fold->now_ms = entry->received_ms;
    cairn_status status = CAIRN_OK;
    if (entry->type == CAIRN__LOG_SYNC || entry->type == CAIRN__LOG_EVENTS) {
        fold->dirty = true;
        cairn__arena_reset(&fold->scratch);
        cairn__ingest_batch batch;
        status = read_batch(fold, entry, &batch);
        if (status == CAIRN_OK) {
            status = fold_batch(fold, entry, &batch);
        } else if (status == CAIRN_INVALID) {
            status = set_entry_aside(fold, entry);
        }
    }
    if (status == CAIRN_OK) {
        fold->progress.position = entry->end;
        fold->progress.done = 0;
    }
    return status;
}

/* --- commits ------------------------------------------------------------------------------- */

static cairn_status write_progress(cairn__fold *fold) {
    sqlite3_bind_int64(fold->put_progress, 1, CAIRN__FOLD_FORMAT);
    sqlite3_bind_int64(fold->put_progress, 2, (int64_t)fold->progress.position);
    sqlite3_bind_int64(fold->put_progress, 3, (int64_t)fold->progress.done);
    sqlite3_bind_int64(fold->put_progress, 4, (int64_t)fold->progress.events);
    sqlite3_bind_int64(fold->put_progress, 5, (int64_t)fold->progress.duplicates);
    sqlite3_bind_int64(fold->put_progress, 6, (int64_t)fold->progress.quarantined);
    return cairn__db_done(fold->put_progress);
}

static cairn_status write_all(cairn__fold *fold) {
    cairn_status status = cairn__identity_commit(fold->identity);
    if (status == CAIRN_OK) {
        status = cairn__profile_commit(fold->profile);
    }
    if (status == CAIRN_OK) {
        status = cairn__dedupe_commit(&fold->dedupe, fold->now_ms);
    }
    if (status == CAIRN_OK) {
        status = cairn__quarantine_commit(&fold->quarantine);
    }
    if (status == CAIRN_OK) {
        status = cairn__ledger_commit(&fold->ledger);
    }
    if (status == CAIRN_OK && fold->job != NULL) {
        status = cairn__trail_job_finish(fold->trail, fold->job);
        fold->job = NULL;
    }
    if (status == CAIRN_OK) {
        status = cairn__trail_commit(fold->trail);
    }
    return status == CAIRN_OK ? write_progress(fold) : status;
}

cairn_status cairn__fold_commit(cairn__fold *fold, uint64_t position,
                                cairn__fold_problem *problem_out) {
    if (position > fold->progress.position && fold->progress.done == 0) {
        fold->progress.position = position;
    }
    cairn__db_problem problem = { "" };
    cairn_status status = cairn__db_run(fold->db, "BEGIN IMMEDIATE", &problem);
    if (status != CAIRN_OK) {
        return explain(problem_out, status, problem.text);
    }
    status = write_all(fold);
    if (status == CAIRN_OK) {
        status = cairn__db_run(fold->db, "COMMIT", &problem);
    } else {
        (void)snprintf(problem.text, sizeof problem.text, "%.160s: %.60s", fold->db_path,
                       sqlite3_errmsg(fold->db));
    }
    bool ok = status == CAIRN_OK;
    if (!ok && sqlite3_get_autocommit(fold->db) == 0) {
        (void)cairn__db_run(fold->db, "ROLLBACK", NULL);
    }
    cairn__trail_committed(fold->trail, ok);
    cairn__identity_committed(fold->identity, ok);
    cairn__profile_committed(fold->profile, ok);
    if (!ok) {
        return explain(problem_out, status, problem.text);
    }
    cairn__dedupe_committed(&fold->dedupe);
    cairn__quarantine_committed(&fold->quarantine);
    cairn__ledger_committed(&fold->ledger);
    fold->committed_position = fold->progress.position;
    fold->dirty = false;
    return CAIRN_OK;
}

bool cairn__fold_make_durable(cairn__fold *fold) {
    int frames = 0;
    int moved = 0;
    int result =
        sqlite3_wal_checkpoint_v2(fold->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);
    return result == SQLITE_OK && frames == moved;
}

cairn__trail_job *cairn__fold_job_plan(cairn__fold *fold) {
    return cairn__trail_job_plan(fold->trail);
}

cairn_status cairn__fold_job_finish(cairn__fold *fold, cairn__trail_job *job) {
    CAIRN_ASSERT(fold->job == NULL);
    fold->job = job;
    fold->dirty = true;
    return CAIRN_OK;
}

/* --- looking ------------------------------------------------------------------------------- */

void cairn__fold_stats_of(const cairn__fold *fold, cairn__fold_stats *stats_out) {
    cairn__identity_stats identity;
    cairn__trail_stats trail;
    cairn__identity_stats_of(fold->identity, &identity);
    cairn__trail_stats_of(fold->trail, &trail);
    *stats_out = (cairn__fold_stats){
        .events = fold->progress.events,
        .duplicates = fold->progress.duplicates,
        .quarantined = fold->progress.quarantined,
        .persons = identity.persons,
        .nodes = identity.nodes,
        .merges = identity.merges,
        .trail_rows = trail.rows,
        .trail_bytes = trail.bytes,
        .tail_rows = trail.tail_rows,
        .segments = trail.segments,
        .position = fold->committed_position,
    };
}

cairn_status cairn__fold_verify(cairn__fold *fold, cairn__trail_report report, void *self) {
    sqlite3_stmt *check = cairn__db_prepare(fold->db, "PRAGMA integrity_check(20)", NULL);
    bool sound = check != NULL;
    while (check != NULL && sqlite3_step(check) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(check, 0);
        if (line == NULL || strcmp(line, "ok") != 0) {
            sound = false;
            report(self, line == NULL ? "state.db: no memory to check it" : line);
        }
    }
    sqlite3_finalize(check);
    sound &= cairn__identity_verify(fold->identity, report, self) == CAIRN_OK;
    sound &= cairn__profile_verify(fold->profile, report, self) == CAIRN_OK;
    sound &= cairn__trail_verify(fold->trail, report, self) == CAIRN_OK;
    return sound ? CAIRN_OK : CAIRN_STORAGE;
}
