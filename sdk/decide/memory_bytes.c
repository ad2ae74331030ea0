/* memory_bytes.c: a memory to bytes and back.
 *
 *   "CDM", version 1, varint entries, then each:
 *   kind (1 byte), name, item (length and bytes), 4 counts, details
 *   count:   varint total, varint marks, then of each mark: the first's time as zigzag varint, of
 *            the others how much earlier they are; varint session
 *   details: POPUP: variant. ITEM: position. EXPERIMENT: variant, zigzag since, version, unit */
#include "base/varint.h"
#include "decide/memory_table.h"

enum { VERSION = 1, HEAD_BYTES = 4 };

static void write_bytes(cairn__buffer *to, cairn_span bytes) {
    cairn__write_varint(to, bytes.len);
    cairn__buffer_append(to, bytes);
}

static void write_count(cairn__buffer *to, const cairn__memory_count *count) {
    cairn__write_varint(to, count->total);
    cairn__write_varint(to, count->mark_count);
    for (size_t i = 0; i < count->mark_count; i++) {
        uint64_t time = (uint64_t)count->marks[i].time_ms;
        cairn__write_varint(to, i == 0 ? cairn__zigzag(count->marks[i].time_ms)
                                       : (uint64_t)count->marks[i - 1].time_ms - time);
        cairn__write_varint(to, count->marks[i].session);
    }
}

void cairn__memory_write(const cairn__memory *memory, cairn__buffer *to) {
    cairn__buffer_append(to, CAIRN_STR("CDM"));
    cairn__buffer_byte(to, VERSION);
    cairn__write_varint(to, memory->count);
    for (uint32_t i = 0; i < memory->count; i++) {
        const cairn__memory_entry *entry = &memory->entries[i];
        cairn__buffer_byte(to, entry->kind);
        write_bytes(to, entry->name);
        write_bytes(to, entry->item);
        for (size_t k = 0; k < CAIRN__MEMORY_COUNTS; k++) {
            write_count(to, &entry->counts[k]);
        }
        if (entry->kind == CAIRN__MEMORY_POPUP || entry->kind == CAIRN__MEMORY_EXPERIMENT) {
            write_bytes(to, entry->variant);
        }
        if (entry->kind == CAIRN__MEMORY_ITEM) {
            cairn__write_varint(to, entry->position);
        }
        if (entry->kind == CAIRN__MEMORY_EXPERIMENT) {
            cairn__write_varint(to, cairn__zigzag(entry->since_ms));
            cairn__write_varint(to, entry->version);
            cairn__write_varint(to, entry->unit);
        }
    }
}

static bool read_u32(cairn__cursor *from, uint32_t *value_out) {
    uint64_t value = 0;
    bool good = cairn__read_varint(from, &value) && value <= UINT32_MAX;
    *value_out = (uint32_t)value;
    return good;
}

static bool read_name(cairn__cursor *from, cairn_span *name_out) {
    return cairn__read_bytes(from, name_out) && name_out->len <= CAIRN__DEFINITION_NAME_BYTES_MAX;
}

/* The mark after `before` (NULL: the first): not newer than it. */
static bool read_mark(cairn__cursor *from, const cairn__memory_mark *before,
                      cairn__memory_mark *mark_out) {
    uint64_t time = 0;
    if (!cairn__read_varint(from, &time) || !cairn__read_varint(from, &mark_out->session)) {
        return false;
    }
    if (before == NULL) {
        mark_out->time_ms = cairn__unzigzag(time);
        return true;
    }
    uint64_t room = (uint64_t)before->time_ms - (uint64_t)INT64_MIN; /* ms that may be gone back */
    mark_out->time_ms = (int64_t)((uint64_t)before->time_ms - time);
    return time <= room && cairn__memory_order(*mark_out, *before) <= 0;
}

static cairn_status read_count(cairn__memory *memory, cairn__cursor *from,
                               cairn__memory_count *count) {
    uint32_t mark_count = 0;
    if (!read_u32(from, &count->total) || !read_u32(from, &mark_count) ||
        mark_count > CAIRN__MEMORY_MARKS_MAX || mark_count > count->total) {
        return CAIRN_INVALID;
    }
    if (!cairn__memory_room(memory, count, mark_count)) {
        return CAIRN_NO_MEMORY;
    }
    for (uint32_t i = 0; i < mark_count; i++) {
        if (!read_mark(from, i == 0 ? NULL : &count->marks[i - 1], &count->marks[i])) {
            return CAIRN_INVALID;
        }
        count->mark_count += 1;
    }
    return CAIRN_OK;
}

