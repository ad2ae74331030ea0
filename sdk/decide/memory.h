/* memory.h: what decisions must remember of one person: who saw, clicked, closed which popup, which
 * items, which experiments. A fold over the person's own events named `$popup_...`, `$slot_...`,
 * `$experiment_exposure` (their properties: docs/DECISIONS.md), called by the device for its own
 * events and by the collector for the trail.
 *
 * Keyed by names, so that a new bundle keeps every counter. Bounded: for each name and kind a
 * total, and the times of the newest CAIRN__MEMORY_MARKS_MAX. While no limit on names is reached
 * the order in which events come makes no difference. One owner thread. */
#ifndef CAIRN_DECIDE_MEMORY_H
#define CAIRN_DECIDE_MEMORY_H

#include "decide/definitions.h"
#include "model/event.h"

enum {
    CAIRN__MEMORY_MARKS_MAX = CAIRN__CAP_COUNT_MAX, /* times kept per name and kind */
    CAIRN__MEMORY_COUNTS = 4,                       /* cairn__cap_count */
    CAIRN__MEMORY_ENTRIES_MAX = 8192, /* names; then that which was quiet longest is forgotten */
    CAIRN__MEMORY_GROUPS_MAX =
        CAIRN__POPUP_GROUPS_MAX,      /* groups on one event; the others are not counted */
    CAIRN__MEMORY_BYTES_MAX = 4 << 20 /* of a memory as bytes */
};

typedef enum cairn__memory_kind {
    CAIRN__MEMORY_POPUP = 0,
    CAIRN__MEMORY_GROUP = 1, /* the empty name: all popups */
    CAIRN__MEMORY_ITEM = 2,  /* of a slot */
    CAIRN__MEMORY_EXPERIMENT = 3
} cairn__memory_kind;

enum { CAIRN__MEMORY_KINDS = 4 };

/** One show, click, ...: when, and in which session of its device. */
typedef struct cairn__memory_mark {
    int64_t time_ms;
    uint64_t session;
} cairn__memory_mark;

typedef struct cairn__memory_count {
    cairn__memory_mark *marks; /* newest first */
    uint32_t total;            /* of all that ever were; stops at UINT32_MAX */
    uint16_t mark_count, capacity;
} cairn__memory_count;

/** What is remembered of one name. An experiment's shows are its exposures. */
typedef struct cairn__memory_entry {
    cairn_span name, item; /* item: of ITEM, otherwise empty */
    uint64_t hash;         /* of kind and names */
    uint64_t shape;        /* of this and all entries before: who knows it knows them */
    cairn__memory_count counts[CAIRN__MEMORY_COUNTS];
    cairn_span variant; /* POPUP: of the newest show; EXPERIMENT: what is kept */
    int64_t since_ms;   /* EXPERIMENT: of the assignment that is kept */
    uint32_t version;   /* EXPERIMENT: sticky_version of that assignment */
    uint32_t unit;      /* EXPERIMENT: cairn__assign_fnv of its unit; 0: not known */
    uint32_t position;  /* ITEM: of the newest show, from 1 */
    uint8_t kind;       /* cairn__memory_kind */
    bool held;          /* inside a call only: not to be forgotten now */
} cairn__memory_entry;

typedef struct cairn__memory {
    cairn_allocator allocator;
    cairn__memory_entry *entries; /* in order of first sight */
    uint32_t count, capacity;
    uint32_t *places; /* hash table: number of the entry + 1; 0: free */
    uint32_t place_count;
    uint64_t shape; /* equal shapes: the same names in the same order */
} cairn__memory;

cairn__memory cairn__memory_make(cairn_allocator allocator);
void cairn__memory_free(cairn__memory *memory);

/** The reserved event names: is this event one that a memory takes? Cheap. */
bool cairn__memory_takes(cairn_span event_name);

/**
 * Take one event in (kind TRACK or DECISION). Events of other names, and such whose properties do
 * not fit, change nothing. Call it once per event. Allocates only for a new name or more marks.
 * @retval CAIRN_NO_MEMORY  Nothing changed; whoever was about to show something must not.
 */
cairn_status cairn__memory_note(cairn__memory *memory, const cairn__event *event);

/** The entry, or NULL. `item` is empty but for items. */
const cairn__memory_entry *cairn__memory_find(const cairn__memory *memory, cairn__memory_kind kind,
                                              cairn_span name, cairn_span item);

/** Two persons have become one: totals are summed, times united, `from` is left as it is. Either
 * order gives the same counts. @retval CAIRN_NO_MEMORY  `into` may hold a part of it. */
cairn_status cairn__memory_merge(cairn__memory *into, const cairn__memory *from);

/** Append the memory as bytes; to->failed tells of no room. */
void cairn__memory_write(const cairn__memory *memory, cairn__buffer *to);

/**
 * Read what cairn__memory_write wrote, into an empty memory. The bytes are not trusted.
 * @retval CAIRN_INVALID      Not such bytes. The memory is empty.
 * @retval CAIRN_UNSUPPORTED  Of a later version. The memory is empty.
 * @retval CAIRN_NO_MEMORY    The memory is empty.
 */
cairn_status cairn__memory_read(cairn__memory *memory, cairn_span bytes);

/** Names of the reserved events and their properties. */
#define CAIRN__EVENT_POPUP_SHOW CAIRN_STR("$popup_show")
#define CAIRN__EVENT_POPUP_CLICK CAIRN_STR("$popup_click")
#define CAIRN__EVENT_POPUP_CLOSE CAIRN_STR("$popup_close")
#define CAIRN__EVENT_POPUP_CONVERT CAIRN_STR("$popup_convert")
#define CAIRN__EVENT_SLOT_SHOW CAIRN_STR("$slot_show")
#define CAIRN__EVENT_SLOT_CLICK CAIRN_STR("$slot_click")
#define CAIRN__EVENT_EXPOSURE CAIRN_STR("$experiment_exposure")

#endif
