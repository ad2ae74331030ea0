/* edge.c: the daemon's life: open, listen, reload, drain. */
#include "edge/edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "edge/datadir.h"
#include "edge/life.h"
#include "edge/logline.h"
#include "edge/routes.h"
#include "edge/text.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60000, DRAIN_STEP_MS = 20, OTHER_FILES = 256 };

int64_t cairn__edge_now_ms(void) {
    uv_timeval64_t now;
    return uv_gettimeofday(&now) == 0 ? now.tv_sec * 1000 + now.tv_usec / 1000 : 0;
}

size_t cairn__edge_project_of_key(const cairn__edge *edge, cairn_span key) {
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < edge->config.project_count; i++) {
        if (cairn__same_secret(key, edge->config.projects[i].write_key)) {
            found = i;
        }
    }
    return found;
}

size_t cairn__edge_project_named(const cairn__edge *edge, cairn_span name) {
    if (name.len == 0) {
        return edge->config.project_count == 1 ? 0 : SIZE_MAX;
    }
    for (size_t i = 0; i < edge->config.project_count; i++) {
        if (cairn__span_equal(cairn__span_of(edge->config.projects[i].name), name)) {
            return i;
        }
    }
    return SIZE_MAX;
}

cairn__ready *cairn__edge_ready(cairn__edge *edge, size_t project) {
    return cairn__ready_take(&edge->definitions.projects[project], &edge->config.projects[project],
                             &edge->ready[project]);
}

static const char *environment(void *self, const char *name) {
    (void)self;
    return getenv(name);
}

/* --- what the configuration says -------------------------------------------------------------- */

static void raise_file_limit(const cairn__edge *edge) {
    struct rlimit limit;
    rlim_t wanted = (rlim_t)edge->config.connections_max + OTHER_FILES;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) {
        return;
    }
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted) {
        cairn__logline_number("few_files", "open_files_max", (int64_t)limit.rlim_cur);
    }
}

/* Every number that is used outside the configuration is set here, at the start and at a reload. */
static void apply(cairn__edge *edge) {
    const cairn__config *c = &edge->config;
    edge->server.limits =
        (cairn__server_limits){ .head_bytes_max = (size_t)c->head_bytes_max,
                                .head_timeout_ms = (uint64_t)c->head_timeout_ms,
                                .body_timeout_ms = (uint64_t)c->body_timeout_ms,
                                .idle_timeout_ms = (uint64_t)c->idle_timeout_ms,
                                .write_timeout_ms = (uint64_t)c->write_timeout_ms,
                                .connections_max = (size_t)c->connections_max,
                                .body_bytes_max = (size_t)c->request_bytes_max,
                                .inflight_bytes_hard = (size_t)c->inflight_bytes_hard };
    edge->live.heartbeat_ms = (uint64_t)c->stream_heartbeat_ms;
    atomic_store(&edge->folder.commit_interval_ms, (uint64_t)c->commit_interval_ms);
    raise_file_limit(edge);
    (void)snprintf(edge->cors_header, sizeof edge->cors_header,
                   "Access-Control-Allow-Origin: %.200s\r\n%s", c->cors_origin,
                   strcmp(c->cors_origin, "*") == 0 ? "" : "Vary: Origin\r\n");
}

static bool check_zones(cairn__edge *edge, const cairn__config *config, char *text_out,
                        size_t text_bytes) {
    for (size_t i = 0; i < config->project_count; i++) {
        const char *zone = config->projects[i].timezone;
        if (strcmp(zone, "UTC") != 0 && !cairn__zones_has(&edge->zones, cairn__span_of(zone))) {
            (void)snprintf(text_out, text_bytes,
                           "project %s: there is no time zone '%s' in %s: write an IANA name, for "
                           "example Asia/Shanghai",
                           config->projects[i].name, zone, config->zoneinfo_dir);
            return false;
        }
    }
    return true;
}

static void reload(cairn__edge *edge) {
    cairn__config next;
    cairn__config_problem problem;
    if (cairn__config_load(edge->config_path, environment, &next, &problem) != CAIRN_OK) {
        cairn__logline("error", "reload_refused", problem.text);
        return;
    }
    const char *fixed = cairn__config_fixed_difference(&edge->config, &next);
    bool good = fixed == NULL && check_zones(edge, &next, problem.text, sizeof problem.text);
    if (fixed != NULL) {
        (void)snprintf(problem.text, sizeof problem.text,
                       "%s has changed: it is read at the start only; restart to change it", fixed);
    }
    if (!good) {
        cairn__logline("error", "reload_refused", problem.text);
        cairn__config_free(&next);
        return;
    }
    /* The texts of the first configuration are used by other threads and stay; later ones are not.
     */
    cairn__config before = edge->config;
    next.data_dir = edge->first_config.data_dir;
    next.static_dir = edge->first_config.static_dir;
    next.console_dir = edge->first_config.console_dir;
    edge->config = next;
    if (edge->reloaded) {
        cairn__config_free(&before);
    }
    edge->reloaded = true;
    apply(edge);
    cairn__logline("info", "reloaded", NULL);
}

