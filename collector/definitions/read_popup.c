#include "base/bytes.h"
#include "definitions/reading.h"
#include "rules/pattern.h"

enum {
    PRIORITY_MAX = 1000000,
    DELAY_MS_MAX = 600000,
    PAGE_BYTES_MAX = 1000,
    GOAL_DAYS_MAX = 90,
    GOAL_DEFAULT_DAYS = 7
};

static const char *const popup_keys[] = {
    "title",    "paused", "priority", "triggers", "manual",   "pages",    "not_pages",
    "audience", "from",   "to",       "delay",    "quiet",    "caps",     "groups",
    "holdout",  "salt",   "goal",     "content",  "variants", "template",
};

static bool read_triggers(cairn__reader *reader, cairn__place place, cairn__popup *popup) {
    size_t count = 0;
    cairn__place list = cairn__place_key(place, "triggers");
    if (!cairn__read_flag(reader, cairn__place_key(place, "manual"), &popup->manual) ||
        !cairn__read_list(reader, list, CAIRN__TRIGGERS_MAX, &count)) {
        return false;
    }
    if (popup->manual == (count > 0)) {
        CAIRN__WRONG(reader, "bad_trigger", list.at, "%s",
                     popup->manual ? "a manual popup has no triggers"
                                   : "nothing starts this popup");
        return CAIRN__FIX(reader, "write triggers, for example [{\"event\": \"view_home\"}], or "
                                  "\"manual\": true");
    }
    cairn__trigger *triggers = cairn__reader_make(reader, count, sizeof *triggers);
    bool good = triggers != NULL;
    for (size_t i = 0; good && i < count; i++) {
        good = cairn__read_trigger(reader, cairn__place_item(list, i), NULL, &triggers[i]);
    }
    popup->triggers = triggers;
    popup->trigger_count = count;
    return good;
}

static bool compile_pattern(cairn__reader *reader, cairn__place place, cairn__page *page) {
    cairn__pattern_fault fault = { 0 };
    cairn_status status = cairn__pattern_compile(page->text, reader->arena, &page->text, &fault);
    if (status == CAIRN_NO_MEMORY) {
        return cairn__reader_no_memory(reader);
    }
    if (status != CAIRN_OK) {
        CAIRN__WRONG(reader, "bad_pattern", place.at, "column %u: %.200s", fault.column,
                     fault.text);
        return CAIRN__FIX(reader, "correct the pattern there; docs/RULES.md says what it may have");
    }
    return true;
}

static bool read_page(cairn__reader *reader, cairn__place place, cairn__page *page) {
    static const char *const keys[] = { "is", "starts_with", "contains", "matches" };
    if (json_is_string(place.json)) {
        return cairn__read_text(reader, place, PAGE_BYTES_MAX, &page->text);
    }
    if (!cairn__read_object(reader, place, CAIRN__WORDS(keys))) {
        return false;
    }
    size_t found = 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        cairn__place one = cairn__place_key(place, keys[i]);
        found += one.json != NULL;
        page->how = one.json != NULL ? (cairn__page_match)i : page->how;
        if (!cairn__read_text(reader, one, PAGE_BYTES_MAX, &page->text)) {
            return false;
        }
    }
    if (found != 1) {
        CAIRN__WRONG(reader, "bad_page", place.at, "%.100s has %zu tests", place.at.text, found);
        return CAIRN__FIX(reader, "write one of is, starts_with, contains, matches");
    }
    return page->how != CAIRN__PAGE_MATCHES ||
           compile_pattern(reader, cairn__place_key(place, "matches"), page);
}

static bool read_pages(cairn__reader *reader, cairn__place place, cairn__popup *popup) {
    static const char *const names[] = { "pages", "not_pages" };
    size_t counts[2] = { 0, 0 };
    for (size_t i = 0; i < 2; i++) {
        cairn__place list = cairn__place_key(place, names[i]);
        if (!cairn__read_list(reader, list, CAIRN__PAGES_MAX - counts[0], &counts[i])) {
            return false;
        }
    }
    popup->page_count = counts[0] + counts[1];
    cairn__page *pages = cairn__reader_make(reader, popup->page_count, sizeof *pages);
    bool good = pages != NULL;
    for (size_t i = 0; good && i < popup->page_count; i++) {
        bool excluded = i >= counts[0];
        cairn__place list = cairn__place_key(place, names[excluded ? 1 : 0]);
        pages[i].excluded = excluded;
        good = read_page(reader, cairn__place_item(list, excluded ? i - counts[0] : i), &pages[i]);
    }
    popup->pages = pages;
    return good;
}

