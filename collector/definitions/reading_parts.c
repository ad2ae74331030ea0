/* reading_parts.c: what several kinds of definitions have: times, rules, caps, triggers, variants.
 */
#include <stdio.h>

#include "base/bytes.h"
#include "base/civil.h"
#include "definitions/reading.h"
#include "rules/history.h"

enum {
    DIGITS_MAX = 9,
    SECOND_MS = 1000,
    MINUTE_MS = 60 * SECOND_MS,
    HOUR_MS = 60 * MINUTE_MS,
    DAY_MINUTES = 24 * 60,
    TIME_TEXT_BYTES_MAX = 40,
    WEIGHT_MAX = 1000000,
    WINDOW_DAYS_MAX = 366
};

/* --- durations and times ---------------------------------------------------------------------- */

static const struct {
    const char *name;
    int64_t ms;
} duration_units[] = {
    { "ms", 1 },
    { "s", SECOND_MS },
    { "second", SECOND_MS },
    { "seconds", SECOND_MS },
    { "m", MINUTE_MS },
    { "minute", MINUTE_MS },
    { "minutes", MINUTE_MS },
    { "h", HOUR_MS },
    { "hour", HOUR_MS },
    { "hours", HOUR_MS },
    { "d", CAIRN__DAY_MS },
    { "day", CAIRN__DAY_MS },
    { "days", CAIRN__DAY_MS },
    { "week", 7 * (int64_t)CAIRN__DAY_MS },
    { "weeks", 7 * (int64_t)CAIRN__DAY_MS },
};

static bool parse_duration(cairn_span text, int64_t *ms_out) {
    size_t used = 0;
    int64_t count = 0;
    while (used < text.len && used < DIGITS_MAX && text.data[used] >= '0' &&
           text.data[used] <= '9') {
        count = count * 10 + (text.data[used] - '0');
        used++;
    }
    size_t unit_at = used < text.len && text.data[used] == ' ' ? used + 1 : used;
    cairn_span unit = cairn__span(text.data + unit_at, text.len - unit_at);
    for (size_t i = 0; used > 0 && i < sizeof duration_units / sizeof duration_units[0]; i++) {
        if (cairn__span_equal(unit, cairn__span_of(duration_units[i].name))) {
            *ms_out = count * duration_units[i].ms;
            return true;
        }
    }
    return false;
}

/* "7 days" of a number of ms: in the largest unit that says it exactly. */
static void show_duration(int64_t ms, char *to, size_t room) {
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = { { CAIRN__DAY_MS, "day" },
                  { HOUR_MS, "hour" },
                  { MINUTE_MS, "minute" },
                  { SECOND_MS, "second" } };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (ms >= units[i].ms && ms % units[i].ms == 0) {
            int64_t count = ms / units[i].ms;
            (void)snprintf(to, room, "%lld %s%s", (long long)count, units[i].name,
                           count == 1 ? "" : "s");
            return;
        }
    }
    (void)snprintf(to, room, "%lld ms", (long long)ms);
}

bool cairn__read_duration(cairn__reader *reader, cairn__place place, cairn__bounds bounds,
                          int64_t *ms_out) {
    cairn_span text = { NULL, 0 };
    int64_t ms = 0;
    if (place.json == NULL) {
        return true;
    }
    if (!cairn__read_text(reader, place, CAIRN__DEFINITION_NAME_BYTES_MAX, &text)) {
        return json_is_string(place.json)
                   ? false
                   : CAIRN__FIX(reader, "write for example \"7 days\" or \"90 seconds\"");
    }
    if (!parse_duration(text, &ms)) {
        CAIRN__WRONG(reader, "bad_duration", place.at, "`%.*s` is not a duration", (int)text.len,
                     (const char *)text.data);
        return CAIRN__FIX(reader, "write a whole number and ms, seconds, minutes, hours, days or "
                                  "weeks, such as \"7 days\"");
    }
    if (ms < bounds.min || ms > bounds.max) {
        char least[40];
        char most[40];
        show_duration(bounds.min, least, sizeof least);
        show_duration(bounds.max, most, sizeof most);
        CAIRN__WRONG(reader, "out_of_range", place.at, "%.100s is %.*s", place.at.text,
                     (int)text.len, (const char *)text.data);
        return CAIRN__FIX(reader, "write a duration from %s to %s", least, most);
    }
    *ms_out = ms;
    return true;
}