/* --- once a second, once a minute ------------------------------------------------------------- */

static void look_at_disk(cairn__edge *edge) {
    struct statvfs about;
    if (statvfs(edge->config.data_dir, &about) != 0) {
        return;
    }
    uint64_t free_bytes = (uint64_t)about.f_bavail * about.f_frsize;
    bool low = free_bytes < (uint64_t)edge->config.disk_low_water;
    cairn__gauge(&edge->metrics.disk_free_bytes, free_bytes);
    if (low != edge->disk_low) {
        edge->disk_low = low;
        cairn__logline(low ? "error" : "info", low ? "disk_low" : "disk_has_room", NULL);
    }
}

static void on_second(uv_timer_t *timer) {
    cairn__edge *edge = timer->data;
    size_t resident = 0;
    look_at_disk(edge);
    if (uv_resident_set_memory(&resident) == 0) {
        cairn__gauge(&edge->metrics.resident_bytes, resident);
    }
    cairn__gauge(&edge->metrics.script_children, cairn__sandbox_alive(edge->sandbox));
    uint64_t keep = (uint64_t)edge->config.log_keep_bytes;
    uint64_t durable = atomic_load(&edge->folder.durable);
    if (keep > 0 && durable > keep) {
        atomic_store(&edge->commit.trim, durable - keep);
    }
    if (edge->log_failing && cairn__commit_is_idle(&edge->commit)) {
        const cairn__log_entry tick = { .type = CAIRN__LOG_TICK,
                                        .received_ms = cairn__edge_now_ms() };
        (void)cairn__commit_add(&edge->commit, NULL, &tick);
    }
}

static void on_minute(uv_timer_t *timer) {
    cairn__edge *edge = timer->data;
    uint64_t position = atomic_load(&edge->commit.position);
    if (position != edge->position_at_tick && !edge->closing) {
        const cairn__log_entry tick = { .type = CAIRN__LOG_TICK,
                                        .received_ms = cairn__edge_now_ms() };
        (void)cairn__commit_add(&edge->commit, NULL, &tick);
        edge->position_at_tick = position + CAIRN__TICK_ENTRY_BYTES;
    }
}

static void on_position(void *self) {
    cairn__edge *edge = self;
    cairn__folder_limit(&edge->folder, atomic_load(&edge->commit.position));
}

static void on_failing(void *self, bool failing, const char *why) {
    cairn__edge *edge = self;
    edge->log_failing = failing;
    cairn__logline(failing ? "error" : "info", failing ? "log_unavailable" : "log_available",
                   failing ? why : NULL);
}

