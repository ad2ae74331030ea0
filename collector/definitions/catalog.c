#include "definitions/catalog.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "bundle/read.h"

enum { FIRST_ROOM = 64, NAMES_ARENA_BYTES_MAX = 4 << 20 };

struct cairn__catalog {
    cairn__catalog_options options;
    cairn__arena arena;             /* of what the options say */
    cairn__definition_store *store; /* NULL: the disk failed, and fails still */
    cairn__definition **live;       /* by kind, then by name; the settings are always there */
    size_t count, room;
    cairn__buffer bundle; /* of `version` */
    uint64_t version;
};

/* --- the list of live ones -------------------------------------------------------------------- */

static int compare(cairn__definition_kind kind, cairn_span name, const cairn__definition *other) {
    return kind != other->kind ? (int)kind - (int)other->kind
                               : cairn__span_compare(name, other->name);
}

/* Where it is, or where it would be. */
static size_t place_of(const cairn__catalog *catalog, cairn__definition_kind kind, cairn_span name,
                       bool *found_out) {
    size_t low = 0;
    size_t high = catalog->count;
    *found_out = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(kind, name, catalog->live[middle]);
        if (order == 0) {
            *found_out = true;
            return middle;
        }
        low = order > 0 ? middle + 1 : low;
        high = order > 0 ? high : middle;
    }
    return low;
}

static bool make_room(cairn__catalog *catalog) {
    if (catalog->count < catalog->room) {
        return true;
    }
    size_t room = catalog->room == 0 ? FIRST_ROOM : catalog->room * 2;
    const cairn_allocator *allocator = &catalog->options.allocator;
    cairn__definition **more = allocator->resize(allocator->self, catalog->live,
                                                 catalog->room * sizeof(cairn__definition *),
                                                 room * sizeof(cairn__definition *));
    if (more == NULL) {
        return false;
    }
    catalog->live = more;
    catalog->room = room;
    return true;
}

static void insert(cairn__catalog *catalog, size_t place, cairn__definition *definition) {
    CAIRN_ASSERT(catalog->count < catalog->room);
    for (size_t i = catalog->count; i > place; i--) {
        catalog->live[i] = catalog->live[i - 1];
    }
    catalog->live[place] = definition;
    catalog->count++;
}

static void take_out(cairn__catalog *catalog, size_t place) {
    catalog->count--;
    for (size_t i = place; i < catalog->count; i++) {
        catalog->live[i] = catalog->live[i + 1];
    }
}

/* --- making the bundle ------------------------------------------------------------------------ */

/* What is written is read as a device reads it: a bundle that devices would refuse never leaves. */
static bool reads_back(cairn__catalog *catalog, cairn_span bytes,
                       cairn__definition_problem *problem) {
    cairn__arena arena =
        cairn__arena_make(catalog->options.allocator, CAIRN__BUNDLE_ARENA_BYTES_MAX);
    cairn__bundle read;
    cairn__bundle_fault fault = { 0 };
    cairn_status status = cairn__bundle_read(bytes, &arena, &read, &fault);
    cairn__arena_free(&arena);
    if (status != CAIRN_OK) {
        cairn__fault(&problem->fault, "bundle_refused", (cairn__fault_path){ { 0 } },
                     "devices would refuse the bundle: %s[%u].%s: %s",
                     fault.list == NULL ? "bundle" : fault.list, fault.index,
                     fault.field == NULL ? "" : fault.field,
                     fault.problem == NULL ? "too large" : fault.problem);
        cairn__fault_fix(&problem->fault, "make this definition smaller, or remove others");
    }
    return status == CAIRN_OK;
}

