/* growthbook_condition.c: GrowthBook's conditions in JSON -> the text of a rule. Its operators on a
 * name that is not set answer as on null, so negations are said as `not (...)`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "growthbook.h"

enum { SUBJECT_BYTES = 256 };

typedef struct speaker {
    conform_text *to;
    json_t *groups; /* savedGroups */
} speaker;

static void condition(speaker *s, json_t *from);
static void operators(speaker *s, const char *subject, json_t *from);

static void word(speaker *s, const char *text) {
    conform_say(s->to, "%s", text);
}

static void compare(speaker *s, const char *subject, const char *how, json_t *value) {
    conform_say(s->to, "%s %s ", subject, how);
    conform_constant(s->to, value);
}

/* --- lists ----------------------------------------------------------------------------------- */

/* Is the subject one of the values; or, being a list, has it one of them? */
static void in(speaker *s, const char *subject, json_t *values) {
    size_t i = 0;
    json_t *value = NULL;
    if (!json_is_array(values)) {
        conform_cannot(s->to, "a list is asked of what is none: such a rule is refused");
        return;
    }
    conform_say(s->to, "(%s in [", subject);
    json_array_foreach(values, i, value) {
        word(s, i == 0 ? "" : ", ");
        conform_constant(s->to, value);
    }
    word(s, "]");
    json_array_foreach(values, i, value) {
        if (json_is_string(value)) {
            word(s, " or ");
            conform_constant(s->to, value);
            conform_say(s->to, " in %s", subject);
        }
    }
    word(s, ")");
}

/* The same without a difference between cases. */
static void in_folded(speaker *s, const char *subject, json_t *values) {
    size_t i = 0;
    json_t *value = NULL;
    if (!json_is_array(values)) {
        conform_cannot(s->to, "a list is asked of what is none: such a rule is refused");
        return;
    }
    word(s, "(false");
    json_array_foreach(values, i, value) {
        conform_say(s->to, " or lower(%s) = lower(", subject);
        conform_constant(s->to, value);
        word(s, ") or lower(");
        conform_constant(s->to, value);
        conform_say(s->to, ") in lower(%s)", subject);
    }
    word(s, ")");
}

static void all(speaker *s, const char *subject, json_t *values, bool folded) {
    size_t i = 0;
    json_t *value = NULL;
    word(s, "(true");
    json_array_foreach(values, i, value) {
        word(s, folded ? " and lower(" : " and (");
        conform_constant(s->to, value);
        conform_say(s->to, folded ? ") in lower(%s)" : ") in %s", subject);
    }
    word(s, ")");
}

static void in_group(speaker *s, const char *subject, json_t *name) {
    json_t *none = json_array();
    json_t *group = json_object_get(s->groups, json_string_value(name));
    in(s, subject, group == NULL ? none : group);
    json_decref(none);
}

/* An item equal to a text is one that `in` finds; no other test is made of each item. */
static void item_matches(speaker *s, const char *subject, json_t *test) {
    json_t *equal = json_object_get(test, "$eq");
    json_t *one_of = json_object_get(test, "$in");
    if (json_object_size(test) == 1 && json_is_string(equal)) {
        conform_constant(s->to, equal);
        conform_say(s->to, " in %s", subject);
    } else if (json_object_size(test) == 1 && json_is_array(one_of)) {
        in(s, subject, one_of);
    } else {
        conform_cannot(s->to, "tests each item of a list: a list can only be asked for a text");
    }
}

/* --- texts, types, versions ------------------------------------------------------------------ */

static void matches(speaker *s, const char *subject, const char *prefix, json_t *pattern) {
    char text[SUBJECT_BYTES];
    (void)snprintf(text, sizeof text, "%s%s", prefix, json_string_value(pattern));
    conform_say(s->to, "%s matches ", subject);
    conform_quoted(s->to, text);
}

/* Only texts compare with a text, only numbers compute, and what has a length and is no text is a
 * list. */
static void type(speaker *s, const char *subject, json_t *value) {
    static const struct {
        const char *name, *before, *after;
    } tests[] = {
        { "string", "", " >= \"\"" },     { "number", "0 * ", " = 0" },
        { "null", "", " is not set" },    { "boolean", "(true = ", "" },
        { "array", "length(", ") >= 0" },
    };
    const char *name = json_string_value(value);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        if (strcmp(name, tests[i].name) == 0) {
            conform_say(s->to, "%s%s%s", tests[i].before, subject, tests[i].after);
        }
    }
    if (strcmp(name, "boolean") == 0) {
        conform_say(s->to, " or %s = false)", subject);
    } else if (strcmp(name, "array") == 0) {
        conform_say(s->to, " and not %s >= \"\"", subject);
    } else if (strcmp(name, "object") == 0) {
        conform_cannot(s->to, "an object as a value");
    }
}

static void size(speaker *s, const char *subject, json_t *value) {
    char length[SUBJECT_BYTES];
    (void)snprintf(length, sizeof length, "length(%s)", subject);
    conform_say(s->to, "(not %s >= \"\" and ", subject);
    if (json_is_object(value)) {
        operators(s, length, value);
    } else {
        compare(s, length, "=", value);
    }
    word(s, ")");
}

/* GrowthBook lets a "v" stand before a version. */
static void version(speaker *s, const char *subject, const char *how, json_t *value) {
    const char *text = json_string_value(value);
    text += *text == 'v' ? 1 : 0;
    conform_say(s->to, "(version_compare(%s, ", subject);
    conform_quoted(s->to, text);
    conform_say(s->to, ") %s 0 or %s starts with \"v\" and version_compare(substring(%s, 2), ", how,
                subject, subject);
    conform_quoted(s->to, text);
    conform_say(s->to, ") %s 0)", how);
}

