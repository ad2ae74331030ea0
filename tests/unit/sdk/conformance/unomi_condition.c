/* unomi_condition.c: conditions. On what is not set Unomi's negations hold, so they are said as
 * `not (...)`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "unomi.h"

enum { NAME_BYTES = 128, PATTERN_BYTES = 512 };

/* A test of one property. */
typedef struct test {
    conform_text *to;
    const char *name;
    const char *op;
    json_t *values;
    bool nested; /* in an object of a list: the name is an event's property */
} test;

static const char *text_of(json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

/* A text that is a date stands for a time; inDateExpr has milliseconds as a text. */
static bool is_time(const test *t, json_t *value, int64_t *ms_out) {
    const char *text = json_string_value(value);
    if (text != NULL && strcmp(t->op, "inDateExpr") == 0) {
        *ms_out = strtoll(text, NULL, 10);
        return true;
    }
    return text != NULL && cairn__parse_instant(cairn__span_of(text), ms_out);
}

static void subject(const test *t) {
    char name[NAME_BYTES];
    int64_t ms = 0;
    bool time = is_time(t, json_array_get(t->values, 0), &ms);
    (void)snprintf(name, sizeof name, "%s%s", time ? "time:" : "", t->name);
    if (t->nested) {
        conform_say(t->to, "event.`%s`", t->name);
    } else {
        conform_name(t->to, name);
    }
}

static void constant(const test *t, json_t *value) {
    int64_t ms = 0;
    if (is_time(t, value, &ms)) {
        char text[CAIRN__INSTANT_TEXT_BYTES];
        (void)cairn__format_instant(ms, text);
        conform_say(t->to, "%s", text);
    } else {
        conform_constant(t->to, value);
    }
}

/* --- operators ------------------------------------------------------------------------------- */

static void compare(const test *t, const char *how) {
    subject(t);
    conform_say(t->to, " %s ", how);
    constant(t, json_array_get(t->values, 0));
}

static void in(const test *t, const char *unused) {
    size_t i = 0;
    json_t *value = NULL;
    (void)unused;
    subject(t);
    conform_say(t->to, " in [");
    json_array_foreach(t->values, i, value) {
        conform_say(t->to, "%s", i == 0 ? "" : ", ");
        constant(t, value);
    }
    conform_say(t->to, "]");
}

/* One value is all of the values when it is each. */
static void all(const test *t, const char *unused) {
    size_t i = 0;
    json_t *value = NULL;
    (void)unused;
    conform_say(t->to, "true");
    json_array_foreach(t->values, i, value) {
        conform_say(t->to, " and ");
        subject(t);
        conform_say(t->to, " = ");
        constant(t, value);
    }
}

/* From the beginning of the value's day (in UTC, as the cases have it) to the next. */
static void day(const test *t, const char *unused) {
    int64_t ms = 0;
    (void)unused;
    if (!is_time(t, json_array_get(t->values, 0), &ms)) {
        conform_cannot(t->to, "a day that is no date");
        return;
    }
    char text[CAIRN__INSTANT_TEXT_BYTES];
    (void)cairn__format_instant(ms, text);
    subject(t);
    conform_say(t->to, " >= %.10s and ", text);
    subject(t);
    conform_say(t->to, " < %.10s + 1 day", text);
}

/* Java's matches() means the whole text. */
static void pattern(const test *t, const char *unused) {
    char text[PATTERN_BYTES];
    (void)unused;
    (void)snprintf(text, sizeof text, "^(?:%s)$", json_string_value(json_array_get(t->values, 0)));
    subject(t);
    conform_say(t->to, " matches ");
    conform_quoted(t->to, text);
}

static void is_set(const test *t, const char *how) {
    subject(t);
    conform_say(t->to, " %s", how);
}

static void one_test(const test *t) {
    static const struct {
        const char *name;
        bool negated;
        void (*say)(const test *t, const char *how);
        const char *how;
    } operators[] = {
        { "equalTo", false, compare, "=" },
        { "equals", false, compare, "=" },
        { "notEqualTo", true, compare, "=" },
        { "notEquals", true, compare, "=" },
        { "lessThan", false, compare, "<" },
        { "greaterThan", false, compare, ">" },
        { "lessThanOrEqualTo", false, compare, "<=" },
        { "greaterThanOrEqualTo", false, compare, ">=" },
        { "startsWith", false, compare, "starts with" },
        { "endsWith", false, compare, "ends with" },
        { "contains", false, compare, "contains" },
        { "matchesRegex", false, pattern, "" },
        { "in", false, in, "" },
        { "notIn", true, in, "" },
        { "inDateExpr", false, in, "" },
        { "all", false, all, "" },
        { "exists", false, is_set, "is set" },
        { "missing", false, is_set, "is not set" },
        { "isDay", false, day, "" },
        { "isNotDay", true, day, "" },
    };
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (strcmp(operators[i].name, t->op) == 0) {
            conform_say(t->to, "%s", operators[i].negated ? "not (" : "(");
            operators[i].say(t, operators[i].how);
            conform_say(t->to, ")");
            return;
        }
    }
    conform_cannot(t->to, "an operator that the adapter does not know");
}

static void property(conform_text *to, json_t *from, bool nested) {
    const char *path = text_of(from, "property");
    const size_t prefix = sizeof "properties." - 1;
    bool outer = strncmp(path, "properties.", prefix) == 0;
    one_test(&(test){ to, outer ? path + prefix : path, text_of(from, "op"),
                      json_object_get(from, "values"), nested });
}

/* --- conditions ------------------------------------------------------------------------------ */

/* The segments are a list of texts. */
static void segments(conform_text *to, json_t *parameters) {
    size_t i = 0;
    json_t *value = NULL;
    const char *how = text_of(parameters, "matchType");
    bool every = strcmp(how, "all") == 0;
    conform_say(to, "%s", strcmp(how, "notIn") == 0 ? "not (" : "(");
    conform_say(to, "%s", every ? "true" : "false");
    json_array_foreach(json_object_get(parameters, "segments"), i, value) {
        conform_say(to, "%s", every ? " and " : " or ");
        conform_constant(to, value);
        conform_say(to, " in user.segments");
    }
    conform_say(to, ")");
}

static void several(conform_text *to, json_t *list, const char *join, bool nested) {
    size_t i = 0;
    json_t *item = NULL;
    conform_say(to, "(");
    json_array_foreach(list, i, item) {
        conform_say(to, "%s", i == 0 ? "" : join);
        if (nested) {
            property(to, item, true);
        } else {
            unomi_condition(to, item);
        }
    }
    conform_say(to, ")");
}

void unomi_condition(conform_text *to, json_t *from) {
    const char *nested = json_string_value(json_object_get(from, "nested"));
    if (nested != NULL) { /* did any object of the list fulfil all of it? */
        conform_say(to, "did(`%s` where ", nested);
        several(to, json_object_get(from, "and"), " and ", true);
        conform_say(to, ")");
    } else if (json_object_get(from, "and") != NULL) {
        several(to, json_object_get(from, "and"), " and ", false);
    } else if (json_object_get(from, "or") != NULL) {
        several(to, json_object_get(from, "or"), " or ", false);
    } else if (json_object_get(from, "not") != NULL) {
        conform_say(to, "not ");
        unomi_condition(to, json_object_get(from, "not"));
    } else if (strcmp(text_of(from, "type"), "profileSegmentCondition") == 0) {
        segments(to, json_object_get(from, "params"));
    } else {
        property(to, from, false);
    }
}
