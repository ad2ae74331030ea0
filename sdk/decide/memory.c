/* memory.c: the table of names and their marks. The fold: memory_fold.c; bytes: memory_bytes.c. */
#include "decide/memory.h"

#include "base/assert.h"
#include "base/hash.h"
#include "decide/memory_table.h"

cairn__memory cairn__memory_make(cairn_allocator allocator) {
    return (cairn__memory){ .allocator = allocator };
}

static void *resize(const cairn__memory *memory, void *at, size_t old_bytes, size_t bytes) {
    return memory->allocator.resize(memory->allocator.self, at, old_bytes, bytes);
}

static void release(const cairn__memory *memory, const void *at, size_t bytes) {
    if (at != NULL) {
        resize(memory, (void *)(uintptr_t)at, bytes, 0);
    }
}

static void free_entry(cairn__memory *memory, cairn__memory_entry *entry) {
    release(memory, entry->name.data, entry->name.len + entry->item.len + 1);
    release(memory, entry->variant.data, entry->variant.len);
    for (size_t i = 0; i < CAIRN__MEMORY_COUNTS; i++) {
        release(memory, entry->counts[i].marks,
                entry->counts[i].capacity * sizeof(cairn__memory_mark));
    }
    *entry = (cairn__memory_entry){ .kind = entry->kind };
}

void cairn__memory_free(cairn__memory *memory) {
    for (uint32_t i = 0; i < memory->count; i++) {
        free_entry(memory, &memory->entries[i]);
    }
    release(memory, memory->entries, memory->capacity * sizeof *memory->entries);
    release(memory, memory->places, memory->place_count * sizeof *memory->places);
    *memory = cairn__memory_make(memory->allocator);
}

/* --- the table --- */

static uint64_t hash_of(cairn__memory_kind kind, cairn_span name, cairn_span item) {
    return cairn__hash(item, cairn__hash(name, (uint64_t)kind + 1));
}

static uint64_t shape_after(uint64_t shape, uint64_t hash) {
    return cairn__mix(shape * 3 + hash);
}

/* The place of the key in the table, or the free one where it would be. */
static uint32_t place_of(const cairn__memory *memory, uint64_t hash, cairn_span name,
                         cairn_span item) {
    uint32_t mask = memory->place_count - 1;
    uint32_t at = (uint32_t)hash & mask;
    while (memory->places[at] != 0) { /* the table is never more than half full */
        const cairn__memory_entry *entry = &memory->entries[memory->places[at] - 1];
        if (entry->hash == hash && cairn__span_equal(entry->name, name) &&
            cairn__span_equal(entry->item, item)) {
            break;
        }
        at = (at + 1) & mask;
    }
    return at;
}

const cairn__memory_entry *cairn__memory_find(const cairn__memory *memory, cairn__memory_kind kind,
                                              cairn_span name, cairn_span item) {
    if (memory->count == 0) {
        return NULL;
    }
    uint32_t number = memory->places[place_of(memory, hash_of(kind, name, item), name, item)];
    return number == 0 ? NULL : &memory->entries[number - 1];
}

/* Places and shapes anew, from the entries. */
static void index_again(cairn__memory *memory) {
    memset(memory->places, 0, memory->place_count * sizeof *memory->places);
    memory->shape = 0;
    for (uint32_t i = 0; i < memory->count; i++) {
        cairn__memory_entry *entry = &memory->entries[i];
        memory->places[place_of(memory, entry->hash, entry->name, entry->item)] = i + 1;
        memory->shape = shape_after(memory->shape, entry->hash);
        entry->shape = memory->shape;
    }
}

static bool grow(cairn__memory *memory) {
    if (memory->count < memory->capacity) {
        return true;
    }
    uint32_t capacity = memory->capacity == 0 ? 16 : memory->capacity * 2;
    uint32_t place_count = capacity * 2;
    uint32_t *places = resize(memory, NULL, 0, place_count * sizeof *places);
    if (places == NULL) {
        return false;
    }
    cairn__memory_entry *entries = resize(
        memory, memory->entries, memory->capacity * sizeof *entries, capacity * sizeof *entries);
    if (entries == NULL) {
        release(memory, places, place_count * sizeof *places);
        return false;
    }
    release(memory, memory->places, memory->place_count * sizeof *places);
    memory->entries = entries;
    memory->capacity = capacity;
    memory->places = places;
    memory->place_count = place_count;
    index_again(memory);
    return true;
}

/* When the entry was last heard of; one without any mark has just been made, one that is held is
 * being counted. */
static int64_t newest_of(const cairn__memory_entry *entry) {
    int64_t newest = INT64_MIN;
    bool any = false;
    for (size_t i = 0; i < CAIRN__MEMORY_COUNTS; i++) {
        const cairn__memory_count *count = &entry->counts[i];
        if (count->mark_count > 0) {
            any = true;
            newest = count->marks[0].time_ms > newest ? count->marks[0].time_ms : newest;
        }
    }
    return any && !entry->held ? newest : INT64_MAX;
}

