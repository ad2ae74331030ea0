#include "edge/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "edge/logline.h"

enum {
    TURN_ENTRIES = 256, /* folded before questions are looked at */
    IDLE_COMMIT_BYTES =
        16 * 1024 * 1024,   /* a quiet project's position follows the log so closely */
    RETRY_MS = 1000,        /* after a commit or a job that failed */
    DURABLE_MS = 30000,     /* between two times that the state is put on the disk itself */
    ASK_WAIT_MS_MAX = 5000, /* a question waits for the fold to catch up */
    PATH_BYTES_MAX = 1024
};

#define NS_PER_MS 1000000u

typedef struct turn {
    uint64_t last_commit_ms; /* monotonic */
    uint64_t retry_ms;       /* not before */
    uint64_t job_retry_ms;   /* after a job that failed: plan none before */
    uint64_t durable_ms;     /* when the state was last put on the disk */
    bool dirty;
    bool failing;
    bool listening; /* to events as they are folded */
} turn;

static uint64_t mono_ms(void) {
    return uv_hrtime() / NS_PER_MS;
}

/* --- folding ---------------------------------------------------------------------------------- */

static void update_stats(cairn__folder *folder) {
    cairn__fold_stats sum = { 0 };
    for (size_t i = 0; i < folder->project_count; i++) {
        cairn__fold_stats one;
        cairn__fold_stats_of(folder->projects[i].fold, &one);
        sum.events += one.events;
        sum.duplicates += one.duplicates;
        sum.quarantined += one.quarantined;
        sum.persons += one.persons;
        sum.nodes += one.nodes;
        sum.merges += one.merges;
        sum.trail_bytes += one.trail_bytes;
        sum.tail_rows += one.tail_rows;
        sum.segments += one.segments;
    }
    cairn__metrics *m = folder->metrics;
    cairn__gauge(&m->events, sum.events);
    cairn__gauge(&m->duplicates, sum.duplicates);
    cairn__gauge(&m->quarantined, sum.quarantined);
    cairn__gauge(&m->persons, sum.persons);
    cairn__gauge(&m->nodes, sum.nodes);
    cairn__gauge(&m->merges, sum.merges);
    cairn__gauge(&m->trail_bytes, sum.trail_bytes);
    cairn__gauge(&m->tail_rows, sum.tail_rows);
    cairn__gauge(&m->segments, sum.segments);
}

/* False: nothing of this project was committed; it is tried again. */
static bool commit_project(cairn__folder *folder, cairn__folder_project *project) {
    cairn__fold_problem problem;
    problem.text[0] = 0;
    cairn_status status = cairn__fold_commit(project->fold, folder->position, &problem);
    if (status == CAIRN_OK) {
        project->dirty = false;
        return true;
    }
    cairn__count(&folder->metrics->fold_failures, 1);
    cairn__logline("error", "fold_commit_failed", problem.text);
    return false;
}

static bool is_due(const cairn__folder *folder, const cairn__folder_project *project, bool all) {
    uint64_t behind = folder->position - cairn__fold_position(project->fold);
    return project->dirty || behind > IDLE_COMMIT_BYTES || (all && behind > 0);
}

static bool commit_all(cairn__folder *folder, turn *t, bool all) {
    bool good = true;
    for (size_t i = 0; i < folder->project_count; i++) {
        if (is_due(folder, &folder->projects[i], all)) {
            good = commit_project(folder, &folder->projects[i]) && good;
        }
    }
    uint64_t committed = folder->position;
    for (size_t i = 0; i < folder->project_count && !good; i++) {
        uint64_t one = cairn__fold_position(folder->projects[i].fold);
        committed = one < committed ? one : committed;
    }
    t->last_commit_ms = mono_ms();
    t->retry_ms = good ? 0 : t->last_commit_ms + RETRY_MS;
    t->dirty = !good;
    t->failing = !good;
    cairn__gauge(&folder->metrics->folded_position, committed);
    /* what a quiet project has not committed it has not seen, either: trimming waits for it */
    for (size_t i = 0; i < folder->project_count; i++) {
        uint64_t one = cairn__fold_position(folder->projects[i].fold);
        committed = one < committed ? one : committed;
    }
    folder->committed = committed;
    update_stats(folder);
    return good;
}

