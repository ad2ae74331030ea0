/* read.c: bytes -> structs, by the tables of schema.c. A message is walked twice: to count, and to
 * fill the lists whose room is then known. Fields must ascend, so that the facts are there before
 * the conditions that name them; check.c does what needs more than one field. */
#include "bundle/read.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/fault.h"
#include "bundle/reader.h"
#include "bundle/schema.h"
#include "model/event.h"
#include "model/limits.h"
#include "model/wire.h"

/* One field of a message as it stands in the bytes. */
typedef struct part {
    const cairn__bundle_field *field; /* NULL: none that we know */
    uint64_t number;                  /* a varint's value */
    cairn_span bytes;                 /* of the content, for others */
} part;

/* A walk over a message; `at` only goes forward in the table, since fields ascend. */
typedef struct walk {
    const cairn__bundle_message *message;
    cairn__cursor cursor;
    size_t at;
    uint64_t last;
} walk;

static const char damaged[] = "is no well-formed message";

/* "popups" of "definitions.popups": how the wire names what the struct has further within. */
static const char *wire_name(const char *member) {
    const char *name = member;
    for (; *member != 0; member++) {
        name = *member == '.' ? member + 1 : name;
    }
    return name;
}

bool cairn__bundle_refuse(cairn__bundle_reader *r, const char *field, const char *problem) {
    if (r->status == CAIRN_OK) {
        r->status = CAIRN_INVALID;
        if (CAIRN__FAULTS_ARE_TOLD) {
            r->fault->field = wire_name(field);
            r->fault->problem = problem;
        }
    }
    return false;
}

bool cairn__bundle_no_memory(cairn__bundle_reader *r) {
    if (r->status == CAIRN_OK) {
        r->status = CAIRN_NO_MEMORY;
        r->fault->problem = CAIRN__FAULT_TEXT("the memory for bundles is used up");
    }
    return false;
}

/* --- walking -----------------------------------------------------------------------------------*/

static walk walk_of(const cairn__bundle_message *message, cairn_span bytes) {
    return (walk){ .message = message,
                   .cursor = { bytes.data, bytes.len == 0 ? bytes.data : bytes.data + bytes.len } };
}

static bool more(const walk *w) {
    return w->cursor.at < w->cursor.end;
}

/* The content of a field whose tag has been read. */
static bool next_content(cairn__cursor *cursor, unsigned wire_type, part *out) {
    if (wire_type == CAIRN__WIRE_VARINT) {
        return cairn__read_varint(cursor, &out->number);
    }
    if (wire_type == CAIRN__WIRE_BYTES) {
        return cairn__wire_read_bytes(cursor, &out->bytes);
    }
    out->bytes.data = cursor->at;
    bool read = cairn__skip_field(cursor, wire_type);
    out->bytes.len = (size_t)(cursor->at - out->bytes.data);
    return read;
}

/* The next field; refuses what is malformed, out of order, or twice without being a list. */
static bool next(cairn__bundle_reader *r, walk *w, part *out) {
    uint64_t tag = 0;
    *out = (part){ .field = NULL };
    if (!cairn__read_varint(&w->cursor, &tag) || tag >> 3 == 0 || tag >> 3 < w->last) {
        return cairn__bundle_refuse(r, "fields", "must be well-formed and ascend");
    }
    uint64_t number = tag >> 3;
    while (w->at < w->message->count && w->message->fields[w->at].number < number) {
        w->at += 1;
    }
    unsigned wire_type = (unsigned)(tag & 7);
    if (w->at < w->message->count && w->message->fields[w->at].number == number) {
        out->field = &w->message->fields[w->at];
        bool again = number == w->last && !cairn__bundle_repeats(out->field->kind);
        if (again || cairn__bundle_wire_type(out->field->kind) != wire_type) {
            return cairn__bundle_refuse(r, cairn__bundle_name(out->field), damaged);
        }
    }
    w->last = number;
    return next_content(&w->cursor, wire_type, out) || cairn__bundle_refuse(r, "fields", damaged);
}

/* --- single values -----------------------------------------------------------------------------*/

