/* cairn_posix_full.h: the Unix client of the full flavour: the device's own events, kept longer
 * than decisions need them, asked in SQL. Library cairn_posix_full; it brings SQLite.
 *
 *     cairn_posix *app = NULL;
 *     cairn_posix_sql_options table = { .events_max = 100000 };
 *     if (cairn_posix_full_open(&options, &table, &app) != CAIRN_OK) return 1;
 *     char *json = NULL;
 *     cairn_status status = cairn_posix_sql(
 *         app, CAIRN_STR("SELECT name, count(*) FROM events GROUP BY name"), &json);
 *     puts(json); // {"columns":["name","count(*)"],"rows":[["view",3]],"cut":false}, or what is
 * wrong free(json);
 *
 * Everything of cairn_posix.h works as it does there. The table is `history.db` in the client's
 * directory (in memory where there is none), kept up by the client's thread; it is never the only
 * copy of anything, and never what decisions are made from. A purge (consent withdrawn, person
 * erased) removes the file. */
#ifndef CAIRN_POSIX_FULL_H
#define CAIRN_POSIX_FULL_H

#include "cairn/cairn_posix.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Zero means the default. */
typedef struct cairn_posix_sql_options {
    uint32_t events_max; /**< The oldest rows beyond it go; default 100,000. */
    uint32_t days_max;   /**< Older rows go; default: of any age. */
} cairn_posix_sql_options;

/** As cairn_posix_open(). @param table  NULL: the defaults. */
cairn_status cairn_posix_full_open(const cairn_posix_options *options,
                                   const cairn_posix_sql_options *table, cairn_posix **app_out);

/**
 * Ask one SELECT over the table `events`: seq, person, time_ms, session, name, event; its
 * properties by property(event, 'name'); `:now` is the moment of the question. What was tracked
 * before is in the answer: the call waits for the disk, at most 10 seconds. From any thread.
 *
 * @param text_out  The answer as JSON, or a sentence; NUL-terminated, to be given to free(). NULL
 *                  only with CAIRN_NO_MEMORY.
 * @retval CAIRN_OK           The answer.
 * @retval CAIRN_INVALID      Not one reading statement, or wrong SQL.
 * @retval CAIRN_BUSY         More work than one question may have, or the disk did not answer.
 * @retval CAIRN_FULL         The answer is larger than 1 MiB.
 * @retval CAIRN_DENIED       Analytics is not allowed: nothing is kept.
 * @retval CAIRN_STORAGE      The table cannot be opened or written.
 * @retval CAIRN_UNSUPPORTED  The client was not opened by cairn_posix_full_open().
 */
cairn_status cairn_posix_sql(cairn_posix *app, cairn_span question, char **text_out);

#ifdef __cplusplus
}
#endif

#endif
