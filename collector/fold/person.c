/* person.c: all that is known of one person: ids, properties, newest events. */
#include <stdlib.h>

#include "base/bytes.h"
#include "fold/json.h"
#include "fold/state.h"
#include "trail/reader.h"

enum { PERSON_EVENTS_MAX = 50, PERSON_BYTES_MAX = 64 * 1024 * 1024 };

typedef struct looking {
    cairn__fold *fold;
    cairn__arena arena;
    uint32_t person;
    const uint32_t *nodes; /* the oldest first */
    size_t node_count;
    json_t *answer;
} looking;

static cairn_status put(looking *look, cairn_span name, json_t *member) {
    return cairn__json_put(look->answer, name, member) ? CAIRN_OK : CAIRN_NO_MEMORY;
}

static int by_number(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static cairn_status collect_nodes(looking *look, uint32_t node) {
    const cairn__identity *identity = look->fold->identity;
    uint32_t *nodes = cairn__arena_alloc_zero(&look->arena, CAIRN__PERSON_IDS_MAX, sizeof *nodes);
    if (nodes == NULL) {
        return CAIRN_NO_MEMORY;
    }
    uint32_t member = node;
    do {
        nodes[look->node_count++] = member;
        member = cairn__identity_ring(identity, member);
    } while (member != node && look->node_count < CAIRN__PERSON_IDS_MAX);
    qsort(nodes, look->node_count, sizeof *nodes, by_number);
    look->nodes = nodes;
    look->person = cairn__identity_person(identity, node);
    return CAIRN_OK;
}

static cairn_status put_ids(looking *look) {
    json_t *ids = json_array();
    for (size_t i = 0; ids != NULL && i < look->node_count; i++) {
        cairn_id id;
        cairn_status status =
            cairn__identity_id_of(look->fold->identity, look->nodes[i], &look->arena, &id);
        if (status != CAIRN_OK) {
            json_decref(ids);
            return status;
        }
        json_t *one = json_object();
        bool made = cairn__json_put(one, CAIRN_STR("type"),
                                    json_stringn((const char *)id.type.data, id.type.len)) &&
                    cairn__json_put(one, CAIRN_STR("value"),
                                    json_stringn((const char *)id.value.data, id.value.len)) &&
                    cairn__json_put(one, CAIRN_STR("node"), json_integer(look->nodes[i]));
        if (json_array_append_new(ids, one) != 0 || !made) {
            json_decref(ids);
            return CAIRN_NO_MEMORY;
        }
    }
    return put(look, CAIRN_STR("ids"), ids);
}

static cairn_status put_properties(looking *look) {
    cairn__profile_properties properties;
    cairn_status status =
        cairn__profile_person(look->fold->profile, (cairn__nodes){ look->nodes, look->node_count },
                              &look->arena, &properties);
    return status == CAIRN_OK ? put(look, CAIRN_STR("properties"),
                                    cairn__json_properties(properties.list, properties.count))
                              : status;
}

static cairn_status put_consent(looking *look) {
    int64_t asked_ms = 0;
    cairn_status status =
        put(look, CAIRN_STR("consent"),
            cairn__ledger_person(&look->fold->ledger, look->nodes, look->node_count));
    if (status == CAIRN_OK &&
        cairn__ledger_asked(&look->fold->ledger, look->nodes, look->node_count, &asked_ms)) {
        status = put(look, CAIRN_STR("erase_requested"), cairn__json_time(asked_ms));
    }
    return status;
}

/* --- events -------------------------------------------------------------------------------- */

typedef struct newest {
    json_t *events; /* the newest at the end; at most PERSON_EVENTS_MAX */
    uint64_t total;
} newest;

static bool keep(newest *kept, const cairn__reader *reader, const cairn__reader_batch *batch,
                 uint32_t row) {
    cairn_span name = cairn__reader_name(reader, batch->name[row]);
    json_t *event = json_object();
    bool made =
        cairn__json_put(event, CAIRN_STR("time"), cairn__json_time(batch->time_ms[row])) &&
        cairn__json_put(event, CAIRN_STR("event"), json_stringn((const char *)name.data, name.len));
    if (json_array_size(kept->events) == PERSON_EVENTS_MAX) {
        (void)json_array_remove(kept->events, 0);
    }
    kept->total++;
    return json_array_append_new(kept->events, event) == 0 && made;
}

static cairn_status keep_rows(const cairn__reader *reader, const cairn__reader_batch *batch,
                              size_t person, newest *kept) {
    for (uint32_t row = batch->person_rows[person]; row < batch->person_rows[person + 1]; row++) {
        if (!keep(kept, reader, batch, row)) {
            return CAIRN_NO_MEMORY;
        }
    }
    return CAIRN_OK;
}

static cairn_status read_batch(const looking *look, const cairn__reader *reader,
                               const cairn__reader_batch *batch, newest *kept) {
    cairn_status status = CAIRN_OK;
    for (size_t i = 0; i < batch->person_count && status == CAIRN_OK; i++) {
        if (batch->persons[i] == look->person) {
            status = keep_rows(reader, batch, i, kept);
        }
    }
    return status;
}

static cairn_status read_events(const looking *look, cairn__reader *reader, newest *kept) {
    for (;;) {
        cairn__reader_batch batch;
        cairn_status status = cairn__reader_next(reader, &batch);
        if (status == CAIRN_OK && batch.person_count != 0) {
            status = read_batch(look, reader, &batch, kept);
        }
        if (status != CAIRN_OK || batch.person_count == 0) {
            return status;
        }
    }
}

static cairn_status put_events(looking *look) {
    cairn__trail_snapshot *snapshot = cairn__trail_snapshot_take(look->fold->trail);
    if (snapshot == NULL) {
        return CAIRN_NO_MEMORY;
    }
    size_t node_count = 0;
    cairn__reader_options options = { .allocator = look->fold->options.allocator,
                                      .bytes_max = PERSON_BYTES_MAX,
                                      .from_ms = INT64_MIN,
                                      .to_ms = INT64_MAX,
                                      .person_first = look->person,
                                      .person_end = look->person + 1 };
    options.person_of = cairn__identity_map(look->fold->identity, &node_count);
    options.node_count = node_count;
    cairn__reader *reader = NULL;
    newest kept = { .events = json_array() };
    cairn_status status =
        kept.events == NULL ? CAIRN_NO_MEMORY : cairn__reader_open(snapshot, &options, &reader);
    if (status == CAIRN_OK) {
        status = read_events(look, reader, &kept);
        cairn__reader_close(reader);
    }
    cairn__trail_snapshot_release(snapshot);
    if (status != CAIRN_OK) {
        json_decref(kept.events);
        return status;
    }
    status = put(look, CAIRN_STR("events"), kept.events);
    return status == CAIRN_OK
               ? put(look, CAIRN_STR("events_total"), json_integer((json_int_t)kept.total))
               : status;
}

/* --- the whole ----------------------------------------------------------------------------- */

static cairn_status look_up(looking *look, cairn_id id) {
    uint32_t node = 0;
    cairn_status status = cairn__identity_find(look->fold->identity, id, &node);
    if (status == CAIRN_OK) {
        status = collect_nodes(look, node);
    }
    if (status == CAIRN_OK) {
        look->answer = json_object();
        status = put(look, CAIRN_STR("person"), json_integer(look->person));
    }
    if (status == CAIRN_OK) {
        status = put_ids(look);
    }
    if (status == CAIRN_OK) {
        status = put_properties(look);
    }
    if (status == CAIRN_OK) {
        status = put_consent(look);
    }
    return status == CAIRN_OK ? put_events(look) : status;
}

cairn_status cairn__fold_person(cairn__fold *fold, cairn_id id, cairn__buffer *json) {
    cairn__fold_problem problem;
    if (fold->dirty) { /* ids are named from the database */
        cairn_status status = cairn__fold_commit(fold, fold->progress.position, &problem);
        if (status != CAIRN_OK) {
            return status;
        }
    }
    looking look = { .fold = fold };
    look.arena = cairn__arena_make(fold->options.allocator, PERSON_BYTES_MAX);
    cairn_status status = look_up(&look, id);
    char *written = status == CAIRN_OK ? json_dumps(look.answer, JSON_COMPACT) : NULL;
    if (status == CAIRN_OK && written == NULL) {
        status = CAIRN_NO_MEMORY;
    }
    if (written != NULL) {
        cairn__buffer_append(json, cairn__span_of(written));
    }
    free(written);
    json_decref(look.answer);
    cairn__arena_free(&look.arena);
    return status == CAIRN_OK && json->failed ? CAIRN_NO_MEMORY : status;
}
