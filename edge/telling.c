#include "edge/telling.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/varint.h"
#include "edge/accept.h"
#include "edge/edge.h"
#include "edge/ready.h"
#include "facts/facts.h"

enum {
    TELL_ARENA_BYTES_MAX = 64 * 1024, /* the head's ids */
    PERSON_BYTES_MAX = 64 * 1024 * 1024,
    FACTS_BYTES_MAX = 512 * 1024,
    RESPONSE_BYTES_MAX = 10 * 1024 * 1024,
    FIELD_FACTS = 6 << 3 | 2, /* of SyncResponse, with its wire type */
    FIELD_FACTS_VERSION = 7 << 3 | 0
};

/** Where an answer stands. */
typedef enum stage {
    WAITS_FOR_DISK, /* its request is not durable yet */
    WAITS,          /* to be asked for with others */
    READS,          /* the pool reads the bundle */
    ASKS,           /* the folder has it */
    WRITES          /* the pool writes the facts */
} stage;

struct cairn__tell {
    cairn__tell *next, **at; /* of the list, and what points here */
    cairn__telling *telling;
    cairn__exchange *exchange; /* NULL: the answer is out; only the work is waited for */
    cairn__buffer response;    /* the SyncResponse without bundle and facts */
    bool with_bundle, accepts_gzip;
    cairn__ask ask;
    uv_work_t work;
    cairn__ready *ready;
    cairn__arena arena;
    stage stage;
    uint64_t since_ms; /* on the loop's clock: when it was durable */
    bool ready_failed;
    cairn_id ids[CAIRN__EVENT_IDS_MAX];
    size_t id_count;
    uint8_t device[2 * CAIRN__DEVICE_ID_BYTES];
    uint64_t held_version;
    uint64_t version; /* of the facts */
    int64_t now_ms;
    cairn__buffer facts;
    bool told;
};

/* --- a tell ----------------------------------------------------------------------------------- */

static void drop(cairn__tell *tell) {
    *tell->at = tell->next;
    if (tell->next != NULL) {
        tell->next->at = tell->at;
    }
    tell->telling->count -= 1;
    cairn__ready_release(tell->ready);
    cairn__buffer_free(&tell->response);
    cairn__buffer_free(&tell->facts);
    cairn__arena_free(&tell->arena);
    free(tell);
}

void cairn__tell_drop(cairn__tell *tell) {
    CAIRN_ASSERT(tell->stage == WAITS_FOR_DISK);
    drop(tell);
}

static bool copy_ids(cairn__tell *tell, const cairn__sync_head *head) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < CAIRN__DEVICE_ID_BYTES; i++) {
        tell->device[2 * i] = (uint8_t)digits[head->device_id[i] >> 4];
        tell->device[2 * i + 1] = (uint8_t)digits[head->device_id[i] & 15];
    }
    for (size_t i = 0; i < head->id_count && i < CAIRN__EVENT_IDS_MAX; i++) {
        cairn_id *id = &tell->ids[tell->id_count++];
        if (!cairn__arena_copy(&tell->arena, head->ids[i].type, &id->type) ||
            !cairn__arena_copy(&tell->arena, head->ids[i].value, &id->value)) {
            return false;
        }
    }
    if (tell->id_count == 0) {
        tell->ids[tell->id_count++] =
            (cairn_id){ CAIRN_STR("device"), { tell->device, sizeof tell->device } };
    }
    return true;
}