bool cairn__read_time(cairn__reader *reader, cairn__place place, int64_t *ms_out) {
    cairn_span text = { NULL, 0 };
    if (place.json == NULL) {
        return true;
    }
    if (!cairn__read_text(reader, place, TIME_TEXT_BYTES_MAX, &text)) {
        return CAIRN__FIX(reader, "write for example \"2026-12-01T00:00:00+08:00\"");
    }
    if (!cairn__parse_instant(text, ms_out)) {
        CAIRN__WRONG(reader, "bad_time", place.at, "`%.*s` is not a time", (int)text.len,
                     (const char *)text.data);
        return CAIRN__FIX(reader, "write date, time and offset, such as "
                                  "\"2026-12-01T00:00:00+08:00\"");
    }
    return true;
}

bool cairn__read_live(cairn__reader *reader, cairn__place object, int64_t *from_ms_out,
                      int64_t *to_ms_out) {
    cairn__place to = cairn__place_key(object, "to");
    *from_ms_out = INT64_MIN;
    *to_ms_out = INT64_MAX;
    if (!cairn__read_time(reader, cairn__place_key(object, "from"), from_ms_out) ||
        !cairn__read_time(reader, to, to_ms_out)) {
        return false;
    }
    if (*from_ms_out >= *to_ms_out) {
        CAIRN__WRONG(reader, "bad_range", to.at, "%.100s is not after from", to.at.text);
        return CAIRN__FIX(reader, "write a later time, or leave one of both out");
    }
    return true;
}

/* --- rules ------------------------------------------------------------------------------------ */

static bool rule_fault(cairn__reader *reader, cairn__place place, cairn_status status,
                       const cairn__rule_fault *fault) {
    cairn_span text = cairn__span(json_string_value(place.json), json_string_length(place.json));
    cairn__definition_problem *problem = reader->problem;
    CAIRN__WRONG(reader, status == CAIRN_INVALID ? "rule_invalid" : "rule_unsupported", place.at,
                 "line %u, column %u: %s", fault->line, fault->column, fault->text);
    CAIRN__FIX(reader, "correct the rule there; docs/RULES.md has the language");
    problem->rule_line = fault->line;
    problem->rule_column = fault->column;
    cairn__buffer shown =
        cairn__buffer_make(reader->arena->allocator, CAIRN__RULE_EXPLAIN_BYTES_MAX);
    cairn__rule_fault_show(text, fault, &shown);
    size_t room = sizeof problem->rule_shown - 1;
    if (!shown.failed && shown.len <= room) { /* a line that is longer shows nothing well */
        memcpy(problem->rule_shown, shown.data, shown.len);
        problem->rule_shown[shown.len] = 0;
    }
    cairn__buffer_free(&shown);
    return false;
}

/* What is kept of a compilation: the program and its slots. */
static bool keep_rule(cairn__reader *reader, const cairn__rule *from, cairn__rule *to) {
    cairn__rule_slot *slots = cairn__reader_make(reader, from->slot_count, sizeof *slots);
    cairn_span program = { NULL, 0 };
    bool good =
        slots != NULL &&
        cairn__arena_copy(reader->arena, cairn__span(from->program, from->program_bytes), &program);
    for (size_t i = 0; good && i < from->slot_count; i++) {
        slots[i].space = from->slots[i].space;
        good = cairn__arena_copy(reader->arena, from->slots[i].name, &slots[i].name);
    }
    *to = *from;
    to->slots = slots;
    to->program = program.data;
    return good || cairn__reader_no_memory(reader);
}

static bool add_condition(cairn__reader *reader, cairn__condition *condition) {
    cairn__definition *definition = reader->definition;
    if (definition->condition_count == reader->condition_max) {
        size_t max = reader->condition_max * 2 + 16;
        cairn__condition **more = cairn__reader_make(reader, max, sizeof(cairn__condition *));
        if (more == NULL) {
            return false;
        }
        for (size_t i = 0; i < definition->condition_count; i++) {
            more[i] = definition->conditions[i];
        }
        definition->conditions = more;
        reader->condition_max = max;
    }
    definition->conditions[definition->condition_count++] = condition;
    return true;
}

