/* sql.c: cairn_posix_full.h. The table has a mutex of its own, taken before the runner's: rows are
 * collected with both, and written with the table's alone.
 *
 * The table follows the client: it is opened when the device has an id and something to keep,
 * belongs to that device (cairn__sql_own), and its file is removed when the device has none. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cairn/cairn_history.h"
#include "cairn/cairn_posix_full.h"
#include "port/posix/beside.h"
#include "sql/sql.h"

enum {
    BATCH_ROWS = 256,
    BATCH_BYTES_MAX = 17 * 1024 * 1024, /* so many of the largest events */
    PATH_BYTES_MAX = 4096,
    DEVICE_BYTES = 16,
    RETRY_S = 30, /* after the table could not be written */
    SYNC_MS = 10000,
    ANSWER_ROOM_BYTES = 64 * 1024
};

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

typedef struct row {
    uint64_t seq, person;
    size_t at, len; /* in the batch's bytes */
} row;

typedef struct table {
    pthread_mutex_t mutex;
    cairn_posix *app;
    char path[PATH_BYTES_MAX];
    cairn__sql_options options;
    cairn__sql *sql;
    cairn__sql_fault fault;       /* of the newest failure */
    uint8_t device[DEVICE_BYTES]; /* whose rows `sql` holds; zero: nobody's */
    row rows[BATCH_ROWS];
    size_t row_count;
    cairn__buffer bytes;
    uint8_t wanted[DEVICE_BYTES]; /* whose it should hold; zero: nothing is kept */
    /* guarded by the runner's mutex: where the table stands */
    struct {
        bool cleared;                 /* no file is left, of an earlier process neither */
        uint8_t device[DEVICE_BYTES]; /* as above */
        uint64_t newest;
        time_t not_before;
    } stands;
} table;