static void on_event(void *self, size_t project, cairn_span json) {
    cairn__edge *edge = self;
    cairn__live_add(&edge->live, project, json);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void finish(cairn__edge *edge) {
    uv_timer_stop(&edge->drain);
    cairn__commit_stop(&edge->commit);
    cairn__telling_stop(&edge->telling);
    cairn__folder_stop(&edge->folder, (uint64_t)edge->config.drain_timeout_ms);
    cairn__live_stop(&edge->live);
    cairn__sandbox_stop(edge->sandbox);
    cairn__server_stop(&edge->server);
    uv_close((uv_handle_t *)&edge->second, NULL);
    uv_close((uv_handle_t *)&edge->minute, NULL);
    uv_close((uv_handle_t *)&edge->drain, NULL);
    for (size_t i = 0; i < 3; i++) {
        uv_close((uv_handle_t *)&edge->signals[i], NULL);
    }
}

static void on_drain(uv_timer_t *timer) {
    cairn__edge *edge = timer->data;
    uint64_t now = uv_now(&edge->loop);
    if (!edge->closing) { /* the grace is over */
        edge->closing = true;
        edge->drain_end_ms = now + (uint64_t)edge->config.drain_timeout_ms;
        cairn__server_drain(&edge->server);
    }
    bool quiet = edge->server.connection_count == 0 && edge->asking == 0 && edge->deciding == 0;
    bool late = now >= edge->drain_end_ms;
    /* Work in the pool ends by itself and must be waited for: it holds what finish takes away. */
    if ((quiet || late) && edge->working == 0 && cairn__commit_is_idle(&edge->commit)) {
        finish(edge);
        return;
    }
    (void)uv_timer_start(&edge->drain, on_drain, DRAIN_STEP_MS, 0);
}

static void on_signal(uv_signal_t *handle, int number) {
    cairn__edge *edge = handle->data;
    if (number == SIGHUP) {
        reload(edge);
        return;
    }
    if (!edge->draining) {
        edge->draining = true;
        cairn__logline("info", "draining", NULL);
        (void)uv_timer_start(&edge->drain, on_drain, (uint64_t)edge->config.drain_grace_ms, 0);
    }
}

/* --- the beginning ---------------------------------------------------------------------------- */

static bool open_log(cairn__edge *edge) {
    char path[1024];
    const cairn__files files = cairn__files_posix();
    cairn__log_writer *writer = NULL;
    cairn__log_problem problem;
    (void)snprintf(path, sizeof path, "%s/log", edge->config.data_dir);
    const cairn__log_options options = {
        .files = &files,
        .directory = path,
        .allocator = cairn__heap(),
        .known = cairn__folder_known(&edge->folder),
    };
    cairn_status status = cairn__log_writer_open(&options, &writer, &problem);
    if (status != CAIRN_OK) {
        cairn__logline("error", "log_not_opened", problem.text);
        return false;
    }
    if (problem.text[0] != 0) {
        cairn__logline("warning", "log_cut", problem.text);
    }
    edge->commit.server = &edge->server;
    edge->commit.metrics = &edge->metrics;
    edge->commit.on_position = on_position;
    edge->commit.on_failing = on_failing;
    edge->commit.self = edge;
    edge->writer = writer;
    return true;
}

static bool open_definitions(cairn__edge *edge) {
    char text[512];
    edge->definitions.loop = &edge->loop;
    edge->definitions.working = &edge->working;
    edge->definitions.zones = &edge->zones;
    edge->definitions.zone_directory = edge->config.zoneinfo_dir;
    if (!cairn__definitions_open(&edge->definitions, &edge->config, text, sizeof text)) {
        cairn__logline("error", "definitions_not_opened", text);
        return false;
    }
    edge->ready = calloc(edge->definitions.count, sizeof(cairn__ready *));
    return edge->ready != NULL;
}

static bool open_folder(cairn__edge *edge) {
    char text[512];
    edge->folder.metrics = &edge->metrics;
    edge->folder.on_event = on_event;
    edge->folder.listen = &edge->live.wanted;
    edge->folder.self = edge;
    if (!cairn__folder_open(&edge->folder, &edge->config, text, sizeof text)) {
        cairn__folder_close(&edge->folder);
        cairn__logline("error", "state_not_opened", text);
        return false;
    }
    return true;
}

static bool listen_at(cairn__edge *edge, size_t which, const char *text) {
    struct sockaddr_storage address;
    bool good = cairn__config_address(text, &address);
    CAIRN_ASSERT(good); /* the configuration was checked */
    int code = cairn__server_listen(&edge->server, which, (const struct sockaddr *)&address);
    if (code != 0) {
        char why[256];
        (void)snprintf(why, sizeof why, "%s: %s: use another address or stop what holds it", text,
                       uv_strerror(code));
        cairn__logline("error", "not_listening", why);
        return false;
    }
    cairn__logline_number(which == 0 ? "listening_public" : "listening_admin", "port",
                          cairn__server_port(&edge->server, which));
    return true;
}

static bool start_threads(cairn__edge *edge) {
    int code = cairn__live_start(&edge->live, &edge->loop, cairn__edge_now_ms());
    code = code != 0 ? code : cairn__commit_start(&edge->commit, edge->writer, &edge->loop);
    code = code != 0 ? code : cairn__folder_start(&edge->folder, &edge->loop);
    code = code != 0 ? code : cairn__telling_start(&edge->telling, edge);
    if (code != 0) {
        cairn__logline("error", "threads_not_started", uv_strerror(code));
        return false;
    }
    on_position(edge);
    return true;
}

static void start_timers(cairn__edge *edge) {
    const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
    uv_timer_t *const timers[] = { &edge->second, &edge->minute, &edge->drain };
    for (size_t i = 0; i < 3; i++) {
        (void)uv_timer_init(&edge->loop, timers[i]);
        timers[i]->data = edge;
        (void)uv_signal_init(&edge->loop, &edge->signals[i]);
        edge->signals[i].data = edge;
        (void)uv_signal_start(&edge->signals[i], on_signal, numbers[i]);
    }
    (void)uv_timer_start(&edge->second, on_second, SECOND_MS, SECOND_MS);
    (void)uv_timer_start(&edge->minute, on_minute, MINUTE_MS, MINUTE_MS);
}

static bool open_all(cairn__edge *edge) {
    char text[512];
    if (!cairn__datadir_open(edge->config.data_dir, &edge->lock, text, sizeof text) ||
        !check_zones(edge, &edge->config, text, sizeof text)) {
        cairn__logline("error", "not_started", text);
        return false;
    }
    if (!open_definitions(edge)) {
        return false;
    }
    /* The state first: it says up to where the log must be whole. */
    if (!open_folder(edge)) {
        return false;
    }
    if (!open_log(edge)) {
        cairn__folder_close(&edge->folder);
        return false;
    }
    if (!cairn__folder_read(&edge->folder, text, sizeof text)) {
        cairn__logline("error", "state_not_opened", text);
        cairn__folder_close(&edge->folder);
        cairn__log_writer_close(edge->writer);
        return false;
    }
    return true;
}

static bool start_sandbox(cairn__edge *edge) {
    const cairn__config *c = &edge->config;
    const cairn__sandbox_options options = { .loop = &edge->loop,
                                             .children = (size_t)c->script_children,
                                             .queue_max = (size_t)c->script_queue_max,
                                             .wall_ms = (uint64_t)c->script_timeout_ms,
                                             .wait_ms = (uint64_t)c->script_wait_ms,
                                             .metrics = &edge->metrics };
    edge->sandbox = cairn__sandbox_start(&options);
    if (edge->sandbox == NULL) {
        cairn__logline("error", "not_started", "no memory for the sandbox of scripts");
    }
    return edge->sandbox != NULL;
}

static void run(cairn__edge *edge) {
    edge->failed = !start_sandbox(edge);
    if (edge->failed) {
        return;
    }
    cairn__server_init(&edge->server, &edge->loop);
    edge->server.metrics = &edge->metrics;
    edge->server.self = edge;
    edge->server.on_head = cairn__routes_on_head;
    edge->server.on_request = cairn__routes_on_request;
    edge->live.server = &edge->server;
    edge->live.metrics = &edge->metrics;
    edge->scratch = cairn__arena_make(cairn__heap(), CAIRN__CHECK_ARENA_BYTES_MAX);
    apply(edge);
    look_at_disk(edge);
    start_timers(edge);
    edge->failed = !start_threads(edge) || !listen_at(edge, 0, edge->config.public_listen) ||
                   !listen_at(edge, 1, edge->config.admin_listen);
    if (edge->failed) {
        finish(edge);
    } else {
        cairn__gauge(&edge->metrics.started_seconds, (uint64_t)cairn__edge_now_ms() / 1000);
        cairn__logline("info", "started", NULL);
    }
    (void)uv_run(&edge->loop, UV_RUN_DEFAULT);
    cairn__server_free(&edge->server);
    cairn__live_free(&edge->live);
    cairn__sandbox_free(edge->sandbox);
    cairn__arena_free(&edge->scratch);
}

int cairn__edge_main(const char *config_path) {
    cairn__config_problem problem;
    cairn__edge *edge = calloc(1, sizeof *edge);
    if (edge == NULL || uv_loop_init(&edge->loop) != 0) {
        cairn__logline("error", "not_started", "no memory");
        free(edge);
        return CAIRN__EXIT_FAILED;
    }
    int code = CAIRN__EXIT_CONFIG;
    edge->config_path = config_path;
    edge->lock = -1;
    if (cairn__config_load(config_path, environment, &edge->config, &problem) != CAIRN_OK) {
        cairn__logline("error", "configuration_refused", problem.text);
    } else {
        code = CAIRN__EXIT_FAILED;
        edge->first_config = edge->config;
        (void)cairn__zones_init(&edge->zones, edge->first_config.zoneinfo_dir);
        if (open_all(edge)) {
            run(edge);
            cairn__folder_close(&edge->folder);
            code = edge->failed ? CAIRN__EXIT_FAILED : CAIRN__EXIT_OK;
            cairn__logline("info", "ended", NULL);
        }
        for (size_t i = 0; edge->ready != NULL && i < edge->definitions.count; i++) {
            cairn__ready_release(edge->ready[i]);
        }
        free(edge->ready);
        cairn__definitions_close(&edge->definitions);
        cairn__zones_free(&edge->zones);
        if (edge->reloaded) {
            cairn__config_free(&edge->config);
        }
        cairn__config_free(&edge->first_config);
    }
    if (edge->lock >= 0) {
        (void)close(edge->lock);
    }
    (void)uv_loop_close(&edge->loop);
    free(edge);
    return code;
}

int cairn__edge_check(const char *config_path) {
    cairn__config config;
    cairn__config_problem problem;
    if (cairn__config_load(config_path, environment, &config, &problem) != CAIRN_OK) {
        (void)fprintf(stderr, "%s\n", problem.text);
        return CAIRN__EXIT_CONFIG;
    }
    cairn__config_free(&config);
    (void)printf("%s: good\n", config_path);
    return CAIRN__EXIT_OK;
}
