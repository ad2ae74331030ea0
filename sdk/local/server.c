/* server.c: see server.h. */
#include "local/server.h"

#include "base/bytes.h"

enum { ARENA_BYTES_MAX = 64 * 1024 /* the items of one list */ };

void cairn__server_free(cairn__server *server) {
    for (size_t i = 0; i < server->count; i++) {
        cairn__kept_free(&server->values[i].kept, server->allocator);
    }
    if (server->values != NULL) {
        server->allocator.resize(server->allocator.self, server->values,
                                 server->capacity * sizeof *server->values, 0);
    }
    *server = (cairn__server){ .allocator = server->allocator };
}

static size_t place_of(const cairn__server *server, uint64_t key) {
    size_t low = 0;
    size_t high = server->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (server->values[middle].key < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The last of several of one key counts. */
static bool add(cairn__server *server, uint64_t key, cairn_value value, int64_t until_ms) {
    size_t at = place_of(server, key);
    if (server->values == NULL || at == server->count || server->values[at].key != key) {
        if (!cairn__kept_reserve(server->allocator, (void **)&server->values,
                                 sizeof *server->values, server->count, &server->capacity)) {
            return false;
        }
        memmove(server->values + at + 1, server->values + at,
                (server->count - at) * sizeof *server->values);
        server->values[at] = (cairn__server_value){ .key = key };
        server->count += 1;
    }
    server->values[at].until_ms = until_ms == 0 ? INT64_MAX : until_ms;
    return cairn__kept_set(&server->values[at].kept, server->allocator, value);
}

bool cairn__server_set(cairn__server *server, const cairn__local_server *from) {
    cairn__server fresh = { .allocator = server->allocator,
                            .version = from->version,
                            .token = from->token,
                            .person = from->person,
                            .covers_seq = from->covers_seq };
    for (size_t i = 0; i < from->count; i++) {
        const cairn__local_fact *fact = &from->facts[i];
        if (!add(&fresh, fact->key, fact->value, fact->until_ms)) {
            cairn__server_free(&fresh);
            return false;
        }
    }
    cairn__server_free(server);
    *server = fresh;
    return true;
}

const cairn__server_value *cairn__server_find(const cairn__server *server, uint64_t key,
                                              int64_t now_ms) {
    size_t at = place_of(server, key);
    bool found =
        at < server->count && server->values[at].key == key && now_ms < server->values[at].until_ms;
    return found ? &server->values[at] : NULL;
}

void cairn__server_write(const cairn__server *server, cairn__buffer *to) {
    cairn__buffer_u64(to, server->version);
    cairn__buffer_u64(to, server->token);
    cairn__buffer_u64(to, server->person);
    cairn__buffer_u64(to, server->covers_seq);
    cairn__buffer_u32(to, (uint32_t)server->count);
    for (size_t i = 0; i < server->count; i++) {
        cairn__buffer_u64(to, server->values[i].key);
        cairn__buffer_u64(to, (uint64_t)server->values[i].until_ms);
        cairn__kept_write(server->values[i].kept.value, to);
    }
}

static bool read_values(cairn__server *server, cairn__cursor *from, cairn__arena *arena) {
    uint32_t count = 0;
    if (!cairn__kept_u64(from, &server->version) || !cairn__kept_u64(from, &server->token) ||
        !cairn__kept_u64(from, &server->person) || !cairn__kept_u64(from, &server->covers_seq) ||
        !cairn__kept_u32(from, &count) || count > CAIRN__FACTS_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t key = 0;
        int64_t until_ms = 0;
        cairn_value value;
        cairn__arena_reset(arena);
        if (!cairn__kept_u64(from, &key) || !cairn__kept_i64(from, &until_ms) ||
            !cairn__kept_read(from, arena, &value) || !add(server, key, value, until_ms)) {
            return false;
        }
    }
    return true;
}

bool cairn__server_read(cairn__server *server, cairn_span bytes) {
    cairn__server fresh = { .allocator = server->allocator };
    cairn__arena arena = cairn__arena_make(server->allocator, ARENA_BYTES_MAX);
    cairn__cursor from = cairn__cursor_of(bytes);
    bool good = read_values(&fresh, &from, &arena);
    cairn__arena_free(&arena);
    if (!good) {
        cairn__server_free(&fresh);
        return false;
    }
    cairn__server_free(server);
    *server = fresh;
    return true;
}
