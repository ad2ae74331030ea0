/* dict.c: interning with open addressing. Its own table, not base's index: here every byte comes
 * from the owner's allocator (a query has a budget), and the comparison is inlined. */
#include "trail/dict.h"

#include "base/bytes.h"
#include "base/hash.h"

enum { DICT_CAPACITY_MIN = 16, SLAB_BYTES_MIN = 1024, SLAB_BYTES_MAX = 64 * 1024 };

bool cairn__grow(const cairn_allocator *allocator, void *at, size_t *capacity, size_t needed,
                 size_t size) {
    if (needed <= *capacity) {
        return true;
    }
    size_t wanted = *capacity < DICT_CAPACITY_MIN ? DICT_CAPACITY_MIN : *capacity;
    while (wanted < needed) {
        wanted = wanted > SIZE_MAX / 2 ? needed : wanted * 2;
    }
    if (wanted > SIZE_MAX / 2 / size) {
        return false;
    }
    void *array;
    memcpy(&array, at, sizeof array);
    array = allocator->resize(allocator->self, array, *capacity * size, wanted * size);
    if (array == NULL) {
        return false;
    }
    memcpy(at, &array, sizeof array);
    *capacity = wanted;
    return true;
}

void cairn__release(const cairn_allocator *allocator, void *at, size_t capacity, size_t size) {
    if (at != NULL) {
        allocator->resize(allocator->self, at, capacity * size, 0);
    }
}

cairn__dict cairn__dict_make(cairn_allocator allocator, uint64_t seed) {
    return (cairn__dict){ .allocator = allocator,
                          .seed = seed,
                          .text = cairn__arena_make(allocator, SIZE_MAX / 2) };
}

void cairn__dict_free(cairn__dict *dict) {
    cairn__arena_free(&dict->text);
    cairn__release(&dict->allocator, dict->entries, dict->capacity, sizeof *dict->entries);
    cairn__release(&dict->allocator, dict->slots, dict->slot_count, sizeof *dict->slots);
    *dict = cairn__dict_make(dict->allocator, dict->seed);
}

void cairn__dict_clear(cairn__dict *dict) {
    if (dict->count != 0) {
        memset(dict->slots, 0, dict->slot_count * sizeof *dict->slots);
    }
    cairn__arena_reset(&dict->text);
    dict->slab_left = 0;
    dict->count = 0;
    dict->text_bytes = 0;
}

/* The slot's home comes from the tag alone, so that growing needs no strings. */
static size_t home_of(uint32_t tag, size_t slot_count) {
    return (size_t)((tag * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (slot_count - 1);
}

static uint32_t tag_of(const cairn__dict *dict, cairn_span string) {
    return (uint32_t)(cairn__hash(string, dict->seed) >> 32);
}

static void place(cairn__dict *dict, uint32_t number) {
    size_t i = home_of(dict->entries[number].tag, dict->slot_count);
    while (dict->slots[i] != 0) {
        i = (i + 1) & (dict->slot_count - 1);
    }
    dict->slots[i] = number + 1;
}

static bool grow_slots(cairn__dict *dict) {
    size_t slot_count = dict->slot_count == 0 ? DICT_CAPACITY_MIN : dict->slot_count;
    uint32_t *slots =
        dict->allocator.resize(dict->allocator.self, NULL, 0, slot_count * 2 * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    memset(slots, 0, slot_count * 2 * sizeof *slots);
    cairn__release(&dict->allocator, dict->slots, dict->slot_count, sizeof *dict->slots);
    dict->slots = slots;
    dict->slot_count = slot_count * 2;
    for (size_t i = 0; i < dict->count; i++) {
        place(dict, (uint32_t)i);
    }
    return true;
}

static bool make_room(cairn__dict *dict) {
    return dict->count < CAIRN__DICT_ENTRIES_MAX &&
           cairn__grow(&dict->allocator, &dict->entries, &dict->capacity, dict->count + 1,
                       sizeof *dict->entries) &&
           ((dict->count + 1) * 2 <= dict->slot_count || grow_slots(dict));
}

/* Small strings share slabs: the arena would round each one up to 16 bytes. */
static bool copy_text(cairn__dict *dict, cairn_span *string) {
    if (string->len == 0) {
        string->data = (const uint8_t *)"";
        return true;
    }
    if (string->len > dict->slab_left) {
        size_t bytes = dict->count * 16 < SLAB_BYTES_MIN ? SLAB_BYTES_MIN : dict->count * 16;
        bytes = bytes > SLAB_BYTES_MAX ? SLAB_BYTES_MAX : bytes;
        bytes = bytes < string->len ? string->len : bytes;
        uint8_t *slab = cairn__arena_alloc(&dict->text, bytes);
        if (slab == NULL) {
            return false;
        }
        dict->slab = slab;
        dict->slab_left = bytes;
    }
    memcpy(dict->slab, string->data, string->len);
    string->data = dict->slab;
    dict->slab += string->len;
    dict->slab_left -= string->len;
    return true;
}

static bool find(const cairn__dict *dict, cairn_span string, uint32_t tag, uint32_t *number_out) {
    if (dict->count == 0) {
        return false;
    }
    size_t mask = dict->slot_count - 1;
    for (size_t i = home_of(tag, dict->slot_count); dict->slots[i] != 0; i = (i + 1) & mask) {
        uint32_t number = dict->slots[i] - 1;
        if (dict->entries[number].tag == tag &&
            cairn__span_equal(cairn__dict_string(dict, number), string)) {
            *number_out = number;
            return true;
        }
    }
    return false;
}

bool cairn__dict_find(const cairn__dict *dict, cairn_span string, uint32_t *number_out) {
    return find(dict, string, tag_of(dict, string), number_out);
}

static bool take(cairn__dict *dict, cairn_span string, bool copy, uint32_t *number_out) {
    uint32_t tag = tag_of(dict, string);
    if (find(dict, string, tag, number_out)) {
        return true;
    }
    if (string.len > UINT32_MAX || !make_room(dict) || (copy && !copy_text(dict, &string))) {
        return false;
    }
    uint32_t number = (uint32_t)dict->count++;
    dict->entries[number] = (cairn__dict_entry){ string.data, (uint32_t)string.len, tag };
    dict->text_bytes += string.len;
    place(dict, number);
    *number_out = number;
    return true;
}

bool cairn__dict_intern(cairn__dict *dict, cairn_span string, uint32_t *number_out) {
    return take(dict, string, true, number_out);
}

bool cairn__dict_borrow(cairn__dict *dict, cairn_span string, uint32_t *number_out) {
    return take(dict, string, false, number_out);
}
