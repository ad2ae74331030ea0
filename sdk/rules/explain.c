/* explain.c: a rule's parts as JSON, each with what it came to. The program is run once without
 * jumping; every node of the tree knows the instruction whose value is its own. */
#include <stdlib.h>

#include "base/bytes.h"
#include "base/civil.h"
#include "rules/program.h"

typedef cairn__rule_node node;
typedef cairn__rule_value value;

typedef struct teller {
    const cairn__rule *rule;
    cairn_span text;
    const cairn_value *values; /* of the slots */
    const value *trace;        /* of the instructions */
    cairn__buffer *to;
    uint32_t parts;
} teller;

static void say(teller *t, const char *text) {
    cairn__buffer_append(t->to, cairn__span_of(text));
}

/* --- texts ----------------------------------------------------------------------------------- */

static uint8_t folded(uint8_t byte, uint8_t fold) {
    if (fold == CAIRN__FOLD_LOWER && byte >= 'A' && byte <= 'Z') {
        return (uint8_t)(byte | 32);
    }
    if (fold == CAIRN__FOLD_UPPER && byte >= 'a' && byte <= 'z') {
        return (uint8_t)(byte & ~32);
    }
    return byte;
}

/* Inside a JSON string. A value may hold any bytes: in what is not UTF-8 each byte above ASCII is
 * shown as U+FFFD. */
static void say_byte(teller *t, uint8_t byte, bool utf8) {
    static const char digits[] = "0123456789abcdef";
    if (byte == '"' || byte == '\\') {
        cairn__buffer_byte(t->to, '\\');
        cairn__buffer_byte(t->to, byte);
    } else if (byte < 0x20) {
        say(t, "\\u00");
        cairn__buffer_byte(t->to, (uint8_t)digits[byte >> 4]);
        cairn__buffer_byte(t->to, (uint8_t)digits[byte & 15]);
    } else if (byte >= 0x80 && !utf8) {
        say(t, "\\ufffd");
    } else {
        cairn__buffer_byte(t->to, byte);
    }
}

/* In quotes, at most `most` bytes of it and then a mark that there is more. */
static void say_text(teller *t, cairn_span text, uint8_t fold, size_t most) {
    bool utf8 = cairn__utf8_valid(text);
    size_t length = text.len < most ? text.len : most;
    while (utf8 && length < text.len && length > 0 && (text.data[length] & 0xC0) == 0x80) {
        length -= 1; /* not within a character */
    }
    cairn__buffer_byte(t->to, '"');
    for (size_t i = 0; i < length; i++) {
        say_byte(t, folded(text.data[i], fold), utf8);
    }
    say(t, length < text.len ? "\xE2\x80\xA6\"" : "\"");
}

/* --- values ---------------------------------------------------------------------------------- */

/* The shortest of 15 or 17 digits that reads back as the same; whatever the locale's comma. */
static void say_number(teller *t, double number) {
    static const int digits[] = { 15, 16, 17 };
    size_t start = t->to->len;
    for (size_t i = 0; i < sizeof digits / sizeof digits[0] && !t->to->failed; i++) {
        t->to->len = start;
        cairn__buffer_format(t->to, "%.*g", digits[i], number);
        if (!t->to->failed && strtod((const char *)t->to->data + start, NULL) == number) {
            break;
        }
    }
    for (size_t i = start; i < t->to->len; i++) {
        t->to->data[i] = t->to->data[i] == ',' ? '.' : t->to->data[i];
    }
}

static void say_list(teller *t, const cairn_string_list *list, uint8_t fold) {
    enum { ITEMS_MAX = 16, ITEM_BYTES_MAX = CAIRN__RULE_EXPLAIN_TEXT_BYTES_MAX / ITEMS_MAX * 2 };
    say(t, "[");
    for (size_t i = 0; i < list->count && i < ITEMS_MAX; i++) {
        say(t, i > 0 ? "," : "");
        say_text(t, list->items[i], fold, ITEM_BYTES_MAX);
    }
    say(t, list->count > ITEMS_MAX ? ",\"\xE2\x80\xA6\"]" : "]");
}

static void say_integer(teller *t, int64_t number) {
    cairn__buffer_format(t->to, "%lld", (long long)number);
}

static void say_time(teller *t, int64_t ms) {
    const int64_t year_10000_ms = INT64_C(253402300800000);
    const int64_t year_0_ms = INT64_C(-62167219200000);
    char text[CAIRN__INSTANT_TEXT_BYTES];
    if (ms < year_0_ms || ms >= year_10000_ms) {
        say_integer(t, ms); /* no calendar writes it with four digits */
        return;
    }
    size_t length = cairn__format_instant(ms, text);
    say_text(t, cairn__span(text, length), CAIRN__FOLD_NONE, sizeof text);
}

static void say_value(teller *t, const value *v) {
    switch (v->kind) {
    case CAIRN_VALUE_BOOLEAN:
        say(t, v->as.boolean ? "\"type\":\"boolean\",\"value\":true"
                             : "\"type\":\"boolean\",\"value\":false");
        break;
    case CAIRN_VALUE_INTEGER:
        say(t, "\"type\":\"integer\",\"value\":");
        say_integer(t, v->as.integer);
        break;
    case CAIRN_VALUE_NUMBER:
        say(t, "\"type\":\"number\",\"value\":");
        say_number(t, v->as.number);
        break;
    case CAIRN_VALUE_STRING:
        say(t, "\"type\":\"string\",\"value\":");
        say_text(t, v->as.string, v->fold, CAIRN__RULE_EXPLAIN_TEXT_BYTES_MAX);
        break;
    case CAIRN_VALUE_TIME:
        say(t, "\"type\":\"time\",\"value\":");
        say_time(t, v->as.integer);
        break;
    case CAIRN__RULE_KIND_DURATION:
        say(t, "\"type\":\"duration_ms\",\"value\":");
        say_integer(t, v->as.integer);
        break;
    case CAIRN_VALUE_LIST:
        say(t, "\"type\":\"list\",\"value\":");
        say_list(t, &v->as.list, v->fold);
        break;
    case CAIRN__RULE_KIND_UNKNOWN:
        say(t, "\"type\":\"unknown\",\"value\":null");
        break;
    default:
        say(t, "\"type\":\"null\",\"value\":null");
        break;
    }
}