static bool read_span(cairn__bundle_reader *r, const part *p, void *to) {
    if (p->bytes.len > p->field->max) {
        return cairn__bundle_refuse(r, cairn__bundle_name(p->field), "is too long");
    }
    if (p->field->kind == CAIRN__BUNDLE_TEXT && !cairn__utf8_valid(p->bytes)) {
        return cairn__bundle_refuse(r, cairn__bundle_name(p->field), "is not UTF-8");
    }
    memcpy(to, &p->bytes, sizeof p->bytes);
    return true;
}

static bool read_whole(cairn__bundle_reader *r, const part *p, void *to) {
    const cairn__bundle_field *field = p->field;
    uint64_t value = p->number;
    bool fits = true;
    if (field->kind == CAIRN__BUNDLE_SIGNED) {
        int64_t number = cairn__unzigzag(value);
        fits = field->width == 8 || (number >= INT32_MIN && number <= INT32_MAX);
        value = (uint64_t)number;
    } else {
        fits = field->max == 0 ? field->width == 8 || value <= UINT32_MAX : value <= field->max;
    }
    if (!fits) {
        return cairn__bundle_refuse(r, cairn__bundle_name(field), "is too large");
    }
    memcpy(to, &value, field->width); /* little-endian (base/bytes.h) */
    return true;
}

/* No subnormal tricks: finite is an exponent that is not all ones. */
static bool is_finite(uint64_t bits) {
    return (bits >> 52 & 0x7FF) != 0x7FF;
}

static bool read_double(cairn__bundle_reader *r, const part *p, void *to) {
    uint64_t bits = cairn__load_u64(p->bytes.data);
    double value = 0;
    memcpy(&value, &bits, sizeof value);
    bool good =
        is_finite(bits) && (p->field->kind != CAIRN__BUNDLE_SHARE || (value >= 0 && value <= 1));
    if (!good) {
        return cairn__bundle_refuse(r, cairn__bundle_name(p->field), "is no number in its range");
    }
    memcpy(to, &value, sizeof value);
    return true;
}

/* --- packed lists ------------------------------------------------------------------------------*/

/* The numbers of a packed list: all that end, so a torn last one is found when it is read. */
static size_t count_packed(cairn_span bytes) {
    size_t count = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        count += bytes.data[i] < 0x80;
    }
    return count;
}

static bool read_u16s(cairn__bundle_reader *r, const char *name, cairn_span bytes, uint16_t *to) {
    cairn__cursor cursor = walk_of(NULL, bytes).cursor;
    while (cursor.at < cursor.end) {
        uint64_t value = 0;
        if (!cairn__read_varint(&cursor, &value) || value > UINT16_MAX) {
            return cairn__bundle_refuse(r, name, "holds what is no number of 16 bits");
        }
        *to++ = (uint16_t)value;
    }
    return true;
}

static bool doubles_finite(cairn_span bytes) {
    for (size_t i = 0; i < bytes.len; i += 8) {
        if (!is_finite(cairn__load_u64(bytes.data + i))) {
            return false;
        }
    }
    return true;
}

/* The list's count, or that it is as long as the list that it follows. */
static bool take_count(cairn__bundle_reader *r, const cairn__bundle_field *field, size_t count,
                       uint8_t *base) {
    size_t there = 0;
    memcpy(&there, base + field->count_offset, sizeof there);
    if (field->follows && count != there) {
        return cairn__bundle_refuse(r, cairn__bundle_name(field),
                                    "is not as long as the list it belongs to");
    }
    if (count > field->max) {
        return cairn__bundle_refuse(r, cairn__bundle_name(field), "is too long");
    }
    memcpy(base + field->count_offset, &count, sizeof count);
    return true;
}

static bool read_packed(cairn__bundle_reader *r, const part *p, uint8_t *base) {
    const cairn__bundle_field *field = p->field;
    bool doubles = field->kind == CAIRN__BUNDLE_DOUBLES;
    if (doubles && (p->bytes.len % 8 != 0 || !doubles_finite(p->bytes))) {
        return cairn__bundle_refuse(r, cairn__bundle_name(field), "holds what is no number");
    }
    size_t count = doubles ? p->bytes.len / 8 : count_packed(p->bytes);
    if (!take_count(r, field, count, base)) {
        return false;
    }
    void *list = cairn__arena_alloc(r->arena, doubles ? count * 8 : count * sizeof(uint16_t));
    if (list == NULL) {
        return cairn__bundle_no_memory(r);
    }
    memcpy(base + field->offset, &list, sizeof list);
    if (doubles) {
        memcpy(list, p->bytes.data, p->bytes.len);
        return true;
    }
    return read_u16s(r, cairn__bundle_name(field), p->bytes, list);
}

