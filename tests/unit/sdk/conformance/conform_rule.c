/* conform_rule.c: rules said as text, and foreign values as facts. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conform.h"

enum { ARENA_BYTES = 32 << 20, NAME_BYTES_MAX = 100 };

/* --- saying ---------------------------------------------------------------------------------- */

void conform_cannot(conform_text *to, const char *why) {
    to->why = to->why == NULL ? why : to->why;
}

void conform_say(conform_text *to, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(to->text + to->len, sizeof to->text - to->len, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof to->text - to->len) {
        conform_cannot(to, "the rule is longer than the adapter's text");
        return;
    }
    to->len += (size_t)len;
}

void conform_name(conform_text *to, const char *name) {
    if (*name == '\0' || strlen(name) > NAME_BYTES_MAX || strchr(name, '`') != NULL) {
        conform_cannot(to, "a name that no property can have");
        return;
    }
    conform_say(to, "user.`%s`", name);
}

static void say_json(conform_text *to, json_t *value) {
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    conform_say(to, "%s", text == NULL ? "" : text);
    free(text);
}

void conform_constant(conform_text *to, json_t *value) {
    if (json_is_string(value) || json_is_number(value) || json_is_boolean(value)) {
        say_json(to, value);
    } else if (json_is_array(value)) {
        conform_cannot(to, "a list as a constant that is compared");
    } else if (json_is_object(value)) {
        conform_cannot(to, "an object as a constant");
    } else {
        conform_cannot(to, "null as a constant");
    }
}

void conform_quoted(conform_text *to, const char *text) {
    json_t *value = json_string(text);
    say_json(to, value);
    json_decref(value);
}

/* --- facts ----------------------------------------------------------------------------------- */

static cairn_span text_of(json_t *from) {
    return cairn__span(json_string_value(from), json_string_length(from));
}

static const char *list_value(json_t *from, cairn__arena *arena, cairn_value *value_out) {
    size_t count = json_array_size(from);
    cairn_span *items = cairn__arena_alloc_zero(arena, count + 1, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        json_t *item = json_array_get(from, i);
        if (!json_is_string(item)) {
            return "a list of something else than texts";
        }
        items[i] = text_of(item);
    }
    *value_out = (cairn_value){ .kind = CAIRN_VALUE_LIST, .as.list = { items, count } };
    return NULL;
}

const char *conform_value(json_t *from, cairn__arena *arena, cairn_value *value_out) {
    *value_out = (cairn_value){ .kind = CAIRN_VALUE_NULL };
    if (json_is_boolean(from)) {
        *value_out = (cairn_value){ .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = json_is_true(from) };
    } else if (json_is_integer(from)) {
        *value_out =
            (cairn_value){ .kind = CAIRN_VALUE_INTEGER, .as.integer = json_integer_value(from) };
    } else if (json_is_real(from)) {
        *value_out =
            (cairn_value){ .kind = CAIRN_VALUE_NUMBER, .as.number = json_real_value(from) };
    } else if (json_is_string(from)) {
        *value_out = (cairn_value){ .kind = CAIRN_VALUE_STRING, .as.string = text_of(from) };
    } else if (json_is_array(from)) {
        return list_value(from, arena, value_out);
    } else if (json_is_object(from)) {
        return "an object as a value";
    }
    return NULL;
}

json_t *conform_member(json_t *object, cairn_span path) {
    json_t *whole = json_object_getn(object, (const char *)path.data, path.len);
    if (whole != NULL || path.len == 0) {
        return whole;
    }
    const uint8_t *dot = memchr(path.data, '.', path.len);
    if (dot == NULL) {
        return NULL;
    }
    size_t head = (size_t)(dot - path.data);
    json_t *inner = json_object_getn(object, (const char *)path.data, head);
    return json_is_object(inner) ? conform_member(inner, cairn__span(dot + 1, path.len - head - 1))
                                 : NULL;
}

const char *conform_fact(void *object, const cairn__rule_slot *slot, cairn__arena *arena,
                         cairn_value *value_out) {
    return conform_value(conform_member(object, slot->name), arena, value_out);
}

/* --- asking ---------------------------------------------------------------------------------- */

const char *conform_compile(conform_rule *rule, const conform_text *text, conform_value_of value_of,
                            void *context) {
    *rule = (conform_rule){ .arena = cairn__arena_make(cairn__heap(), ARENA_BYTES) };
    if (text->why != NULL) {
        return text->why;
    }
    const cairn__rule_source source = { cairn__span(text->text, text->len),
                                        CAIRN__RULE_USER | CAIRN__RULE_QUERY, 0, &rule->arena,
                                        &rule->fault };
    cairn__rule compiled;
    if (cairn__rule_compile(&source, &compiled) != CAIRN_OK) {
        return "such a rule is refused";
    }
    const cairn_span program = { compiled.program, compiled.program_bytes };
    if (cairn__rule_load(program, &rule->arena, &rule->rule) != CAIRN_OK) {
        return "the program of the rule is not taken";
    }
    if (rule->rule.slot_count > CONFORM_SLOTS_MAX) {
        return "more names than the adapter has room for";
    }
    for (size_t i = 0; i < rule->rule.slot_count; i++) {
        const char *why = value_of(context, &rule->rule.slots[i], &rule->arena, &rule->values[i]);
        if (why != NULL) {
            return why;
        }
    }
    return NULL;
}

void conform_free(conform_rule *rule) {
    cairn__arena_free(&rule->arena);
}

const char *conform_ask(const conform_text *text, conform_value_of value_of, void *context,
                        bool wanted) {
    conform_rule rule;
    const char *fault = conform_compile(&rule, text, value_of, context);
    cairn__rule_answer answer = CAIRN__RULE_UNKNOWN;
    if (fault == NULL) {
        answer = cairn__rule_evaluate(&rule.rule, rule.values, 0, NULL);
    }
    conform_free(&rule);
    bool right = answer == (wanted ? CAIRN__RULE_TRUE : CAIRN__RULE_FALSE);
    return fault != NULL ? fault : right ? NULL : "another answer";
}
