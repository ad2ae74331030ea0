/* reading_slot.h: what read_slot.c and read_strategy.c share. */
#ifndef CAIRN_DEFINITIONS_READING_SLOT_H
#define CAIRN_DEFINITIONS_READING_SLOT_H

#include "definitions/reading.h"

typedef struct cairn__slot_reading {
    cairn__reader *reader;
    cairn__slot_parts *parts;
    uint16_t *buckets; /* of items by id: number + 1 */
    size_t bucket_count;
} cairn__slot_reading;

/** The name of one of the slot's lists, as its number. */
bool cairn__read_list_name(cairn__slot_reading *slot, cairn__place place, uint16_t *number_out);
bool cairn__read_strategies(cairn__slot_reading *slot, cairn__place list);

#endif
