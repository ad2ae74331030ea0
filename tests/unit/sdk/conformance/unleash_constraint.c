/* unleash_constraint.c: constraints -> the text of a rule, the context -> facts. */
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "unleash.h"

enum { NAME_BYTES = 128, SUBJECT_BYTES = 192, PATTERN_BYTES = 1024 };

static const char *text_of(json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

/* --- facts ----------------------------------------------------------------------------------- */

json_t *unleash_field(json_t *context, const char *name) {
    json_t *field = json_object_get(context, name);
    return field != NULL ? field : json_object_get(json_object_get(context, "properties"), name);
}

static void number_value(const char *text, cairn_value *value_out) {
    json_t *number = json_loads(text, JSON_DECODE_ANY, NULL);
    if (json_is_number(number)) {
        *value_out =
            (cairn_value){ .kind = CAIRN_VALUE_NUMBER, .as.number = json_number_value(number) };
    }
    json_decref(number);
}

const char *unleash_fact(void *context, const cairn__rule_slot *slot, cairn__arena *arena,
                         cairn_value *value_out) {
    char whole[NAME_BYTES];
    (void)snprintf(whole, sizeof whole, "%.*s", (int)slot->name.len, (const char *)slot->name.data);
    char *type_end = strchr(whole, ':');
    *type_end = '\0';
    json_t *field = unleash_field(context, type_end + 1);
    *value_out = (cairn_value){ .kind = CAIRN_VALUE_NULL };
    if (strcmp(whole, "number") == 0 && json_is_string(field)) {
        number_value(json_string_value(field), value_out);
    } else if (strcmp(whole, "time") == 0 && json_is_string(field)) {
        int64_t ms = 0;
        if (cairn__parse_instant(cairn__span_of(json_string_value(field)), &ms)) {
            *value_out = (cairn_value){ .kind = CAIRN_VALUE_TIME, .as.time_ms = ms };
        }
    } else {
        return conform_value(field, arena, value_out);
    }
    return NULL;
}

void unleash_name(conform_text *to, const char *type, const char *name) {
    char whole[NAME_BYTES];
    (void)snprintf(whole, sizeof whole, "%s:%s", type, name);
    conform_name(to, whole);
}

/* --- one constraint -------------------------------------------------------------------------- */

typedef struct constraint {
    conform_text *to;
    json_t *json;
    const char *name;
    bool folded;
} constraint;

static void subject(const constraint *c, const char *type) {
    conform_say(c->to, "%s", c->folded ? "lower(" : "");
    unleash_name(c->to, type, c->name);
    conform_say(c->to, "%s", c->folded ? ")" : "");
}

static void constant(const constraint *c, const char *text) {
    conform_say(c->to, "%s", c->folded ? "lower(" : "");
    conform_quoted(c->to, text);
    conform_say(c->to, "%s", c->folded ? ")" : "");
}

static void in(const constraint *c, const char *not_in) {
    size_t i = 0;
    json_t *value = NULL;
    conform_say(c->to, "%s ", not_in);
    unleash_name(c->to, "text", c->name);
    conform_say(c->to, " in [");
    json_array_foreach(json_object_get(c->json, "values"), i, value) {
        conform_say(c->to, "%s", i == 0 ? "" : ", ");
        conform_constant(c->to, value);
    }
    conform_say(c->to, "]");
}

/* Any of the values. */
static void part(const constraint *c, const char *how) {
    size_t i = 0;
    json_t *value = NULL;
    conform_say(c->to, "false");
    json_array_foreach(json_object_get(c->json, "values"), i, value) {
        conform_say(c->to, " or ");
        subject(c, "text");
        conform_say(c->to, " %s ", how);
        constant(c, json_string_value(value));
    }
}

static void number(const constraint *c, const char *how) {
    json_t *value = json_loads(text_of(c->json, "value"), JSON_DECODE_ANY, NULL);
    unleash_name(c->to, "number", c->name);
    conform_say(c->to, " %s ", how);
    conform_constant(c->to, value);
    json_decref(value);
}

static void date(const constraint *c, const char *how) {
    unleash_name(c->to, "time", c->name);
    conform_say(c->to, " %s %s", how, text_of(c->json, "value"));
}

static void version(const constraint *c, const char *how) {
    conform_say(c->to, "version_compare(");
    unleash_name(c->to, "text", c->name);
    conform_say(c->to, ", ");
    conform_quoted(c->to, text_of(c->json, "value"));
    conform_say(c->to, ") %s 0", how);
}

static void pattern(const constraint *c, const char *how) {
    char text[PATTERN_BYTES];
    (void)snprintf(text, sizeof text, "%s%s", c->folded ? "(?i)" : "", text_of(c->json, "value"));
    unleash_name(c->to, "text", c->name);
    conform_say(c->to, " %s ", how);
    conform_quoted(c->to, text);
}

static void network(const constraint *c, const char *how) {
    size_t i = 0;
    json_t *value = NULL;
    conform_say(c->to, "false");
    json_array_foreach(json_object_get(c->json, "values"), i, value) {
        conform_say(c->to, " or %s(", how);
        unleash_name(c->to, "text", c->name);
        conform_say(c->to, ", ");
        conform_constant(c->to, value);
        conform_say(c->to, ")");
    }
}

static void one(conform_text *to, json_t *json) {
    static const struct {
        const char *name;
        void (*say)(const constraint *c, const char *how);
        const char *how;
    } operators[] = {
        { "IN", in, "" },
        { "NOT_IN", in, "not" },
        { "STR_STARTS_WITH", part, "starts with" },
        { "STR_ENDS_WITH", part, "ends with" },
        { "STR_CONTAINS", part, "contains" },
        { "NUM_EQ", number, "=" },
        { "NUM_GT", number, ">" },
        { "NUM_GTE", number, ">=" },
        { "NUM_LT", number, "<" },
        { "NUM_LTE", number, "<=" },
        { "DATE_AFTER", date, ">" },
        { "DATE_BEFORE", date, "<" },
        { "SEMVER_EQ", version, "=" },
        { "SEMVER_GT", version, ">" },
        { "SEMVER_GTE", version, ">=" },
        { "SEMVER_LT", version, "<" },
        { "SEMVER_LTE", version, "<=" },
        { "REGEX", pattern, "matches" },
        { "IN_CIDR", network, "in_network" },
    };
    const constraint c = { to, json, text_of(json, "contextName"),
                           json_is_true(json_object_get(json, "caseInsensitive")) };
    const char *name = text_of(json, "operator");
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (strcmp(operators[i].name, name) == 0) {
            bool inverted = json_is_true(json_object_get(json, "inverted"));
            conform_say(to, "%s", inverted ? " and not (" : " and (");
            operators[i].say(&c, operators[i].how);
            conform_say(to, ")");
            return;
        }
    }
    conform_cannot(to, "no such operator: such a rule is refused");
}

static void several(conform_text *to, json_t *list) {
    size_t i = 0;
    json_t *json = NULL;
    json_array_foreach(list, i, json) {
        one(to, json);
    }
}

static json_t *segment_of(json_t *state, json_int_t id) {
    size_t i = 0;
    json_t *segment = NULL;
    json_array_foreach(json_object_get(state, "segments"), i, segment) {
        if (json_integer_value(json_object_get(segment, "id")) == id) {
            return segment;
        }
    }
    return NULL;
}

void unleash_constraints(conform_text *to, json_t *state, json_t *strategy) {
    size_t i = 0;
    json_t *id = NULL;
    several(to, json_object_get(strategy, "constraints"));
    json_array_foreach(json_object_get(strategy, "segments"), i, id) {
        json_t *segment = segment_of(state, json_integer_value(id));
        if (segment == NULL) {
            conform_cannot(to, "a segment that there is not: such a definition is refused");
        }
        several(to, json_object_get(segment, "constraints"));
    }
}