static bool write_bundle(cairn__catalog *catalog, const cairn__bundle *bundle, cairn__buffer *to,
                         cairn__definition_problem *problem) {
    if (cairn__bundle_write(bundle, to) != CAIRN_OK || to->failed) {
        cairn__fault(&problem->fault, "bundle_too_large", (cairn__fault_path){ { 0 } },
                     "all definitions together are larger than a bundle of %d bytes",
                     (int)CAIRN__BUNDLE_BYTES_MAX);
        return cairn__fault_fix(&problem->fault, "make contents smaller, or remove definitions");
    }
    return reads_back(catalog, cairn__buffer_span(to), problem);
}

/* The bundle of what is live now, as `version`. `changed` as in link.h. */
static cairn_status make_bundle(cairn__catalog *catalog, const cairn__definition *changed,
                                cairn__stored as, cairn__buffer *to,
                                cairn__definition_problem *problem) {
    cairn__arena arena = cairn__arena_make(catalog->options.allocator, CAIRN__LINK_ARENA_BYTES_MAX);
    cairn__buffer zones =
        cairn__buffer_make(catalog->options.allocator, CAIRN__BUNDLE_ZONES_BYTES_MAX);
    const cairn__link_source source = { .definitions = catalog->live,
                                        .count = catalog->count,
                                        .changed = changed,
                                        .project = catalog->options.project,
                                        .zone = catalog->options.zone,
                                        .zones = catalog->options.zones,
                                        .zone_table = &zones,
                                        .arena = &arena };
    cairn__bundle bundle;
    cairn_status status = cairn__definitions_link(&source, &bundle, problem);
    if (status == CAIRN_OK) {
        bundle.definitions.version = catalog->version + 1;
        bundle.made_ms = as.updated_ms;
        status = write_bundle(catalog, &bundle, to, problem) ? CAIRN_OK : CAIRN_INVALID;
    }
    cairn__buffer_free(&zones);
    cairn__arena_free(&arena);
    return status;
}

/* --- open ------------------------------------------------------------------------------------- */

static void left_out(const cairn__catalog *catalog, const cairn__stored *stored,
                     const cairn__definition_problem *problem) {
    char text[700];
    (void)snprintf(text, sizeof text, "%s %.*s: %s: %s; %s",
                   cairn__definition_kind_name(stored->kind), (int)stored->name.len,
                   (const char *)stored->name.data, problem->fault.field, problem->fault.detail,
                   problem->fault.fix);
    catalog->options.on_left_out(catalog->options.self, text);
}

static bool load_one(void *self, const cairn__stored *stored) {
    cairn__catalog *catalog = self;
    cairn__definition *definition = NULL;
    cairn__definition_problem problem;
    bool found;
    const cairn__definition_source source = { stored->kind, stored->name, stored->json,
                                              catalog->options.allocator };
    cairn_status status = cairn__definition_read(&source, &definition, &problem);
    if (status == CAIRN_INVALID) {
        left_out(catalog, stored, &problem);
        return true;
    }
    if (status != CAIRN_OK || !make_room(catalog)) {
        cairn__definition_free(definition);
        return false;
    }
    definition->version = stored->version;
    definition->updated_ms = stored->updated_ms;
    size_t place = place_of(catalog, stored->kind, stored->name, &found);
    if (found) { /* settings that somebody has put */
        cairn__definition_free(catalog->live[place]);
        catalog->live[place] = definition;
    } else {
        insert(catalog, place, definition);
    }
    return true;
}

static cairn_status load(cairn__catalog *catalog) {
    const cairn__stored settings = {
        .kind = CAIRN__DEFINITION_SETTINGS,
        .name = CAIRN_STR("settings"),
        .json = cairn__span_of(cairn__definition_default_settings),
    };
    cairn__stored as = { .kind = CAIRN__DEFINITION_SETTINGS };
    if (!load_one(catalog, &settings)) {
        return CAIRN_NO_MEMORY;
    }
    cairn_status status = cairn__definition_store_each(catalog->store, load_one, catalog);
    status = status == CAIRN_OK
                 ? cairn__definition_store_bundle_version(catalog->store, &catalog->version)
                 : status;
    status = status == CAIRN_OK ? cairn__definition_store_updated_ms(catalog->store, &as.updated_ms)
                                : status;
    if (status != CAIRN_OK || catalog->version == 0) {
        return status;
    }
    cairn__definition_problem problem;
    catalog->version--; /* the bundle on disk is made again, as it was */
    status = make_bundle(catalog, NULL, as, &catalog->bundle, &problem);
    catalog->version++;
    if (status == CAIRN_INVALID) {
        as.name = CAIRN_STR("and all others: there is no bundle");
        left_out(catalog, &as, &problem);
        cairn__buffer_clear(&catalog->bundle);
        return CAIRN_OK;
    }
    return status;
}

