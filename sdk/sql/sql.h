/* sql.h: a device's own events as a table that can be asked in SQL; the full flavour only.
 *
 *     SELECT name, count(*) FROM events WHERE time_ms > :now - 604800000 GROUP BY name
 *     SELECT sum(property(event, 'amount')) FROM events WHERE name = 'purchase'
 *
 * The table `events` has the columns seq (this device's count, ascending), person (the local
 * person's number when it was noted), time_ms, session, name, event (the encoded event);
 * property(event, name) gives a property's value (a list as JSON text), and null where the event
 * has none. `:now` is the moment of the question.
 *
 * It is a longer memory beside the device's history (sdk/local), never what decisions are made
 * from: both flavours decide the same. Rows that are missing after a crash are noted again from
 * there: cairn__sql_newest says from where.
 *
 * Questions can only read this one table: an authoriser refuses everything else. Each has a budget
 * of work, rows and bytes. Threads: one owner. */
#ifndef CAIRN_SQL_SQL_H
#define CAIRN_SQL_SQL_H

#include "base/memory.h"
#include "cairn/cairn_types.h"

enum {
    CAIRN__SQL_EVENTS_DEFAULT = 100 * 1000,
    CAIRN__SQL_TEXT_BYTES_MAX = 16 * 1024,     /* of a question */
    CAIRN__SQL_ROWS_MAX = 10 * 1000,           /* of an answer */
    CAIRN__SQL_ANSWER_BYTES_MAX = 1024 * 1024, /* of an answer as JSON */
    CAIRN__SQL_COLUMNS_MAX = 64,               /* of an answer */
    CAIRN__SQL_STEPS_MAX = 20 * 1000 * 1000, /* instructions of SQLite's machine, about a second */
    CAIRN__SQL_TRIM_EVERY = 256,             /* notes between two looks at the limits */
    CAIRN__SQL_OWNER_BYTES_MAX = 64
};

typedef struct cairn__sql cairn__sql;

typedef struct cairn__sql_options {
    cairn_allocator allocator;
    const char *path;    /* of the database file, as the VFS names it; made when missing */
    uint32_t events_max; /* the oldest rows beyond it go; 0: CAIRN__SQL_EVENTS_DEFAULT */
    int64_t age_max_ms;  /* older rows go; 0: no bound */
} cairn__sql_options;

/** What went wrong, for people. */
typedef struct cairn__sql_fault {
    char text[240];
} cairn__sql_fault;

/** @retval CAIRN_STORAGE    The file cannot be used; fault_out says why. A file that is damaged is
 *                           the caller's to remove: nothing in it is needed.
 * @retval CAIRN_NO_MEMORY  No room. */
cairn_status cairn__sql_open(const cairn__sql_options *options, cairn__sql **sql_out,
                             cairn__sql_fault *fault_out);
void cairn__sql_close(cairn__sql *sql); /* what is not committed is lost; NULL is fine */

/** Say whose rows these are (the device's id, at most 64 bytes), before the first note: the rows of
 * anybody else are removed, as by cairn__sql_purge, since a seq counts for one device.
 * @retval CAIRN_INVALID  Longer. @retval CAIRN_STORAGE  Not done. */
cairn_status cairn__sql_own(cairn__sql *sql, cairn_span owner);

/** The newest seq that is held, 0 when there is none: what follows it is to be noted again. */
uint64_t cairn__sql_newest(const cairn__sql *sql);

/** One event more; not durable before cairn__sql_commit. A seq that is held already changes
 * nothing.
 * @param event  The encoded Event message.
 * @retval CAIRN_INVALID  Not an event. @retval CAIRN_STORAGE  Not written. */
cairn_status cairn__sql_note(cairn__sql *sql, uint64_t seq, uint64_t person, cairn_span event);

/** Make everything noted durable, and let the rows beyond the limits go.
 * @retval CAIRN_STORAGE  Nothing of it is; note it again. */
cairn_status cairn__sql_commit(cairn__sql *sql);

/** Remove every row, durably: consent was withdrawn, or the person erased. */
cairn_status cairn__sql_purge(cairn__sql *sql);

/**
 * Answer a question: {"columns":["name","count(*)"],"rows":[["view",3],...],"cut":false}; "cut" is
 * true where more than CAIRN__SQL_ROWS_MAX rows would follow. Integers and numbers are JSON
 * numbers, blobs are their length as {"bytes":n}.
 * @param to  Appended to; what was appended is cut off again where the status is not CAIRN_OK.
 * @retval CAIRN_INVALID    Not one reading statement, or wrong SQL; the fault says what.
 * @retval CAIRN_BUSY       More than CAIRN__SQL_STEPS_MAX: ask for less.
 * @retval CAIRN_FULL       The answer is larger than CAIRN__SQL_ANSWER_BYTES_MAX.
 * @retval CAIRN_NO_MEMORY, CAIRN_STORAGE */
cairn_status cairn__sql_ask(cairn__sql *sql, cairn_span text, int64_t now_ms, cairn__buffer *to,
                            cairn__sql_fault *fault_out);

#endif