/* False: the entry is not done and must come again. */
static bool fold_into(cairn__folder *folder, size_t index, const cairn__log_entry *entry, turn *t) {
    cairn__folder_project *project = &folder->projects[index];
    cairn_status status = cairn__fold_entry(project->fold, entry);
    if (status == CAIRN_OK) {
        project->dirty = true;
        t->dirty = true;
        return true;
    }
    cairn__logline("error", "fold_failed",
                   status == CAIRN_NO_MEMORY ? "no memory for an entry; it is tried again"
                                             : "the state cannot be read; it is tried again");
    return false;
}

static bool fold_entry(cairn__folder *folder, const cairn__log_entry *entry, turn *t) {
    bool to_all = entry->type == CAIRN__LOG_TICK;
    for (size_t i = 0; i < folder->project_count; i++) {
        bool its_own = cairn__span_equal(cairn__span_of(folder->projects[i].name), entry->project);
        bool seen = entry->position < cairn__fold_position(folder->projects[i].fold);
        if ((to_all || its_own) && !seen && !fold_into(folder, i, entry, t)) {
            return false;
        }
    }
    return true;
}

/* The reader stands behind an entry that was not done: stand before it again. */
static void step_back(cairn__folder *folder, turn *t) {
    cairn__log_reader *reader = NULL;
    char path[PATH_BYTES_MAX];
    t->retry_ms = mono_ms() + RETRY_MS;
    (void)snprintf(path, sizeof path, "%s/log", folder->data_dir);
    cairn_status status =
        cairn__log_reader_open(&folder->files, path, folder->position, cairn__heap(), &reader);
    if (status == CAIRN_OK) {
        cairn__log_reader_close(folder->reader);
        folder->reader = reader;
    } else {
        atomic_store(&folder->damaged, true);
    }
    (void)commit_all(folder, t, false);
    t->retry_ms = mono_ms() + RETRY_MS;
}

/* Some entries; true when there may be more at once. */
static bool fold_some(cairn__folder *folder, uint64_t limit, turn *t) {
    for (size_t i = 0; i < TURN_ENTRIES; i++) {
        cairn__log_entry entry;
        cairn__log_problem problem;
        problem.text[0] = 0;
        cairn_status status = cairn__log_read(folder->reader, limit, &entry, &problem);
        if (status == CAIRN_NOT_FOUND) {
            return false;
        }
        if (status != CAIRN_OK) {
            atomic_store(&folder->damaged, true);
            cairn__logline("error", "log_damaged", problem.text);
            return false;
        }
        if (!fold_entry(folder, &entry, t)) {
            step_back(folder, t);
            return false;
        }
        folder->position = entry.end;
    }
    return true;
}

/* --- questions -------------------------------------------------------------------------------- */

static void answer(cairn__folder *folder, cairn__ask *ask) {
    cairn__fold *fold = folder->projects[ask->project].fold;
    if (ask->kind == CAIRN__ASK_VIEW) {
        ask->view = cairn__fold_view_take(fold);
        ask->status = ask->view == NULL ? CAIRN_NO_MEMORY : CAIRN_OK;
    } else if (ask->kind == CAIRN__ASK_KNOWN) {
        ask->late = ask->until > folder->position;
        ask->status = cairn__fold_know(fold, &ask->who, &ask->known);
    } else {
        ask->status = cairn__fold_person(fold, ask->id, &ask->json);
    }
}

static void give_back(cairn__folder *folder, cairn__ask *ask) {
    uv_mutex_lock(&folder->mutex);
    ask->next = folder->answered;
    folder->answered = ask;
    uv_mutex_unlock(&folder->mutex);
    (void)uv_async_send(&folder->answers);
}

static cairn__ask *take_asked(cairn__folder *folder) {
    uv_mutex_lock(&folder->mutex);
    cairn__ask *ask = folder->asked_first;
    folder->asked_first = NULL;
    folder->asked_last = NULL;
    uv_mutex_unlock(&folder->mutex);
    return ask;
}

/* The first one whose time has come: all that was acknowledged before it was asked is folded. When
 * folding cannot go on, or does not catch up in time, it is answered from what there is. */
static cairn__ask *take_ready(cairn__folder *folder, const turn *t) {
    uint64_t now = mono_ms();
    bool folding = !atomic_load(&folder->damaged) && t->retry_ms <= now;
    uv_mutex_lock(&folder->mutex);
    cairn__ask *ask = folder->asked_first;
    bool early = ask != NULL && folding && !folder->stopping && ask->until > folder->position &&
                 now < ask->asked_ms + ASK_WAIT_MS_MAX;
    if (ask != NULL && !early) {
        folder->asked_first = ask->next;
    }
    uv_mutex_unlock(&folder->mutex);
    return early ? NULL : ask;
}

