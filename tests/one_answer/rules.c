/* rules.c: random rules over everything that a device and a server both know: a person's history
 * (rules/history_gen.h), its profile, the device. Well typed, so that none is refused. */
#include <stdio.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "world.h"

static const char *const words[] = { "a", "ab", "b", "Ab", " b ", "1.2.0", "10.1.2.3", "购" };
enum { WORDS = sizeof words / sizeof words[0] };

static const char *number(world *w, int depth) {
    unsigned kind = world_roll(w, depth > 0 ? 10 : 4);
    switch (kind) {
    case 0:
        return "user.n";
    case 1:
        return "user.m";
    case 2:
        return world_text(w, "%u%s", world_roll(w, 20), world_roll(w, 2) == 0 ? "" : ".5");
    case 3:
        return "device.cores";
    case 4:
        return world_text(w, "(%s %c %s)", number(w, depth - 1), "+-*/%"[world_roll(w, 5)],
                          number(w, depth - 1));
    case 5:
        return world_text(w, "length(user.%s)", world_roll(w, 2) == 0 ? "s" : "l");
    case 6:
        return world_text(w, "%s(%s)", world_roll(w, 2) == 0 ? "round" : "floor",
                          number(w, depth - 1));
    case 7:
        return world_text(w, "abs(%s)", number(w, depth - 1));
    case 8:
        return world_text(w, "%s(%s)", world_roll(w, 2) == 0 ? "weekday" : "hour",
                          world_roll(w, 2) == 0 ? "now" : "user.t");
    default:
        return world_text(w, "coalesce(user.gone, %s)", number(w, depth - 1));
    }
}

static const char *text(world *w) {
    switch (world_roll(w, 6)) {
    case 0:
        return "lower(user.s)";
    case 1:
        return "trim(user.s)";
    case 2:
        return "substring(user.s, 1, 1)";
    case 3:
        return "device.os";
    case 4:
        return "device.platform";
    default:
        return "user.s";
    }
}

static const char *of_text(world *w) {
    const char *word = words[world_roll(w, WORDS)];
    switch (world_roll(w, 6)) {
    case 0:
        return world_text(w, "%s %s \"%s\"", text(w), world_roll(w, 2) == 0 ? "=" : "!=", word);
    case 1:
        return world_text(w, "%s in [\"a\", \"web\", \"%s\"]", text(w), word);
    case 2:
        return world_text(w, "%s contains \"%s\"", text(w), word);
    case 3:
        return world_text(w, "%s matches \"^[a-b]+(b|\\\\.)?\"", text(w));
    case 4:
        return world_text(w, "version_compare(user.s, \"%s\") >= 0", word);
    default:
        return world_text(w, "in_network(user.s, \"10.0.0.0/%u\")", world_roll(w, 33));
    }
}

static const char *of_time(world *w) {
    static const char *const ops[] = { "<", "<=", ">", ">=" };
    switch (world_roll(w, 4)) {
    case 0:
        return world_text(w, "user.t is today%s", world_roll(w, 2) == 0 ? "" : " every year");
    case 1:
        return world_text(w, "now - user.t %s %u hours", ops[world_roll(w, 4)], world_roll(w, 60));
    case 2:
        return world_text(w, "user.t %s 2026-%02u-%02u", ops[world_roll(w, 4)],
                          1 + world_roll(w, 12), 1 + world_roll(w, 28));
    default:
        return world_text(w, "user.t between now - %u days and now", world_roll(w, 5));
    }
}

static const char *of_other(world *w) {
    static const char *const all[] = { "user.b",
                                       "user.n is set",
                                       "user.gone is not set",
                                       "user.l contains \"a\"",
                                       "\"ab\" in user.l",
                                       "user.n = user.m",
                                       "user.s = 5",
                                       "member(\"vip\")",
                                       "user.n not in [0, 1, 2.5, 9007199254740993]" };
    return all[world_roll(w, sizeof all / sizeof all[0])];
}

static const char *leaf(world *w) {
    switch (world_roll(w, 5)) {
    case 0:
        return of_text(w);
    case 1:
        return of_time(w);
    case 2:
        return of_other(w);
    case 3:
        return world_text(w, "%s between %s and %s", number(w, 2), number(w, 1), number(w, 1));
    default:
        return world_text(w, "%s %s %s", number(w, 2), gen_ops[world_roll(w, 6)], number(w, 2));
    }
}

