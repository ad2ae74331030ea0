/* privacy.c: see privacy.h. SHA-256 is BearSSL's, as for a bundle's signature. */
#include "client/privacy.h"

#include <bearssl/bearssl_hash.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "model/limits.h"

enum { DIGEST_BYTES = 32, DIGITS_MAX = 20 };

/* --- rules -------------------------------------------------------------------------------------*/

static bool is_rule(const cairn_privacy_rule *rule) {
    bool named = rule->name.len > 0 && rule->name.len <= CAIRN__NAME_BYTES_MAX &&
                 cairn__utf8_valid(rule->name);
    return named && rule->event.len <= CAIRN__NAME_BYTES_MAX &&
           (rule->action == CAIRN_PRIVACY_DROP || rule->action == CAIRN_PRIVACY_HASH) &&
           (rule->target == CAIRN_PRIVACY_PROPERTIES || rule->target == CAIRN_PRIVACY_IDS);
}

static bool is_valid(const cairn_privacy_options *options) {
    if (options->count > CAIRN__PRIVACY_RULES_MAX ||
        options->salt.len > CAIRN__PRIVACY_SALT_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < options->count; i++) {
        if (!is_rule(&options->rules[i])) {
            return false;
        }
    }
    return true;
}

static cairn_span keep(uint8_t **at, cairn_span text) {
    cairn_span kept = { *at, text.len };
    if (text.len > 0) {
        memcpy(*at, text.data, text.len);
    }
    *at += text.len;
    return kept;
}

static void free_rules(cairn__privacy_rules *rules, cairn_allocator allocator) {
    if (rules->rules != NULL) {
        allocator.resize(allocator.self, rules->rules, rules->bytes, 0);
    }
    *rules = (cairn__privacy_rules){ 0 };
}

cairn_status cairn__privacy_copy(cairn__privacy_rules *to, const cairn_privacy_options *from,
                                 cairn_allocator allocator) {
    if (!is_valid(from)) {
        return CAIRN_INVALID;
    }
    if (from->count == 0) {
        free_rules(to, allocator);
        return CAIRN_OK;
    }
    size_t bytes = from->count * sizeof *to->rules + from->salt.len;
    for (size_t i = 0; i < from->count; i++) {
        bytes += from->rules[i].name.len + from->rules[i].event.len;
    }
    cairn_privacy_rule *rules = allocator.resize(allocator.self, NULL, 0, bytes);
    if (rules == NULL) {
        return CAIRN_NO_MEMORY;
    }
    uint8_t *at = (uint8_t *)(rules + from->count);
    for (size_t i = 0; i < from->count; i++) {
        rules[i] = from->rules[i];
        rules[i].name = keep(&at, from->rules[i].name);
        rules[i].event = keep(&at, from->rules[i].event);
    }
    free_rules(to, allocator);
    *to = (cairn__privacy_rules){ rules, from->count, keep(&at, from->salt), bytes };
    return CAIRN_OK;
}

void cairn__privacy_free(cairn__privacy *privacy, cairn_allocator allocator) {
    free_rules(&privacy->own, allocator);
    free_rules(&privacy->bundle, allocator);
}

static bool fits(cairn_span pattern, cairn_span name) {
    if (pattern.data[pattern.len - 1] != '*') {
        return cairn__span_equal(pattern, name);
    }
    size_t len = pattern.len - 1;
    return name.len >= len && (len == 0 || memcmp(pattern.data, name.data, len) == 0);
}

static bool concerns(const cairn_privacy_rule *rule, const cairn_privacy_rule *what) {
    return rule->target == what->target && fits(rule->name, what->name) &&
           (rule->event.len == 0 || cairn__span_equal(rule->event, what->event));
}

static int action_in(const cairn__privacy_rules *rules, const cairn_privacy_rule *what) {
    int found = 0;
    for (size_t i = 0; i < rules->count; i++) {
        const cairn_privacy_rule *rule = &rules->rules[i];
        if (found != CAIRN_PRIVACY_DROP && concerns(rule, what)) {
            found = (int)rule->action;
        }
    }
    return found;
}

int cairn__privacy_of(const cairn__privacy *privacy, const cairn_privacy_rule *what) {
    int own = action_in(&privacy->own, what);
    int bundle = own == CAIRN_PRIVACY_DROP ? own : action_in(&privacy->bundle, what);
    return own == 0 || bundle == CAIRN_PRIVACY_DROP ? bundle : own;
}

/* --- hashing -----------------------------------------------------------------------------------*/