/* --- parts ----------------------------------------------------------------------------------- */

static bool is_condition(const node *of) {
    return (of->kind >= CAIRN__RULE_NODE_AND && of->kind <= CAIRN__RULE_NODE_IS_TODAY) &&
           of->kind != CAIRN__RULE_NODE_LIST;
}

static bool is_logic(const node *of) {
    return of->kind == CAIRN__RULE_NODE_AND || of->kind == CAIRN__RULE_NODE_OR ||
           of->kind == CAIRN__RULE_NODE_NOT;
}

/* What a constant is stands in the text; as a condition it decides something. */
static bool is_shown(const node *of, bool condition) {
    return of->kind != CAIRN__RULE_NODE_LIST &&
           (condition ||
            (of->kind != CAIRN__RULE_NODE_CONSTANT && of->kind != CAIRN__RULE_NODE_DATE));
}

/* A name that is compared with a constant has no instruction of its own. */
static value value_of(const teller *t, const node *of) {
    if (of->code != 0) {
        return t->trace[of->code - 1];
    }
    for (size_t i = 0; of->path.space != 0 && i < t->rule->slot_count; i++) {
        if (t->rule->slots[i].space == of->path.space &&
            cairn__span_equal(t->rule->slots[i].name, of->path.name)) {
            return cairn__rule_value_of(&t->values[i]);
        }
    }
    return cairn__rule_null();
}

static cairn__rule_answer answer_of(const value *v) {
    if (v->kind == CAIRN__RULE_KIND_UNKNOWN) {
        return CAIRN__RULE_UNKNOWN;
    }
    bool holds = v->kind == CAIRN_VALUE_BOOLEAN && v->as.boolean;
    return holds ? CAIRN__RULE_TRUE : CAIRN__RULE_FALSE;
}

static void say_part(teller *t, const node *of, bool condition);

static void say_children(teller *t, const node *of) {
    uint32_t left_out = 0;
    bool any = false;
    for (const node *child = of->first; child != NULL; child = child->next) {
        if (!is_shown(child, is_logic(of))) {
            continue;
        }
        if (t->parts == CAIRN__RULE_EXPLAIN_PARTS_MAX) {
            left_out += 1;
            continue;
        }
        say(t, any ? "," : ",\"parts\":[");
        any = true;
        say_part(t, child, is_logic(of));
    }
    say(t, any ? "]" : "");
    if (left_out > 0) {
        cairn__buffer_format(t->to, ",\"left_out\":%u", (unsigned)left_out);
    }
}

static void say_part(teller *t, const node *of, bool condition) {
    static const char *const answers[] = { "\"false\"", "\"true\"", "\"unknown\"" };
    cairn_span text = cairn__span(t->text.data + of->begin, of->end - of->begin);
    value v = value_of(t, of);
    t->parts += 1;
    say(t, "{\"text\":");
    say_text(t, text, CAIRN__FOLD_NONE, CAIRN__RULE_EXPLAIN_TEXT_BYTES_MAX);
    say(t, ",");
    if (condition || is_condition(of)) {
        say(t, "\"answer\":");
        say(t, answers[answer_of(&v)]);
        say(t, is_condition(of) ? "" : ",");
    }
    if (!is_condition(of)) {
        say_value(t, &v);
    }
    if (of->path.space != 0 && cairn__rule_known_by(&of->path) >= CAIRN__RULE_KNOWN_BY_AUDIENCE) {
        say(t, ",\"server\":true");
    }
    say_children(t, of);
    say(t, "}");
}

cairn_status cairn__rule_explain(const cairn__rule_source *source, const cairn__rule_facts *facts,
                                 cairn__buffer *to, cairn__rule_answer *answer_out) {
    cairn__rule rule;
    node *tree = NULL;
    *answer_out = CAIRN__RULE_FALSE;
    cairn_status status = cairn__rule_compile_tree(source, &rule, &tree);
    if (status != CAIRN_OK) {
        return status;
    }
    uint32_t code_count = cairn__rule_open(rule.program).code_count;
    cairn_value *values =
        cairn__arena_alloc_zero(source->arena, rule.slot_count + 1, sizeof *values);
    value *trace = cairn__arena_alloc_zero(source->arena, code_count, sizeof *trace);
    if (values == NULL || trace == NULL) {
        return CAIRN_NO_MEMORY;
    }
    for (size_t i = 0; i < rule.slot_count; i++) {
        values[i] = facts->value_of(facts->context, &rule.slots[i]);
    }
    cairn__rule_trace(&rule, values, facts->now_ms, facts->zone, trace);
    teller t = { &rule, source->text, values, trace, to, 0 };
    value whole = value_of(&t, tree);
    *answer_out = answer_of(&whole);
    say_part(&t, tree, true);
    return to->failed ? CAIRN_NO_MEMORY : CAIRN_OK;
}
