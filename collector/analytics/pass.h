/* pass.h: one pass over the persons of a snapshot: each person who counts, once, in ascending
 * order, with all the events that the question names. Who counts and which events do (audience,
 * filter, sample, patterns) is decided here and nowhere else. */
#ifndef CAIRN_ANALYTICS_PASS_H
#define CAIRN_ANALYTICS_PASS_H

#include "analytics/budget.h"
#include "analytics/query.h"

enum { CAIRN__PASS_STOP_ROWS = 10000 }; /* rows between two questions to `stop` */

/** What all passes of one question share. */
typedef struct cairn__run {
    const cairn__analyze_source *source;
    const cairn__analyze_options *options;
    const cairn__query *query;
    cairn_allocator allocator; /* of the budget */
    size_t reader_bytes_max;   /* the reader's part of it */
    uint64_t rows_read, persons_read;
} cairn__run;

typedef struct cairn__pass {
    cairn__run *run;
    const cairn__query_side *side;
    cairn__reader *reader;
    cairn_status status; /* why the pass ended; CAIRN_OK at the end of the data */

    /* The person at hand: rows [first, end) of the batch. */
    cairn__reader_batch batch;
    uint32_t person;
    uint32_t first, end;

    size_t next_index;   /* in the batch */
    size_t rows_to_stop; /* before `stop` is asked again */
    bool row_rules;      /* some rule must be asked per row */
    bool all_names;      /* the reader gives every event: masks are looked up by its codes */
    uint64_t with_where; /* patterns that have a rule */
    cairn__list names;   /* cairn_span: what the reader was asked for; it borrows them */
    uint64_t *name_masks;
    size_t name_count;
    cairn__list masks;
    cairn_value *slots; /* of the rule being asked */
    size_t slot_count;
    bool user_ready;
    cairn_value user[CAIRN__QUERY_FACTS_MAX];
} cairn__pass;

/** Rows with from <= time < to. On failure nothing is to be closed. */
cairn_status cairn__pass_open(cairn__pass *pass, cairn__run *run, const cairn__query_side *side,
                              int64_t to_ms);
/** The next person who counts; false at the end (pass->status says which end). */
bool cairn__pass_next(cairn__pass *pass);
void cairn__pass_close(cairn__pass *pass);

/** Does every person count (no sample, no rule about persons)? Then a model may walk whole batches
 * instead of calling cairn__pass_next: pass->batch, until false. */
bool cairn__pass_everyone(const cairn__pass *pass);
bool cairn__pass_next_batch(cairn__pass *pass);

/** One bit per pattern that the row matches, for the rows of the person at hand (masks[0] is row
 * `first`). NULL: pass->status. */
const uint64_t *cairn__pass_masks(cairn__pass *pass);

/** Where every row matches what its name says: the bits by row.name; else NULL. */
const uint64_t *cairn__pass_name_masks(const cairn__pass *pass);

/** Work beyond one look at each row; false when the time is up (pass->status). */
bool cairn__pass_work(cairn__pass *pass, size_t rows);

/** The value of a fact at a row (kind NULL: absent), or of the person at hand. */
void cairn__pass_value(cairn__pass *pass, cairn__query_fact fact, uint32_t row,
                       cairn_value *value_out);

#endif
