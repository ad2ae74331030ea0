#include "analytics/groups.h"

#include <math.h>
#include <string.h>

#include "analytics/writing.h"
#include "base/bytes.h"
#include "base/hash.h"

enum { SEED = 0x67726f75 };

cairn__groups cairn__groups_make(cairn__pass *pass) {
    cairn_allocator allocator = pass->run->allocator;
    return (cairn__groups){
        .pass = pass,
        .table = cairn__keyed_make(allocator),
        .keys = cairn__list_make(allocator, sizeof(cairn__key)),
        .by_count = pass->run->query->by_count,
        .count = 1,
        .text_table = cairn__keyed_make(allocator),
        .texts = cairn__list_make(allocator, sizeof(cairn_span)),
        .text_arena = cairn__arena_make(allocator, SIZE_MAX / 2), /* the budget is the limit */
    };
}

void cairn__groups_free(cairn__groups *groups) {
    cairn__keyed_free(&groups->table);
    cairn__list_free(&groups->keys);
    cairn__keyed_free(&groups->text_table);
    cairn__list_free(&groups->texts);
    cairn__arena_free(&groups->text_arena);
}

/* --- keys --- */

/* A number that an integer can say is that integer: 5 and 5.0 are one group. */
static cairn__key key_of_number(double number) {
    cairn__key key = { CAIRN_VALUE_INTEGER, 0 };
    if (number == floor(number) && fabs(number) < 0x1p62) {
        key.bits = (uint64_t)(int64_t)number;
    } else {
        key.kind = CAIRN_VALUE_NUMBER;
        memcpy(&key.bits, &number, sizeof number);
    }
    return key;
}

cairn__key cairn__key_of_column(const cairn__reader_column *column, uint32_t row) {
    cairn__key key = { column->kind[row], column->bits[row] };
    if (key.kind == CAIRN_VALUE_NUMBER) {
        double number;
        memcpy(&number, &key.bits, sizeof number);
        return key_of_number(number);
    }
    if (key.kind == CAIRN_VALUE_LIST || key.kind == CAIRN_VALUE_NULL) {
        return (cairn__key){ CAIRN_VALUE_NULL, 0 };
    }
    return key;
}

static bool match_text(const void *context, uint32_t value) {
    const cairn__groups *groups = context;
    const cairn_span *texts = groups->texts.items;
    return cairn__span_equal(texts[value], groups->wanted_text);
}

static bool key_of_text(cairn__groups *groups, cairn_span text, cairn__key *key_out) {
    uint64_t hash = cairn__hash(text, SEED);
    uint32_t index;
    groups->wanted_text = text;
    if (!cairn__keyed_find(&groups->text_table, hash, match_text, groups, &index)) {
        cairn_span copy;
        index = (uint32_t)groups->texts.count;
        if (!cairn__arena_copy(&groups->text_arena, text, &copy) ||
            !cairn__keyed_add(&groups->text_table, hash, index)) {
            return false;
        }
        cairn_span *added = cairn__list_add(&groups->texts);
        if (added == NULL) {
            return false;
        }
        *added = copy;
    }
    *key_out = (cairn__key){ CAIRN__KEY_OWN_TEXT, index };
    return true;
}

static bool key_of_value(cairn__groups *groups, const cairn_value *value, cairn__key *key_out) {
    switch (value->kind) {
    case CAIRN_VALUE_BOOLEAN:
        *key_out = (cairn__key){ CAIRN_VALUE_BOOLEAN, value->as.boolean };
        return true;
    case CAIRN_VALUE_INTEGER:
        *key_out = (cairn__key){ CAIRN_VALUE_INTEGER, (uint64_t)value->as.integer };
        return true;
    case CAIRN_VALUE_NUMBER:
        *key_out = key_of_number(value->as.number);
        return true;
    case CAIRN_VALUE_STRING:
        return key_of_text(groups, value->as.string, key_out);
    case CAIRN_VALUE_TIME:
        *key_out = (cairn__key){ CAIRN_VALUE_TIME, (uint64_t)value->as.time_ms };
        return true;
    case CAIRN_VALUE_LIST:
    case CAIRN_VALUE_NULL:
    default:
        *key_out = (cairn__key){ CAIRN_VALUE_NULL, 0 };
        return true;
    }
}

static cairn__key key_of_bin(const cairn__query_by *by, const cairn_value *value) {
    double number = 0;
    if (value->kind == CAIRN_VALUE_INTEGER) {
        number = (double)value->as.integer;
    } else if (value->kind == CAIRN_VALUE_NUMBER) {
        number = value->as.number;
    } else {
        return (cairn__key){ CAIRN_VALUE_NULL, 0 };
    }
    uint64_t bin = 0;
    while (bin < by->bin_count && number >= by->bins[bin]) {
        bin++;
    }
    return (cairn__key){ CAIRN__KEY_BIN, bin };
}

cairn__key cairn__key_of_event(cairn__pass *pass, const cairn__query_by *by, uint32_t row) {
    cairn_value value;
    if (by->fact.source == CAIRN__QUERY_OF_NAME) {
        return (cairn__key){ CAIRN_VALUE_STRING, pass->batch.name[row] };
    }
    if (by->bins == NULL) {
        return cairn__key_of_column(&pass->batch.columns[by->fact.index], row);
    }
    cairn__pass_value(pass, by->fact, row, &value);
    return key_of_bin(by, &value);
}

