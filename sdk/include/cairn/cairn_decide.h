/* cairn_decide.h: what the device decides, with no network: popups, slots, experiments.
 *
 *     // at open: options.decide.keys, the public keys of the project's bundles
 *     cairn_track(client, CAIRN_STR("view_cart"), NULL, 0); // may bring a popup to listener.popup
 *
 *     cairn_span answer;
 *     if (cairn_experiment(client, CAIRN_STR("checkout"), &answer) == CAIRN_OK) ... // JSON
 *     if (cairn_slot(client, CAIRN_STR("home-hero"), &answer) == CAIRN_OK) ...
 *
 * Definitions come as a signed bundle with the answers of the edge, are kept on the device, and
 * hold until a newer one has been verified. Answers are JSON (docs/DECISIONS.md), borrowed until
 * the next call of this header; each says why. Without a bundle every popup is refused, every slot
 * is empty and every experiment unknown: the application shows what it would show anyway.
 *
 * Statuses that any call may give: CAIRN_CLOSED before cairn_start(), CAIRN_UNSUPPORTED where the
 * client was opened without keys. */
#ifndef CAIRN_DECIDE_H
#define CAIRN_DECIDE_H

#include "cairn/cairn_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cairn_client cairn_client;

/** A key whose signature under a bundle is believed: ECDSA over P-256. */
typedef struct cairn_bundle_key {
    cairn_span id;     /**< 1..32 bytes, as the edge names it. */
    uint8_t bytes[65]; /**< 0x04, x, y. */
} cairn_bundle_key;

/** Part of cairn_options. Zero means the default wherever one is named. */
typedef struct cairn_decide_options {
    const cairn_bundle_key *keys; /**< Copied; at most 4. None: no bundle is asked for, no decision
                                       made, nothing of this header kept (but see keep_history). */
    size_t key_count;
    cairn_span region; /**< Where the person is ("DE", "US-CA"), for the bundle's consent defaults;
                          at most 16 bytes. Empty: those of everywhere else. Copied. */
    uint32_t history_events_max; /**< The person's events kept for rules; default 4,000. */
    uint32_t history_bytes_max;  /**< And their bytes; default 1 MiB. */
    uint32_t history_days_max;   /**< Default 90. */
    bool keep_history; /**< The history is kept without keys, too: for cairn_history_next(). */
} cairn_decide_options;

/* --- where the person is -----------------------------------------------------------------------*/

/** The page or screen in front of the person; popups may be bound to some. At most 1,024 bytes. */
cairn_status cairn_set_page(cairn_client *client, cairn_span page);

/** What rules may ask as device.NAME; replaces what was set. At most 64 names, 16 KiB. */
cairn_status cairn_set_device(cairn_client *client, const cairn_property *properties, size_t count);

/**
 * The person's time zone, for quiet hours, calendar caps and windows "in user time".
 * @param name  IANA ("Asia/Shanghai"); empty: the project's.
 * @param tzif  Its zoneinfo file; empty: the bundle's zone table is asked.
 * @retval CAIRN_NOT_FOUND  No bundle yet, or not in its table: asked again when one comes.
 * @retval CAIRN_INVALID    Not a zoneinfo file, or a name beyond 64 bytes.
 * @retval CAIRN_UNSUPPORTED  A zoneinfo file, in a build without their parser (the WASM cores).
 */
cairn_status cairn_set_zone(cairn_client *client, cairn_span name, cairn_span tzif);

/** A bundle that came another way than with an answer of the edge (built into the application).
 * @retval CAIRN_OK       In force, or the one that was.
 * @retval CAIRN_DENIED   Not signed by one of the keys, another project's, or older.
 * @retval CAIRN_INVALID  Damaged. @retval CAIRN_NO_MEMORY  The one in force stays, as in all three.
 */
cairn_status cairn_set_bundle(cairn_client *client, cairn_span signed_bundle);

/* --- asking ------------------------------------------------------------------------------------*/

