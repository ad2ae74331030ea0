/* server.h: the values that the server has sent for the current person, by their keys
 * (rules/slot_key.h). One owner thread. */
#ifndef CAIRN_LOCAL_SERVER_H
#define CAIRN_LOCAL_SERVER_H

#include "local/kept.h"
#include "local/local.h"

typedef struct cairn__server_value {
    uint64_t key;
    int64_t until_ms; /* INT64_MAX: until others come */
    cairn__kept kept;
} cairn__server_value;

typedef struct cairn__server {
    cairn_allocator allocator;
    uint64_t version, token, person, covers_seq;
    cairn__server_value *values; /* by key */
    size_t count, capacity;
} cairn__server;

void cairn__server_free(cairn__server *server);

/** Replace what is held. False: no memory, nothing changed. */
bool cairn__server_set(cairn__server *server, const cairn__local_server *from);

/** NULL: the server has said nothing, or its time is over. */
const cairn__server_value *cairn__server_find(const cairn__server *server, uint64_t key,
                                              int64_t now_ms);

/** Append as bytes, and read them back: false: damaged, or no memory; nothing changed. */
void cairn__server_write(const cairn__server *server, cairn__buffer *to);
bool cairn__server_read(cairn__server *server, cairn_span bytes);

#endif