bool cairn__reader_refer(cairn__reader *reader, const cairn__reference *reference) {
    cairn__definition *definition = reader->definition;
    if (definition->reference_count == reader->reference_max) {
        size_t max = reader->reference_max * 2 + 8;
        cairn__reference *more = cairn__reader_make(reader, max, sizeof *more);
        if (more == NULL) {
            return false;
        }
        for (size_t i = 0; i < definition->reference_count; i++) {
            more[i] = reader->references[i];
        }
        reader->references = more;
        definition->references = more;
        reader->reference_max = max;
    }
    reader->references[definition->reference_count++] = *reference;
    return true;
}

/* member("name") names an audience. */
static cairn_span member_of(const cairn__rule_slot *slot, cairn__arena *scratch) {
    const cairn__query *query = NULL;
    bool is_member = slot->space == CAIRN__RULE_QUERY &&
                     cairn__query_load(slot->name, scratch, &query) == CAIRN_OK &&
                     cairn__query_kind(query) == CAIRN__RULE_MEMBER;
    return is_member ? cairn__query_name(query) : (cairn_span){ NULL, 0 };
}

static bool refer_to_members(cairn__reader *reader, const cairn__rule *rule, cairn__place place) {
    for (size_t i = 0; i < rule->slot_count; i++) {
        cairn_span name = member_of(&rule->slots[i], reader->scratch);
        cairn__reference reference = { .kind = CAIRN__REFERENCE_AUDIENCE, .at = place.at };
        if (name.len > 0 && !(cairn__reader_copy(reader, name, &reference.name) &&
                              cairn__reader_refer(reader, &reference))) {
            return false;
        }
    }
    return true;
}

bool cairn__read_rule(cairn__reader *reader, cairn__place place, cairn__rule_place where,
                      cairn__condition *condition_out) {
    if (place.json == NULL) {
        return true;
    }
    cairn_span text = { NULL, 0 };
    if (!cairn__read_text(reader, place, CAIRN__BUNDLE_CONTENT_BYTES_MAX, &text)) {
        return false;
    }
    cairn__rule_fault fault = { 0 };
    cairn__rule compiled;
    const cairn__rule_source source = { .text = text,
                                        .spaces = where.spaces,
                                        .bare = where.bare,
                                        .arena = reader->scratch,
                                        .fault = &fault };
    cairn_status status = cairn__rule_compile(&source, &compiled);
    bool good = status == CAIRN_OK && keep_rule(reader, &compiled, &condition_out->rule) &&
                refer_to_members(reader, &condition_out->rule, place) &&
                add_condition(reader, condition_out);
    cairn__arena_reset(reader->scratch);
    if (status == CAIRN_NO_MEMORY) {
        return cairn__reader_no_memory(reader);
    }
    return status == CAIRN_OK ? good : rule_fault(reader, place, status, &fault);
}

/* --- caps and quiet periods ------------------------------------------------------------------- */

static bool read_window(cairn__reader *reader, cairn__place place, cairn__cap *cap) {
    static const char *const words[] = { "ever", "session", "day", "week", "month" };
    static const cairn__cap_window windows[] = { CAIRN__CAP_EVER, CAIRN__CAP_SESSION,
                                                 CAIRN__CAP_DAY, CAIRN__CAP_WEEK,
                                                 CAIRN__CAP_MONTH };
    const cairn__bounds bounds = { SECOND_MS, WINDOW_DAYS_MAX * (int64_t)CAIRN__DAY_MS };
    const char *text = json_string_value(place.json);
    for (size_t i = 0; text != NULL && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i]) == 0) {
            cap->window = windows[i];
            return true;
        }
    }
    cap->window = place.json == NULL ? CAIRN__CAP_EVER : CAIRN__CAP_ROLLING;
    if (text != NULL && (text[0] < '0' || text[0] > '9')) {
        size_t index;
        return cairn__read_choice(reader, place, CAIRN__WORDS(words), &index) ||
               CAIRN__FIX(
                   reader,
                   "write ever, session, day, week, month, or a duration such as \"7 days\"");
    }
    return cairn__read_duration(reader, place, bounds, &cap->window_ms);
}

static bool read_cap(cairn__reader *reader, cairn__place place, cairn__cap *cap) {
    static const char *const keys[] = { "at_most", "of", "per" };
    static const char *const counts[] = { "shows", "clicks", "conversions", "closes" };
    cairn__place most = cairn__place_key(place, "at_most");
    const cairn__bounds bounds = { 1, CAIRN__CAP_COUNT_MAX };
    int64_t count = 0;
    size_t of = 0;
    if (!cairn__read_object(reader, place, CAIRN__WORDS(keys)) ||
        !cairn__read_needed(reader, most,
                            "at_most, for example {\"at_most\": 1, \"per\": \"day\"}") ||
        !cairn__read_integer(reader, most, bounds, &count) ||
        !cairn__read_choice(reader, cairn__place_key(place, "of"), CAIRN__WORDS(counts), &of)) {
        return false;
    }
    cap->count = (uint32_t)count;
    cap->counts = (cairn__cap_count)of;
    return read_window(reader, cairn__place_key(place, "per"), cap);
}

