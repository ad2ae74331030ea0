/* queries.h: the history functions that the bundle asks for, and what they came to for the current
 * person. A value is kept until its time is over, or an event comes that may change it: then count,
 * did, sum, first and last are counted on, the others are evaluated again over the events of their
 * names.
 *
 * What leaves the history is folded into **buckets** of one local day each, per query and node: so
 * a window that reaches further back is still answered where every bucket is wholly within or
 * wholly outside of it; else the value is unknown. Folded are count, did, first, last, and sum,
 * min, max of whole numbers; for the others the times before the history are unknown. One owner
 * thread. */
#ifndef CAIRN_LOCAL_QUERIES_H
#define CAIRN_LOCAL_QUERIES_H

#include "local/kept.h"
#include "local/past.h"
#include "local/persons.h"
#include "rules/history.h"

enum {
    CAIRN__FOLD_BUCKETS_MAX = 8,      /* per query and node; then the oldest two become one */
    CAIRN__FOLDS_MAX = 512,           /* of all queries; then what is older is unknown */
    CAIRN__FOLD_TEXT_BYTES_MAX = 256, /* of a value that is kept; longer ones are not folded */
    CAIRN__QUERIES_BYTES_MAX = 1024 * 1024, /* of all that are asked, as read */
    CAIRN__QUERY_COUNTED_ON_MAX = 256, /* by one event, at 30 ns each; others are evaluated again
                                          when asked, at 100 ns for each event of the history */
    CAIRN__QUERY_AGAIN_MS = 60 * 1000  /* an unknown value is tried again */
};

/** What was folded of one query and node. A bucket: events between these times brought this. */
typedef struct cairn__bucket {
    int64_t first_ms, last_ms;
    uint64_t count;
    cairn__kept kept; /* the sum, the least, ... */
} cairn__bucket;

typedef struct cairn__counter {
    uint32_t node;
    uint32_t count;
    cairn__bucket buckets[CAIRN__FOLD_BUCKETS_MAX]; /* by first_ms */
} cairn__counter;

typedef struct cairn__asked {
    cairn_span bytes;
    uint64_t hash;
    const cairn__query *query; /* NULL: could not be read */
    bool valid;
    bool served;             /* the value has the server's in it */
    int64_t at_ms, until_ms; /* of the value */
    cairn__kept value;
    int64_t from_ms; /* what is folded is whole from here; INT64_MIN: always was */
    cairn__counter *folds;
    size_t fold_count, fold_capacity;
} cairn__asked;

/** Which queries look at events of a name. */
typedef struct cairn__query_entry {
    uint32_t name; /* cairn__past_name */
    uint32_t asked;
} cairn__query_entry;

typedef struct cairn__queries {
    cairn_allocator allocator;
    cairn__arena arena; /* bytes and readings of the queries */
    cairn__asked *items;
    size_t count, capacity;
    uint32_t *table; /* by hash: the place + 1; 0: free; at most half full */
    size_t table_size;
    cairn__query_entry *entries; /* by name; those of any event are at the end */
    size_t entry_count, entry_capacity, any_count;
    size_t fold_count;   /* of all */
    uint64_t zone_print; /* of the zone in which it was folded */
    const cairn__zone *zone;
    cairn__arena decoding; /* of one event */
    cairn__arena scratch;  /* of one evaluation */
} cairn__queries;

cairn__queries cairn__queries_make(cairn_allocator allocator);
void cairn__queries_free(cairn__queries *queries);

/** Ask these: of those that were asked before, what is known stays. `complete_ms`: the history is
 * whole from here, for every node. False: no memory, and nothing is asked. */
bool cairn__queries_ask(cairn__queries *queries, const cairn__rule_slot *slots, size_t count,
                        int64_t complete_ms);

/** The zone of days and of conditions. What was folded in another one is forgotten. */
void cairn__queries_set_zone(cairn__queries *queries, const cairn__zone *zone, int64_t complete_ms);

/** The place of a query; SIZE_MAX: it is not asked. */
size_t cairn__queries_find(const cairn__queries *queries, cairn_span bytes);

/** An event of the current person has come. */
void cairn__queries_note(cairn__queries *queries, const cairn__event *event);

/** Nothing is kept any more of the values: it is another person, or events went away. */
void cairn__queries_forget_values(cairn__queries *queries);

/** An event leaves the history. */
void cairn__queries_fold(cairn__queries *queries, const cairn__held *held);

/** What was folded of a node is another's; to 0: it is forgotten. */
void cairn__queries_move(cairn__queries *queries, uint32_t from, uint32_t to);

/** Whose history, and when. */
typedef struct cairn__queries_view {
    const cairn__past *past;
    const cairn__persons *persons;
    const cairn__query_moment *when;
    const cairn_value *server; /* the server's value of this query; NULL: none */
    int64_t server_until_ms;   /* it holds before this moment */
    uint64_t trimmed_seq;      /* events up to it may have left the history */
    uint64_t server_covers;    /* and has in it what this device did up to this seq */
} cairn__queries_view;

/** The value of the query at this place; borrowed until anything changes. The server's value goes
 * before the device's own, since it knows other devices' events; what this device did since is
 * counted on where that can be done (count, did), and makes the value unknown where not. */
cairn_value cairn__queries_value(cairn__queries *queries, size_t place,
                                 const cairn__queries_view *view);

/** One query and its folds as bytes, and back: read_one adds to those that were read before. */
void cairn__queries_write_one(const cairn__asked *asked, cairn__buffer *to);
bool cairn__queries_read_one(cairn__queries *queries, cairn_span bytes);
/** After the last one. False: no memory. */
bool cairn__queries_read_end(cairn__queries *queries);

#endif
