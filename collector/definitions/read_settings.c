/* read_settings.c: what holds for all decisions of a project. */
#include "base/bytes.h"
#include "definitions/reading.h"

static const char *const settings_keys[] = {
    "title",   "zone",    "zones",         "holdout", "holdout_salt", "caps",   "groups",
    "consent", "privacy", "consent_texts", "scripts", "templates",    "remote",
};

const char cairn__definition_default_settings[] = "{}";

/* --- caps of all popups, and of groups -------------------------------------------------------- */

static bool read_groups(cairn__reader *reader, cairn__place place) {
    static const char *const keys[] = { "caps" };
    cairn__settings_parts *to = &reader->definition->as.settings;
    cairn__place list = cairn__place_key(place, "groups");
    const cairn_span *names = NULL;
    size_t count = 0;
    if (!cairn__read_keys(reader, list, CAIRN__DEFINITION_GROUPS_MAX, &names, &count)) {
        return false;
    }
    cairn__cap_group *groups = cairn__reader_make(reader, count + 1, sizeof *groups);
    bool good = groups != NULL && cairn__read_caps(reader, cairn__place_key(place, "caps"),
                                                   &groups[0].caps, &groups[0].cap_count);
    for (size_t i = 0; good && i < count; i++) {
        cairn__place one = cairn__place_key(list, (const char *)names[i].data);
        cairn__cap_group *group = &groups[i + 1];
        group->name = names[i];
        good = cairn__read_key_name(reader, one, names[i]) &&
               cairn__read_object(reader, one, CAIRN__WORDS(keys)) &&
               cairn__read_caps(reader, cairn__place_key(one, "caps"), &group->caps,
                                &group->cap_count);
    }
    to->groups = groups;
    to->group_count = count + 1;
    return good;
}

/* --- consent ---------------------------------------------------------------------------------- */

static bool read_start(cairn__reader *reader, cairn__place place, cairn__consent_start *to) {
    static const char *const words[] = { "ask", "granted", "denied" };
    size_t index = (size_t)*to;
    bool good = cairn__read_choice(reader, place, CAIRN__WORDS(words), &index);
    *to = (cairn__consent_start)index;
    return good;
}

static bool read_before(cairn__reader *reader, cairn__place place, bool *drop_out) {
    static const char *const words[] = { "wait", "drop" };
    size_t index = *drop_out ? 1 : 0;
    bool good = cairn__read_choice(reader, place, CAIRN__WORDS(words), &index);
    *drop_out = index == 1;
    return good;
}

static bool read_region(cairn__reader *reader, cairn__place place, cairn__consent_default *to) {
    static const char *const keys[] = { "analytics", "marketing", "personalisation", "before",
                                        "honour_dnt" };
    return cairn__read_object(reader, place, CAIRN__WORDS(keys)) &&
           read_start(reader, cairn__place_key(place, "analytics"), &to->analytics) &&
           read_start(reader, cairn__place_key(place, "marketing"), &to->marketing) &&
           read_start(reader, cairn__place_key(place, "personalisation"), &to->personalisation) &&
           read_before(reader, cairn__place_key(place, "before"), &to->drop) &&
           cairn__read_flag(reader, cairn__place_key(place, "honour_dnt"), &to->honour_dnt);
}

static bool region_is_good(cairn_span region) {
    bool good = region.len >= 2 && region.len <= CAIRN__BUNDLE_REGION_BYTES_MAX;
    for (size_t i = 0; good && i < region.len; i++) {
        uint8_t byte = region.data[i];
        good = (byte >= 'A' && byte <= 'Z') || (i > 0 && byte >= '0' && byte <= '9') ||
               (i > 1 && byte == '-');
    }
    return good;
}

