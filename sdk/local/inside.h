/* inside.h: what the source files of sdk/local share. */
#ifndef CAIRN_LOCAL_INSIDE_H
#define CAIRN_LOCAL_INSIDE_H

#include "local/diary.h"
#include "local/local.h"
#include "local/past.h"
#include "local/persons.h"
#include "local/profile.h"
#include "local/queries.h"
#include "local/server.h"

enum {
    CAIRN__TRIM_PER_NOTE = 8, /* events that leave for their age with one that comes: a clock that
                                 jumps forward must not empty the history at once */
    CAIRN__BLOB_BYTES_MAX = 8 * 1024 * 1024 /* of one part of a snapshot */
};

/** All that is in a snapshot. */
typedef struct cairn__known {
    cairn__persons persons;
    cairn__past past;
    cairn__queries queries;
    cairn__profile profile;
    cairn__server server;
    uint64_t last_seq;    /* noted */
    uint64_t trimmed_seq; /* the highest that has left the history */
    int64_t newest_ms;    /* the latest time of an event, ever */
    int64_t noted_ms;     /* the time of the event that came last */
    bool hole;            /* something is missing in it */
    bool begun;           /* it was read from a snapshot */
} cairn__known;

/** Where the value of one fact comes from, and what it was. */
typedef struct cairn__fact_place {
    uint64_t key;
    size_t query;                      /* place among the queries; SIZE_MAX: none */
    uint64_t stamp;                    /* local->stamp of all below */
    const cairn__server_value *server; /* NULL: the server says nothing */
    int64_t at_ms, until_ms;
    bool valid;
    cairn__kept kept;
} cairn__fact_place;

struct cairn__local {
    cairn_allocator allocator;
    cairn__local_options options;
    cairn__diary diary;
    cairn__known known;
    cairn__known aside; /* while a snapshot is read: what was known before it */
    bool staging;
    uint64_t gone_seq;  /* what came later is in the queue */
    bool stopped;       /* behind a hole, from where on the queue knows better */
    bool was_stopped;   /* that, of `aside` */
    cairn__buffer blob; /* of a part that is put together, or taken apart */
    uint8_t blob_type;  /* 0: none is under way */
    bool started, damaged, no_memory;
    bool zone_given; /* cairn__local_use was called */

    const cairn__rule_slot *slots;
    cairn__fact_place *places;
    size_t slot_count;
    uint64_t stamp; /* another one whenever anything has changed */
    cairn__query_moment moment;

    cairn__memory joined; /* of the current person's nodes, where there are several */
    bool joined_valid;
};

cairn__known cairn__known_make(cairn_allocator allocator);
void cairn__known_free(cairn__known *known);

/** Take an event into what is known; see cairn__local_note. */
cairn_status cairn__local_apply(cairn__local *local, const cairn__event *event, cairn_span encoded);

/** Values, memories and the server's facts may be others: another person, or another history. */
void cairn__local_changed(cairn__local *local);

/** No facts are in use any more. */
void cairn__local_free_places(cairn__local *local);

/** Let what is too much leave the history. */
void cairn__local_trim(cairn__local *local);

/** Write everything known (snapshot.c). */
void cairn__local_snapshot(cairn__local *local);
/** Write the server's values. */
void cairn__local_write_server(cairn__local *local);

/** After the last piece: what a snapshot without an end leaves (restore.c). */
void cairn__local_restored(cairn__local *local);

#endif