const char *world_condition(world *w, int depth) {
    unsigned kind = depth > 0 ? world_roll(w, 6) : 5;
    if (kind < 2) {
        return world_text(w, "(%s and %s)", world_condition(w, depth - 1),
                          world_condition(w, depth - 1));
    }
    if (kind < 4) {
        return world_text(w, "(%s or %s)", world_condition(w, depth - 1),
                          world_condition(w, depth - 1));
    }
    return kind == 4 ? world_text(w, "not (%s)", world_condition(w, depth - 1)) : leaf(w);
}

static bool asks_audience(const gen_rule *rule) {
    for (int i = 0; i < rule->count; i++) {
        if (rule->tests[i].query.kind == GEN_MEMBER) {
            return true;
        }
    }
    return false;
}

void world_make_rule(world *w, world_rule *rule) {
    static gen_case made;
    char history[GEN_TEXT_BYTES];
    history_gen_make(&made, (uint64_t)world_roll(w, UINT32_MAX) << 8, &w->zone, &w->user_zone);
    rule->history = made.rule;
    history_gen_rule_text(&made.rule, history);
    unsigned kind = world_roll(w, 10);
    rule->only_history = kind < 6 && !asks_audience(&made.rule);
    if (kind < 6) {
        rule->text = world_text(w, "%s", history);
    } else if (kind < 8) {
        rule->text = world_condition(w, 3);
    } else {
        rule->text =
            world_text(w, "(%s) %s (%s)", history, kind == 8 ? "and" : "or", world_condition(w, 2));
    }
}

/* --- what is asked for ------------------------------------------------------------------------ */

static cairn_value some_number(world *w) {
    static const int64_t wild[] = { INT64_MAX, INT64_MIN, 9007199254740993, 0, -3 };
    if (world_roll(w, 2) == 0) {
        return (cairn_value){ CAIRN_VALUE_NUMBER, { .number = (double)world_roll(w, 80) / 4 } };
    }
    int64_t whole = world_roll(w, 6) == 0 ? wild[world_roll(w, 5)] : (int64_t)world_roll(w, 12);
    return (cairn_value){ CAIRN_VALUE_INTEGER, { .integer = whole } };
}

static cairn_value some_text(world *w) {
    return (cairn_value){ CAIRN_VALUE_STRING,
                          { .string = cairn__span_of(words[world_roll(w, WORDS)]) } };
}

static cairn_value some_list(world *w) {
    cairn_span *items = cairn__arena_alloc_zero(&w->arena, 3, sizeof *items);
    CAIRN_ASSERT(items != NULL);
    size_t count = world_roll(w, 4);
    for (size_t i = 0; i < count; i++) {
        items[i] = cairn__span_of(words[world_roll(w, WORDS)]);
    }
    return (cairn_value){ CAIRN_VALUE_LIST, { .list = { items, count } } };
}

static cairn_value some_time(world *w) {
    int64_t middle_ms = w->zone.from_ms / 2 + w->zone.to_ms / 2;
    int64_t hours = (int64_t)world_roll(w, 600) - 400;
    return (cairn_value){ CAIRN_VALUE_TIME, { .time_ms = middle_ms + hours * 3600000 } };
}

static cairn_value some_value(world *w, char name) {
    switch (name) {
    case 's':
        return some_text(w);
    case 'l':
        return some_list(w);
    case 't':
        return some_time(w);
    case 'b':
        return (cairn_value){ CAIRN_VALUE_BOOLEAN, { .boolean = world_roll(w, 2) == 0 } };
    default:
        return world_roll(w, 12) == 0 ? some_text(w) : some_number(w);
    }
}

size_t world_user(world *w, cairn_property *properties, cairn_property *absent,
                  size_t *absent_count) {
    static const char *const names[] = { "n", "m", "s", "l", "t", "b", "gone" };
    size_t count = 0;
    *absent_count = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const cairn_span name = cairn__span_of(names[i]);
        if (world_roll(w, 6) == 0 || names[i][0] == 'g') {
            absent[(*absent_count)++] = (cairn_property){ .name = name };
        } else {
            properties[count++] = (cairn_property){ name, some_value(w, names[i][0]) };
        }
    }
    return count;
}

size_t world_device(world *w, cairn_property properties[WORLD_DEVICE_PROPERTIES]) {
    properties[0] = (cairn_property){ CAIRN_STR("os"), some_text(w) };
    properties[1] = (cairn_property){ CAIRN_STR("cores"), some_number(w) };
    return 1 + world_roll(w, 2);
}
