/* posix.c: cairn_posix.h. One mutex protects the client and the list of file operations; the thread
 * lets go of it while it waits for the disk and the network. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "cairn/cairn_posix.h"
#include "port/posix/beside.h"
#include "port/posix/files.h"
#include "port/posix/http.h"
#include "port/posix/zone.h"

enum {
    FLUSH_INTERVAL_MS = 2000,
    TICK_MS = 20,
    REQUEST_MS_MAX = 15000,
    IDLE_MS = 60 * 1000, /* longest sleep; calls wake the thread */
    POPUP_BYTES_MAX = 256 * 1024,
    RANDOM_BYTES_MAX = 256 /* getrandom gives so many whole */
};

struct cairn_posix {
    pthread_mutex_t mutex;
    pthread_cond_t progress; /* something was kept or acknowledged */
    pthread_t thread;
    cairn_client *client;
    cairn__files files;
    cairn__http *http;
    cairn_posix_popups popups;
    cairn__buffer popup; /* heard, and not told yet */
    int64_t tick_ms;
    int64_t committed_ms; /* when the last round of file operations began */
    bool awake;           /* the thread will look at what waits before it sleeps */
    bool stopping;
    cairn__beside beside; /* wants NULL: nothing */
};

/* --- clock and random --------------------------------------------------------------------------*/