bool cairn__groups_key(cairn__groups *groups, const cairn__query_by *by, uint32_t row,
                       cairn__key *key_out) {
    cairn_value value;
    *key_out = (cairn__key){ CAIRN_VALUE_NULL, 0 };
    if (row == UINT32_MAX && by->fact.source != CAIRN__QUERY_OF_USER) {
        return true;
    }
    if (by->fact.source == CAIRN__QUERY_OF_EVENT && by->bins == NULL) {
        *key_out = cairn__key_of_column(&groups->pass->batch.columns[by->fact.index], row);
        return true;
    }
    cairn__pass_value(groups->pass, by->fact, row, &value);
    if (by->bins != NULL) {
        *key_out = key_of_bin(by, &value);
        return true;
    }
    return key_of_value(groups, &value, key_out);
}

/* --- groups --- */

static const cairn__key *keys_of(const cairn__groups *groups, uint32_t group) {
    if (groups->by_count == 0) {
        return NULL; /* no list to point into */
    }
    return (const cairn__key *)groups->keys.items + (group - 1) * groups->by_count;
}

static bool same_keys(const cairn__groups *groups, uint32_t group, const cairn__key *keys) {
    const cairn__key *own = keys_of(groups, group);
    for (size_t i = 0; i < groups->by_count; i++) {
        if (!cairn__key_equal(own[i], keys[i])) {
            return false;
        }
    }
    return true;
}

static bool match_keys(const void *context, uint32_t value) {
    const cairn__groups *groups = context;
    return same_keys(groups, value, groups->wanted_keys);
}

static bool add_group(cairn__groups *groups, uint64_t hash, const cairn__key *keys) {
    if (!cairn__keyed_add(&groups->table, hash, groups->count)) {
        return false;
    }
    for (size_t i = 0; i < groups->by_count; i++) {
        cairn__key *added = cairn__list_add(&groups->keys);
        if (added == NULL) {
            return false;
        }
        *added = keys[i];
    }
    groups->last = groups->count++;
    return true;
}

bool cairn__groups_find(cairn__groups *groups, const cairn__key *keys, uint32_t *group_out) {
    if (groups->last == 0 || !same_keys(groups, groups->last, keys)) {
        uint64_t hash = SEED;
        for (size_t i = 0; i < groups->by_count; i++) {
            hash =
                cairn__mix(hash ^ cairn__mix(keys[i].bits + keys[i].kind * UINT64_C(0x9E3779B9)));
        }
        groups->wanted_keys = keys;
        if (!cairn__keyed_find(&groups->table, hash, match_keys, groups, &groups->last) &&
            !add_group(groups, hash, keys)) {
            return false;
        }
    }
    *group_out = groups->last;
    return true;
}

/* --- writing --- */

static void write_bin(const cairn__query_by *by, uint64_t bin, cairn__buffer *to) {
    cairn__buffer_byte(to, '"');
    if (bin == 0) {
        cairn__buffer_byte(to, '<');
        cairn__writing_number(to, by->bins[0]);
    } else if (bin == by->bin_count) {
        cairn__writing_raw(to, ">=");
        cairn__writing_number(to, by->bins[bin - 1]);
    } else {
        cairn__buffer_byte(to, '[');
        cairn__writing_number(to, by->bins[bin - 1]);
        cairn__buffer_byte(to, ',');
        cairn__writing_number(to, by->bins[bin]);
        cairn__buffer_byte(to, ')');
    }
    cairn__buffer_byte(to, '"');
}

static cairn_value value_of_key(const cairn__groups *groups, cairn__key key) {
    cairn_value value = { .kind = (cairn_value_kind)key.kind };
    const cairn_span *texts = groups->texts.items;
    switch (key.kind) {
    case CAIRN__KEY_OWN_TEXT:
        value.kind = CAIRN_VALUE_STRING;
        value.as.string = texts[key.bits];
        break;
    case CAIRN_VALUE_STRING:
        value.as.string = cairn__reader_text(groups->pass->reader, key.bits);
        break;
    case CAIRN_VALUE_BOOLEAN:
        value.as.boolean = key.bits != 0;
        break;
    case CAIRN_VALUE_NUMBER:
        memcpy(&value.as.number, &key.bits, sizeof key.bits);
        break;
    default:
        value.as.integer = (int64_t)key.bits; /* integer, time; unused by null */
    }
    return value;
}

void cairn__groups_write(const cairn__groups *groups, uint32_t group, size_t by,
                         cairn__buffer *to) {
    if (group == 0) {
        cairn__writing_raw(to, "null");
        return;
    }
    cairn__key key = keys_of(groups, group)[by];
    if (key.kind == CAIRN__KEY_BIN) {
        write_bin(&groups->pass->run->query->by[by], key.bits, to);
        return;
    }
    cairn_value value = value_of_key(groups, key);
    cairn__writing_value(to, &value);
}

bool cairn__groups_wanted(const cairn__groups *groups, uint32_t group, cairn__buffer *scratch) {
    const cairn__query_members *members = &groups->pass->run->query->members;
    for (size_t i = 0; i < groups->by_count; i++) {
        if (members->by_json[i].data == NULL) {
            continue;
        }
        cairn__buffer_clear(scratch);
        cairn__groups_write(groups, group, i, scratch);
        if (!cairn__span_equal(cairn__buffer_span(scratch), members->by_json[i])) {
            return false;
        }
    }
    return true;
}