cairn__tell *cairn__tell_make(cairn__telling *telling, cairn__exchange *exchange,
                              const cairn__sync_head *head) {
    cairn__tell *tell =
        telling->count < CAIRN__TELLING_MAX && telling->running ? calloc(1, sizeof *tell) : NULL;
    if (tell == NULL) {
        return NULL;
    }
    tell->telling = telling;
    tell->exchange = exchange;
    tell->held_version = head->facts_version;
    tell->work.data = tell;
    tell->arena = cairn__arena_make(cairn__heap(), TELL_ARENA_BYTES_MAX);
    tell->facts = cairn__buffer_make(cairn__heap(), FACTS_BYTES_MAX);
    tell->response = cairn__buffer_make(cairn__heap(), RESPONSE_BYTES_MAX);
    tell->next = telling->first;
    tell->at = &telling->first;
    if (telling->first != NULL) {
        telling->first->at = &tell->next;
    }
    telling->first = tell;
    telling->count += 1;
    if (!copy_ids(tell, head)) {
        drop(tell);
        return NULL;
    }
    return tell;
}

void cairn__tell_keep(cairn__tell *tell, cairn_span response, bool with_bundle, bool accepts_gzip) {
    cairn__buffer_append(&tell->response, response);
    tell->with_bundle = with_bundle;
    tell->accepts_gzip = accepts_gzip;
}

/* --- the answer goes out ---------------------------------------------------------------------- */

static void send_answer(cairn__tell *tell) {
    cairn__exchange *exchange = tell->exchange;
    cairn__edge *edge = tell->telling->edge;
    cairn__buffer *response = &tell->response;
    tell->exchange = NULL;
    if (tell->told && exchange->connection != NULL && !response->failed) {
        if (tell->facts.len > 0) {
            cairn__buffer_byte(response, FIELD_FACTS);
            cairn__write_varint(response, tell->facts.len);
            cairn__buffer_append(response, cairn__buffer_span(&tell->facts));
        }
        cairn__buffer_byte(response, FIELD_FACTS_VERSION);
        cairn__write_varint(response, tell->version);
        cairn__count(tell->facts.len > 0 ? &edge->metrics.facts_sent : &edge->metrics.facts_same,
                     1);
        const cairn__sync_answer answer = { response, tell->with_bundle, tell->accepts_gzip };
        cairn__sync_answer_prepare(edge, exchange, &answer);
    } else if (!tell->told) {
        cairn__count(&edge->metrics.facts_deferred, 1);
    }
    cairn__exchange_send(exchange);
}

/* Its work goes on; it will not be told. */
static void send_without(cairn__tell *tell) {
    cairn__exchange *exchange = tell->exchange;
    tell->exchange = NULL;
    cairn__count(&tell->telling->edge->metrics.facts_deferred, 1);
    cairn__exchange_send(exchange);
}

static void end(cairn__tell *tell) {
    if (tell->exchange != NULL) {
        send_answer(tell);
    }
    drop(tell);
}

/* --- work in the pool ------------------------------------------------------------------------- */

static void work(cairn__tell *tell, stage at, uv_work_cb run, uv_after_work_cb done) {
    cairn__edge *edge = tell->telling->edge;
    tell->stage = at;
    edge->working += 1;
    int code = uv_queue_work(&edge->loop, &tell->work, run, done);
    CAIRN_ASSERT(code == 0);
}

static void run_write(uv_work_t *job) {
    cairn__tell *tell = job->data;
    const cairn__ready *ready = tell->ready;
    cairn__person_facts *facts = NULL;
    const cairn__person_source source = { .allocator = cairn__heap(),
                                          .bytes_max = PERSON_BYTES_MAX,
                                          .bundle = &ready->bundle,
                                          .needs = &ready->needs,
                                          .person = &tell->ask.known->state };
    const cairn__query_moment when = { tell->now_ms, ready->bundle.definitions.zone, NULL };
    if (cairn__person_facts_open(&source, &facts) == CAIRN_OK) {
        tell->version = cairn__person_facts_tell(facts, &when, tell->held_version, &tell->facts);
        tell->told = tell->version != 0 && !tell->facts.failed;
    }
    cairn__person_facts_close(facts);
    cairn__fold_known_release(tell->ask.known);
}

static void on_written(uv_work_t *job, int status) {
    cairn__tell *tell = job->data;
    (void)status; /* never cancelled */
    tell->telling->edge->working -= 1;
    end(tell);
}

