/* reader.h: profiles of one moment, for questions, on any thread.
 *
 * A reader has a read-only connection of its own, whose read transaction is the moment. It is asked
 * for persons in ascending order, so that each property is one pass over its table. */
#ifndef CAIRN_PROFILE_READER_H
#define CAIRN_PROFILE_READER_H

#include "db/db.h"
#include "profile/record.h"

enum { CAIRN__PROFILE_READ_NAMES_MAX = 64 }; /* distinct names one reader can be asked for */

typedef struct cairn__profile_reader cairn__profile_reader;

/** @param db  A moment (cairn__db_open_moment); the reader does not own it. One reader at a time
 *             per moment; used by one thread at a time. */
cairn_status cairn__profile_reader_open(sqlite3 *db, cairn_allocator allocator,
                                        cairn__profile_reader **reader_out,
                                        cairn__db_problem *problem_out);
void cairn__profile_reader_close(cairn__profile_reader *reader);

/**
 * The values of these properties for a person.
 *
 * @param nodes  The person's nodes. Persons should come ascending, too: going back costs
 *               a search.
 * @param values_out  kind NULL where there is none; spans live until the next call.
 * @retval CAIRN_STORAGE    Damage. CAIRN_NO_MEMORY. CAIRN_FULL: more names than it takes.
 */
cairn_status cairn__profile_reader_read(cairn__profile_reader *reader, cairn__nodes nodes,
                                        cairn_string_list names, cairn_value *values_out);

#endif
