/* Goal: the examples of docs/DEFINITIONS.md are right, and so are those of the example shop.
 * Method: every ```json KIND/NAME block is put in its order; then devices can read the bundle. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "bundle/envelope.h"
#include "bundle/read.h"
#include "bundle/sign.h"
#include "support/cmocka_all.h"
#include "world.h"

enum { PAGE_BYTES_MAX = 128 * 1024, BLOCKS_LEAST = 10 };

static const char *const folders[] = { "popups", "slots", "experiments", "audiences", "decisions" };

static cairn__definition_kind kind_of(const char *folder, size_t len) {
    for (int i = 0; i < CAIRN__DEFINITION_KIND_COUNT; i++) {
        if (strlen(folders[i]) == len && strncmp(folder, folders[i], len) == 0) {
            return (cairn__definition_kind)i;
        }
    }
    fail_msg("no kind: %.*s", (int)len, folder);
    return CAIRN__DEFINITION_POPUP;
}

static char *read_page(void) {
    char path[1024];
    const char *root = getenv("CAIRN_ROOT");
    (void)snprintf(path, sizeof path, "%s/docs/DEFINITIONS.md", root == NULL ? "." : root);
    FILE *file = fopen(path, "r");
    char *page = calloc(1, PAGE_BYTES_MAX);
    assert_non_null(file);
    assert_non_null(page);
    assert_true(fread(page, 1, PAGE_BYTES_MAX - 1, file) > 0);
    (void)fclose(file);
    return page;
}

static void put_block(world *w, const char *head, const char *json, size_t json_bytes) {
    const char *slash = strchr(head, '/');
    const char *end = strchr(head, '\n');
    const cairn__catalog_change change = {
        .kind = kind_of(head, (size_t)(slash - head)),
        .name = cairn__span(slash + 1, (size_t)(end - slash - 1)),
        .json = cairn__span(json, json_bytes),
    };
    if (world_change(w, change) != CAIRN__CATALOG_DONE) {
        fail_msg("%.*s: %s: %s; %s\n%s", (int)(end - head), head, w->result.problem.fault.field,
                 w->result.problem.fault.detail, w->result.problem.fault.fix,
                 w->result.problem.rule_shown);
    }
}

static void check_moved_in(const cairn__definitions *all) {
    bool found = false;
    for (size_t i = 0; i < all->experiment_count; i++) {
        const cairn__experiment *one = &all->experiments[i].experiment;
        if (cairn__span_equal(all->experiments[i].name, CAIRN_STR("moved-in"))) {
            found = one->version == CAIRN__ASSIGN_V3 && one->murmur.seed == 86028157 &&
                    one->murmur.steps == 3;
        }
    }
    assert_true(found);
}

/* The flag of the examples names what the page says, in that order. */
static void check_flag(const cairn__definitions *all) {
    for (size_t i = 0; i < all->experiment_count; i++) {
        const cairn__experiment_entry *flag = &all->experiments[i];
        if (!cairn__span_equal(flag->name, CAIRN_STR("checkout-flow"))) {
            continue;
        }
        assert_int_equal(flag->rule_count, 2);
        assert_true(cairn__span_equal(all->experiments[flag->rules[0].experiment].name,
                                      CAIRN_STR("new-checkout-beta")));
        assert_true(cairn__span_equal(all->experiments[flag->rules[1].experiment].name,
                                      CAIRN_STR("new-checkout-rollout")));
        assert_false(flag->rules[0].gate);
        assert_true(flag->rules[1].gate);
        assert_true(cairn__span_equal(flag->fallback, CAIRN_STR("false")));
        return;
    }
    fail_msg("no flag with rules in the examples");
}

static void assert_json(cairn_span text) {
    json_error_t error;
    json_t *json = json_loadb((const char *)text.data, text.len, JSON_DECODE_ANY, &error);
    if (json == NULL) {
        fail_msg("%s: %.*s", error.text, (int)text.len, (const char *)text.data);
    }
    json_decref(json);
}