static void on_known(cairn__ask *ask) {
    cairn__tell *tell = ask->self;
    bool useful =
        ask->status == CAIRN_OK && !ask->late && tell->exchange != NULL && tell->telling->running;
    if (useful) {
        work(tell, WRITES, run_write, on_written);
        return;
    }
    if (ask->status == CAIRN_OK) {
        cairn__fold_known_release(ask->known);
    }
    end(tell);
}

static void ask(cairn__tell *tell) {
    cairn__edge *edge = tell->telling->edge;
    const cairn__fact_needs *needs = &tell->ready->needs;
    tell->stage = ASKS;
    tell->now_ms = cairn__edge_now_ms();
    tell->ask.who = (cairn__fold_who){ .ids = tell->ids,
                                       .id_count = tell->id_count,
                                       .user = { needs->user, needs->user_count } };
    cairn__folder_ask(&edge->folder, &tell->ask);
}

static void run_read(uv_work_t *job) {
    cairn__tell *tell = job->data;
    tell->ready_failed = cairn__ready_read(tell->ready) != CAIRN_OK;
}

static void on_read(uv_work_t *job, int status) {
    cairn__tell *tell = job->data;
    (void)status; /* never cancelled */
    tell->telling->edge->working -= 1;
    if (tell->ready_failed || tell->exchange == NULL || !tell->telling->running) {
        end(tell);
    } else {
        ask(tell);
    }
}

/* --- all of them ------------------------------------------------------------------------------ */

static void begin(cairn__tell *tell, size_t project) {
    tell->ready = cairn__edge_ready(tell->telling->edge, project);
    if (tell->ready == NULL) {
        end(tell);
        return;
    }
    tell->ask = (cairn__ask){
        .kind = CAIRN__ASK_KNOWN, .project = project, .done = on_known, .self = tell
    };
    if (atomic_load(&tell->ready->read)) {
        ask(tell);
    } else {
        work(tell, READS, run_read, on_read);
    }
}

static void start_timer(cairn__telling *telling);

static void on_timer(uv_timer_t *timer) {
    cairn__telling *telling = timer->data;
    uint64_t now_ms = uv_now(&telling->edge->loop);
    bool any = false;
    for (cairn__tell *tell = telling->first, *next = NULL; tell != NULL; tell = next) {
        next = tell->next;
        bool late =
            tell->stage != WAITS_FOR_DISK && now_ms - tell->since_ms > CAIRN__TELLING_WAIT_MS;
        if (tell->stage == WAITS) {
            begin(tell, tell->exchange->project);
            any = true;
        } else if (late && tell->exchange != NULL) {
            send_without(tell);
        }
    }
    any = any || telling->first != NULL;
    if (any) {
        start_timer(telling);
    }
}

static void start_timer(cairn__telling *telling) {
    if (!uv_is_active((uv_handle_t *)&telling->timer)) {
        (void)uv_timer_start(&telling->timer, on_timer, CAIRN__TELLING_EVERY_MS, 0);
    }
}

void cairn__tell_ready(cairn__tell *tell) {
    tell->stage = WAITS;
    tell->since_ms = uv_now(&tell->telling->edge->loop);
    start_timer(tell->telling);
}

int cairn__telling_start(cairn__telling *telling, cairn__edge *edge) {
    telling->edge = edge;
    int code = uv_timer_init(&edge->loop, &telling->timer);
    telling->timer.data = telling;
    telling->running = code == 0;
    return code;
}

void cairn__telling_stop(cairn__telling *telling) {
    if (!telling->running) {
        return;
    }
    telling->running = false;
    for (cairn__tell *tell = telling->first, *next = NULL; tell != NULL; tell = next) {
        next = tell->next;
        if (tell->stage == WAITS) {
            end(tell);
        } else if (tell->exchange != NULL && tell->stage != WAITS_FOR_DISK) {
            send_without(tell);
        }
    }
    uv_close((uv_handle_t *)&telling->timer, NULL);
}