static void answer_asked(cairn__folder *folder, const turn *t) {
    for (cairn__ask *ask = take_ready(folder, t); ask != NULL; ask = take_ready(folder, t)) {
        answer(folder, ask);
        give_back(folder, ask);
    }
}

static void on_answers(uv_async_t *async) {
    cairn__folder *folder = async->data;
    uv_mutex_lock(&folder->mutex);
    cairn__ask *ask = folder->answered;
    folder->answered = NULL;
    uv_mutex_unlock(&folder->mutex);
    while (ask != NULL) {
        cairn__ask *next = ask->next;
        ask->done(ask);
        ask = next;
    }
}

/* --- flush and compaction --------------------------------------------------------------------- */

static void run_jobs(void *self) {
    (void)prctl(PR_SET_NAME, "cairn-job"); /* as top and the bench show it */
    cairn__folder *folder = self;
    uv_mutex_lock(&folder->mutex);
    for (;;) {
        while (!folder->job_given && !folder->job_stopping) {
            uv_cond_wait(&folder->job_wake, &folder->mutex);
        }
        if (!folder->job_given) {
            break;
        }
        uv_mutex_unlock(&folder->mutex);
        cairn_status status = cairn__trail_job_run(folder->job);
        if (status != CAIRN_OK) {
            cairn__logline("error", "trail_job_failed", "flush or compaction; it is planned again");
        }
        uv_mutex_lock(&folder->mutex);
        folder->job_failed = status != CAIRN_OK;
        folder->job_given = false;
        folder->job_done = true;
        uv_cond_signal(&folder->wake);
    }
    uv_mutex_unlock(&folder->mutex);
}

static void plan_job(cairn__folder *folder) {
    for (size_t i = 0; i < folder->project_count; i++) {
        cairn__trail_job *job = cairn__fold_job_plan(folder->projects[i].fold);
        if (job != NULL) {
            uv_mutex_lock(&folder->mutex);
            folder->job = job;
            folder->job_project = i;
            folder->job_given = true;
            uv_cond_signal(&folder->job_wake);
            uv_mutex_unlock(&folder->mutex);
            return;
        }
    }
}

/* Take a finished job in, and plan the next. */
static void turn_jobs(cairn__folder *folder, turn *t, bool may_plan) {
    uv_mutex_lock(&folder->mutex);
    bool done = folder->job_done;
    bool failed = folder->job_failed;
    bool idle = !folder->job_given && !folder->job_done;
    uv_mutex_unlock(&folder->mutex);
    if (done) {
        cairn__folder_project *project = &folder->projects[folder->job_project];
        if (cairn__fold_job_finish(project->fold, folder->job) != CAIRN_OK) {
            cairn__logline("error", "trail_job_failed", "its result could not be taken in");
        }
        project->dirty = true;
        t->dirty = true;
        uv_mutex_lock(&folder->mutex);
        folder->job = NULL;
        folder->job_done = false;
        uv_mutex_unlock(&folder->mutex);
        failed = !commit_project(folder, project) || failed;
        t->job_retry_ms = failed ? mono_ms() + RETRY_MS : 0;
    } else if (idle && may_plan && t->job_retry_ms <= mono_ms()) {
        plan_job(folder);
    }
}

/* The log may be trimmed up to what even a power cut leaves of the state. */
static void turn_durable(cairn__folder *folder, turn *t) {
    uint64_t now = mono_ms();
    if (now < t->durable_ms + DURABLE_MS || folder->committed == atomic_load(&folder->durable)) {
        return;
    }
    bool good = true;
    for (size_t i = 0; i < folder->project_count; i++) {
        good = cairn__fold_make_durable(folder->projects[i].fold) && good;
    }
    t->durable_ms = now;
    if (good) {
        atomic_store(&folder->durable, folder->committed);
    }
}

/* Lines for the live view are made only while somebody watches. */
static void turn_listening(cairn__folder *folder, turn *t) {
    bool wanted = atomic_load(folder->listen);
    for (size_t i = 0; i < folder->project_count && wanted != t->listening; i++) {
        cairn__fold_listen(folder->projects[i].fold, wanted);
    }
    t->listening = wanted;
}

/* --- the thread ------------------------------------------------------------------------------- */

