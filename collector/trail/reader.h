/* reader.h: reads a snapshot person by person, each person's events in (time, order).
 *
 * The caller names the events and properties it needs; blocks without them are skipped, only rows
 * that match are decoded, and the runs of one person (images, merged nodes) are merged here and
 * nowhere else. Rows come in batches of whole persons as plain columns, so that a model is a small
 * state machine over arrays.
 *
 * Threads: one reader per thread; the snapshot is shared. */
#ifndef CAIRN_TRAIL_READER_H
#define CAIRN_TRAIL_READER_H

#include "trail/trail.h"

enum {
    CAIRN__READER_NAMES_MAX = 4096,    /* event names of one query */
    CAIRN__READER_PROPERTIES_MAX = 64, /* properties of one query */
    /* When every event is asked for: names beyond the first 65,535 that the reader meets share this
     * code, named "$other". Events asked for by name are always told apart. */
    CAIRN__READER_NAME_OTHER = UINT16_MAX,
};

typedef struct cairn__reader cairn__reader;

typedef struct cairn__reader_options {
    cairn_allocator allocator;
    size_t bytes_max;        /* memory budget of the reader */
    const cairn_span *names; /* wanted events; row.name is the index in this list */
    size_t name_count;       /* 0: every event; row.name is then a code for cairn__reader_name */
    const cairn_span *properties; /* wanted properties, in column order */
    size_t property_count;
    int64_t from_ms, to_ms;            /* rows with from <= time < to */
    const uint32_t *person_of;         /* node -> person; NULL: every node its own person */
    size_t node_count;                 /* of person_of; nodes beyond it are their own persons */
    uint32_t person_first, person_end; /* only persons in [first, end); 0,UINT32_MAX: all */
    bool without_order;                /* batch.order may be NULL: saves reading it */
} cairn__reader_options;

/** One property over the rows of a batch. kind is a cairn_value_kind; NULL: absent.
 * bits: boolean 0/1, integer and time as int64, number as IEEE bits, string a code for
 * cairn__reader_text (equal text <=> equal code inside one reader), list a code for
 * cairn__reader_list. */
typedef struct cairn__reader_column {
    const uint8_t *kind;
    const uint64_t *bits;
} cairn__reader_column;

/** Whole persons, ascending. Person i owns rows [person_rows[i], person_rows[i + 1]). */
typedef struct cairn__reader_batch {
    size_t person_count;
    const uint32_t *persons;
    const uint32_t *person_rows; /* person_count + 1 entries */
    size_t row_count;
    const int64_t *time_ms;
    const uint16_t *name;
    const uint64_t *order;               /* NULL when it was not asked for and not needed */
    const cairn__reader_column *columns; /* property_count of them */
} cairn__reader_batch;

/** The snapshot and person_of must outlive the reader; names and properties are copied.
 * @retval CAIRN_NO_MEMORY  The budget is too small.
 * @retval CAIRN_INVALID    More names or properties than the limits above.
 * @retval CAIRN_STORAGE    A checksum is wrong. */
cairn_status cairn__reader_open(const cairn__trail_snapshot *snapshot,
                                const cairn__reader_options *options, cairn__reader **reader_out);
/** The next batch, valid until the next call; person_count 0 at the end.
 * @retval CAIRN_STORAGE    A checksum is wrong. CAIRN_NO_MEMORY: one person exceeds the budget. */
cairn_status cairn__reader_next(cairn__reader *reader, cairn__reader_batch *batch_out);
void cairn__reader_close(cairn__reader *reader);

/** Spans and lists live as long as the reader. */
cairn_span cairn__reader_name(const cairn__reader *reader, uint16_t code);
cairn_span cairn__reader_text(const cairn__reader *reader, uint64_t bits);
cairn_string_list cairn__reader_list(const cairn__reader *reader, uint64_t bits);
/** Rows looked at so far; rows of blocks that could be skipped do not count. */
uint64_t cairn__reader_rows_read(const cairn__reader *reader);

#endif
