#include "analytics/pass.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"

enum { CODES_MAX = 65536 }; /* codes of the reader's names */

#define MASK_KNOWN (UINT64_C(1) << CAIRN__QUERY_PATTERNS_MAX)

/* --- names --- */

static uint64_t mask_of_name(const cairn__query *query, cairn_span name) {
    uint64_t mask = MASK_KNOWN;
    for (size_t i = 0; i < query->pattern_count; i++) {
        const cairn__query_pattern *pattern = &query->patterns[i];
        bool match = pattern->name_count == 0;
        for (size_t j = 0; j < pattern->name_count && !match; j++) {
            match = cairn__span_equal(pattern->names[j], name);
        }
        mask |= match ? UINT64_C(1) << i : 0;
    }
    return mask;
}

static bool has_name(const cairn__list *names, cairn_span name) {
    const cairn_span *list = names->items;
    for (size_t i = 0; i < names->count; i++) {
        if (cairn__span_equal(list[i], name)) {
            return true;
        }
    }
    return false;
}

static cairn_status add_names(cairn__list *names, const cairn__query_pattern *pattern) {
    for (size_t i = 0; i < pattern->name_count; i++) {
        cairn_span *added = has_name(names, pattern->names[i]) ? NULL : cairn__list_add(names);
        if (added != NULL) {
            *added = pattern->names[i];
        } else if (!has_name(names, pattern->names[i])) {
            return CAIRN_NO_MEMORY;
        }
    }
    return CAIRN_OK;
}

/* The distinct names of all patterns; none when some pattern takes every event, or when there are
 * more than a reader takes. */
static cairn_status collect_names(const cairn__query *query, cairn__list *names) {
    for (size_t i = 0; i < query->pattern_count; i++) {
        if (query->patterns[i].name_count == 0) {
            names->count = 0;
            return CAIRN_OK;
        }
        if (add_names(names, &query->patterns[i]) != CAIRN_OK) {
            return CAIRN_NO_MEMORY;
        }
    }
    if (names->count > CAIRN__READER_NAMES_MAX) {
        names->count = 0;
    }
    return CAIRN_OK;
}

static cairn_status make_name_masks(cairn__pass *pass) {
    const cairn__list *names = &pass->names;
    const cairn_allocator *allocator = &pass->run->allocator;
    const cairn_span *list = names->items;
    pass->all_names = names->count == 0;
    size_t count = pass->all_names ? CODES_MAX : names->count;
    pass->name_masks = allocator->resize(allocator->self, NULL, 0, count * sizeof(uint64_t));
    if (pass->name_masks == NULL) {
        return CAIRN_NO_MEMORY;
    }
    pass->name_count = count;
    memset(pass->name_masks, 0, count * sizeof(uint64_t));
    for (size_t i = 0; i < names->count; i++) {
        pass->name_masks[i] = mask_of_name(pass->run->query, list[i]);
    }
    return CAIRN_OK;
}

/* --- opening --- */

static size_t most_slots(const cairn__pass *pass) {
    const cairn__query *query = pass->run->query;
    const cairn__query_rule *rules[CAIRN__QUERY_PATTERNS_MAX + 3] = { query->filter,
                                                                      query->audience,
                                                                      pass->side->filter };
    size_t most = 0;
    for (size_t i = 0; i < query->pattern_count; i++) {
        rules[i + 3] = query->patterns[i].where;
    }
    for (size_t i = 0; i < query->pattern_count + 3; i++) {
        if (rules[i] != NULL && rules[i]->rule.slot_count > most) {
            most = rules[i]->rule.slot_count;
        }
    }
    return most;
}

static bool asks_rows(const cairn__query_rule *rule) {
    return rule != NULL && rule->by_event;
}

static cairn_status prepare_rules(cairn__pass *pass) {
    const cairn__query *query = pass->run->query;
    const cairn_allocator *allocator = &pass->run->allocator;
    for (size_t i = 0; i < query->pattern_count; i++) {
        pass->with_where |= query->patterns[i].where != NULL ? UINT64_C(1) << i : 0;
    }
    pass->row_rules =
        pass->with_where != 0 || asks_rows(query->filter) || asks_rows(pass->side->filter);
    size_t slots = most_slots(pass) + 1;
    pass->slots = allocator->resize(allocator->self, NULL, 0, slots * sizeof(cairn_value));
    pass->slot_count = pass->slots == NULL ? 0 : slots;
    return pass->slots == NULL ? CAIRN_NO_MEMORY : CAIRN_OK;
}