/* Sleep until there is something to do. */
static void rest(cairn__folder *folder, const turn *t) {
    uint64_t interval = atomic_load(&folder->commit_interval_ms);
    uint64_t now = mono_ms();
    uint64_t due = t->dirty ? t->last_commit_ms + interval : UINT64_MAX;
    due = t->retry_ms > now ? t->retry_ms : due;
    uv_mutex_lock(&folder->mutex);
    bool entries =
        folder->limit > folder->position && !atomic_load(&folder->damaged) && t->retry_ms <= now;
    bool quiet = folder->asked_first == NULL && !folder->stopping && !folder->job_done && !entries;
    if (quiet && due == UINT64_MAX) {
        uv_cond_wait(&folder->wake, &folder->mutex);
    } else if (quiet && due > now) {
        (void)uv_cond_timedwait(&folder->wake, &folder->mutex, (due - now) * NS_PER_MS);
    }
    uv_mutex_unlock(&folder->mutex);
}

static void fold_log(void *self) {
    (void)prctl(PR_SET_NAME, "cairn-fold"); /* as top and the bench show it */
    cairn__folder *folder = self;
    turn t = { .last_commit_ms = mono_ms(), .listening = true };
    update_stats(folder);
    for (;;) {
        uv_mutex_lock(&folder->mutex);
        uint64_t limit = folder->limit;
        bool stopping = folder->stopping;
        uint64_t stop_by_ms = folder->stop_by_ms;
        uv_mutex_unlock(&folder->mutex);
        turn_listening(folder, &t);
        uint64_t now = mono_ms();
        bool may_fold = t.retry_ms <= now && !atomic_load(&folder->damaged);
        bool more = may_fold && fold_some(folder, limit, &t);
        answer_asked(folder, &t);
        now = mono_ms();
        bool due = now >= t.last_commit_ms + atomic_load(&folder->commit_interval_ms);
        if (t.dirty && t.retry_ms <= now && (due || (stopping && !more))) {
            (void)commit_all(folder, &t, false);
        }
        turn_jobs(folder, &t, !stopping);
        turn_durable(folder, &t);
        if (stopping && (!more || t.failing || now >= stop_by_ms)) {
            break; /* what is not folded is in the log, and is folded after the next start */
        }
        if (!more) {
            rest(folder, &t);
        }
    }
    (void)commit_all(folder, &t, true);
}

/* --- the loop's side -------------------------------------------------------------------------- */

static void on_fold_event(void *self, cairn_span json) {
    const cairn__folder_project *project = self;
    project->folder->on_event(project->folder->self, project->index, json);
}

static bool open_project(cairn__folder *folder, size_t index, char *text_out, size_t text_bytes) {
    cairn__folder_project *project = &folder->projects[index];
    char path[PATH_BYTES_MAX];
    cairn__fold_problem problem;
    (void)snprintf(path, sizeof path, "%s/projects/%s", folder->data_dir, project->name);
    char *slash = strrchr(path, '/');
    for (size_t i = 0; i < 2; i++) { /* first the parent */
        *slash = i == 0 ? '\0' : '/';
        if (folder->files.make_directory(folder->files.self, path) < 0) {
            (void)snprintf(text_out, text_bytes, "%s: cannot be made: check the data directory",
                           path);
            return false;
        }
    }
    const cairn__fold_options options = {
        .allocator = cairn__heap(), .directory = path, .on_event = on_fold_event, .self = project
    };
    problem.text[0] = 0;
    if (cairn__fold_open(&options, &project->fold, &problem) != CAIRN_OK) {
        (void)snprintf(text_out, text_bytes, "%s", problem.text);
        return false;
    }
    uint64_t position = cairn__fold_position(project->fold);
    folder->position = position < folder->position ? position : folder->position;
    return true;
}

bool cairn__folder_read(cairn__folder *folder, char *text_out, size_t text_bytes) {
    char path[PATH_BYTES_MAX];
    (void)snprintf(path, sizeof path, "%s/log", folder->data_dir);
    cairn_status status = cairn__log_reader_open(&folder->files, path, folder->position,
                                                 cairn__heap(), &folder->reader);
    if (status != CAIRN_OK) {
        (void)snprintf(text_out, text_bytes,
                       "%s: cannot be read from position %llu, where the state ends: restore the "
                       "log from a copy, or remove the folder projects to fold the log anew",
                       path, (unsigned long long)folder->position);
    }
    return status == CAIRN_OK;
}