static time_t now_s(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static bool is_zero(const uint8_t device[DEVICE_BYTES]) {
    static const uint8_t nobody[DEVICE_BYTES] = { 0 };
    return memcmp(device, nobody, DEVICE_BYTES) == 0;
}

/* --- the file ----------------------------------------------------------------------------------
 */

static void remove_file(const table *t) {
    char journal[PATH_BYTES_MAX + 16];
    (void)snprintf(journal, sizeof journal, "%s-journal", t->path);
    (void)unlink(journal);
    (void)unlink(t->path);
}

static void close_table(table *t) {
    cairn__sql_close(t->sql);
    t->sql = NULL;
    memset(t->device, 0, sizeof t->device);
}

static bool is_file(const table *t) {
    return t->path[0] != ':';
}

/* A damaged file is begun anew: every row can be noted again. */
static cairn_status open_table(table *t) {
    cairn_status status = cairn__sql_open(&t->options, &t->sql, &t->fault);
    if (status == CAIRN_STORAGE && is_file(t)) {
        remove_file(t);
        status = cairn__sql_open(&t->options, &t->sql, &t->fault);
    }
    if (status == CAIRN_OK) {
        status = cairn__sql_own(t->sql, (cairn_span){ t->wanted, sizeof t->wanted });
    }
    if (status != CAIRN_OK) {
        close_table(t);
        return status;
    }
    memcpy(t->device, t->wanted, sizeof t->device);
    return CAIRN_OK;
}

/* Nobody's: nothing of it is left. */
static void clear(table *t) {
    close_table(t);
    if (is_file(t)) {
        remove_file(t);
    }
}

/* --- keeping it up ------------------------------------------------------------------------------
 */

/* Whose events are kept; zero: nobody's. */
static void read_device(cairn_client *client, uint8_t device[DEVICE_BYTES]) {
    cairn_client_status status;
    cairn_get_status(client, &status);
    memcpy(device, status.device_id, DEVICE_BYTES);
    if (cairn_purging(client)) {
        memset(device, 0, DEVICE_BYTES);
    }
}

static bool is_up_to_date(const table *t) {
    return memcmp(t->device, t->wanted, sizeof t->device) == 0;
}

/* The runner's mutex is held, the table's is not. */
static bool wants(void *self, cairn_client *client) {
    const table *t = self;
    uint8_t device[DEVICE_BYTES];
    cairn_history_event event;
    if (now_s() < t->stands.not_before) {
        return false;
    }
    read_device(client, device);
    if (is_zero(device)) {
        return !t->stands.cleared;
    }
    bool same = memcmp(device, t->stands.device, sizeof device) == 0;
    return cairn_history_next(client, same ? t->stands.newest : 0, &event);
}

static void collect(table *t, cairn_client *client) {
    cairn_history_event event;
    uint64_t seq = cairn__sql_newest(t->sql);
    cairn__buffer_clear(&t->bytes);
    while (t->row_count < BATCH_ROWS && cairn_history_next(client, seq, &event)) {
        t->rows[t->row_count] = (row){ event.seq, event.person, t->bytes.len, event.event.len };
        t->row_count += 1;
        cairn__buffer_append(&t->bytes, event.event);
        seq = event.seq;
    }
}

static cairn_status write_rows(table *t) {
    cairn_status status = t->bytes.failed ? CAIRN_NO_MEMORY : CAIRN_OK;
    for (size_t i = 0; i < t->row_count && status == CAIRN_OK; i++) {
        const row *one = &t->rows[i];
        const cairn_span event = { t->bytes.data + one->at, one->len };
        status = cairn__sql_note(t->sql, one->seq, one->person, event);
        status = status == CAIRN_INVALID ? CAIRN_OK : status; /* a row that cannot be is none */
    }
    if (status == CAIRN_OK) {
        status = cairn__sql_commit(t->sql);
    }
    return status;
}

/* With both mutexes: what is the next step? */
static void prepare(table *t) {
    cairn_client *client = cairn_posix_lock(t->app);
    read_device(client, t->wanted);
    t->row_count = 0;
    if (!is_zero(t->wanted) && is_up_to_date(t)) {
        collect(t, client);
    }
    cairn_posix_unlock(t->app);
}

static void tell_where(table *t, cairn_status status) {
    (void)cairn_posix_lock(t->app);
    t->stands.cleared = is_zero(t->wanted);
    t->stands.newest = t->sql == NULL ? 0 : cairn__sql_newest(t->sql);
    t->stands.not_before = status == CAIRN_OK ? 0 : now_s() + RETRY_S;
    memcpy(t->stands.device, t->device, sizeof t->device);
    cairn_posix_unlock(t->app);
}

/* The table's mutex is held. CAIRN_BUSY: there is more to do. */
static cairn_status step(table *t) {
    cairn_status status = CAIRN_OK;
    prepare(t);
    if (is_zero(t->wanted)) {
        clear(t);
        tell_where(t, CAIRN_OK);
        return CAIRN_DENIED;
    }
    bool more = !is_up_to_date(t) || t->row_count > 0;
    if (!is_up_to_date(t)) {
        close_table(t);
        status = open_table(t);
    } else if (t->row_count > 0) {
        status = write_rows(t);
    }
    if (status != CAIRN_OK) {
        close_table(t);
    }
    tell_where(t, status);
    return status == CAIRN_OK && more ? CAIRN_BUSY : status;
}

static cairn_status catch_up(table *t) {
    cairn_status status = CAIRN_BUSY;
    while (status == CAIRN_BUSY) {
        status = step(t);
    }
    return status;
}

static void work(void *self) {
    table *t = self;
    (void)pthread_mutex_lock(&t->mutex);
    (void)catch_up(t);
    (void)pthread_mutex_unlock(&t->mutex);
}

/* --- life ---------------------------------------------------------------------------------------
 */

static void free_table(void *self) {
    table *t = self;
    close_table(t);
    cairn__buffer_free(&t->bytes);
    (void)pthread_mutex_destroy(&t->mutex);
    free(t);
}

static table *make(const char *directory, const cairn_posix_sql_options *options) {
    table *t = calloc(1, sizeof *t);
    if (t == NULL || pthread_mutex_init(&t->mutex, NULL) != 0) {
        free(t);
        return NULL;
    }
    int len = directory == NULL ? snprintf(t->path, sizeof t->path, ":memory:")
                                : snprintf(t->path, sizeof t->path, "%s/history.db", directory);
    if (len < 0 || (size_t)len >= sizeof t->path) {
        t->path[0] = 0;
    }
    t->bytes = cairn__buffer_make(cairn__heap(), BATCH_BYTES_MAX);
    t->options =
        (cairn__sql_options){ .allocator = cairn__heap(),
                              .path = t->path,
                              .events_max = options == NULL ? 0 : options->events_max,
                              .age_max_ms = options == NULL ? 0 : options->days_max * day_ms };
    return t;
}

cairn_status cairn_posix_full_open(const cairn_posix_options *options,
                                   const cairn_posix_sql_options *table_options,
                                   cairn_posix **app_out) {
    *app_out = NULL;
    table *t = make(options->directory, table_options);
    if (t == NULL) {
        return CAIRN_NO_MEMORY;
    }
    cairn_posix_options with_history = *options;
    with_history.decide.keep_history = true;
    const cairn__beside beside = { wants, work, free_table, t };
    cairn_status status =
        t->path[0] == 0 ? CAIRN_INVALID : cairn__posix_open(&with_history, &beside, &t->app);
    if (status != CAIRN_OK) {
        free_table(t);
        return status;
    }
    *app_out = t->app;
    return CAIRN_OK;
}

/* --- asking -------------------------------------------------------------------------------------
 */

static const char *sentence(const table *t, cairn_status status) {
    switch ((int)status) {
    case CAIRN_DENIED:
        return "analytics is not allowed: nothing is kept";
    case CAIRN_UNSUPPORTED:
        return "open the client with cairn_posix_full_open()";
    case CAIRN_NO_MEMORY:
        return "no memory";
    default:
        return t != NULL && t->fault.text[0] != 0 ? t->fault.text : "the table cannot be used";
    }
}

static cairn_status ask(table *t, cairn_span question, cairn__buffer *to) {
    struct timespec now;
    t->fault.text[0] = 0;
    cairn_status status = catch_up(t);
    if (status != CAIRN_OK) {
        return status;
    }
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return cairn__sql_ask(t->sql, question, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, to,
                          &t->fault);
}

cairn_status cairn_posix_sql(cairn_posix *app, cairn_span question, char **text_out) {
    table *t = cairn__posix_beside(app);
    cairn__buffer answer =
        cairn__buffer_make(cairn__heap(), CAIRN__SQL_ANSWER_BYTES_MAX + ANSWER_ROOM_BYTES);
    cairn_status status = t == NULL ? CAIRN_UNSUPPORTED : cairn_posix_sync(app, SYNC_MS);
    if (t != NULL) {
        (void)pthread_mutex_lock(&t->mutex);
        status = status == CAIRN_OK ? ask(t, question, &answer) : status;
    }
    if (status != CAIRN_OK) {
        cairn__buffer_clear(&answer);
        cairn__buffer_append(&answer, cairn__span_of(sentence(t, status)));
    }
    if (t != NULL) {
        (void)pthread_mutex_unlock(&t->mutex);
    }
    cairn__buffer_byte(&answer, 0);
    *text_out = answer.failed ? NULL : malloc(answer.len);
    if (*text_out != NULL) {
        memcpy(*text_out, answer.data, answer.len);
    }
    cairn__buffer_free(&answer);
    return *text_out == NULL ? CAIRN_NO_MEMORY : status;
}