cairn_status cairn__catalog_open(const cairn__catalog_options *options,
                                 cairn__catalog **catalog_out, cairn__db_problem *problem_out) {
    *catalog_out = NULL;
    problem_out->text[0] = 0;
    cairn__catalog *catalog =
        options->allocator.resize(options->allocator.self, NULL, 0, sizeof *catalog);
    if (catalog == NULL) {
        return CAIRN_NO_MEMORY;
    }
    *catalog =
        (cairn__catalog){ .options = *options,
                          .arena = cairn__arena_make(options->allocator, NAMES_ARENA_BYTES_MAX),
                          .bundle =
                              cairn__buffer_make(options->allocator, CAIRN__BUNDLE_BYTES_MAX) };
    cairn_span path = cairn__span(options->path, strlen(options->path) + 1);
    bool copied = cairn__arena_copy(&catalog->arena, options->project, &catalog->options.project) &&
                  cairn__arena_copy(&catalog->arena, options->zone, &catalog->options.zone) &&
                  cairn__arena_copy(&catalog->arena, path, &path);
    catalog->options.path = (const char *)path.data;
    cairn_status status = copied ? cairn__definition_store_open(options->path, options->allocator,
                                                                &catalog->store, problem_out)
                                 : CAIRN_NO_MEMORY;
    status = status == CAIRN_OK ? load(catalog) : status;
    if (status != CAIRN_OK) {
        if (problem_out->text[0] == 0) {
            (void)snprintf(problem_out->text, sizeof problem_out->text, "%.200s: %s", options->path,
                           cairn_status_name(status));
        }
        cairn__catalog_close(catalog);
        return status;
    }
    *catalog_out = catalog;
    return CAIRN_OK;
}

void cairn__catalog_close(cairn__catalog *catalog) {
    if (catalog == NULL) {
        return;
    }
    for (size_t i = 0; i < catalog->count; i++) {
        cairn__definition_free(catalog->live[i]);
    }
    cairn__definition_store_close(catalog->store);
    cairn__buffer_free(&catalog->bundle);
    cairn__arena_free(&catalog->arena);
    const cairn_allocator allocator = catalog->options.allocator;
    allocator.resize(allocator.self, catalog->live, catalog->room * sizeof(cairn__definition *), 0);
    allocator.resize(allocator.self, catalog, sizeof *catalog, 0);
}