static cairn_status read_details(cairn__memory *memory, cairn__cursor *from,
                                 cairn__memory_entry *entry) {
    if (entry->kind == CAIRN__MEMORY_POPUP || entry->kind == CAIRN__MEMORY_EXPERIMENT) {
        cairn_span variant;
        if (!read_name(from, &variant)) {
            return CAIRN_INVALID;
        }
        if (!cairn__memory_set_variant(memory, entry, variant)) {
            return CAIRN_NO_MEMORY;
        }
    }
    if (entry->kind == CAIRN__MEMORY_ITEM && !read_u32(from, &entry->position)) {
        return CAIRN_INVALID;
    }
    if (entry->kind == CAIRN__MEMORY_EXPERIMENT) {
        uint64_t since = 0;
        if (!cairn__read_varint(from, &since) || !read_u32(from, &entry->version) ||
            !read_u32(from, &entry->unit)) {
            return CAIRN_INVALID;
        }
        entry->since_ms = cairn__unzigzag(since);
    }
    return CAIRN_OK;
}

/* Do names fit the kind? Only the group of all popups has none; only items have two. */
static bool names_fit(uint8_t kind, cairn_span name, cairn_span item) {
    return kind < CAIRN__MEMORY_KINDS && (name.len > 0 || kind == CAIRN__MEMORY_GROUP) &&
           (item.len > 0) == (kind == CAIRN__MEMORY_ITEM);
}

static cairn_status read_entry(cairn__memory *memory, cairn__cursor *from) {
    if (from->at == from->end) {
        return CAIRN_INVALID;
    }
    uint8_t kind = *from->at++;
    cairn_span name;
    cairn_span item;
    uint32_t count = memory->count;
    if (!read_name(from, &name) || !read_name(from, &item) || !names_fit(kind, name, item)) {
        return CAIRN_INVALID;
    }
    cairn__memory_entry *entry =
        cairn__memory_entry_for(memory, (cairn__memory_kind)kind, name, item);
    if (entry == NULL) {
        return CAIRN_NO_MEMORY;
    }
    if (memory->count == count) {
        return CAIRN_INVALID; /* a name twice */
    }
    cairn_status status = CAIRN_OK;
    for (size_t i = 0; i < CAIRN__MEMORY_COUNTS && status == CAIRN_OK; i++) {
        status = read_count(memory, from, &entry->counts[i]);
    }
    return status == CAIRN_OK ? read_details(memory, from, entry) : status;
}

static cairn_status read_all(cairn__memory *memory, cairn_span bytes) {
    if (bytes.len < HEAD_BYTES || bytes.len > CAIRN__MEMORY_BYTES_MAX ||
        memcmp(bytes.data, "CDM", HEAD_BYTES - 1) != 0) {
        return CAIRN_INVALID;
    }
    if (bytes.data[HEAD_BYTES - 1] != VERSION) {
        return bytes.data[HEAD_BYTES - 1] > VERSION ? CAIRN_UNSUPPORTED : CAIRN_INVALID;
    }
    cairn__cursor from = { bytes.data + HEAD_BYTES, bytes.data + bytes.len };
    uint64_t count = 0;
    if (!cairn__read_varint(&from, &count) || count > CAIRN__MEMORY_ENTRIES_MAX) {
        return CAIRN_INVALID;
    }
    for (uint64_t i = 0; i < count; i++) {
        cairn_status status = read_entry(memory, &from);
        if (status != CAIRN_OK) {
            return status;
        }
    }
    return from.at == from.end ? CAIRN_OK : CAIRN_INVALID;
}

cairn_status cairn__memory_read(cairn__memory *memory, cairn_span bytes) {
    cairn_status status = read_all(memory, bytes);
    if (status != CAIRN_OK) {
        cairn__memory_free(memory);
    }
    return status;
}