/* {"*": {...}, "DE": {...}}: "*" is everywhere else, and comes first (the empty region). */
static bool read_consent(cairn__reader *reader, cairn__place place) {
    cairn__settings_parts *to = &reader->definition->as.settings;
    const cairn_span *regions = NULL;
    size_t count = 0;
    if (!cairn__read_keys(reader, place, CAIRN__BUNDLE_CONSENT_MAX - 1, &regions, &count)) {
        return false;
    }
    cairn__consent_default *consent = cairn__reader_make(reader, count + 1, sizeof *consent);
    bool good = consent != NULL;
    size_t filled = 0;
    for (size_t i = 0; good && i < count; i++) {
        cairn__place one = cairn__place_key(place, (const char *)regions[i].data);
        bool elsewhere = cairn__span_equal(regions[i], CAIRN_STR("*"));
        if (!elsewhere && !region_is_good(regions[i])) {
            CAIRN__WRONG(reader, "bad_region", one.at, "`%.*s` is not a region",
                         regions[i].len > 50 ? 50 : (int)regions[i].len,
                         (const char *)regions[i].data);
            return CAIRN__FIX(reader, "write ISO 3166 codes such as \"DE\" or \"US-CA\", or \"*\" "
                                      "for everywhere else");
        }
        consent[filled].region = elsewhere ? (cairn_span){ NULL, 0 } : regions[i];
        consent[filled].honour_dnt = true;
        good = read_region(reader, one, &consent[filled]);
        filled++;
    }
    to->consent = consent; /* "*" sorts before every letter */
    to->consent_count = filled;
    return good;
}

static bool read_texts_of_consent(cairn__reader *reader, cairn__place place) {
    cairn__settings_parts *to = &reader->definition->as.settings;
    const cairn_span *names = NULL;
    size_t count = 0;
    if (!cairn__read_keys(reader, place, CAIRN__BUNDLE_CONSENT_MAX, &names, &count)) {
        return false;
    }
    cairn__consent_text *texts = cairn__reader_make(reader, count, sizeof *texts);
    bool good = texts != NULL;
    for (size_t i = 0; good && i < count; i++) {
        int64_t version = 0;
        cairn__place one = cairn__place_key(place, (const char *)names[i].data);
        good = cairn__read_key_name(reader, one, names[i]) &&
               cairn__read_integer(reader, one, (cairn__bounds){ 1, 1000000 }, &version);
        texts[i] = (cairn__consent_text){ names[i], (uint32_t)version };
    }
    to->consent_texts = texts;
    to->consent_text_count = count;
    return good;
}

/* --- privacy ---------------------------------------------------------------------------------- */

static bool read_private(cairn__reader *reader, cairn__place place, cairn__privacy_rule *to) {
    static const char *const keys[] = { "event", "property" };
    if (json_is_string(place.json)) {
        return cairn__read_text(reader, place, CAIRN__NAME_BYTES_MAX, &to->property);
    }
    cairn__place property = cairn__place_key(place, "property");
    return cairn__read_object(reader, place, CAIRN__WORDS(keys)) &&
           cairn__read_needed(reader, property, "the property's name") &&
           cairn__read_text(reader, property, CAIRN__NAME_BYTES_MAX, &to->property) &&
           cairn__read_text(reader, cairn__place_key(place, "event"), CAIRN__NAME_BYTES_MAX,
                            &to->event);
}

static bool read_privacy(cairn__reader *reader, cairn__place place) {
    static const char *const keys[] = { "deny", "hash" };
    cairn__settings_parts *to = &reader->definition->as.settings;
    size_t counts[2] = { 0, 0 };
    if (place.json == NULL) {
        return true;
    }
    if (!cairn__read_object(reader, place, CAIRN__WORDS(keys))) {
        return false;
    }
    for (size_t i = 0; i < 2; i++) {
        if (!cairn__read_list(reader, cairn__place_key(place, keys[i]),
                              CAIRN__BUNDLE_PRIVACY_MAX / 2, &counts[i])) {
            return false;
        }
    }
    to->privacy_count = counts[0] + counts[1];
    cairn__privacy_rule *rules = cairn__reader_make(reader, to->privacy_count, sizeof *rules);
    bool good = rules != NULL;
    for (size_t i = 0; good && i < to->privacy_count; i++) {
        bool hashed = i >= counts[0];
        cairn__place list = cairn__place_key(place, keys[hashed ? 1 : 0]);
        rules[i].action = hashed ? CAIRN__PRIVACY_HASH : CAIRN__PRIVACY_DROP;
        good = read_private(reader, cairn__place_item(list, hashed ? i - counts[0] : i), &rules[i]);
    }
    to->privacy = rules;
    return good;
}