bool cairn__read_caps(cairn__reader *reader, cairn__place place, const cairn__cap **caps_out,
                      size_t *count_out) {
    size_t count = 0;
    if (!cairn__read_list(reader, place, CAIRN__CAPS_MAX, &count)) {
        return false;
    }
    cairn__cap *caps = cairn__reader_make(reader, count, sizeof *caps);
    bool good = caps != NULL;
    for (size_t i = 0; good && i < count; i++) {
        good = read_cap(reader, cairn__place_item(place, i), &caps[i]);
    }
    *caps_out = caps;
    *count_out = count;
    return good;
}

static bool two_digits(const uint8_t *at, uint16_t *number_out) {
    *number_out = (uint16_t)((at[0] - '0') * 10 + (at[1] - '0'));
    return at[0] >= '0' && at[0] <= '9' && at[1] >= '0' && at[1] <= '9';
}

/* "22:00-08:00". */
static bool parse_hours(cairn_span text, cairn__quiet *quiet) {
    uint16_t parts[4];
    bool good = text.len == 11 && text.data[2] == ':' && text.data[5] == '-' && text.data[8] == ':';
    for (size_t i = 0; good && i < 4; i++) {
        good = two_digits(text.data + i * 3, &parts[i]);
    }
    if (!good || parts[1] > 59 || parts[3] > 59) {
        return false;
    }
    int from = parts[0] * 60 + parts[1];
    int to = parts[2] * 60 + parts[3];
    if (from >= DAY_MINUTES || to > DAY_MINUTES || from == to % DAY_MINUTES) {
        return false;
    }
    quiet->from_minute = (uint16_t)from;
    quiet->to_minute = (uint16_t)(to % DAY_MINUTES);
    return true;
}

static bool read_hours(cairn__reader *reader, cairn__place place, cairn__quiet *quiet) {
    cairn_span text = { NULL, 0 };
    if (!cairn__read_needed(reader, place, "hours, for example \"22:00-08:00\"") ||
        !cairn__read_text(reader, place, TIME_TEXT_BYTES_MAX, &text)) {
        return false;
    }
    if (!parse_hours(text, quiet)) {
        CAIRN__WRONG(reader, "bad_hours", place.at, "`%.*s` is not a period of the day",
                     (int)text.len, (const char *)text.data);
        return CAIRN__FIX(reader, "write two different times of 24 hours, such as "
                                  "\"22:00-08:00\" or \"12:00-24:00\"");
    }
    return true;
}