typedef enum cairn_decide_what {
    CAIRN_DECIDE_EVENT = 0,      /**< Which popup, if this event happened now? */
    CAIRN_DECIDE_POPUP = 1,      /**< May this popup be shown now? */
    CAIRN_DECIDE_SLOT = 2,       /**< What is in this slot? */
    CAIRN_DECIDE_EXPERIMENT = 3, /**< Which variant of this experiment or flag? */
    CAIRN_DECIDE_EXPERIMENTS = 4 /**< Of all of them. */
} cairn_decide_what;

typedef struct cairn_decide_query {
    cairn_decide_what what;
    cairn_span name;                  /**< Of the event, popup, slot or experiment. */
    const cairn_property *properties; /**< Of the event. */
    size_t property_count;
} cairn_decide_query;

/**
 * Decide, and say why: the answer has the reason of every candidate. Nothing is shown, tracked or
 * remembered. POST /v1/decide gives the same bytes for the same person, definitions and moment.
 * @retval CAIRN_OK         *answer_out is JSON, borrowed.
 * @retval CAIRN_INVALID    The properties break a limit of the data model.
 * @retval CAIRN_NOT_FOUND  There is no bundle.
 * @retval CAIRN_NO_MEMORY  No room for the answer.
 */
cairn_status cairn_decide(cairn_client *client, const cairn_decide_query *query,
                          cairn_span *answer_out);

/* --- doing -------------------------------------------------------------------------------------*/

/**
 * Show this popup if it may be shown. As with those that an event triggers, `$popup_show` is
 * tracked and durable before listener.popup hears of it: no crash shows one too many.
 * @param answer_out  As cairn_decide(); NULL: not wanted. @retval CAIRN_OK  Decided: the answer
 * says what. @retval others  As cairn_decide().
 */
cairn_status cairn_popup_show(cairn_client *client, cairn_span name, cairn_span *answer_out);

typedef enum cairn_popup_act {
    CAIRN_POPUP_CLICKED = 0, /**< Tracked as `$popup_click`; the popup stays open. */
    CAIRN_POPUP_CLOSED = 1,  /**< Tracked as `$popup_close`; the next may come. */
    CAIRN_POPUP_GONE = 2     /**< Its screen went away with it: nobody closed it, nothing is
                                  tracked; the next may come. */
} cairn_popup_act;

/** What the person did with the popup on the screen; properties are added to the event.
 * @retval CAIRN_NOT_FOUND  This popup is not on the screen. @retval others  As cairn_track(). */
cairn_status cairn_popup_done(cairn_client *client, cairn_span name, cairn_popup_act act,
                              const cairn_property *properties, size_t count);

/** What belongs into the slot now; as cairn_decide(). */
cairn_status cairn_slot(cairn_client *client, cairn_span name, cairn_span *answer_out);

typedef enum cairn_slot_act {
    CAIRN_SLOT_SHOWN = 0,  /**< The item is really visible: `$slot_show`. */
    CAIRN_SLOT_CLICKED = 1 /**< `$slot_click`. */
} cairn_slot_act;

/** @param position  Of the item in the slot, from 1. @retval  As cairn_track(). */
cairn_status cairn_slot_done(cairn_client *client, cairn_span slot, cairn_span item,
                             uint32_t position, cairn_slot_act act);

/** The variant of an experiment or the value of a flag; tracks `$experiment_exposure` the first
 * time in a session. As cairn_decide(). */
cairn_status cairn_experiment(cairn_client *client, cairn_span name, cairn_span *answer_out);

/* --- looking inside ----------------------------------------------------------------------------*/

/** Where the client stands, for a debug panel: queue, ids, consent, counters, bundle, the last
 * decisions with their reasons, as JSON (docs/DECISIONS.md, "Inspecting"). Works without keys.
 * @retval CAIRN_NO_MEMORY  No room. */
cairn_status cairn_inspect(cairn_client *client, cairn_span *json_out);

#ifdef __cplusplus
}
#endif

#endif
