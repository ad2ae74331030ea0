/* query_parts.c: facts, rules and event patterns: what the keys of every model are made of. */
#include "analytics/reading.h"
#include "base/bytes.h"

enum { NAME_BYTES_MAX = 100, RULE_BYTES_MAX = 16384, NAMES_MAX = 100 };

static bool begins(cairn_span text, const char *with) {
    cairn_span start = cairn__span_of(with);
    return text.len >= start.len && memcmp(text.data, start.data, start.len) == 0;
}

static bool show_bad_fact(cairn__reading *reading, cairn_span text, cairn__fault_path at) {
    CAIRN__READING_FAULT(reading, "bad_property", at, "`%.*s` names no property",
                         text.len > 100 ? 100 : (int)text.len, (const char *)text.data);
    if (begins(text, "tag.")) {
        return CAIRN__READING_FIX(reading, "tags are not available in this version; "
                                           "use user.NAME or event.NAME");
    }
    return CAIRN__READING_FIX(reading, "write event.NAME, user.NAME or event.$name");
}

/* The index of the name in a list of facts, appended when it is new. */
static bool intern(cairn__reading *reading, cairn_span name, cairn__fault_path at,
                   cairn__query_fact *fact) {
    cairn__query_facts *facts = &reading->query->facts;
    bool of_user = fact->source == CAIRN__QUERY_OF_USER;
    cairn_span *list = of_user ? facts->user : facts->event;
    size_t *count = of_user ? &facts->user_count : &facts->event_count;
    for (size_t i = 0; i < *count; i++) {
        if (cairn__span_equal(list[i], name)) {
            fact->index = (uint16_t)i;
            return true;
        }
    }
    if (*count == CAIRN__QUERY_FACTS_MAX) {
        CAIRN__READING_FAULT(reading, "too_many", at,
                             "the query names more than %d properties of %s",
                             (int)CAIRN__QUERY_FACTS_MAX, of_user ? "persons" : "events");
        return CAIRN__READING_FIX(reading, "ask in two queries");
    }
    fact->index = (uint16_t)*count;
    return cairn__reading_copy(reading, name, &list[(*count)++]);
}

/* Cuts "@2" off the end; 0 when there is none. */
static bool cut_step(cairn__reading *reading, cairn_span *text, cairn__fault_path at,
                     uint32_t *step_out) {
    *step_out = 0;
    size_t sign = text->len;
    while (sign > 0 && text->data[sign - 1] != '@') {
        sign--;
    }
    if (sign == 0) {
        return true;
    }
    uint32_t number = 0;
    for (size_t i = sign; i < text->len && number <= CAIRN__QUERY_STEPS_MAX; i++) {
        if (text->data[i] < '0' || text->data[i] > '9') {
            return show_bad_fact(reading, *text, at);
        }
        number = number * 10 + (uint32_t)(text->data[i] - '0');
    }
    uint32_t steps = reading->query->funnel.step_count;
    if (number < 1 || number > steps) {
        CAIRN__READING_FAULT(reading, "out_of_range", at, "`%.*s`: there is no such step",
                             text->len > 100 ? 100 : (int)text->len, (const char *)text->data);
        return CAIRN__READING_FIX(reading, "write a step from 1 to %u after the @", steps);
    }
    *step_out = number;
    text->len = sign - 1;
    return true;
}

bool cairn__reading_fact(cairn__reading *reading, cairn_span text, cairn__fault_path at,
                         uint32_t *at_step, cairn__query_fact *fact_out) {
    cairn_span whole = text;
    cairn__query_fact fact = { CAIRN__QUERY_OF_EVENT, 0 };
    size_t skip = sizeof "event." - 1;
    if (begins(text, "user.")) {
        fact.source = CAIRN__QUERY_OF_USER;
        skip = sizeof "user." - 1;
    } else if (!begins(text, "event.")) {
        return show_bad_fact(reading, whole, at);
    } else if (at_step != NULL && !cut_step(reading, &text, at, at_step)) {
        return false;
    }
    if (text.len <= skip || text.len - skip > NAME_BYTES_MAX) {
        return show_bad_fact(reading, whole, at);
    }
    cairn_span name = cairn__span(text.data + skip, text.len - skip);
    *fact_out = fact;
    if (fact.source == CAIRN__QUERY_OF_EVENT && cairn__span_equal(name, CAIRN_STR("$name"))) {
        fact_out->source = CAIRN__QUERY_OF_NAME;
        return true;
    }
    return intern(reading, name, at, fact_out);
}

bool cairn__reading_property(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                             cairn__query_fact *fact_out) {
    cairn_span text = { NULL, 0 };
    if (!cairn__reading_text(reading, value, at, 1000, &text)) {
        return false;
    }
    if (!begins(text, "event.") || cairn__span_equal(text, CAIRN_STR("event.$name"))) {
        CAIRN__READING_FAULT(reading, "bad_property", at, "`%.*s` is no property of the event",
                             text.len > 100 ? 100 : (int)text.len, (const char *)text.data);
        return CAIRN__READING_FIX(reading, "write event.NAME, such as event.amount");
    }
    return cairn__reading_fact(reading, text, at, NULL, fact_out);
}