static bool read_when(cairn__reader *reader, cairn__place place, cairn__popup *popup) {
    const cairn__bounds delays = { 0, DELAY_MS_MAX };
    int64_t delay_ms = 0;
    bool good =
        cairn__read_live(reader, place, &popup->from_ms, &popup->to_ms) &&
        cairn__read_duration(reader, cairn__place_key(place, "delay"), delays, &delay_ms) &&
        cairn__read_quiet(reader, cairn__place_key(place, "quiet"), &popup->quiet,
                          &popup->quiet_count) &&
        cairn__read_caps(reader, cairn__place_key(place, "caps"), &popup->caps, &popup->cap_count);
    popup->delay_ms = (uint32_t)delay_ms;
    return good;
}

/* Groups are numbered when they are linked; here they are named, in order. */
static bool read_groups(cairn__reader *reader, cairn__place place, cairn__popup *popup) {
    const cairn_span *names = NULL;
    const cairn__bounds counts = { 0, CAIRN__DEFINITION_POPUP_GROUPS_MAX };
    cairn__place list = cairn__place_key(place, "groups");
    if (!cairn__read_texts(reader, list, counts, &names, &popup->group_count)) {
        return false;
    }
    for (size_t i = 0; i < popup->group_count; i++) {
        const cairn__reference reference = {
            CAIRN__REFERENCE_GROUP, names[i], { NULL, 0 }, cairn__fault_item(list.at, i)
        };
        if (!cairn__reader_refer(reader, &reference)) {
            return false;
        }
    }
    return true;
}

static bool read_arms(cairn__reader *reader, cairn__place place, cairn__popup *popup) {
    static const char *const keys[] = { "name", "weight", "control", "content" };
    const cairn__variant_keys names = { "content", CAIRN__WORDS(keys), true };
    cairn__place content = cairn__place_key(place, "content");
    cairn__place variants = cairn__place_key(place, "variants");
    if ((content.json == NULL) == (variants.json == NULL)) {
        CAIRN__WRONG(reader, content.json == NULL ? "missing_key" : "bad_content", content.at, "%s",
                     content.json == NULL ? "content is missing"
                                          : "there is a content and variants, too");
        return CAIRN__FIX(reader, "write content (one look), or variants with a content each");
    }
    if (variants.json != NULL) {
        return cairn__read_variants(reader, variants, &names, &popup->variants,
                                    &popup->variant_count);
    }
    cairn__variant *only = cairn__reader_make(reader, 1, sizeof *only);
    if (only == NULL) {
        return false;
    }
    *only = (cairn__variant){ .name = CAIRN_STR("main"), .weight = 1 };
    popup->variants = only;
    popup->variant_count = 1;
    return cairn__read_content(reader, content, &only->content);
}

static bool read_goal(cairn__reader *reader, cairn__place place, cairn__popup *popup) {
    const cairn__bounds bounds = { 1000, GOAL_DAYS_MAX * (int64_t)86400000 };
    if (place.json == NULL) {
        return true;
    }
    cairn__trigger *trigger = cairn__reader_make(reader, 1, sizeof *trigger);
    popup->goal.trigger = trigger;
    popup->goal.window_ms = GOAL_DEFAULT_DAYS * (int64_t)86400000;
    return trigger != NULL && cairn__read_trigger(reader, place, "within", trigger) &&
           cairn__read_duration(reader, cairn__place_key(place, "within"), bounds,
                                &popup->goal.window_ms);
}

static bool read_template(cairn__reader *reader, cairn__place place, cairn__popup *popup) {
    popup->template_name = CAIRN_STR("modal");
    if (!cairn__read_name(reader, place, &popup->template_name)) {
        return false;
    }
    const cairn__reference reference = {
        CAIRN__REFERENCE_TEMPLATE, popup->template_name, { NULL, 0 }, place.at
    };
    return cairn__reader_refer(reader, &reference);
}

bool cairn__read_popup(cairn__reader *reader, cairn__place place) {
    cairn__popup *popup = &reader->definition->as.popup;
    const cairn__rule_place who = { CAIRN__RULE_OF_PERSON, 0 };
    const cairn__bounds priorities = { -PRIORITY_MAX, PRIORITY_MAX };
    int64_t priority = 0;
    popup->name = reader->definition->name;
    popup->salt = popup->name;
    bool good =
        cairn__read_object(reader, place, CAIRN__WORDS(popup_keys)) &&
        cairn__read_integer(reader, cairn__place_key(place, "priority"), priorities, &priority) &&
        read_triggers(reader, place, popup) && read_pages(reader, place, popup) &&
        cairn__read_rule(reader, cairn__place_key(place, "audience"), who, &popup->audience) &&
        read_when(reader, place, popup) && read_groups(reader, place, popup) &&
        cairn__read_number(reader, cairn__place_key(place, "holdout"), (cairn__bounds){ 0, 1 },
                           &popup->holdout) &&
        cairn__read_name(reader, cairn__place_key(place, "salt"), &popup->salt) &&
        read_arms(reader, place, popup) &&
        read_goal(reader, cairn__place_key(place, "goal"), popup) &&
        read_template(reader, cairn__place_key(place, "template"), popup);
    popup->priority = (int32_t)priority;
    popup->paused = reader->definition->paused;
    return good;
}
