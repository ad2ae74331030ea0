/* cairn_consent.h: what a person agrees to, and what leaves an event before it is kept.
 *
 *     cairn_options options = { ..., .consent = { .required = CAIRN_CONSENT_ALL } };
 *     // cairn_open, cairn_restore, cairn_start; calls wait in memory; then, from the banner:
 *     cairn_consent(client, &(cairn_consent_choice){ .granted = CAIRN_CONSENT_ANALYTICS,
 *                                                    .denied = CAIRN_CONSENT_MARKETING,
 *                                                    .source = CAIRN_STR("banner"),
 *                                                    .text_version = CAIRN_STR("2026-11") });
 *
 * Analytics is the category that decides about storing and sending. While it is not allowed, not a
 * byte goes through the storage seam and no request starts; the device has no id. The others are
 * asked by decisions. docs/PRIVACY.md is the page for those who must explain this to somebody. */
#ifndef CAIRN_CONSENT_H
#define CAIRN_CONSENT_H

#include "cairn/cairn_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cairn_client cairn_client;

/** What is agreed to; bits of a set. */
typedef enum cairn_consent_category {
    CAIRN_CONSENT_ANALYTICS = 1, /**< Keeping and sending what is tracked. */
    CAIRN_CONSENT_MARKETING = 2,
    CAIRN_CONSENT_PERSONALISATION = 4,
    CAIRN_CONSENT_ALL = 7
} cairn_consent_category;

/** As ConsentState of the wire: never renumber. */
typedef enum cairn_consent_state {
    CAIRN_CONSENT_UNKNOWN = 0, /**< Nobody has said anything. */
    CAIRN_CONSENT_GRANTED = 1,
    CAIRN_CONSENT_DENIED = 2
} cairn_consent_state;

/** What holds until somebody says something, and what becomes of calls meanwhile. All zero: nothing
 * is asked, everything is allowed until it is denied. */
typedef struct cairn_consent_options {
    uint32_t required;        /**< Categories that are not allowed before they are granted. */
    uint32_t denied;          /**< Categories that are as denied (a Do-Not-Track signal, say). */
    bool drop_before;         /**< Before consent calls are refused (CAIRN_NO_CONSENT) instead of
                                   kept in memory. */
    bool signal;              /**< The person's browser says Do Not Track or Global Privacy Control:
                                   denies all where the bundle honours it. */
    bool withdraw_silently;   /**< The server is not told of a withdrawal. */
    uint32_t wait_events_max; /**< Kept in memory before consent; default 200. The oldest that is
                                   not an identity or a profile goes first, and is counted. */
    uint32_t wait_bytes_max;  /**< And their bytes; default 128 KiB. */
} cairn_consent_options;

/** One act of the person. */
typedef struct cairn_consent_choice {
    uint32_t granted;        /**< Categories; those in neither set stay as they are. */
    uint32_t denied;         /**< */
    cairn_span source;       /**< Where it was said ("banner", "settings"); at most 100 bytes. */
    cairn_span text_version; /**< Which text was shown; at most 100 bytes. */
} cairn_consent_choice;

/**
 * The person has chosen. A consent event is written, so that the server keeps a ledger.
 *
 * Analytics granted: what waits in memory becomes durable, in its order, with its own times and
 * sessions, under a device id that is made now. Analytics denied: what waits is thrown away, and
 * whatever is stored is purged (queue, state, device id, local facts): a state that says so is
 * written first, so that a crash at any later moment ends in a purge, never in a request with old
 * events. The withdrawal itself is sent once, under the old device id, for at most 30 days, and
 * then nothing is left. A denial is remembered on the device only where `required` and `denied` do
 * not say the same: elsewhere it comes to the same as not having been asked.
 *
 * The same choice of the same text again changes nothing and costs nothing.
 *
 * @retval CAIRN_OK         In force from now on.
 * @retval CAIRN_INVALID    A category in both sets or in none that exists, or a text beyond limits.
 * @retval CAIRN_FULL, CAIRN_NO_MEMORY  Of a grant: in force, but the ledger will not have it. Of a
 *                          withdrawal: nothing changed. Say it again.
 */
cairn_status cairn_consent(cairn_client *client, const cairn_consent_choice *choice);

/** What was said about one category: UNKNOWN where nothing was. */
cairn_consent_state cairn_consent_said(const cairn_client *client, cairn_consent_category category);

/** Whether the category is allowed now: as was said, or as the options have it. */
bool cairn_consent_allows(const cairn_client *client, cairn_consent_category category);

/**
 * Forget the person: everything stored is purged as after a withdrawal, and the server is asked to
 * erase what it has (an event of kind ERASE, with the login, under the old device id). What was
 * said about consent is forgotten, too. Later calls are a new device's; they wait in memory until
 * the server has taken the request, or 30 days have passed.
 *
 * @retval CAIRN_OK         Under way; or there was nothing to forget.
 * @retval CAIRN_NO_MEMORY  Nothing changed.
 */
cairn_status cairn_erase(cairn_client *client);

/** Whether a purge is under way: the store is not empty yet, or the server not told. */
bool cairn_purging(const cairn_client *client);

/* --- what leaves an event ----------------------------------------------------------------------*/

typedef enum cairn_privacy_action {
    CAIRN_PRIVACY_DROP = 1, /**< A property is left out; a call with such an id is CAIRN_DENIED. */
    CAIRN_PRIVACY_HASH = 2  /**< 64 hexadecimal digits: SHA-256 of salt and text. */
} cairn_privacy_action;

typedef enum cairn_privacy_target {
    CAIRN_PRIVACY_PROPERTIES = 0, /**< Of events, super properties and the profile. */
    CAIRN_PRIVACY_IDS = 1         /**< Ids of login, bind and unbind; `name` is their type. */
} cairn_privacy_target;

/** What becomes of a property or an id before anything else is done with it. Of several rules that
 * fit, a drop wins. Texts and each text of a list are hashed, integers as their digits; values of
 * other kinds cannot be and are left out. Pseudonyms: who knows the salt can try all e-mail
 * addresses. */
typedef struct cairn_privacy_rule {
    cairn_span name; /**< 1..100 bytes, exactly; or a beginning, where it ends in "*". */
    cairn_privacy_action action;
    cairn_privacy_target target;
    cairn_span event; /**< Only on events of this name; super properties are none's own. Empty: on
                           all, in the profile, and super properties. */
} cairn_privacy_rule;

typedef struct cairn_privacy_options {
    const cairn_privacy_rule *rules; /**< Copied; at most 1,000. */
    size_t count;
    cairn_span salt; /**< At most 64 bytes; one per project, or hashes of devices differ. */
} cairn_privacy_options;

#ifdef __cplusplus
}
#endif

#endif
