/* definition_fuzz.c: whatever the JSON, reading one definition ends with a problem that says
 * something, or with a definition; a good one, linked alone, gives a bundle that devices read, or a
 * problem again. The first byte chooses the kind. */
#include <jansson.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "bundle/read.h"
#include "definitions/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_zone(void *self, cairn_span name) {
    (void)self;
    return cairn__span_equal(name, CAIRN_STR("UTC"));
}

static cairn_status no_table(void *self, const cairn_span *names, size_t count, bool all,
                             cairn__buffer *to) {
    (void)self;
    (void)all;
    (void)names;
    (void)count;
    (void)to;
    return CAIRN_OK;
}

static void check_problem(const cairn__definition_problem *problem) {
    CAIRN_ASSERT(problem->fault.code[0] != 0 && problem->fault.detail[0] != 0 &&
                 problem->fault.fix[0] != 0);
    CAIRN_ASSERT(cairn__utf8_valid(cairn__span_of(problem->fault.field)));
    CAIRN_ASSERT(cairn__utf8_valid(cairn__span_of(problem->fault.detail)));
    CAIRN_ASSERT(cairn__utf8_valid(cairn__span_of(problem->fault.fix)));
}

/* The canonical text says the same thing, and is its own canonical text. */
static void check_canonical(const cairn__definition *definition) {
    cairn__definition *again = NULL;
    cairn__definition_problem problem;
    const cairn__definition_source source = { definition->kind, definition->name, definition->json,
                                              cairn__heap() };
    cairn_status status = cairn__definition_read(&source, &again, &problem);
    CAIRN_ASSERT(status == CAIRN_OK && cairn__span_equal(again->json, definition->json));
    cairn__definition_free(again);
}

static void check_bundle(cairn__bundle *bundle) {
    cairn__buffer bytes = cairn__buffer_make(cairn__heap(), CAIRN__BUNDLE_BYTES_MAX);
    cairn__arena arena = cairn__arena_make(cairn__heap(), CAIRN__BUNDLE_ARENA_BYTES_MAX);
    cairn__bundle read;
    cairn__bundle_fault fault = { 0 };
    bundle->definitions.version = 1;
    bundle->zone_name = (cairn_span){ NULL, 0 }; /* there is no table */
    if (cairn__bundle_write(bundle, &bytes) == CAIRN_OK) {
        cairn_status status = cairn__bundle_read(cairn__buffer_span(&bytes), &arena, &read, &fault);
        CAIRN_ASSERT(status == CAIRN_OK || status == CAIRN_NO_MEMORY);
    }
    cairn__arena_free(&arena);
    cairn__buffer_free(&bytes);
}

static void link_alone(cairn__definition *definition) {
    static const cairn__link_zones zones = { has_zone, no_table, NULL };
    cairn__definition_problem problem;
    cairn__definition *settings = NULL;
    const cairn__definition_source source = { CAIRN__DEFINITION_SETTINGS, CAIRN_STR("settings"),
                                              cairn__span_of(cairn__definition_default_settings),
                                              cairn__heap() };
    CAIRN_ASSERT(cairn__definition_read(&source, &settings, &problem) == CAIRN_OK);
    bool is_settings = definition->kind == CAIRN__DEFINITION_SETTINGS;
    cairn__definition *all[2] = { definition, settings };
    cairn__arena arena = cairn__arena_make(cairn__heap(), CAIRN__LINK_ARENA_BYTES_MAX);
    cairn__buffer table = cairn__buffer_make(cairn__heap(), CAIRN__BUNDLE_ZONES_BYTES_MAX);
    const cairn__link_source link = { .definitions = all,
                                      .count = is_settings ? 1 : 2,
                                      .changed = definition,
                                      .project = CAIRN_STR("key"),
                                      .zone = CAIRN_STR("UTC"),
                                      .zones = &zones,
                                      .zone_table = &table,
                                      .arena = &arena };
    cairn__bundle bundle;
    if (cairn__definitions_link(&link, &bundle, &problem) == CAIRN_OK) {
        check_bundle(&bundle);
    } else {
        check_problem(&problem);
    }
    cairn__buffer_free(&table);
    cairn__arena_free(&arena);
    cairn__definition_free(settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    const cairn__definition_source source = {
        (cairn__definition_kind)(data[0] % CAIRN__DEFINITION_KIND_COUNT), CAIRN_STR("it"),
        cairn__span(data + 1, size - 1), cairn__heap()
    };
    cairn__definition *definition = NULL;
    cairn__definition_problem problem;
    if (cairn__definition_read(&source, &definition, &problem) != CAIRN_OK) {
        check_problem(&problem);
        return 0;
    }
    check_canonical(definition);
    link_alone(definition);
    cairn__definition_free(definition);
    return 0;
}