/* --- conditions --------------------------------------------------------------------------------*/

/* Fact numbers fit the rule's slots: the same space and name. */
static bool facts_fit(cairn__bundle_reader *r, const cairn__bundle_field *field,
                      const cairn__condition *condition) {
    const cairn__definitions *d = &r->bundle->definitions;
    for (size_t i = 0; i < condition->rule.slot_count; i++) {
        const cairn__rule_slot *slot = &condition->rule.slots[i];
        uint16_t number = condition->facts[i];
        bool same = number < d->fact_count && d->facts[number].space == slot->space &&
                    cairn__span_equal(d->facts[number].name, slot->name);
        if (!same) {
            return cairn__bundle_refuse(r, cairn__bundle_name(field),
                                        "names another fact than its rule");
        }
    }
    return true;
}

static bool load_condition(cairn__bundle_reader *r, const cairn__bundle_field *field,
                           const cairn_span bytes[2], cairn__condition *to) {
    if (bytes[0].len > CAIRN__BUNDLE_PROGRAM_BYTES_MAX) {
        return cairn__bundle_refuse(r, cairn__bundle_name(field), "is too long a program");
    }
    cairn_status status = cairn__rule_load(bytes[0], r->arena, &to->rule);
    if (status != CAIRN_OK) {
        return status == CAIRN_NO_MEMORY
                   ? cairn__bundle_no_memory(r)
                   : cairn__bundle_refuse(r, cairn__bundle_name(field), "is no program of a rule");
    }
    if (count_packed(bytes[1]) != to->rule.slot_count) {
        return cairn__bundle_refuse(r, cairn__bundle_name(field),
                                    "has not one fact for each slot of its rule");
    }
    uint16_t *facts = cairn__arena_alloc(r->arena, to->rule.slot_count * sizeof *facts);
    if (facts == NULL) {
        return cairn__bundle_no_memory(r);
    }
    to->facts = facts;
    return read_u16s(r, cairn__bundle_name(field), bytes[1], facts) && facts_fit(r, field, to);
}

static bool load_listed(cairn__bundle_reader *r, const part *p, cairn__condition *to) {
    cairn__cursor cursor = walk_of(NULL, p->bytes).cursor;
    cairn_span bytes[2] = { { NULL, 0 }, { NULL, 0 } };
    uint64_t last = 0;
    while (cursor.at < cursor.end) {
        uint64_t tag = 0;
        part inner = { .field = NULL };
        bool read = cairn__read_varint(&cursor, &tag) && tag >> 3 > last &&
                    next_content(&cursor, (unsigned)(tag & 7), &inner);
        last = tag >> 3;
        bool ours = last == CAIRN__CONDITION_PROGRAM || last == CAIRN__CONDITION_FACTS;
        if (!read || (ours && (tag & 7) != CAIRN__WIRE_BYTES)) {
            return cairn__bundle_refuse(r, cairn__bundle_name(p->field), damaged);
        }
        if (ours) {
            bytes[last - 1] = inner.bytes;
        }
    }
    return load_condition(r, p->field, bytes, to);
}

/* A use of a listed condition, by its place + 1; its spaces must be allowed here. */
static bool read_condition(cairn__bundle_reader *r, const part *p, void *to) {
    if (p->number > r->bundle->condition_count) {
        return cairn__bundle_refuse(r, cairn__bundle_name(p->field),
                                    "is no condition of the bundle");
    }
    if (p->number == 0) {
        return true;
    }
    const cairn__condition *condition = &r->bundle->conditions[p->number - 1];
    for (size_t i = 0; i < condition->rule.slot_count; i++) {
        if (((unsigned)condition->rule.slots[i].space & p->field->max) == 0) {
            return cairn__bundle_refuse(r, cairn__bundle_name(p->field),
                                        "names a space not allowed here");
        }
    }
    memcpy(to, condition, sizeof *condition);
    return true;
}