static cairn_status open_reader(cairn__pass *pass, int64_t to_ms) {
    const cairn__run *run = pass->run;
    const cairn__query_members *members = &run->query->members;
    const cairn__reader_options options = {
        .allocator = run->allocator,
        .bytes_max = run->reader_bytes_max,
        .names = pass->names.items,
        .name_count = pass->names.count,
        .properties = run->query->facts.event,
        .property_count = run->query->facts.event_count,
        .from_ms = pass->side->from_ms,
        .to_ms = to_ms,
        .person_of = run->source->person_of,
        .node_count = run->source->node_count,
        .person_first = members->wanted && members->has_after ? members->after + 1 : 0,
        .person_end = UINT32_MAX,
        .without_order = true, /* rows come in order; nothing here asks for the number */
    };
    return cairn__reader_open(run->source->snapshot, &options, &pass->reader);
}

cairn_status cairn__pass_open(cairn__pass *pass, cairn__run *run, const cairn__query_side *side,
                              int64_t to_ms) {
    *pass = (cairn__pass){ .run = run, .side = side, .rows_to_stop = CAIRN__PASS_STOP_ROWS };
    pass->names = cairn__list_make(run->allocator, sizeof(cairn_span));
    pass->masks = cairn__list_make(run->allocator, sizeof(uint64_t));
    cairn_status status = collect_names(run->query, &pass->names);
    if (status == CAIRN_OK) {
        status = make_name_masks(pass);
    }
    if (status == CAIRN_OK) {
        status = prepare_rules(pass);
    }
    if (status == CAIRN_OK) {
        status = open_reader(pass, to_ms);
    }
    if (status != CAIRN_OK) {
        cairn__pass_close(pass);
    }
    return status;
}

void cairn__pass_close(cairn__pass *pass) {
    const cairn_allocator *allocator = &pass->run->allocator;
    if (pass->reader != NULL) {
        pass->run->rows_read += cairn__reader_rows_read(pass->reader);
        cairn__reader_close(pass->reader);
        pass->reader = NULL;
    }
    if (pass->name_masks != NULL) {
        allocator->resize(allocator->self, pass->name_masks, pass->name_count * sizeof(uint64_t),
                          0);
        pass->name_masks = NULL;
    }
    if (pass->slots != NULL) {
        allocator->resize(allocator->self, pass->slots, pass->slot_count * sizeof(cairn_value), 0);
        pass->slots = NULL;
    }
    cairn__list_free(&pass->masks);
    cairn__list_free(&pass->names);
}

/* --- values --- */

static void read_user(cairn__pass *pass) {
    const cairn__analyze_profiles *profiles = &pass->run->source->profiles;
    const cairn__query_facts *facts = &pass->run->query->facts;
    pass->user_ready = true;
    memset(pass->user, 0, facts->user_count * sizeof *pass->user);
    if (profiles->read != NULL && facts->user_count != 0) {
        profiles->read(profiles->self, pass->person, facts->user, facts->user_count, pass->user);
    }
}

static void read_column(const cairn__pass *pass, uint16_t index, uint32_t row,
                        cairn_value *value_out) {
    const cairn__reader_column *column = &pass->batch.columns[index];
    uint64_t bits = column->bits[row];
    value_out->kind = (cairn_value_kind)column->kind[row];
    switch (value_out->kind) {
    case CAIRN_VALUE_BOOLEAN:
        value_out->as.boolean = bits != 0;
        return;
    case CAIRN_VALUE_INTEGER:
        value_out->as.integer = (int64_t)bits;
        return;
    case CAIRN_VALUE_NUMBER:
        memcpy(&value_out->as.number, &bits, sizeof bits);
        return;
    case CAIRN_VALUE_STRING:
        value_out->as.string = cairn__reader_text(pass->reader, bits);
        return;
    case CAIRN_VALUE_TIME:
        value_out->as.time_ms = (int64_t)bits;
        return;
    case CAIRN_VALUE_LIST:
        value_out->as.list = cairn__reader_list(pass->reader, bits);
        return;
    case CAIRN_VALUE_NULL:
    default:
        value_out->kind = CAIRN_VALUE_NULL;
    }
}

static cairn_span name_at(const cairn__pass *pass, uint32_t row) {
    return cairn__reader_name(pass->reader, pass->batch.name[row]);
}

void cairn__pass_value(cairn__pass *pass, cairn__query_fact fact, uint32_t row,
                       cairn_value *value_out) {
    switch (fact.source) {
    case CAIRN__QUERY_OF_USER:
        if (!pass->user_ready) {
            read_user(pass);
        }
        *value_out = pass->user[fact.index];
        return;
    case CAIRN__QUERY_OF_NAME:
        value_out->kind = CAIRN_VALUE_STRING;
        value_out->as.string = name_at(pass, row);
        return;
    case CAIRN__QUERY_OF_EVENT:
    default:
        read_column(pass, fact.index, row, value_out);
    }
}

/* --- rules --- */