/* --- operators ------------------------------------------------------------------------------- */

static void equal(speaker *s, const char *subject, json_t *value) {
    if (json_is_null(value)) {
        conform_say(s->to, "%s is not set", subject);
    } else {
        compare(s, subject, "=", value);
    }
}

static bool comparing(speaker *s, const char *subject, const char *name, json_t *value) {
    static const char *const names[][2] = {
        { "$lt", "<" },    { "$lte", "<=" }, { "$gt", ">" },    { "$gte", ">=" }, { "$vlt", "<" },
        { "$vlte", "<=" }, { "$vgt", ">" },  { "$vgte", ">=" }, { "$veq", "=" },  { "$vne", "!=" },
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i][0], name) == 0) {
            (name[1] == 'v' ? version : compare)(s, subject, names[i][1], value);
            return true;
        }
    }
    return false;
}

static bool list_operator(speaker *s, const char *subject, const char *name, json_t *value) {
    if (strcmp(name, "$in") == 0) {
        in(s, subject, value);
    } else if (strcmp(name, "$ini") == 0) {
        in_folded(s, subject, value);
    } else if (strcmp(name, "$inGroup") == 0) {
        in_group(s, subject, value);
    } else if (strcmp(name, "$all") == 0 || strcmp(name, "$alli") == 0) {
        all(s, subject, value, name[4] != '\0');
    } else if (strcmp(name, "$elemMatch") == 0) {
        item_matches(s, subject, value);
    } else if (strcmp(name, "$size") == 0) {
        size(s, subject, value);
    } else {
        return false;
    }
    return true;
}

static bool scalar_operator(speaker *s, const char *subject, const char *name, json_t *value) {
    if (strcmp(name, "$eq") == 0) {
        equal(s, subject, value);
    } else if (strcmp(name, "$exists") == 0) {
        conform_say(s->to, "%s %s", subject, json_is_true(value) ? "is set" : "is not set");
    } else if (strcmp(name, "$regex") == 0 || strcmp(name, "$regexi") == 0) {
        matches(s, subject, name[6] == '\0' ? "" : "(?i)", value);
    } else if (strcmp(name, "$type") == 0) {
        type(s, subject, value);
    } else if (strcmp(name, "$not") == 0) {
        operators(s, subject, value);
    } else {
        return false;
    }
    return true;
}

static void one_operator(speaker *s, const char *subject, const char *name, json_t *value) {
    static const char *const negated[][2] = { { "$ne", "$eq" },
                                              { "$nin", "$in" },
                                              { "$nini", "$ini" },
                                              { "$notInGroup", "$inGroup" },
                                              { "$not", "$not" } };
    const char *asked = name;
    for (size_t i = 0; i < sizeof negated / sizeof negated[0]; i++) {
        asked = strcmp(negated[i][0], name) == 0 ? negated[i][1] : asked;
    }
    bool denied = asked != name || strcmp(name, "$not") == 0;
    word(s, denied ? "not (" : "(");
    if (!scalar_operator(s, subject, asked, value) && !list_operator(s, subject, asked, value) &&
        !comparing(s, subject, asked, value)) {
        conform_cannot(s->to, "no such operator: such a rule is refused");
    }
    word(s, ")");
}

static void operators(speaker *s, const char *subject, json_t *from) {
    const char *name = NULL;
    json_t *value = NULL;
    word(s, "(true");
    json_object_foreach(from, name, value) {
        word(s, " and ");
        one_operator(s, subject, name, value);
    }
    word(s, ")");
}

/* --- conditions ------------------------------------------------------------------------------ */

static void several(speaker *s, const char *join, const char *none, json_t *list) {
    size_t i = 0;
    json_t *item = NULL;
    word(s, json_array_size(list) == 0 ? none : "(");
    json_array_foreach(list, i, item) {
        word(s, i == 0 ? "" : join);
        condition(s, item);
    }
    word(s, json_array_size(list) == 0 ? "" : ")");
}

static bool is_operators(json_t *value) {
    void *first = json_object_iter(value);
    return first != NULL && json_object_iter_key(first)[0] == '$';
}

static void named(speaker *s, const char *name, json_t *value) {
    conform_text subject = { .len = 0 };
    conform_name(&subject, name);
    if (subject.why != NULL || subject.len >= SUBJECT_BYTES) {
        conform_cannot(s->to, "a name that no property can have");
    } else if (is_operators(value)) {
        operators(s, subject.text, value);
    } else {
        equal(s, subject.text, value);
    }
}

static void member(speaker *s, const char *name, json_t *value) {
    if (strcmp(name, "$and") == 0) {
        several(s, " and ", "true", value);
    } else if (strcmp(name, "$or") == 0) {
        several(s, " or ", "true", value); /* GrowthBook takes no choice as no condition */
    } else if (strcmp(name, "$nor") == 0) {
        word(s, "not ");
        several(s, " or ", "false", value);
    } else if (strcmp(name, "$not") == 0) {
        word(s, "not ");
        condition(s, value);
    } else {
        named(s, name, value);
    }
}

static void condition(speaker *s, json_t *from) {
    const char *name = NULL;
    json_t *value = NULL;
    word(s, "(true");
    json_object_foreach(from, name, value) {
        word(s, " and ");
        member(s, name, value);
    }
    word(s, ")");
}

void growthbook_condition(conform_text *to, json_t *from, json_t *groups) {
    speaker s = { to, groups };
    condition(&s, from);
}