/* Read what is on the disk anew, and take its place. What is live stays where that fails. */
static bool revive(cairn__catalog *catalog) {
    cairn__catalog *fresh = NULL;
    cairn__db_problem problem;
    cairn__definition_store_close(catalog->store);
    catalog->store = NULL;
    if (cairn__catalog_open(&catalog->options, &fresh, &problem) != CAIRN_OK) {
        return false;
    }
    cairn__catalog old = *catalog;
    *catalog = *fresh;
    *fresh = old;
    cairn__catalog_close(fresh);
    return true;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* One change under way. */
typedef struct writing {
    cairn__catalog *catalog;
    const cairn__catalog_change *change;
    cairn__catalog_result *result;
    size_t place;              /* of the definition among the live ones */
    cairn__definition *before; /* NULL: there is none */
    cairn__definition *after;  /* NULL: it is removed */
    cairn__stored stored;      /* what is written */
    cairn__buffer bundle;
} writing;

static bool condition_holds(const writing *w) {
    const cairn__catalog_condition *condition = &w->change->condition;
    uint32_t version = w->before == NULL ? 0 : w->before->version;
    bool is_one = condition->version_count == 0;
    for (size_t i = 0; i < condition->version_count; i++) {
        is_one = is_one || (version != 0 && condition->versions[i] == version);
    }
    return is_one && (!condition->must_exist || version != 0) &&
           (!condition->must_be_new || version == 0);
}

/* The number of the next version: numbers go on after a removal. */
static cairn_status next_version(writing *w) {
    cairn__arena arena = cairn__arena_make(w->catalog->options.allocator, NAMES_ARENA_BYTES_MAX);
    cairn__stored newest = { 0 };
    cairn_status status = cairn__definition_store_newest(w->catalog->store, w->change->kind,
                                                         w->change->name, &arena, &newest);
    cairn__arena_free(&arena);
    w->stored.version = status == CAIRN_OK ? newest.version + 1 : 1;
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static cairn__catalog_outcome outcome_of(cairn_status status, const cairn__definition_problem *p) {
    static const char *const conflicts[] = { "in_use",   "circle",         "item_differs",
                                             "too_many", "too_many_facts", "bundle_too_large" };
    for (size_t i = 0; i < sizeof conflicts / sizeof conflicts[0]; i++) {
        if (status == CAIRN_INVALID && strcmp(p->fault.code, conflicts[i]) == 0) {
            return CAIRN__CATALOG_CONFLICT;
        }
    }
    return status == CAIRN_INVALID     ? CAIRN__CATALOG_REFUSED
           : status == CAIRN_NO_MEMORY ? CAIRN__CATALOG_NO_MEMORY
                                       : CAIRN__CATALOG_STORAGE;
}

/* The list as it will be; undone by put_back. */
static void put_in(writing *w) {
    if (w->after != NULL && w->before != NULL) {
        w->catalog->live[w->place] = w->after;
    } else if (w->after != NULL) {
        insert(w->catalog, w->place, w->after);
    } else {
        take_out(w->catalog, w->place);
    }
}

static void put_back(writing *w) {
    if (w->after != NULL && w->before != NULL) {
        w->catalog->live[w->place] = w->before;
    } else if (w->after != NULL) {
        take_out(w->catalog, w->place);
    } else {
        insert(w->catalog, w->place, w->before);
    }
}

static void accept(writing *w) {
    cairn__catalog *catalog = w->catalog;
    cairn__definition_free(w->before);
    w->after = NULL; /* the list's */
    cairn__buffer_free(&catalog->bundle);
    catalog->bundle = w->bundle;
    w->bundle = cairn__buffer_make(catalog->options.allocator, 0);
    catalog->version++;
    w->result->version = w->stored.removed ? 0 : w->stored.version;
}

static void commit(writing *w) {
    cairn__catalog *catalog = w->catalog;
    put_in(w);
    cairn_status status =
        make_bundle(catalog, w->after, w->stored, &w->bundle, &w->result->problem);
    bool keep = status == CAIRN_OK && !w->change->dry_run;
    if (keep) {
        status = cairn__definition_store_write(catalog->store, &w->stored, catalog->version + 1);
        keep = status == CAIRN_OK;
    }
    if (keep) {
        accept(w);
    } else {
        put_back(w);
    }
    w->result->outcome =
        status == CAIRN_OK ? CAIRN__CATALOG_DONE : outcome_of(status, &w->result->problem);
}

static void put(writing *w) {
    const cairn__catalog_change *change = w->change;
    const cairn__definition_source source = { change->kind, change->name, change->json,
                                              w->catalog->options.allocator };
    cairn_status status = cairn__definition_read(&source, &w->after, &w->result->problem);
    if (status != CAIRN_OK) {
        w->result->outcome = outcome_of(status, &w->result->problem);
        return;
    }
    if (w->result->version != 0 && cairn__span_equal(w->before->json, w->after->json)) {
        w->result->outcome = CAIRN__CATALOG_SAME;
        return;
    }
    status = make_room(w->catalog) ? next_version(w) : CAIRN_NO_MEMORY;
    if (status != CAIRN_OK) {
        w->result->outcome = outcome_of(status, &w->result->problem);
        return;
    }
    w->after->version = w->stored.version;
    w->after->updated_ms = change->now_ms;
    w->stored.json = w->after->json;
    commit(w);
}

static void take_away(writing *w) {
    cairn_status status = next_version(w);
    if (w->before == NULL || status != CAIRN_OK) {
        w->result->outcome =
            w->before == NULL ? CAIRN__CATALOG_NOT_FOUND : outcome_of(status, &w->result->problem);
        return;
    }
    commit(w);
}

static void write_change(cairn__catalog *catalog, const cairn__catalog_change *change,
                         cairn__catalog_result *result_out) {
    bool found;
    writing w = { .catalog = catalog,
                  .change = change,
                  .result = result_out,
                  .place = place_of(catalog, change->kind, change->name, &found),
                  .stored = { .kind = change->kind,
                              .name = change->name,
                              .removed = change->remove,
                              .updated_ms = change->now_ms },
                  .bundle =
                      cairn__buffer_make(catalog->options.allocator, CAIRN__BUNDLE_BYTES_MAX) };
    w.before = found ? catalog->live[w.place] : NULL;
    result_out->version = found ? w.before->version : 0;
    result_out->created = result_out->version == 0;
    if (!condition_holds(&w)) {
        result_out->outcome = CAIRN__CATALOG_CHANGED;
    } else if (change->remove) {
        take_away(&w);
    } else {
        put(&w);
    }
    cairn__definition_free(w.after);
    cairn__buffer_free(&w.bundle);
}

bool cairn__catalog_ready(cairn__catalog *catalog) {
    return catalog->store != NULL || revive(catalog);
}

void cairn__catalog_write(cairn__catalog *catalog, const cairn__catalog_change *change,
                          cairn__catalog_result *result_out) {
    CAIRN_ASSERT(!change->remove || change->kind != CAIRN__DEFINITION_SETTINGS);
    *result_out = (cairn__catalog_result){ .outcome = CAIRN__CATALOG_STORAGE };
    if (cairn__catalog_ready(catalog)) {
        write_change(catalog, change, result_out);
        if (result_out->outcome == CAIRN__CATALOG_STORAGE) {
            (void)revive(catalog); /* tried again with the next change */
        }
    }
    result_out->bundle_version = catalog->version;
}

/* --- reading ---------------------------------------------------------------------------------- */

const cairn__definition *cairn__catalog_find(const cairn__catalog *catalog,
                                             cairn__definition_kind kind, cairn_span name) {
    bool found;
    size_t place = place_of(catalog, kind, name, &found);
    return found ? catalog->live[place] : NULL;
}

cairn_status cairn__catalog_version(cairn__catalog *catalog, const cairn__stored *which,
                                    cairn__arena *arena, cairn__stored *stored_out) {
    return catalog->store == NULL
               ? CAIRN_STORAGE
               : cairn__definition_store_version(catalog->store, which, arena, stored_out);
}

size_t cairn__catalog_list(const cairn__catalog *catalog, cairn__definition_kind kind,
                           cairn_span after, cairn__definition *const **first_out) {
    bool found;
    size_t place = place_of(catalog, kind, after, &found);
    place += found ? 1 : 0;
    size_t end = place;
    while (end < catalog->count && catalog->live[end]->kind == kind) {
        end++;
    }
    *first_out = &catalog->live[place];
    return end - place;
}

cairn_span cairn__catalog_bundle(const cairn__catalog *catalog, uint64_t *version_out) {
    *version_out = catalog->bundle.len == 0 ? 0 : catalog->version;
    return cairn__buffer_span(&catalog->bundle);
}