/* Devices hand contents on as they are, and look for scripts by name: both must be right here. */
static void check_contents(const cairn__bundle *bundle) {
    const cairn__definitions *all = &bundle->definitions;
    for (size_t i = 0; i < all->popup_count; i++) {
        for (size_t k = 0; k < all->popups[i].variant_count; k++) {
            assert_json(all->popups[i].variants[k].content);
        }
    }
    for (size_t i = 0; i < all->item_count; i++) {
        assert_json(all->items[i].content);
    }
    for (size_t i = 0; i < all->experiment_count; i++) {
        const cairn__experiment_entry *entry = &all->experiments[i];
        assert_json(entry->fallback);
        for (size_t k = 0; k < entry->experiment.variant_count; k++) {
            assert_json(entry->variants[k].content);
        }
    }
}

static void check_scripts(const cairn__bundle *bundle) {
    const cairn__definitions *all = &bundle->definitions;
    size_t found = 0;
    size_t named = 0;
    for (size_t i = 0; i < all->slot_count; i++) {
        for (size_t k = 0; k < all->slots[i].strategy_count; k++) {
            cairn_span script = all->slots[i].strategies[k].script;
            named += script.len > 0;
            for (size_t n = 0; n < bundle->script_count; n++) {
                found += cairn__span_equal(script, bundle->scripts[n].name);
            }
        }
    }
    assert_int_equal(found, named);
    assert_true(named > 0);
}

/* Signed, a device of the project believes it, and none of another. */
static void check_signed(cairn_span bundle) {
    cairn__signing_key key;
    uint8_t signature[CAIRN__SIGNATURE_BYTES];
    uint8_t seed[48] = { 7 };
    cairn_span inside;
    cairn__buffer message = cairn__buffer_make(cairn__heap(), CAIRN__BUNDLE_BYTES_MAX);
    assert_int_equal(cairn__signing_key_make(cairn__span(seed, sizeof seed), &key), CAIRN_OK);
    assert_int_equal(cairn__sign(&key, bundle, signature), CAIRN_OK);
    assert_int_equal(cairn__bundle_envelope_write(bundle, CAIRN_STR("k"), signature, &message),
                     CAIRN_OK);
    cairn__public_key known = { .id = CAIRN_STR("k") };
    memcpy(known.bytes, key.public_key, sizeof known.bytes);
    cairn__bundle_trust trust = { .keys = &known,
                                  .key_count = 1,
                                  .project = CAIRN_STR("shop-key") };
    assert_int_equal(cairn__bundle_judge(cairn__buffer_span(&message), &trust, &inside),
                     CAIRN__BUNDLE_NEW);
    assert_true(cairn__span_equal(inside, bundle));
    trust.project = CAIRN_STR("other-key");
    assert_int_equal(cairn__bundle_judge(cairn__buffer_span(&message), &trust, &inside),
                     CAIRN__BUNDLE_OTHER_PROJECT);
    cairn__buffer_free(&message);
}

static void every_example_is_accepted_and_read_by_devices(void **state) {
    world *w = *state;
    static const char fence[] = "```json ";
    char *page = read_page();
    size_t blocks = 0;
    for (char *at = strstr(page, fence); at != NULL; at = strstr(at, fence)) {
        const char *head = at + strlen(fence);
        char *json = strchr(head, '\n') + 1;
        char *end = strstr(json, "\n```");
        assert_non_null(end);
        put_block(w, head, json, (size_t)(end - json));
        at = end + 4;
        blocks++;
    }
    free(page);
    assert_true(blocks >= BLOCKS_LEAST);
    uint64_t version;
    cairn__bundle bundle;
    cairn__bundle_fault fault = { 0 };
    cairn__arena arena = cairn__arena_make(cairn__heap(), CAIRN__BUNDLE_ARENA_BYTES_MAX);
    cairn_span bytes = cairn__catalog_bundle(w->catalog, &version);
    assert_int_equal(version, blocks);
    assert_int_equal(cairn__bundle_read(bytes, &arena, &bundle, &fault), CAIRN_OK);
    assert_int_equal(bundle.definitions.popup_count, 2);
    assert_int_equal(bundle.definitions.audience_count, 4);
    assert_int_equal(bundle.consent_default_count, 2);
    check_moved_in(&bundle.definitions);
    check_flag(&bundle.definitions);
    check_contents(&bundle);
    check_scripts(&bundle);
    cairn__arena_free(&arena);
    check_signed(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_example_is_accepted_and_read_by_devices, world_open,
                                        world_close),
    };
    return cmocka_run_group_tests_name("collector/definitions/docs", tests, NULL, NULL);
}