/* --- scripts, templates, remote settings, zones ----------------------------------------------- */

static bool read_scripts(cairn__reader *reader, cairn__place place) {
    cairn__settings_parts *to = &reader->definition->as.settings;
    const cairn_span *names = NULL;
    size_t count = 0;
    if (!cairn__read_keys(reader, place, CAIRN__BUNDLE_SCRIPTS_MAX, &names, &count)) {
        return false;
    }
    cairn__script_source *scripts = cairn__reader_make(reader, count, sizeof *scripts);
    bool good = scripts != NULL;
    for (size_t i = 0; good && i < count; i++) {
        cairn__place one = cairn__place_key(place, (const char *)names[i].data);
        scripts[i].name = names[i];
        good = cairn__read_key_name(reader, one, names[i]) &&
               cairn__read_text(reader, one, CAIRN__BUNDLE_SCRIPT_BYTES_MAX, &scripts[i].source);
    }
    to->scripts = scripts;
    to->script_count = count;
    return good;
}

static bool read_remote(cairn__reader *reader, cairn__place place) {
    cairn__settings_parts *to = &reader->definition->as.settings;
    const cairn_span *names = NULL;
    size_t count = 0;
    if (!cairn__read_keys(reader, place, CAIRN__BUNDLE_SETTINGS_MAX, &names, &count)) {
        return false;
    }
    cairn__setting *remote = cairn__reader_make(reader, count, sizeof *remote);
    bool good = remote != NULL;
    for (size_t i = 0; good && i < count; i++) {
        cairn__place one = cairn__place_key(place, (const char *)names[i].data);
        remote[i].name = names[i];
        good = cairn__read_key_name(reader, one, names[i]) &&
               cairn__read_text(reader, one, CAIRN__BUNDLE_SETTING_BYTES_MAX, &remote[i].value);
    }
    to->remote = remote;
    to->remote_count = count;
    return good;
}

static bool read_zones(cairn__reader *reader, cairn__place place) {
    cairn__settings_parts *to = &reader->definition->as.settings;
    cairn__place list = cairn__place_key(place, "zones");
    const cairn__bounds counts = { 0, CAIRN__DEFINITION_ZONES_MAX };
    to->all_zones = list.json == NULL;
    return cairn__read_text(reader, cairn__place_key(place, "zone"), CAIRN__ZONE_NAME_BYTES_MAX,
                            &to->zone) &&
           cairn__read_texts(reader, list, counts, &to->zones, &to->zone_count);
}

bool cairn__read_settings(cairn__reader *reader, cairn__place place) {
    cairn__settings_parts *to = &reader->definition->as.settings;
    const cairn__bounds templates = { 0, CAIRN__DEFINITION_TEMPLATES_MAX };
    to->holdout_salt = CAIRN_STR("holdout");
    return cairn__read_object(reader, place, CAIRN__WORDS(settings_keys)) &&
           read_zones(reader, place) &&
           cairn__read_number(reader, cairn__place_key(place, "holdout"), (cairn__bounds){ 0, 1 },
                              &to->holdout) &&
           cairn__read_name(reader, cairn__place_key(place, "holdout_salt"), &to->holdout_salt) &&
           read_groups(reader, place) && read_consent(reader, cairn__place_key(place, "consent")) &&
           read_texts_of_consent(reader, cairn__place_key(place, "consent_texts")) &&
           read_privacy(reader, cairn__place_key(place, "privacy")) &&
           read_scripts(reader, cairn__place_key(place, "scripts")) &&
           cairn__read_texts(reader, cairn__place_key(place, "templates"), templates,
                             &to->templates, &to->template_count) &&
           read_remote(reader, cairn__place_key(place, "remote"));
}