static bool read_quiet_one(cairn__reader *reader, cairn__place place, cairn__quiet *quiet) {
    static const char *const keys[] = { "hours", "days" };
    static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
    if (json_is_string(place.json)) {
        return read_hours(reader, place, quiet);
    }
    cairn__place list = cairn__place_key(place, "days");
    size_t count = 0;
    if (!cairn__read_object(reader, place, CAIRN__WORDS(keys)) ||
        !read_hours(reader, cairn__place_key(place, "hours"), quiet) ||
        !cairn__read_list(reader, list, sizeof days / sizeof days[0], &count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        size_t day = 0;
        if (!cairn__read_choice(reader, cairn__place_item(list, i), CAIRN__WORDS(days), &day)) {
            return false;
        }
        quiet->days |= (uint8_t)(1U << day);
    }
    return true;
}

bool cairn__read_quiet(cairn__reader *reader, cairn__place place, const cairn__quiet **quiet_out,
                       size_t *count_out) {
    size_t count = 0;
    if (!cairn__read_list(reader, place, CAIRN__QUIET_MAX, &count)) {
        return false;
    }
    cairn__quiet *quiet = cairn__reader_make(reader, count, sizeof *quiet);
    bool good = quiet != NULL;
    for (size_t i = 0; good && i < count; i++) {
        good = read_quiet_one(reader, cairn__place_item(place, i), &quiet[i]);
    }
    *quiet_out = quiet;
    *count_out = count;
    return good;
}

/* --- triggers and variants -------------------------------------------------------------------- */

static bool read_events(cairn__reader *reader, cairn__place place, cairn__trigger *trigger) {
    const cairn__bounds counts = { 1, CAIRN__DEFINITION_EVENTS_MAX };
    if (!json_is_string(place.json)) {
        return cairn__read_needed(reader, place, "event: a name or a list of names") &&
               cairn__read_texts(reader, place, counts, &trigger->events, &trigger->event_count);
    }
    cairn_span *event = cairn__reader_make(reader, 1, sizeof *event);
    trigger->events = event;
    trigger->event_count = 1;
    return event != NULL &&
           cairn__read_text(reader, place, CAIRN__DEFINITION_NAME_BYTES_MAX, event);
}

bool cairn__read_trigger(cairn__reader *reader, cairn__place place, const char *more,
                         cairn__trigger *trigger_out) {
    const char *const keys[] = { "event", "where", more };
    const cairn__words words = { keys, more == NULL ? 2 : 3 };
    const cairn__rule_place where = { CAIRN__RULE_EVENT | CAIRN__RULE_OF_PERSON,
                                      CAIRN__RULE_EVENT };
    if (json_is_string(place.json)) {
        return read_events(reader, place, trigger_out);
    }
    return cairn__read_object(reader, place, words) &&
           read_events(reader, cairn__place_key(place, "event"), trigger_out) &&
           cairn__read_rule(reader, cairn__place_key(place, "where"), where, &trigger_out->where);
}

static bool read_variant(cairn__reader *reader, cairn__place place, const cairn__variant_keys *keys,
                         cairn__variant *variant) {
    cairn__place name = cairn__place_key(place, "name");
    variant->weight = 1;
    variant->content = CAIRN_STR("null");
    return cairn__read_object(reader, place, keys->keys) &&
           cairn__read_needed(reader, name, "a name for this variant") &&
           cairn__read_name(reader, name, &variant->name) &&
           cairn__read_number(reader, cairn__place_key(place, "weight"),
                              (cairn__bounds){ 0, WEIGHT_MAX }, &variant->weight) &&
           (!keys->has_control ||
            cairn__read_flag(reader, cairn__place_key(place, "control"), &variant->control)) &&
           cairn__read_content(reader, cairn__place_key(place, keys->content), &variant->content);
}

static bool name_is_new(cairn__reader *reader, cairn__place list, const cairn__variant *variants,
                        size_t index) {
    for (size_t i = 0; i < index; i++) {
        if (cairn__span_equal(variants[index].name, variants[i].name)) {
            cairn__place name = cairn__place_key(cairn__place_item(list, index), "name");
            CAIRN__WRONG(reader, "repeated", name.at, "two variants are called `%.*s`",
                         (int)variants[i].name.len, (const char *)variants[i].name.data);
            return CAIRN__FIX(reader, "give each variant a name of its own");
        }
    }
    return true;
}

static bool check_variants(cairn__reader *reader, cairn__place place,
                           const cairn__variant *variants, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += variants[i].weight;
        if (!name_is_new(reader, place, variants, i)) {
            return false;
        }
    }
    if (!(sum > 0)) {
        CAIRN__WRONG(reader, "bad_weights", place.at, "no variant has a weight above 0");
        return CAIRN__FIX(reader, "give at least one variant a weight, or leave all weights out");
    }
    return true;
}

bool cairn__read_variants(cairn__reader *reader, cairn__place place,
                          const cairn__variant_keys *keys, const cairn__variant **variants_out,
                          size_t *count_out) {
    size_t count = 0;
    if (!cairn__read_needed(reader, place, "variants, for example [{\"name\": \"a\"}]") ||
        !cairn__read_list(reader, place, CAIRN__VARIANTS_MAX, &count)) {
        return false;
    }
    if (count == 0) {
        CAIRN__WRONG(reader, "too_few", place.at, "%.100s is empty", place.at.text);
        return CAIRN__FIX(reader, "write at least one variant");
    }
    cairn__variant *variants = cairn__reader_make(reader, count, sizeof *variants);
    bool good = variants != NULL;
    for (size_t i = 0; good && i < count; i++) {
        good = read_variant(reader, cairn__place_item(place, i), keys, &variants[i]);
    }
    *variants_out = variants;
    *count_out = count;
    return good && check_variants(reader, place, variants, count);
}
