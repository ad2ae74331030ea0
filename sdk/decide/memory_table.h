/* memory_table.h: what memory.c and memory_bytes.c share: the table of names and its marks. */
#ifndef CAIRN_DECIDE_MEMORY_TABLE_H
#define CAIRN_DECIDE_MEMORY_TABLE_H

#include "base/bytes.h"
#include "decide/memory.h"

/** The entry, made where there is none (then another may be forgotten); NULL: no memory. */
cairn__memory_entry *cairn__memory_entry_for(cairn__memory *memory, cairn__memory_kind kind,
                                             cairn_span name, cairn_span item);

/** Room for so many marks in all, at most CAIRN__MEMORY_MARKS_MAX; false: no memory. */
bool cairn__memory_room(cairn__memory *memory, cairn__memory_count *count, size_t mark_count);

/** The mark takes its place among the newest; there is room for it. */
void cairn__memory_insert(cairn__memory_count *count, cairn__memory_mark mark);

void cairn__memory_add_total(cairn__memory_count *count, uint32_t more);

/** A copy of the name; false: no memory, and the old one stays. */
bool cairn__memory_set_variant(cairn__memory *memory, cairn__memory_entry *entry,
                               cairn_span variant);

/** By time, then by session: < 0, 0 or > 0. */
int cairn__memory_order(cairn__memory_mark a, cairn__memory_mark b);

#endif
