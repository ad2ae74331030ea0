/* What the columns of a file mean: which one names the person, the event, the time, and which
 * become properties. Filled from a mapping file (YAML, so JSON too) and from flags after it.
 *
 * A mapping file:
 *   format: csv                    # or jsonl
 *   delimiter: ","                 # one character, "tab", or "blanks" (runs of spaces and tabs)
 *   columns: [id, sample, date]    # where the file has no header line
 *   user: {column: sample, type: login}
 *   ids: {device: device_column}   # more ids: type, then column
 *   event: purchase                # the same for every row; or event_column: kind
 *   time: {column: date, format: "%Y%m%d", zone: UTC}
 *   properties: {date: string, sales: {type: number, name: amount}}
 */
#ifndef CAIRN_CLI_MAPPING_H
#define CAIRN_CLI_MAPPING_H

#include <stdbool.h>

#include "base/memory.h"

#define CAIRN__MAPPING_COLUMNS_MAX 512u
#define CAIRN__MAPPING_IDS_MAX 16u
#define CAIRN__MAPPING_PROPERTIES_MAX 256u
#define CAIRN__MAPPING_FILE_BYTES_MAX 1048576u

typedef enum {
    CAIRN__TYPE_AS_IS, /* text of a CSV, whatever a JSON value is */
    CAIRN__TYPE_STRING,
    CAIRN__TYPE_INTEGER,
    CAIRN__TYPE_NUMBER,
    CAIRN__TYPE_BOOLEAN,
    CAIRN__TYPE_TIME, /* read as the mapping's time is; written as RFC 3339 in UTC */
    CAIRN__TYPE_LIST  /* texts between semicolons */
} cairn__mapping_type;

typedef struct {
    const char *column;
    const char *name;
    cairn__mapping_type type;
} cairn__mapping_property;

typedef struct {
    const char *type;
    const char *column;
} cairn__mapping_id;

typedef enum { CAIRN__FORMAT_UNKNOWN, CAIRN__FORMAT_CSV, CAIRN__FORMAT_JSONL } cairn__format;

typedef struct {
    cairn__format format;
    char delimiter; /* 0: a comma */
    const char *columns[CAIRN__MAPPING_COLUMNS_MAX];
    size_t column_count; /* 0: the first line names them */
    cairn__mapping_id ids[CAIRN__MAPPING_IDS_MAX];
    size_t id_count;
    const char *event;        /* the same for all */
    const char *event_column; /* or where it stands */
    const char *time_column;
    const char *time_format; /* as cairn__when_parse */
    const char *zone;        /* name; UTC when NULL */
    cairn__mapping_property properties[CAIRN__MAPPING_PROPERTIES_MAX];
    size_t property_count;
    cairn__arena arena; /* owns the texts that are not the caller's */
    char problem[256];  /* what was wrong: names the key, its line, and the fix */
} cairn__mapping;

void cairn__mapping_open(cairn__mapping *mapping);
void cairn__mapping_close(cairn__mapping *mapping);

/* Takes in the text of a mapping file. False: problem. */
bool cairn__mapping_read(cairn__mapping *mapping, const char *text, size_t bytes);

/* One flag each; the texts must outlive the mapping. False: problem. An id: "TYPE=COLUMN"; a
 * property: "COLUMN", "COLUMN:TYPE", "COLUMN=NAME" or "COLUMN:TYPE=NAME". */
bool cairn__mapping_add_id(cairn__mapping *mapping, const char *text);
bool cairn__mapping_add_property(cairn__mapping *mapping, const char *text);
/* The same taken apart, where names may hold any character; `type` NULL: any. */
bool cairn__mapping_put_property(cairn__mapping *mapping, cairn__mapping_property property,
                                 const char *type);
bool cairn__mapping_set_user(cairn__mapping *mapping, const char *column, const char *type);
bool cairn__mapping_set_columns(cairn__mapping *mapping, const char *commas);
bool cairn__mapping_set_format(cairn__mapping *mapping, const char *text);
bool cairn__mapping_set_delimiter(cairn__mapping *mapping, const char *text);

/* Nothing but the format was said: the lines are events as POST /v1/events takes them. */
bool cairn__mapping_is_native(const cairn__mapping *mapping);

/* Is it enough to make events? False: problem says what is missing. */
bool cairn__mapping_check(cairn__mapping *mapping);

#endif