/* Of the row; rules about the person alone do not look at it. No rule is true. */
static bool holds(cairn__pass *pass, const cairn__query_rule *rule, uint32_t row) {
    if (rule == NULL) {
        return true;
    }
    for (size_t i = 0; i < rule->rule.slot_count; i++) {
        cairn__pass_value(pass, rule->facts[i], row, &pass->slots[i]);
    }
    return cairn__rule_evaluate(&rule->rule, pass->slots, pass->run->options->now_ms,
                                pass->run->query->zone) == CAIRN__RULE_TRUE;
}

static bool holds_for_row(cairn__pass *pass, const cairn__query_rule *rule, uint32_t row) {
    return !asks_rows(rule) || holds(pass, rule, row);
}

static bool holds_for_person(cairn__pass *pass, const cairn__query_rule *rule) {
    return asks_rows(rule) || holds(pass, rule, pass->first);
}

static bool person_counts(cairn__pass *pass) {
    const cairn__query *query = pass->run->query;
    if (query->sample < 1 &&
        (double)(cairn__mix(pass->person + UINT64_C(1)) >> 11) * 0x1p-53 >= query->sample) {
        return false;
    }
    return holds_for_person(pass, query->audience) && holds_for_person(pass, query->filter) &&
           holds_for_person(pass, pass->side->filter);
}

/* --- masks --- */

static uint64_t name_mask(cairn__pass *pass, uint16_t code) {
    uint64_t mask = pass->name_masks[code];
    if (mask == 0) {
        mask = mask_of_name(pass->run->query, cairn__reader_name(pass->reader, code));
        pass->name_masks[code] = mask;
    }
    return mask & ~MASK_KNOWN;
}

static uint64_t row_mask(cairn__pass *pass, uint32_t row) {
    const cairn__query *query = pass->run->query;
    uint64_t mask = name_mask(pass, pass->batch.name[row]);
    if (!pass->row_rules || mask == 0) {
        return mask;
    }
    if (!holds_for_row(pass, query->filter, row) || !holds_for_row(pass, pass->side->filter, row)) {
        return 0;
    }
    for (uint64_t left = mask & pass->with_where; left != 0; left &= left - 1) {
        int pattern = __builtin_ctzll(left);
        if (!holds(pass, query->patterns[pattern].where, row)) {
            mask &= ~(UINT64_C(1) << pattern);
        }
    }
    return mask;
}

const uint64_t *cairn__pass_masks(cairn__pass *pass) {
    size_t count = pass->end - pass->first;
    if (!cairn__list_reserve(&pass->masks, count)) {
        pass->status = CAIRN_NO_MEMORY;
        return NULL;
    }
    uint64_t *masks = pass->masks.items;
    for (size_t i = 0; i < count; i++) {
        masks[i] = row_mask(pass, pass->first + (uint32_t)i);
    }
    return masks;
}

const uint64_t *cairn__pass_name_masks(const cairn__pass *pass) {
    return pass->row_rules || pass->all_names ? NULL : pass->name_masks;
}

/* --- the walk --- */

bool cairn__pass_work(cairn__pass *pass, size_t rows) {
    const cairn__analyze_options *options = pass->run->options;
    if (rows < pass->rows_to_stop) {
        pass->rows_to_stop -= rows;
        return true;
    }
    pass->rows_to_stop = CAIRN__PASS_STOP_ROWS;
    if (options->stop != NULL && options->stop(options->self)) {
        pass->status = CAIRN_BUSY;
        return false;
    }
    return true;
}

static bool next_batch(cairn__pass *pass) {
    pass->status = cairn__reader_next(pass->reader, &pass->batch);
    pass->next_index = 0;
    return pass->status == CAIRN_OK && pass->batch.person_count != 0;
}

bool cairn__pass_everyone(const cairn__pass *pass) {
    const cairn__query *query = pass->run->query;
    return query->sample >= 1 && query->audience == NULL &&
           (query->filter == NULL || query->filter->by_event) &&
           (pass->side->filter == NULL || pass->side->filter->by_event);
}

bool cairn__pass_next_batch(cairn__pass *pass) {
    if (!next_batch(pass)) {
        return false;
    }
    pass->run->persons_read += pass->batch.person_count;
    return cairn__pass_work(pass, pass->batch.row_count);
}

bool cairn__pass_next(cairn__pass *pass) {
    for (;;) {
        if (pass->status != CAIRN_OK ||
            (pass->next_index == pass->batch.person_count && !next_batch(pass))) {
            return false;
        }
        size_t index = pass->next_index++;
        pass->person = pass->batch.persons[index];
        pass->first = pass->batch.person_rows[index];
        pass->end = pass->batch.person_rows[index + 1];
        pass->user_ready = false;
        pass->run->persons_read++;
        if (!cairn__pass_work(pass, pass->end - pass->first + 1)) {
            return false;
        }
        if (person_counts(pass)) {
            return true;
        }
    }
}