/* --- properties --------------------------------------------------------------------------------*/

static bool texts_good(const cairn_value *value) {
    const cairn_string_list *list = &value->as.list;
    if (value->kind == CAIRN_VALUE_STRING) {
        return value->as.string.len <= CAIRN__TEXT_BYTES_MAX && cairn__utf8_valid(value->as.string);
    }
    for (size_t i = 0; value->kind == CAIRN_VALUE_LIST && i < list->count; i++) {
        if (list->items[i].len > CAIRN__TEXT_BYTES_MAX || !cairn__utf8_valid(list->items[i])) {
            return false;
        }
    }
    return true;
}

bool cairn__bundle_value_good(const cairn_value *value) {
    uint64_t bits = 0;
    memcpy(&bits, &value->as.number, sizeof bits);
    return (value->kind != CAIRN_VALUE_NUMBER || is_finite(bits)) && texts_good(value);
}

static bool read_property(cairn__bundle_reader *r, const part *p, cairn_property *to) {
    cairn_status status = cairn__property_decode(p->bytes, r->arena, to);
    if (status == CAIRN_NO_MEMORY) {
        return cairn__bundle_no_memory(r);
    }
    bool good = status == CAIRN_OK && to->name.len > 0 && to->name.len <= CAIRN__NAME_BYTES_MAX &&
                cairn__utf8_valid(to->name) && cairn__bundle_value_good(&to->value);
    return good ||
           cairn__bundle_refuse(r, cairn__bundle_name(p->field), "holds a damaged property");
}

static bool read_name(cairn__bundle_reader *r, const part *p, cairn_span *to) {
    *to = p->bytes;
    bool good = to->len > 0 && to->len <= CAIRN__NAME_BYTES_MAX && cairn__utf8_valid(*to);
    return good || cairn__bundle_refuse(r, cairn__bundle_name(p->field), "holds what is no name");
}

/* --- messages ----------------------------------------------------------------------------------*/

static bool read_message(cairn__bundle_reader *r, const cairn__bundle_message *message,
                         cairn_span bytes, void *to);

static size_t item_bytes(const cairn__bundle_field *field) {
    switch (field->kind) {
    case CAIRN__BUNDLE_TEXTS:
        return sizeof(cairn_span);
    case CAIRN__BUNDLE_PROPERTIES:
        return sizeof(cairn_property);
    case CAIRN__BUNDLE_CONDITIONS:
        return sizeof(cairn__condition);
    default:
        return field->of->bytes;
    }
}

/* Item `index` of a repeated field. */
static bool read_item(cairn__bundle_reader *r, const part *p, uint8_t *list, size_t index) {
    uint8_t *to = list + index * item_bytes(p->field);
    if (p->field->kind == CAIRN__BUNDLE_TEXTS) {
        return read_name(r, p, (cairn_span *)(void *)to);
    }
    if (p->field->kind == CAIRN__BUNDLE_PROPERTIES) {
        return read_property(r, p, (cairn_property *)(void *)to);
    }
    if (r->depth == 1) {
        r->fault->list = wire_name(cairn__bundle_name(p->field));
        r->fault->index = (uint32_t)index;
    }
    bool read = p->field->kind == CAIRN__BUNDLE_CONDITIONS
                    ? load_listed(r, p, (cairn__condition *)(void *)to)
                    : read_message(r, p->field->of, p->bytes, to);
    if (read && r->depth == 1) {
        r->fault->list = NULL;
        r->fault->index = 0;
    }
    return read;
}

static bool read_pointer(cairn__bundle_reader *r, const part *p, uint8_t *to) {
    void *message = cairn__arena_alloc_zero(r->arena, 1, p->field->of->bytes);
    if (message == NULL) {
        return cairn__bundle_no_memory(r);
    }
    memcpy(to, &message, sizeof message);
    return read_message(r, p->field->of, p->bytes, message);
}