static bool link_facts(cairn__reading *reading, cairn__fault_path at, cairn__query_rule *rule) {
    cairn__query_fact *facts =
        cairn__arena_alloc_zero(reading->frame->arena, rule->rule.slot_count + 1, sizeof *facts);
    if (facts == NULL) {
        return cairn__reading_no_memory(reading);
    }
    for (size_t i = 0; i < rule->rule.slot_count; i++) {
        const cairn__rule_slot *slot = &rule->rule.slots[i];
        bool of_user = slot->space == CAIRN__RULE_USER;
        facts[i].source = of_user ? CAIRN__QUERY_OF_USER : CAIRN__QUERY_OF_EVENT;
        rule->by_event |= !of_user;
        if (!of_user && cairn__span_equal(slot->name, CAIRN_STR("$name"))) {
            facts[i].source = CAIRN__QUERY_OF_NAME;
        } else if (!intern(reading, slot->name, at, &facts[i])) {
            return false;
        }
    }
    rule->facts = facts;
    return true;
}

bool cairn__reading_rule(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                         unsigned spaces, const cairn__query_rule **rule_out) {
    cairn_span text = { NULL, 0 };
    cairn__rule_fault fault = { 0 };
    cairn__query_rule *rule =
        cairn__arena_alloc_zero(reading->frame->arena, 1, sizeof(cairn__query_rule));
    if (rule == NULL) {
        return cairn__reading_no_memory(reading);
    }
    if (!cairn__reading_text(reading, value, at, RULE_BYTES_MAX, &text) ||
        !cairn__reading_copy(reading, text, &text)) {
        return false;
    }
    unsigned bare = (spaces & CAIRN__RULE_EVENT) != 0 ? CAIRN__RULE_EVENT : CAIRN__RULE_USER;
    const cairn__rule_source source = { text, spaces, bare, reading->frame->arena, &fault };
    cairn_status status = cairn__rule_compile(&source, &rule->rule);
    if (status == CAIRN_NO_MEMORY) {
        return cairn__reading_no_memory(reading);
    }
    if (status != CAIRN_OK) {
        CAIRN__READING_FAULT(reading, "rule_invalid", at, "line %u, column %u: %s", fault.line,
                             fault.column, fault.text);
        return CAIRN__READING_FIX(reading, "correct the rule there; for example: %s",
                                  bare == CAIRN__RULE_EVENT ? "event.amount > 100"
                                                            : "user.vip_level >= 3");
    }
    *rule_out = rule;
    return link_facts(reading, at, rule);
}

/* One name, or a list of them; "*" is every event (no names). */
static bool read_names(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                       cairn__query_pattern *pattern) {
    bool is_list = json_is_array(value);
    size_t count = is_list ? json_array_size(value) : 1;
    if (count == 0 || count > NAMES_MAX) {
        CAIRN__READING_FAULT(reading, "bad_list", at, "%s names %zu events", at.text, count);
        return CAIRN__READING_FIX(reading, "name 1 to %d events, or \"*\" for every event",
                                  (int)NAMES_MAX);
    }
    cairn_span *names = cairn__arena_alloc_zero(reading->frame->arena, count, sizeof *names);
    if (names == NULL) {
        return cairn__reading_no_memory(reading);
    }
    bool every = false;
    for (size_t i = 0; i < count; i++) {
        const json_t *item = is_list ? json_array_get(value, i) : value;
        if (!cairn__reading_text(reading, item, is_list ? cairn__fault_item(at, i) : at,
                                 NAME_BYTES_MAX, &names[i]) ||
            !cairn__reading_copy(reading, names[i], &names[i])) {
            return false;
        }
        every |= cairn__span_equal(names[i], CAIRN_STR("*"));
    }
    pattern->names = names;
    pattern->name_count = every ? 0 : count;
    return true;
}

bool cairn__reading_pattern(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                            cairn__reading_words keys, uint32_t *pattern_out) {
    cairn__query *query = reading->query;
    if (query->pattern_count == CAIRN__QUERY_PATTERNS_MAX) {
        CAIRN__READING_FAULT(reading, "too_many", at, "more than %d event patterns",
                             (int)CAIRN__QUERY_PATTERNS_MAX);
        return CAIRN__READING_FIX(reading, "ask in two queries");
    }
    cairn__query_pattern pattern = { 0 };
    if (!json_is_object(value)) {
        if (!read_names(reading, value, at, &pattern)) {
            return false;
        }
    } else {
        const json_t *where = json_object_get(value, "where");
        if (!cairn__reading_object(reading, value, at, keys) ||
            !read_names(reading, json_object_get(value, "event"), cairn__fault_key(at, "event"),
                        &pattern) ||
            (where != NULL &&
             !cairn__reading_rule(reading, where, cairn__fault_key(at, "where"),
                                  CAIRN__RULE_EVENT | CAIRN__RULE_USER, &pattern.where))) {
            return false;
        }
    }
    *pattern_out = (uint32_t)query->pattern_count;
    query->patterns[query->pattern_count++] = pattern;
    return true;
}

bool cairn__reading_pattern_label(cairn__reading *reading, uint32_t pattern,
                                  cairn_span *label_out) {
    const cairn__query_pattern *from = &reading->query->patterns[pattern];
    size_t bytes = 1;
    for (size_t i = 0; i < from->name_count; i++) {
        bytes += from->names[i].len + 3;
    }
    uint8_t *label = cairn__arena_alloc(reading->frame->arena, bytes);
    if (label == NULL) {
        return cairn__reading_no_memory(reading);
    }
    size_t used = 0;
    if (from->name_count == 0) {
        label[used++] = '*';
    }
    for (size_t i = 0; i < from->name_count; i++) {
        if (i > 0) {
            label[used++] = ' ';
            label[used++] = '|';
            label[used++] = ' ';
        }
        memcpy(label + used, from->names[i].data, from->names[i].len);
        used += from->names[i].len;
    }
    *label_out = cairn__span(label, used);
    return true;
}