bool cairn__folder_open(cairn__folder *folder, const cairn__config *config, char *text_out,
                        size_t text_bytes) {
    folder->data_dir = config->data_dir;
    folder->files = cairn__files_posix();
    folder->position = UINT64_MAX;
    folder->projects = calloc(config->project_count, sizeof *folder->projects);
    atomic_store(&folder->commit_interval_ms, (uint64_t)config->commit_interval_ms);
    if (folder->projects == NULL || strlen(config->data_dir) > PATH_BYTES_MAX / 2) {
        (void)snprintf(text_out, text_bytes, "data_dir: no memory, or longer than 512 bytes");
        return false;
    }
    for (size_t i = 0; i < config->project_count; i++) {
        folder->projects[i] = (cairn__folder_project){ .name = config->projects[i].name,
                                                       .folder = folder,
                                                       .index = i };
        folder->project_count = i + 1;
        if (!open_project(folder, i, text_out, text_bytes)) {
            folder->project_count = i;
            return false;
        }
    }
    return true;
}

uint64_t cairn__folder_known(const cairn__folder *folder) {
    uint64_t known = 0;
    for (size_t i = 0; i < folder->project_count; i++) {
        uint64_t one = cairn__fold_position(folder->projects[i].fold);
        known = one > known ? one : known;
    }
    return known;
}

int cairn__folder_start(cairn__folder *folder, uv_loop_t *loop) {
    int code = uv_mutex_init(&folder->mutex);
    code = code != 0 ? code : uv_cond_init(&folder->wake);
    code = code != 0 ? code : uv_cond_init(&folder->job_wake);
    code = code != 0 ? code : uv_async_init(loop, &folder->answers, on_answers);
    folder->answers.data = folder;
    code = code != 0 ? code : uv_thread_create(&folder->job_thread, run_jobs, folder);
    code = code != 0 ? code : uv_thread_create(&folder->thread, fold_log, folder);
    folder->running = code == 0;
    return code;
}

void cairn__folder_limit(cairn__folder *folder, uint64_t limit) {
    uv_mutex_lock(&folder->mutex);
    folder->limit = limit;
    uv_cond_signal(&folder->wake);
    uv_mutex_unlock(&folder->mutex);
}

void cairn__folder_ask(cairn__folder *folder, cairn__ask *ask) {
    CAIRN_ASSERT(ask->project < folder->project_count);
    ask->next = NULL;
    ask->asked_ms = mono_ms();
    uv_mutex_lock(&folder->mutex);
    ask->until = folder->limit;
    if (folder->asked_last != NULL && folder->asked_first != NULL) {
        folder->asked_last->next = ask;
    } else {
        folder->asked_first = ask;
    }
    folder->asked_last = ask;
    uv_cond_signal(&folder->wake);
    uv_mutex_unlock(&folder->mutex);
}

static void end_job_thread(cairn__folder *folder) {
    uv_mutex_lock(&folder->mutex);
    folder->job_stopping = true;
    uv_cond_signal(&folder->job_wake);
    uv_mutex_unlock(&folder->mutex);
    uv_thread_join(&folder->job_thread);
    turn t = { 0 };
    turn_jobs(folder, &t, false); /* what had begun is taken in */
}

void cairn__folder_stop(cairn__folder *folder, uint64_t fold_ms_max) {
    if (!folder->running) {
        return;
    }
    uv_mutex_lock(&folder->mutex);
    folder->stopping = true;
    folder->stop_by_ms = mono_ms() + fold_ms_max;
    uv_cond_signal(&folder->wake);
    uv_mutex_unlock(&folder->mutex);
    uv_thread_join(&folder->thread);
    end_job_thread(folder);
    for (cairn__ask *ask = take_asked(folder), *next = NULL; ask != NULL; ask = next) {
        next = ask->next;
        ask->status = CAIRN_CLOSED;
        give_back(folder, ask);
    }
    on_answers(&folder->answers);
    uv_close((uv_handle_t *)&folder->answers, NULL);
    uv_cond_destroy(&folder->wake);
    uv_cond_destroy(&folder->job_wake);
    uv_mutex_destroy(&folder->mutex);
    folder->running = false;
}

void cairn__folder_close(cairn__folder *folder) {
    for (size_t i = 0; i < folder->project_count; i++) {
        cairn__fold_close(folder->projects[i].fold);
    }
    if (folder->reader != NULL) {
        cairn__log_reader_close(folder->reader);
    }
    free(folder->projects);
    folder->projects = NULL;
    folder->project_count = 0;
}