/* The entry to forget: of an item if there is one, as an item's caps are the least promise. */
static uint32_t quietest(const cairn__memory *memory) {
    CAIRN_ASSERT(memory->entries != NULL);
    uint32_t found = 0;
    for (uint32_t i = 1; i < memory->count; i++) {
        const cairn__memory_entry *entry = &memory->entries[i];
        bool item = entry->kind == CAIRN__MEMORY_ITEM;
        bool found_item = memory->entries[found].kind == CAIRN__MEMORY_ITEM;
        if (item != found_item ? item : newest_of(entry) < newest_of(&memory->entries[found])) {
            found = i;
        }
    }
    return found;
}

static cairn__memory_entry *add(cairn__memory *memory, cairn__memory_kind kind, cairn_span name,
                                cairn_span item) {
    /* one byte more, so that no name is an allocation of nothing */
    uint8_t *bytes = resize(memory, NULL, 0, name.len + item.len + 1);
    if (bytes == NULL) {
        return NULL;
    }
    bool full = memory->count == CAIRN__MEMORY_ENTRIES_MAX;
    if (!full && !grow(memory)) {
        release(memory, bytes, name.len + item.len + 1);
        return NULL;
    }
    cairn__memory_entry made = { .kind = (uint8_t)kind, .hash = hash_of(kind, name, item) };
    made.name = (cairn_span){ bytes, name.len };
    made.item = (cairn_span){ bytes + name.len, item.len };
    memcpy(bytes, name.data == NULL ? (const uint8_t *)"" : name.data, name.len);
    memcpy(bytes + name.len, item.data == NULL ? (const uint8_t *)"" : item.data, item.len);
    if (full) {
        uint32_t at = quietest(memory);
        free_entry(memory, &memory->entries[at]);
        memory->entries[at] = made;
        index_again(memory);
        return &memory->entries[at];
    }
    CAIRN_ASSERT(memory->entries != NULL); /* as grow() has said */
    memory->shape = shape_after(memory->shape, made.hash);
    made.shape = memory->shape;
    memory->places[place_of(memory, made.hash, made.name, made.item)] = memory->count + 1;
    memory->entries[memory->count] = made;
    memory->count += 1;
    return &memory->entries[memory->count - 1];
}

cairn__memory_entry *cairn__memory_entry_for(cairn__memory *memory, cairn__memory_kind kind,
                                             cairn_span name, cairn_span item) {
    const cairn__memory_entry *found = cairn__memory_find(memory, kind, name, item);
    return found != NULL ? &memory->entries[found - memory->entries]
                         : add(memory, kind, name, item);
}

/* --- marks --- */

bool cairn__memory_room(cairn__memory *memory, cairn__memory_count *count, size_t mark_count) {
    size_t capacity = count->capacity;
    if (mark_count > CAIRN__MEMORY_MARKS_MAX) {
        mark_count = CAIRN__MEMORY_MARKS_MAX;
    }
    while (capacity < mark_count) {
        capacity = capacity == 0 ? 2 : capacity * 2;
    }
    if (capacity == count->capacity) {
        return true;
    }
    cairn__memory_mark *marks =
        resize(memory, count->marks, count->capacity * sizeof *marks, capacity * sizeof *marks);
    if (marks == NULL) {
        return false;
    }
    count->marks = marks;
    count->capacity = (uint16_t)capacity;
    return true;
}

int cairn__memory_order(cairn__memory_mark a, cairn__memory_mark b) {
    if (a.time_ms != b.time_ms) {
        return a.time_ms < b.time_ms ? -1 : 1;
    }
    return a.session < b.session ? -1 : a.session > b.session;
}

void cairn__memory_insert(cairn__memory_count *count, cairn__memory_mark mark) {
    size_t at = count->mark_count;
    while (at > 0 && cairn__memory_order(count->marks[at - 1], mark) < 0) {
        at -= 1;
    }
    if (at == CAIRN__MEMORY_MARKS_MAX) {
        return; /* older than all that are kept */
    }
    if (count->mark_count < CAIRN__MEMORY_MARKS_MAX) {
        count->mark_count += 1;
    }
    memmove(count->marks + at + 1, count->marks + at,
            (count->mark_count - 1u - at) * sizeof *count->marks);
    count->marks[at] = mark;
}

void cairn__memory_add_total(cairn__memory_count *count, uint32_t more) {
    count->total = count->total > UINT32_MAX - more ? UINT32_MAX : count->total + more;
}

bool cairn__memory_set_variant(cairn__memory *memory, cairn__memory_entry *entry,
                               cairn_span variant) {
    if (cairn__span_equal(entry->variant, variant)) {
        return true;
    }
    uint8_t *bytes = NULL;
    if (variant.len > 0) {
        bytes = resize(memory, NULL, 0, variant.len);
        if (bytes == NULL) {
            return false;
        }
        memcpy(bytes, variant.data, variant.len);
    }
    release(memory, entry->variant.data, entry->variant.len);
    entry->variant = (cairn_span){ bytes, variant.len };
    return true;
}
