/* snapshot.c: everything that is known as records of the diary. A part that may be large is cut
 * into pieces: u8 1 where another piece follows, and the piece's bytes. */
#include "base/bytes.h"
#include "local/inside.h"

static void begin_blob(cairn__local *local) {
    cairn__buffer_clear(&local->blob);
}

/* No memory for a part leaves a hole, and that a snapshot that is written again. */
static void add_blob(cairn__local *local, cairn__diary_type type) {
    cairn_span left = cairn__buffer_span(&local->blob);
    if (local->blob.failed) {
        cairn__buffer_clear(&local->blob);
        cairn__diary_break(&local->diary);
        return;
    }
    do {
        size_t len =
            left.len < CAIRN__DIARY_PART_BYTES_MAX ? left.len : CAIRN__DIARY_PART_BYTES_MAX;
        uint8_t more = len < left.len ? 1 : 0;
        cairn__diary_add(&local->diary, type, cairn__span(&more, 1),
                         (cairn_span){ left.data, len });
        left = (cairn_span){ left.data + len, left.len - len };
    } while (left.len > 0);
}

static void add_state(cairn__local *local) {
    const cairn__known *known = &local->known;
    begin_blob(local);
    cairn__buffer_u64(&local->blob, known->last_seq);
    cairn__buffer_u64(&local->blob, known->trimmed_seq);
    cairn__buffer_u64(&local->blob, (uint64_t)known->newest_ms);
    cairn__buffer_u64(&local->blob, known->queries.zone_print);
    add_blob(local, CAIRN__DIARY_STATE);
    begin_blob(local);
    cairn__persons_write(&known->persons, &local->blob);
    add_blob(local, CAIRN__DIARY_PERSONS);
}

static void add_memories(cairn__local *local) {
    const cairn__persons *persons = &local->known.persons;
    for (size_t i = 0; i < persons->count; i++) {
        if (persons->nodes[i].memory.count > 0) {
            begin_blob(local);
            cairn__buffer_u32(&local->blob, persons->nodes[i].number);
            cairn__memory_write(&persons->nodes[i].memory, &local->blob);
            add_blob(local, CAIRN__DIARY_MEMORY);
        }
    }
}

static void add_queries(cairn__local *local) {
    const cairn__queries *queries = &local->known.queries;
    for (size_t i = 0; i < queries->count; i++) {
        begin_blob(local);
        cairn__queries_write_one(&queries->items[i], &local->blob);
        add_blob(local, CAIRN__DIARY_QUERY);
    }
}

static void add_history(cairn__local *local) {
    for (const cairn__held *held = local->known.past.oldest; held != NULL; held = held->later) {
        uint8_t head[12];
        cairn__store_u32(head, held->node);
        cairn__store_u64(head + 4, held->seq);
        cairn__diary_add(&local->diary, CAIRN__DIARY_HELD, cairn__span(head, sizeof head),
                         cairn__held_bytes(held));
    }
}

void cairn__local_write_server(cairn__local *local) {
    begin_blob(local);
    cairn__server_write(&local->known.server, &local->blob);
    add_blob(local, CAIRN__DIARY_SERVER);
}

void cairn__local_snapshot(cairn__local *local) {
    cairn__diary_begin(&local->diary);
    add_state(local);
    add_memories(local);
    add_queries(local);
    begin_blob(local);
    cairn__profile_write(&local->known.profile, &local->blob);
    add_blob(local, CAIRN__DIARY_WRITE);
    if (local->known.server.version > 0) {
        cairn__local_write_server(local);
    }
    add_history(local);
    cairn__diary_end(&local->diary);
}
