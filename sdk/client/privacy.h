/* privacy.h: what leaves an event before it is checked, kept or sent: rules of the application and,
 * later, of the bundle. cairn_consent.h says what a rule does. One owner thread. */
#ifndef CAIRN_CLIENT_PRIVACY_H
#define CAIRN_CLIENT_PRIVACY_H

#include "base/memory.h"
#include "cairn/cairn_consent.h"

enum {
    CAIRN__PRIVACY_RULES_MAX = 1000, /* of the application, and as many of the bundle */
    CAIRN__PRIVACY_SALT_BYTES_MAX = 64,
    CAIRN__PRIVACY_HASH_BYTES = 64 /* hexadecimal digits of SHA-256 */
};

/** Rules with their texts, in one block of memory. */
typedef struct cairn__privacy_rules {
    cairn_privacy_rule *rules; /* NULL: none */
    size_t count;
    cairn_span salt;
    size_t bytes; /* of the block */
} cairn__privacy_rules;

typedef struct cairn__privacy {
    cairn__privacy_rules own;    /* of cairn_options */
    cairn__privacy_rules bundle; /* of cairn__privacy_set() */
} cairn__privacy;

/** Replace one set by a copy.
 * @retval CAIRN_INVALID    Beyond the limits, or an action or a target that is none.
 * @retval CAIRN_NO_MEMORY  Nothing changed, either way. */
cairn_status cairn__privacy_copy(cairn__privacy_rules *to, const cairn_privacy_options *from,
                                 cairn_allocator allocator);
void cairn__privacy_free(cairn__privacy *privacy, cairn_allocator allocator);

/** What is to become of what has this target, name and event; 0: nothing. A drop of either set
 * wins. */
int cairn__privacy_of(const cairn__privacy *privacy, const cairn_privacy_rule *what);

typedef struct cairn__properties {
    const cairn_property *list;
    size_t count;
} cairn__properties;

/** Apply the rules; what changes is made anew in the arena, where nothing does it is left alone.
 * @param event  Whose properties these are; empty: no event's.
 * @retval CAIRN_NO_MEMORY  The arena is full. */
cairn_status cairn__privacy_apply(const cairn__privacy *privacy, cairn__arena *arena,
                                  cairn_span event, cairn__properties *properties);

/** The same of an id.
 * @retval CAIRN_DENIED     Ids of this type are dropped. */
cairn_status cairn__privacy_id(const cairn__privacy *privacy, cairn__arena *arena, cairn_id *id);

/** The bundle's rules from now on, beside those of the options. What is kept stays, but for super
 * properties.
 * @retval as cairn__privacy_copy() */
cairn_status cairn__privacy_set(cairn_client *client, const cairn_privacy_options *rules);

#endif