static int64_t clock_ms(clockid_t which) {
    struct timespec now;
    (void)clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t wall_ms(void *self) {
    (void)self;
    return clock_ms(CLOCK_REALTIME);
}

static int64_t mono_ms(void *self) {
    (void)self;
    return clock_ms(CLOCK_MONOTONIC);
}

static bool try_random(uint8_t *bytes, size_t len) {
    ssize_t got = 0;
    do {
        got = getrandom(bytes, len, 0);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)len;
}

static void fill_random(void *self, uint8_t *bytes, size_t len) {
    (void)self;
    while (len > 0) {
        size_t part = len < RANDOM_BYTES_MAX ? len : RANDOM_BYTES_MAX;
        bool filled = try_random(bytes, part);
        CAIRN_ASSERT(filled); /* open() has seen that it works */
        bytes += part;
        len -= part;
    }
}

/* --- the thread --------------------------------------------------------------------------------*/

/* Do the file operations that wait, unless the last round was a moment ago; the wait until then. */
static int64_t commit(cairn_posix *app) {
    if (!cairn__files_wait(&app->files)) {
        return IDLE_MS;
    }
    int64_t left_ms = app->committed_ms + app->tick_ms - mono_ms(NULL);
    if (left_ms > 0 && !app->stopping) {
        return left_ms;
    }
    app->committed_ms = mono_ms(NULL);
    cairn__files_ops ops = cairn__files_take(&app->files);
    (void)pthread_mutex_unlock(&app->mutex);
    cairn__files_perform(&app->files, &ops);
    (void)pthread_mutex_lock(&app->mutex);
    cairn__files_answer(&app->files, &ops, app->client);
    (void)pthread_cond_broadcast(&app->progress);
    return 0;
}

static bool exchange(cairn_posix *app) {
    cairn__http_result result;
    (void)pthread_mutex_unlock(&app->mutex);
    bool ended = cairn__http_run(app->http, &result);
    (void)pthread_mutex_lock(&app->mutex);
    if (ended) {
        cairn_http_done(app->client, result.ticket, result.status, result.retry_after_ms,
                        result.body);
        (void)pthread_cond_broadcast(&app->progress);
    }
    return ended;
}

static void heard_popup(void *self, cairn_span json) {
    cairn_posix *app = self;
    cairn__buffer_clear(&app->popup);
    cairn__buffer_append(&app->popup, json);
}

/* cairn__files_purged knows nothing of this file. */
static void heard_purged(void *self) {
    cairn__files_purged(&((cairn_posix *)self)->files);
}

/* Without the mutex, so that whoever hears it may call. One popup is open at a time. */
static void tell_popup(cairn_posix *app) {
    cairn__buffer told = app->popup;
    if (told.len == 0) {
        return;
    }
    app->popup = cairn__buffer_make(cairn__heap(), POPUP_BYTES_MAX);
    (void)pthread_mutex_unlock(&app->mutex);
    if (app->popups.show != NULL) {
        app->popups.show(app->popups.self, cairn__buffer_span(&told));
    }
    (void)pthread_mutex_lock(&app->mutex);
    cairn__buffer_free(&told);
}

/* What another library does beside, without the mutex; false: nothing. */
static bool work_beside(cairn_posix *app) {
    const cairn__beside *beside = &app->beside;
    if (beside->wants == NULL || !beside->wants(beside->self, app->client)) {
        return false;
    }
    (void)pthread_mutex_unlock(&app->mutex);
    beside->work(beside->self);
    (void)pthread_mutex_lock(&app->mutex);
    return true;
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static void *run(void *self) {
    cairn_posix *app = self;
    (void)pthread_mutex_lock(&app->mutex);
    while (!app->stopping || cairn__files_wait(&app->files)) {
        int64_t wait_ms = commit(app);
        int64_t due_ms = cairn_pump(app->client);
        tell_popup(app);
        wait_ms = due_ms >= 0 ? least(wait_ms, due_ms) : wait_ms;
        wait_ms = cairn__files_wait(&app->files) ? least(wait_ms, app->tick_ms) : wait_ms;
        bool worked = work_beside(app);
        if (exchange(app) || worked || wait_ms <= 0 || app->stopping) {
            continue;
        }
        /* while only the tick is waited for, calls need not wake the thread */
        app->awake = cairn__files_wait(&app->files);
        (void)pthread_mutex_unlock(&app->mutex);
        cairn__http_wait(app->http, wait_ms);
        (void)pthread_mutex_lock(&app->mutex);
        app->awake = true;
    }
    (void)pthread_mutex_unlock(&app->mutex);
    return NULL;
}

/* --- opening and closing -----------------------------------------------------------------------*/

static cairn_span text_or(const char *text, cairn_span otherwise) {
    return text == NULL ? otherwise : cairn__span_of(text);
}

/* A system that does not say where it is: the project's zone, as if nothing had been set. */
static void set_system_zone(cairn_client *client) {
    cairn__buffer name = cairn__buffer_make(cairn__heap(), CAIRN__SYSTEM_ZONE_NAME_BYTES_MAX);
    cairn__buffer tzif = cairn__buffer_make(cairn__heap(), CAIRN__SYSTEM_ZONE_BYTES_MAX);
    const cairn_span none = { NULL, 0 };
    bool told =
        cairn__system_zone(&name, &tzif) &&
        cairn_set_zone(client, cairn__buffer_span(&name), cairn__buffer_span(&tzif)) == CAIRN_OK;
    if (!told) {
        (void)cairn_set_zone(client, none, none);
    }
    cairn__buffer_free(&name);
    cairn__buffer_free(&tzif);
}

static cairn_status open_client(cairn_posix *app, const cairn_posix_options *options) {
    const cairn_options own = {
        .project_key = cairn__span_of(options->project_key),
        .sdk_name = text_or(options->sdk_name, CAIRN_STR("cairn-posix")),
        .sdk_version = text_or(options->sdk_version, CAIRN_STR(CAIRN_VERSION)),
        .platform = text_or(options->platform, CAIRN_STR("posix")),
        .flush_interval_ms =
            options->flush_interval_ms == 0 ? FLUSH_INTERVAL_MS : options->flush_interval_ms,
        .queue_events_max = options->queue_events_max,
        .queue_bytes_max = options->queue_bytes_max,
        .decide = options->decide,
        .consent = options->consent,
        .privacy = options->privacy,
    };
    const cairn_platform platform = {
        .clock = { wall_ms, mono_ms, NULL },
        .random = { fill_random, NULL },
        .storage = cairn__files_seam(&app->files),
        .transport = cairn__http_seam(app->http),
        .listener = { .self = app, .popup = heard_popup, .purged = heard_purged }
    };
    cairn_status status = cairn_open(&own, &platform, &app->client);
    if (status == CAIRN_OK) {
        status = cairn__files_restore(&app->files, app->client);
    }
    status = status == CAIRN_OK ? cairn_start(app->client) : status;
    if (status == CAIRN_OK && options->decide.key_count > 0) {
        set_system_zone(app->client);
    }
    return status;
}

static bool make_locks(cairn_posix *app) {
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    bool made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_mutex_init(&app->mutex, NULL) == 0;
    if (made && pthread_cond_init(&app->progress, &attributes) != 0) {
        (void)pthread_mutex_destroy(&app->mutex);
        made = false;
    }
    (void)pthread_condattr_destroy(&attributes);
    return made;
}

/* The thread takes no signals: they are the application's. */
static bool start_thread(cairn_posix *app) {
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&app->thread, NULL, run, app) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void free_app(cairn_posix *app) {
    if (app->beside.close != NULL) {
        app->beside.close(app->beside.self);
    }
    cairn_close(app->client);
    if (app->http != NULL) {
        cairn__http_close(app->http);
    }
    cairn__files_close(&app->files);
    cairn__buffer_free(&app->popup);
    (void)pthread_cond_destroy(&app->progress);
    (void)pthread_mutex_destroy(&app->mutex);
    free(app);
}

static bool is_url(const char *url) {
    return url != NULL && (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0);
}

static cairn_status open_parts(cairn_posix *app, const cairn_posix_options *options) {
    uint8_t probe[16];
    uint32_t asks = options->consent.required | options->consent.denied;
    bool makes = (asks & CAIRN_CONSENT_ANALYTICS) == 0;
    cairn_status status = cairn__files_open(&app->files, options->directory, makes);
    if (status != CAIRN_OK) {
        return status;
    }
    app->http =
        cairn__http_open(options->server_url,
                         options->request_ms_max == 0 ? REQUEST_MS_MAX : options->request_ms_max);
    if (app->http == NULL || !try_random(probe, sizeof probe)) {
        return CAIRN_UNSUPPORTED;
    }
    return open_client(app, options);
}

void *cairn__posix_beside(const cairn_posix *app) {
    return app->beside.self;
}

cairn_status cairn_posix_open(const cairn_posix_options *options, cairn_posix **app_out) {
    return cairn__posix_open(options, NULL, app_out);
}

cairn_status cairn__posix_open(const cairn_posix_options *options, const cairn__beside *beside,
                               cairn_posix **app_out) {
    *app_out = NULL;
    if (options->project_key == NULL || !is_url(options->server_url)) {
        return CAIRN_INVALID;
    }
    cairn_posix *app = calloc(1, sizeof *app);
    if (app == NULL || !make_locks(app)) {
        free(app);
        return CAIRN_NO_MEMORY;
    }
    app->tick_ms = options->tick_ms == 0 ? TICK_MS : options->tick_ms;
    app->committed_ms = -app->tick_ms;
    app->popups = options->popups;
    app->popup = cairn__buffer_make(cairn__heap(), POPUP_BYTES_MAX);
    app->awake = true;
    cairn_status status = open_parts(app, options);
    if (status == CAIRN_OK && beside != NULL) {
        app->beside = *beside;
    }
    *app_out = app;
    if (status == CAIRN_OK && !start_thread(app)) {
        app->beside = (cairn__beside){ .self = NULL };
        status = CAIRN_NO_MEMORY;
    }
    if (status != CAIRN_OK) {
        *app_out = NULL;
        free_app(app);
    }
    return status;
}

/* --- calls -------------------------------------------------------------------------------------*/

static cairn_client *enter(cairn_posix *app) {
    (void)pthread_mutex_lock(&app->mutex);
    return app->client;
}

/* Wakes the thread once for any number of calls. */
static void leave(cairn_posix *app) {
    bool wake = !app->awake;
    app->awake = true;
    (void)pthread_mutex_unlock(&app->mutex);
    if (wake) {
        cairn__http_wake(app->http);
    }
}

cairn_client *cairn_posix_lock(cairn_posix *app) {
    return enter(app);
}

void cairn_posix_unlock(cairn_posix *app) {
    leave(app);
}

/* What a caller waits for. */
typedef struct goal {
    bool acked; /* by the server; else: kept on the disk */
    uint64_t seq;
    uint64_t submitted; /* file operations */
} goal;

static goal goal_now(const cairn_posix *app, bool acked) {
    cairn_client_status status;
    cairn_get_status(app->client, &status);
    return (goal){ acked, status.last_seq, app->files.submitted };
}

static bool is_reached(const cairn_posix *app, const goal *g) {
    cairn_client_status status;
    cairn_get_status(app->client, &status);
    if (g->acked) {
        return status.acked_seq >= g->seq || status.last_seq < g->seq; /* purged meanwhile */
    }
    return app->files.answered >= g->submitted && status.kept_seq >= g->seq;
}

/* False: not in time. */
static bool wait_for(cairn_posix *app, const goal *g, uint32_t timeout_ms) {
    struct timespec end;
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += timeout_ms / 1000;
    end.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec += 1;
        end.tv_nsec -= 1000000000;
    }
    int failed = 0;
    while (!is_reached(app, g) && failed == 0) {
        failed = pthread_cond_timedwait(&app->progress, &app->mutex, &end);
    }
    return is_reached(app, g);
}

cairn_status cairn_posix_sync(cairn_posix *app, uint32_t timeout_ms) {
    (void)enter(app);
    goal g = goal_now(app, false);
    bool kept = wait_for(app, &g, timeout_ms);
    leave(app);
    return kept ? CAIRN_OK : CAIRN_BUSY;
}

cairn_status cairn_posix_flush(cairn_posix *app, uint32_t timeout_ms) {
    cairn_flush(enter(app));
    leave(app); /* it wakes the thread */
    (void)enter(app);
    goal g = goal_now(app, true);
    bool acked = wait_for(app, &g, timeout_ms);
    leave(app);
    return acked ? CAIRN_OK : CAIRN_NETWORK;
}

void cairn_posix_close(cairn_posix *app, uint32_t timeout_ms) {
    if (app == NULL) {
        return;
    }
    (void)cairn_posix_flush(app, timeout_ms);
    (void)enter(app);
    app->stopping = true; /* the thread still does the file operations that wait */
    app->awake = false;
    leave(app);
    (void)pthread_join(app->thread, NULL);
    free_app(app);
}

cairn_status cairn_posix_track(cairn_posix *app, cairn_span name, const cairn_property *properties,
                               size_t count) {
    cairn_status status = cairn_track(enter(app), name, properties, count);
    leave(app);
    return status;
}

cairn_status cairn_posix_register(cairn_posix *app, const cairn_property *properties, size_t count,
                                  bool once) {
    cairn_status status = cairn_register(enter(app), properties, count, once);
    leave(app);
    return status;
}

cairn_status cairn_posix_unregister(cairn_posix *app, const cairn_span *names, size_t count) {
    cairn_status status = cairn_unregister(enter(app), names, count);
    leave(app);
    return status;
}

cairn_status cairn_posix_timer(cairn_posix *app, cairn_span name, cairn_timer_step step) {
    cairn_status status = cairn_timer(enter(app), name, step);
    leave(app);
    return status;
}

cairn_status cairn_posix_timer_end(cairn_posix *app, cairn_span name,
                                   const cairn_property *properties, size_t count) {
    cairn_status status = cairn_timer_end(enter(app), name, properties, count);
    leave(app);
    return status;
}

cairn_status cairn_posix_login(cairn_posix *app, cairn_id id) {
    cairn_status status = cairn_login(enter(app), id);
    leave(app);
    return status;
}

cairn_status cairn_posix_logout(cairn_posix *app) {
    cairn_status status = cairn_logout(enter(app));
    leave(app);
    return status;
}

cairn_status cairn_posix_bind(cairn_posix *app, cairn_id id) {
    cairn_status status = cairn_bind(enter(app), id);
    leave(app);
    return status;
}

cairn_status cairn_posix_unbind(cairn_posix *app, cairn_id id) {
    cairn_status status = cairn_unbind(enter(app), id);
    leave(app);
    return status;
}

cairn_status cairn_posix_profile(cairn_posix *app, cairn_profile_change change,
                                 const cairn_property *properties, size_t count) {
    cairn_status status = cairn_profile(enter(app), change, properties, count);
    leave(app);
    return status;
}

cairn_status cairn_posix_consent(cairn_posix *app, const cairn_consent_choice *choice) {
    cairn_status status = cairn_consent(enter(app), choice);
    leave(app);
    return status;
}

cairn_consent_state cairn_posix_consent_said(cairn_posix *app, cairn_consent_category category) {
    cairn_consent_state said = cairn_consent_said(enter(app), category);
    leave(app);
    return said;
}

bool cairn_posix_consent_allows(cairn_posix *app, cairn_consent_category category) {
    bool allows = cairn_consent_allows(enter(app), category);
    leave(app);
    return allows;
}

cairn_status cairn_posix_erase(cairn_posix *app) {
    cairn_status status = cairn_erase(enter(app));
    leave(app);
    return status;
}

void cairn_posix_get_status(cairn_posix *app, cairn_client_status *status_out) {
    cairn_get_status(enter(app), status_out);
    status_out->login_id = (cairn_span){ NULL, 0 };
    leave(app);
}