/* One salt for both sets: the application's, else the bundle's. */
static cairn_span salt_of(const cairn__privacy *privacy) {
    return privacy->own.salt.len > 0 ? privacy->own.salt : privacy->bundle.salt;
}

static bool hash(const cairn__privacy *privacy, cairn__arena *arena, cairn_span text,
                 cairn_span *out) {
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[DIGEST_BYTES];
    uint8_t *hex = cairn__arena_alloc(arena, CAIRN__PRIVACY_HASH_BYTES);
    if (hex == NULL) {
        return false;
    }
    cairn_span salt = salt_of(privacy);
    br_sha256_context context;
    br_sha256_init(&context);
    br_sha256_update(&context, salt.data, salt.len);
    br_sha256_update(&context, text.data, text.len);
    br_sha256_out(&context, digest);
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        hex[2 * i] = (uint8_t)digits[digest[i] >> 4];
        hex[2 * i + 1] = (uint8_t)digits[digest[i] & 15];
    }
    *out = (cairn_span){ hex, CAIRN__PRIVACY_HASH_BYTES };
    return true;
}

static bool hash_integer(const cairn__privacy *privacy, cairn__arena *arena, int64_t value,
                         cairn_span *out) {
    uint8_t digits[DIGITS_MAX];
    uint8_t *at = digits + DIGITS_MAX;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--at = (uint8_t)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0) {
        *--at = '-';
    }
    return hash(privacy, arena, (cairn_span){ at, (size_t)(digits + DIGITS_MAX - at) }, out);
}

static bool hash_list(const cairn__privacy *privacy, cairn__arena *arena, cairn_string_list *list) {
    cairn_span *items = cairn__arena_alloc_zero(arena, list->count, sizeof *items);
    if (items == NULL) {
        return list->count == 0;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (!hash(privacy, arena, list->items[i], &items[i])) {
            return false;
        }
    }
    list->items = items;
    return true;
}

/* --- applying ----------------------------------------------------------------------------------*/

static bool can_be_hashed(cairn_value_kind kind) {
    return kind == CAIRN_VALUE_STRING || kind == CAIRN_VALUE_INTEGER || kind == CAIRN_VALUE_LIST;
}

static bool hash_value(const cairn__privacy *privacy, cairn__arena *arena, cairn_value *value) {
    if (value->kind == CAIRN_VALUE_LIST) {
        return hash_list(privacy, arena, &value->as.list);
    }
    cairn_span hashed = { NULL, 0 };
    bool done = value->kind == CAIRN_VALUE_INTEGER
                    ? hash_integer(privacy, arena, value->as.integer, &hashed)
                    : hash(privacy, arena, value->as.string, &hashed);
    *value = (cairn_value){ CAIRN_VALUE_STRING, { .string = hashed } };
    return done;
}

cairn_status cairn__privacy_apply(const cairn__privacy *privacy, cairn__arena *arena,
                                  cairn_span event, cairn__properties *properties) {
    bool ruled = privacy->own.count + privacy->bundle.count > 0;
    if (!ruled || properties->count == 0 || properties->count > CAIRN__PROPERTIES_MAX) {
        return CAIRN_OK; /* so many are refused anyway */
    }
    cairn_property *left = cairn__arena_alloc_zero(arena, properties->count, sizeof *left);
    if (left == NULL) {
        return CAIRN_NO_MEMORY;
    }
    size_t count = 0;
    for (size_t i = 0; i < properties->count; i++) {
        cairn_property property = properties->list[i];
        const cairn_privacy_rule what = { .name = property.name, .event = event };
        int action = cairn__privacy_of(privacy, &what);
        bool hashes = action == CAIRN_PRIVACY_HASH && can_be_hashed(property.value.kind);
        if (hashes && !hash_value(privacy, arena, &property.value)) {
            return CAIRN_NO_MEMORY;
        }
        if (action == 0 || hashes) {
            left[count++] = property;
        }
    }
    *properties = (cairn__properties){ left, count };
    return CAIRN_OK;
}

cairn_status cairn__privacy_id(const cairn__privacy *privacy, cairn__arena *arena, cairn_id *id) {
    const cairn_privacy_rule what = { .name = id->type, .target = CAIRN_PRIVACY_IDS };
    int action = cairn__privacy_of(privacy, &what);
    if (action == CAIRN_PRIVACY_DROP) {
        return CAIRN_DENIED;
    }
    bool done = action != CAIRN_PRIVACY_HASH || hash(privacy, arena, id->value, &id->value);
    return done ? CAIRN_OK : CAIRN_NO_MEMORY;
}