static bool read_single(cairn__bundle_reader *r, const part *p, uint8_t *base) {
    uint8_t *to = base + p->field->offset;
    switch (p->field->kind) {
    case CAIRN__BUNDLE_TEXT:
    case CAIRN__BUNDLE_BYTES:
        return read_span(r, p, to);
    case CAIRN__BUNDLE_UNSIGNED:
    case CAIRN__BUNDLE_SIGNED:
        return read_whole(r, p, to);
    case CAIRN__BUNDLE_DOUBLE:
    case CAIRN__BUNDLE_SHARE:
        return read_double(r, p, to);
    case CAIRN__BUNDLE_CONDITION:
        return read_condition(r, p, to);
    case CAIRN__BUNDLE_MESSAGE:
        return read_message(r, p->field->of, p->bytes, to);
    case CAIRN__BUNDLE_POINTER:
        return read_pointer(r, p, to);
    default:
        return read_packed(r, p, base);
    }
}

/* The first walk: how often each field stands there; all of it is well-formed afterwards. */
static bool count_parts(cairn__bundle_reader *r, const cairn__bundle_message *message,
                        cairn_span bytes, uint32_t *counts) {
    walk w = walk_of(message, bytes);
    while (more(&w)) {
        part p;
        if (!next(r, &w, &p)) {
            return false;
        }
        if (p.field != NULL) {
            counts[p.field - message->fields] += 1;
        }
    }
    return true;
}

static bool make_room(cairn__bundle_reader *r, const cairn__bundle_message *message,
                      const uint32_t *counts, uint8_t *base) {
    for (size_t i = 0; i < message->count; i++) {
        const cairn__bundle_field *field = &message->fields[i];
        if (!cairn__bundle_repeats(field->kind) || counts[i] == 0) {
            continue;
        }
        if (!take_count(r, field, counts[i], base)) {
            return false;
        }
        void *list = cairn__arena_alloc_zero(r->arena, counts[i], item_bytes(field));
        if (list == NULL) {
            return cairn__bundle_no_memory(r);
        }
        memcpy(base + field->offset, &list, sizeof list);
    }
    return true;
}

/* The item of a list whose room is there. */
static bool fill_item(cairn__bundle_reader *r, const part *p, uint8_t *base, size_t index) {
    uint8_t *items = NULL;
    memcpy(&items, base + p->field->offset, sizeof items);
    CAIRN_ASSERT(items != NULL); /* the table says which messages have lists */
    return read_item(r, p, items, index);
}

/* The second walk, into the cleared struct at `base`. */
static bool fill(cairn__bundle_reader *r, const cairn__bundle_message *message, cairn_span bytes,
                 uint8_t *base) {
    walk w = walk_of(message, bytes);
    const cairn__bundle_field *before = NULL;
    size_t index = 0;
    bool good = true;
    while (good && more(&w)) {
        part p;
        if (!next(r, &w, &p)) {
            return false;
        }
        index = p.field == before ? index + 1 : 0;
        before = p.field;
        if (p.field != NULL) {
            good = cairn__bundle_repeats(p.field->kind) ? fill_item(r, &p, base, index)
                                                        : read_single(r, &p, base);
        }
    }
    return good;
}

/* Room for all its lists. */
static bool prepare_lists(cairn__bundle_reader *r, const cairn__bundle_message *message,
                          cairn_span bytes, void *to) {
    uint32_t counts[CAIRN__BUNDLE_FIELDS_MAX] = { 0 };
    return count_parts(r, message, bytes, counts) && make_room(r, message, counts, to);
}

static bool read_message(cairn__bundle_reader *r, const cairn__bundle_message *message,
                         cairn_span bytes, void *to) {
    r->depth += 1;
    bool read =
        (!message->lists || prepare_lists(r, message, bytes, to)) && fill(r, message, bytes, to);
    r->depth -= 1;
    return read;
}

cairn_status cairn__bundle_read(cairn_span bytes, cairn__arena *arena, cairn__bundle *bundle_out,
                                cairn__bundle_fault *fault_out) {
    *bundle_out = (cairn__bundle){ 0 };
    *fault_out = (cairn__bundle_fault){ 0 };
    cairn__bundle_reader r = { arena, bundle_out, fault_out, CAIRN_OK, 0 };
    if (bytes.len > CAIRN__BUNDLE_BYTES_MAX) {
        (void)cairn__bundle_refuse(&r, "bundle", "is too long");
        return r.status;
    }
    bool good =
        read_message(&r, &cairn__bundle_schema, bytes, bundle_out) && cairn__bundle_check(&r);
    return good ? CAIRN_OK : r.status;
}
