/* A row and a mapping -> an event as POST /v1/events takes it. */
#ifndef CAIRN_CLI_CONVERT_H
#define CAIRN_CLI_CONVERT_H

#include "cli/rows.h"
#include "cli/when.h"

typedef struct {
    cairn__rows *rows;                  /* borrowed */
    const cairn__mapping *mapping;      /* borrowed */
    cairn__when when;                   /* of the mapping's zone */
    size_t ids[CAIRN__MAPPING_IDS_MAX]; /* places of columns in a CSV */
    size_t event;
    size_t time;
    size_t properties[CAIRN__MAPPING_PROPERTIES_MAX];
    char reason[256];
} cairn__convert;

/* Finds the mapping's columns in the file. A CSV whose mapping names no properties gets all the
 * columns that mean nothing else. False: reason names the column that is not there. */
bool cairn__convert_open(cairn__convert *convert, cairn__rows *rows, cairn__mapping *mapping);

/* The latest row as an event whose seq is its line; a new reference, or NULL: reason. */
json_t *cairn__convert_row(cairn__convert *convert);

#endif
