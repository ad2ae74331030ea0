/* An answer of /v1/analyze as an aligned table. */
#ifndef CAIRN_CLI_TABLE_H
#define CAIRN_CLI_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CAIRN__TABLE_COLUMNS_MAX 256u

/* Cells that UTF-8 `text` takes on a terminal: wide East Asian characters take two. */
size_t cairn__table_width(const char *text);

/* Prints "columns" (strings, or objects with "name") and "rows" (arrays); numbers stand to the
 * right. False, with nothing printed, when `answer` has no such table. */
bool cairn__table_print(const json_t *answer, FILE *to);

#endif
