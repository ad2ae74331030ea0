/* cairn_posix.h: the client with everything that Unix has: files, a thread, libcurl.
 *
 *     cairn_posix *app = NULL;
 *     cairn_posix_options options = { .directory = "/var/lib/my-app/cairn",
 *                                     .server_url = "https://cairn.example.com",
 *                                     .project_key = "demo-write-key" };
 *     if (cairn_posix_open(&options, &app) != CAIRN_OK) return 1;
 *     cairn_property price = { CAIRN_STR("price"), { CAIRN_VALUE_NUMBER, { .number = 29.5 } } };
 *     cairn_posix_track(app, CAIRN_STR("purchase"), &price, 1);
 *     cairn_posix_close(app, 2000);
 *
 * Threads: every call may be made from any thread; none waits for the disk or the network, but
 * cairn_posix_sync(), _flush() and _close(). After fork() only the parent may use the client.
 * Decisions: with options.decide.keys, the calls of cairn_decide.h between cairn_posix_lock() and
 * cairn_posix_unlock(); popups come to options.popups.show.
 * Durability: what is tracked is on the disk (append, fdatasync) within tick_ms, and survives power
 * loss from then on; cairn_posix_sync() waits for it. One process per directory.
 * Statuses that are not named below are those of the call in cairn.h. */
#ifndef CAIRN_POSIX_H
#define CAIRN_POSIX_H

#include "cairn/cairn.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cairn_posix cairn_posix;

/** Who draws popups. */
typedef struct cairn_posix_popups {
    /** As cairn_listener.popup: its show is on the disk. Called on Cairn's thread, which waits for
     * it (so hand it on to the one that draws); every call but cairn_posix_close(), _sync() and
     * _flush() may be made. `json` is borrowed. */
    void (*show)(void *self, cairn_span json);
    void *self;
} cairn_posix_popups;

/** Strings are NUL-terminated and copied. Zero means the default wherever one is named. */
typedef struct cairn_posix_options {
    const char *directory;         /**< Made (mode 0700) where it is missing; NULL: memory only. */
    const char *server_url;        /**< Required: "https://host[:port][/path]", of the edge. */
    const char *project_key;       /**< Required: the project's public write key. */
    const char *sdk_name;          /**< Default "cairn-posix". */
    const char *sdk_version;       /**< Default Cairn's own. */
    const char *platform;          /**< Default "posix". */
    uint32_t flush_interval_ms;    /**< Longest wait from an event to its request; default 2000. */
    uint32_t queue_events_max;     /**< As cairn_options. */
    uint32_t queue_bytes_max;      /**< As cairn_options. */
    uint32_t tick_ms;              /**< Shortest time between two fdatasync; default 20. */
    uint32_t request_ms_max;       /**< Longest request; default 15000. */
    cairn_consent_options consent; /**< As cairn_options. Where analytics is not allowed by it the
                                        directory is not made before a grant, and after a purge it
                                        is removed, if nothing else is in it. */
    cairn_privacy_options privacy; /**< As cairn_options. */
    cairn_decide_options decide;   /**< As cairn_options; with keys the system's time zone is set
                                        at open (TZ, else /etc/localtime). */
    cairn_posix_popups popups;     /**< Default: nobody; popups count as shown all the same. */
} cairn_posix_options;

/**
 * Open the directory, read what it holds, and start the thread.
 *
 * @retval CAIRN_OK           Give it to cairn_posix_close() in the end.
 * @retval CAIRN_INVALID      An option is missing or breaks a limit; the URL is not http or https.
 * @retval CAIRN_BUSY         Another process has the directory open.
 * @retval CAIRN_STORAGE      The directory cannot be made, read or locked.
 * @retval CAIRN_UNSUPPORTED  The system has no random numbers, or libcurl cannot start.
 * @retval CAIRN_NO_MEMORY    No room for the client or its thread.
 */
cairn_status cairn_posix_open(const cairn_posix_options *options, cairn_posix **app_out);

/** Wait until all is kept and, at most timeout_ms, until it is acknowledged; then end the thread
 * and free everything. NULL is fine. No other thread may be in a call. */
void cairn_posix_close(cairn_posix *app, uint32_t timeout_ms);

/** Wait until everything tracked so far is on the disk.
 * @retval CAIRN_OK  It is.  @retval CAIRN_BUSY  Not within timeout_ms; it is tried further. */
cairn_status cairn_posix_sync(cairn_posix *app, uint32_t timeout_ms);

/** Send at once, and wait until the server has everything tracked so far.
 * @retval CAIRN_OK  It has.  @retval CAIRN_NETWORK  Not within timeout_ms; it is tried further. */
cairn_status cairn_posix_flush(cairn_posix *app, uint32_t timeout_ms);

/* --- decisions ---------------------------------------------------------------------------------*/

/**
 * The client, for the calls of cairn_decide.h (and all others of cairn.h but those of "life" and
 * "driving"): until the unlock no other thread is in a call, and answers stay as they are. Keep it
 * short: Cairn's own thread waits, too.
 *
 *     cairn_span answer;
 *     cairn_client *client = cairn_posix_lock(app);
 *     if (cairn_slot(client, CAIRN_STR("home-hero"), &answer) == CAIRN_OK) ... // copy what is used
 *     cairn_posix_unlock(app);
 */
cairn_client *cairn_posix_lock(cairn_posix *app);
void cairn_posix_unlock(cairn_posix *app);

/* --- as in cairn.h -----------------------------------------------------------------------------*/

cairn_status cairn_posix_track(cairn_posix *app, cairn_span name, const cairn_property *properties,
                               size_t count);
cairn_status cairn_posix_register(cairn_posix *app, const cairn_property *properties, size_t count,
                                  bool once);
cairn_status cairn_posix_unregister(cairn_posix *app, const cairn_span *names, size_t count);
cairn_status cairn_posix_timer(cairn_posix *app, cairn_span name, cairn_timer_step step);
cairn_status cairn_posix_timer_end(cairn_posix *app, cairn_span name,
                                   const cairn_property *properties, size_t count);
cairn_status cairn_posix_login(cairn_posix *app, cairn_id id);
cairn_status cairn_posix_logout(cairn_posix *app);
cairn_status cairn_posix_bind(cairn_posix *app, cairn_id id);
cairn_status cairn_posix_unbind(cairn_posix *app, cairn_id id);
cairn_status cairn_posix_profile(cairn_posix *app, cairn_profile_change change,
                                 const cairn_property *properties, size_t count);

cairn_status cairn_posix_consent(cairn_posix *app, const cairn_consent_choice *choice);
cairn_consent_state cairn_posix_consent_said(cairn_posix *app, cairn_consent_category category);
bool cairn_posix_consent_allows(cairn_posix *app, cairn_consent_category category);
cairn_status cairn_posix_erase(cairn_posix *app);

/** As cairn_get_status(), but login_id is left empty: it would be borrowed from another thread. */
void cairn_posix_get_status(cairn_posix *app, cairn_client_status *status_out);

#ifdef __cplusplus
}
#endif

#endif
