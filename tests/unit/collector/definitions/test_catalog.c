/* Goal: what was accepted is live, on the disk and in a bundle that devices read; what was refused
 * changed nothing; versions only go up.
 * Method: a catalogue on disk, opened again and again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "bundle/read.h"
#include "support/cmocka_all.h"
#include "world.h"

#define POPUP CAIRN__DEFINITION_POPUP
#define SLOT CAIRN__DEFINITION_SLOT
#define EXPERIMENT CAIRN__DEFINITION_EXPERIMENT
#define AUDIENCE CAIRN__DEFINITION_AUDIENCE
#define SETTINGS CAIRN__DEFINITION_SETTINGS

static const char popup[] = "{\"manual\": true, \"content\": {\"text\": \"Welcome\"}}";
static const char other_popup[] = "{\"manual\": true, \"content\": {\"text\": \"Hello\"}}";

static void assert_put(world *w, cairn__definition_kind kind, const char *name, const char *json) {
    cairn__catalog_outcome outcome = world_put(w, kind, name, json);
    if (outcome != CAIRN__CATALOG_DONE) {
        fail_msg("%s: %s: %s: %s", name, w->result.problem.fault.field,
                 w->result.problem.fault.detail, w->result.problem.fault.fix);
    }
}

static void assert_said(const world *w, const char *code, const char *detail) {
    assert_string_equal(w->result.problem.fault.code, code);
    assert_string_equal(w->result.problem.fault.detail, detail);
    assert_true(w->result.problem.fault.fix[0] != 0);
}

static cairn__bundle read_bundle(const world *w, cairn__arena *arena) {
    cairn__bundle bundle;
    cairn__bundle_fault fault = { 0 };
    uint64_t version;
    cairn_span bytes = cairn__catalog_bundle(w->catalog, &version);
    cairn_status status = cairn__bundle_read(bytes, arena, &bundle, &fault);
    if (status != CAIRN_OK) {
        fail_msg("%s[%u].%s: %s", fault.list, fault.index, fault.field, fault.problem);
    }
    assert_int_equal(bundle.definitions.version, version);
    return bundle;
}

static void versions_only_go_up(void **state) {
    world *w = *state;
    assert_put(w, POPUP, "welcome", popup);
    assert_true(w->result.created);
    assert_int_equal(w->result.version, 1);
    assert_int_equal(w->result.bundle_version, 1);
    assert_put(w, POPUP, "welcome", other_popup);
    assert_false(w->result.created);
    assert_int_equal(w->result.version, 2);
    assert_int_equal(world_remove(w, POPUP, "welcome"), CAIRN__CATALOG_DONE);
    assert_int_equal(w->result.version, 0);
    assert_int_equal(w->result.bundle_version, 3);
    assert_int_equal(world_remove(w, POPUP, "welcome"), CAIRN__CATALOG_NOT_FOUND);
    world_reopen(w);
    assert_put(w, POPUP, "welcome", popup); /* its numbers go on */
    assert_true(w->result.created);
    assert_int_equal(w->result.version, 4);
    assert_int_equal(w->result.bundle_version, 4);
}

static void the_same_again_is_no_new_version(void **state) {
    world *w = *state;
    assert_put(w, POPUP, "welcome", popup);
    assert_int_equal(
        world_put(w, POPUP, "welcome", "{ \"content\":{\"text\":\"Welcome\"},\n \"manual\":true}"),
        CAIRN__CATALOG_SAME);
    assert_int_equal(w->result.version, 1);
    assert_int_equal(w->result.bundle_version, 1);
}

static void conditions_are_kept(void **state) {
    world *w = *state;
    cairn__catalog_change change = { .kind = POPUP,
                                     .name = CAIRN_STR("welcome"),
                                     .json = cairn__span_of(popup) };
    change.condition = (cairn__catalog_condition){ .must_exist = true };
    assert_int_equal(world_change(w, change), CAIRN__CATALOG_CHANGED);
    change.condition = (cairn__catalog_condition){ .versions = { 1 }, .version_count = 1 };
    assert_int_equal(world_change(w, change), CAIRN__CATALOG_CHANGED);
    assert_int_equal(w->result.version, 0);
    change.condition = (cairn__catalog_condition){ .must_be_new = true };
    assert_int_equal(world_change(w, change), CAIRN__CATALOG_DONE);
    assert_int_equal(world_change(w, change), CAIRN__CATALOG_CHANGED);
    assert_int_equal(w->result.version, 1);
    change.json = cairn__span_of(other_popup);
    change.condition = (cairn__catalog_condition){ .versions = { 7, 2 }, .version_count = 2 };
    assert_int_equal(world_change(w, change), CAIRN__CATALOG_CHANGED);
    change.condition = (cairn__catalog_condition){ .versions = { 7, 1 }, .version_count = 2 };
    assert_int_equal(world_change(w, change), CAIRN__CATALOG_DONE);
    change.remove = true;
    assert_int_equal(world_change(w, change), CAIRN__CATALOG_CHANGED);
}

static void a_dry_run_changes_nothing(void **state) {
    world *w = *state;
    cairn__catalog_change change = {
        .kind = POPUP, .name = CAIRN_STR("welcome"), .json = cairn__span_of(popup), .dry_run = true
    };
    assert_int_equal(world_change(w, change), CAIRN__CATALOG_DONE);
    assert_int_equal(w->result.version, 0);
    assert_int_equal(w->result.bundle_version, 0);
    assert_null(cairn__catalog_find(w->catalog, POPUP, CAIRN_STR("welcome")));
    assert_put(w, POPUP, "welcome", popup);
    change.remove = true;
    assert_int_equal(world_change(w, change), CAIRN__CATALOG_DONE);
    assert_non_null(cairn__catalog_find(w->catalog, POPUP, CAIRN_STR("welcome")));
}

static void names_that_do_not_exist_are_refused(void **state) {
    world *w = *state;
    const struct {
        cairn__definition_kind kind;
        const char *json, *field, *detail;
    } cases[] = {
        { POPUP, "{\"manual\":true,\"content\":1,\"audience\":\"member(\\\"vip\\\")\"}", "audience",
          "there is no audience `vip`" },
        { POPUP, "{\"manual\":true,\"content\":1,\"groups\":[\"promo\"]}", "groups[0]",
          "there is no group `promo`" },
        { POPUP, "{\"manual\":true,\"content\":1,\"template\":\"my\"}", "template",
          "there is no template `my`" },
        { SLOT,
          "{\"items\":[{\"id\":\"a\"}],\"lists\":{\"l\":[\"a\"]},\"default\":\"l\",\"strategies\":"
          "[{\"name\":\"s\",\"recall\":[{\"list\":\"l\"}],\"script\":\"rank\"}]}",
          "strategies[0].script", "there is no script `rank`" },
        { EXPERIMENT, "{\"variants\":[{\"name\":\"a\"}],\"prerequisites\":[\"other\"]}",
          "prerequisites[0]", "there is no experiment `other`" },
        { EXPERIMENT, "{\"rules\":[{\"experiment\":\"other\",\"gate\":true}]}", "rules[0]",
          "there is no experiment `other`" },
        { AUDIENCE, "{\"rule\":\"not member(\\\"vip\\\")\"}", "rule",
          "there is no audience `vip`" },
        { SETTINGS, "{\"zone\":\"Asia/Shanghigh\"}", "zone",
          "there is no time zone `Asia/Shanghigh`" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *name = cases[i].kind == SETTINGS ? "settings" : "it";
        assert_int_equal(world_put(w, cases[i].kind, name, cases[i].json), CAIRN__CATALOG_REFUSED);
        assert_string_equal(w->result.problem.fault.field, cases[i].field);
        assert_string_equal(w->result.problem.fault.detail, cases[i].detail);
        assert_int_equal(w->result.bundle_version, 0);
    }
}

static void what_others_use_stays(void **state) {
    world *w = *state;
    assert_put(w, AUDIENCE, "vip", "{\"rule\":\"user.vip\"}");
    assert_put(w, SETTINGS, "settings", "{\"groups\":{\"promo\":{}}}");
    assert_put(w, POPUP, "welcome",
               "{\"manual\":true,\"content\":1,\"audience\":\"member(\\\"vip\\\")\","
               "\"groups\":[\"promo\"]}");
    assert_int_equal(world_remove(w, AUDIENCE, "vip"), CAIRN__CATALOG_CONFLICT);
    assert_said(w, "in_use", "audience `vip` is used by popup `welcome`");
    assert_put(w, AUDIENCE, "both", "{\"rule\":\"member(\\\"vip\\\") and user.new\"}");
    assert_int_equal(world_remove(w, AUDIENCE, "vip"), CAIRN__CATALOG_CONFLICT);
    assert_said(w, "in_use", "audience `vip` is used by popup `welcome`, audience `both`");
    assert_int_equal(world_put(w, SETTINGS, "settings", "{}"), CAIRN__CATALOG_CONFLICT);
    assert_said(w, "in_use", "group `promo` is used by popup `welcome`");
    assert_put(w, EXPERIMENT, "layout", "{\"variants\":[{\"name\":\"a\"},{\"name\":\"b\"}]}");
    assert_put(w, EXPERIMENT, "price",
               "{\"variants\":[{\"name\":\"x\"}],\"prerequisites\":"
               "[{\"experiment\":\"layout\",\"variant\":\"b\"}]}");
    assert_int_equal(world_put(w, EXPERIMENT, "layout", "{\"variants\":[{\"name\":\"a\"}]}"),
                     CAIRN__CATALOG_CONFLICT);
    assert_said(w, "in_use", "variant `b` of experiment `layout` is used by experiment `price`");
    assert_put(w, EXPERIMENT, "either", "{\"rules\":[\"price\",\"layout\"]}");
    assert_int_equal(world_remove(w, EXPERIMENT, "price"), CAIRN__CATALOG_CONFLICT);
    assert_said(w, "in_use", "experiment `price` is used by experiment `either`");
    assert_int_equal(world_put(w, EXPERIMENT, "price",
                               "{\"variants\":[{\"name\":\"x\"}],\"prerequisites\":"
                               "[{\"experiment\":\"either\",\"variant\":\"b\"}]}"),
                     CAIRN__CATALOG_REFUSED);
    assert_said(w, "unknown_name", "there is no variant `b` of experiment `either`");
    assert_int_equal(world_remove(w, EXPERIMENT, "either"), CAIRN__CATALOG_DONE);
    assert_int_equal(world_remove(w, EXPERIMENT, "price"), CAIRN__CATALOG_DONE);
    assert_int_equal(world_remove(w, POPUP, "welcome"), CAIRN__CATALOG_DONE);
    assert_int_equal(world_remove(w, AUDIENCE, "both"), CAIRN__CATALOG_DONE);
    assert_int_equal(world_remove(w, AUDIENCE, "vip"), CAIRN__CATALOG_DONE);
}

static void circles_are_shown(void **state) {
    world *w = *state;
    assert_put(w, AUDIENCE, "c", "{\"rule\":\"user.c\"}");
    assert_put(w, AUDIENCE, "b", "{\"rule\":\"member(\\\"c\\\")\"}");
    assert_put(w, AUDIENCE, "a", "{\"rule\":\"member(\\\"b\\\") or user.a\"}");
    assert_put(w, AUDIENCE, "before", "{\"rule\":\"member(\\\"a\\\")\"}");
    assert_int_equal(world_put(w, AUDIENCE, "c", "{\"rule\":\"not member(\\\"a\\\")\"}"),
                     CAIRN__CATALOG_CONFLICT);
    assert_said(w, "circle",
                "they need each other: member(\"c\") -> member(\"a\") -> member(\"b\") -> "
                "member(\"c\")");
    assert_int_equal(world_put(w, AUDIENCE, "c", "{\"rule\":\"member(\\\"c\\\")\"}"),
                     CAIRN__CATALOG_CONFLICT);
    assert_said(w, "circle", "they need each other: member(\"c\") -> member(\"c\")");
    assert_put(w, EXPERIMENT, "x", "{\"variants\":[{\"name\":\"a\"}]}");
    assert_put(w, EXPERIMENT, "y", "{\"variants\":[{\"name\":\"a\"}],\"prerequisites\":[\"x\"]}");
    assert_int_equal(world_put(w, EXPERIMENT, "x",
                               "{\"variants\":[{\"name\":\"a\"}],\"prerequisites\":[\"y\"]}"),
                     CAIRN__CATALOG_CONFLICT);
    assert_said(w, "circle", "they need each other: x -> y -> x");
    assert_put(w, EXPERIMENT, "z", "{\"rules\":[\"y\"]}");
    assert_int_equal(world_put(w, EXPERIMENT, "x",
                               "{\"variants\":[{\"name\":\"a\"}],\"prerequisites\":[\"z\"]}"),
                     CAIRN__CATALOG_CONFLICT);
    assert_said(w, "circle", "they need each other: x -> z -> y -> x");
    assert_int_equal(world_put(w, EXPERIMENT, "z", "{\"rules\":[\"y\",\"z\"]}"),
                     CAIRN__CATALOG_CONFLICT);
    assert_said(w, "circle", "they need each other: z -> z");
}

static void items_of_one_id_are_one_thing(void **state) {
    world *w = *state;
    assert_put(w, SLOT, "home",
               "{\"items\":[{\"id\":\"sku-1\",\"properties\":{\"price\":29.9}},{\"id\":\"sku-2\"}],"
               "\"lists\":{\"l\":[\"sku-1\"]},\"default\":\"l\"}");
    assert_put(w, SLOT, "cart",
               "{\"items\":[{\"id\":\"sku-3\"},{\"properties\":{\"price\":29.9},\"id\":\"sku-1\"}],"
               "\"lists\":{\"l\":[\"sku-1\",\"sku-3\"]},\"default\":\"l\","
               "\"related\":{\"sku-1\":[\"sku-3\"]}}");
    cairn__arena arena = cairn__arena_make(cairn__heap(), 16 << 20);
    cairn__bundle bundle = read_bundle(w, &arena);
    assert_int_equal(bundle.definitions.item_count, 3);
    assert_int_equal(bundle.definitions.list_count, 2);
    assert_int_equal(bundle.definitions.related_count, 1);
    cairn__arena_free(&arena);
    assert_int_equal(world_put(w, SLOT, "cart",
                               "{\"items\":[{\"id\":\"sku-1\",\"properties\":{\"price\":30}}],"
                               "\"lists\":{\"l\":[\"sku-1\"]},\"default\":\"l\"}"),
                     CAIRN__CATALOG_CONFLICT);
    assert_string_equal(w->result.problem.fault.field, "items");
    assert_said(w, "item_differs", "slot `home` says something else of item `sku-1`");
}

static void a_bundle_is_the_same_after_a_restart(void **state) {
    world *w = *state;
    uint64_t version = 0;
    assert_int_equal(cairn__catalog_bundle(w->catalog, &version).len, 0);
    assert_int_equal(version, 0);
    assert_put(w, AUDIENCE, "zero", "{\"rule\":\"count(purchase, last 7 days) >= 3\"}");
    assert_put(w, AUDIENCE, "another", "{\"rule\":\"member(\\\"zero\\\") and user.x > 1\"}");
    assert_put(w, POPUP, "welcome",
               "{\"triggers\":[\"view\"],\"content\":{\"price\":29.99},\"audience\":"
               "\"member(\\\"another\\\")\",\"caps\":[{\"at_most\":1,\"per\":\"7 days\"}]}");
    cairn_span bytes = cairn__catalog_bundle(w->catalog, &version);
    uint8_t *kept = malloc(bytes.len);
    assert_non_null(kept);
    memcpy(kept, bytes.data, bytes.len);
    world_reopen(w);
    uint64_t version_after = 0;
    cairn_span after = cairn__catalog_bundle(w->catalog, &version_after);
    assert_int_equal(version, 3);
    assert_int_equal(version_after, 3);
    assert_true(cairn__span_equal(after, cairn__span(kept, bytes.len)));
    free(kept);
    cairn__arena arena = cairn__arena_make(cairn__heap(), 16 << 20);
    cairn__bundle bundle = read_bundle(w, &arena);
    assert_true(cairn__span_equal(bundle.definitions.audiences[0].name, CAIRN_STR("zero")));
    assert_true(cairn__span_equal(bundle.definitions.popups[0].variants[0].content,
                                  CAIRN_STR("{\"price\":29.99}")));
    assert_int_equal(bundle.definitions.popups[0].version, 1);
    cairn__arena_free(&arena);
}

static void history_is_kept(void **state) {
    world *w = *state;
    cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 20);
    cairn__stored stored;
    char json[64];
    for (int i = 1; i <= CAIRN__STORE_VERSIONS_KEPT + 5; i++) {
        (void)snprintf(json, sizeof json, "{\"manual\":true,\"content\":%d}", i);
        assert_put(w, POPUP, "welcome", json);
    }
    const cairn__stored newest = { .kind = POPUP, .name = CAIRN_STR("welcome"), .version = 6 };
    assert_int_equal(cairn__catalog_version(w->catalog, &newest, &arena, &stored), CAIRN_OK);
    assert_true(cairn__span_equal(stored.json, CAIRN_STR("{\"content\":6,\"manual\":true}")));
    const cairn__stored old = { .kind = POPUP, .name = CAIRN_STR("welcome"), .version = 5 };
    assert_int_equal(cairn__catalog_version(w->catalog, &old, &arena, &stored), CAIRN_NOT_FOUND);
    cairn__arena_free(&arena);
}

static void what_cannot_be_read_any_more_is_left_out_and_told(void **state) {
    world *w = *state;
    assert_put(w, POPUP, "welcome", popup);
    assert_put(w, POPUP, "other", other_popup);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "UPDATE definition SET json='{\"manuel\":true}' "
                                  "WHERE name='other'",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    world_reopen(w);
    assert_string_equal(w->left_out, "popup other: manuel: `manuel` is not a key here; did you "
                                     "mean `manual`?");
    assert_null(cairn__catalog_find(w->catalog, POPUP, CAIRN_STR("other")));
    cairn__arena arena = cairn__arena_make(cairn__heap(), 16 << 20);
    assert_int_equal(read_bundle(w, &arena).definitions.popup_count, 1);
    cairn__arena_free(&arena);
    assert_put(w, POPUP, "other", other_popup);
    assert_int_equal(w->result.version, 2);
}

static void lists_are_by_name_and_go_on(void **state) {
    world *w = *state;
    cairn__definition *const *first;
    assert_put(w, POPUP, "b", popup);
    assert_put(w, POPUP, "a", popup);
    assert_put(w, AUDIENCE, "x", "{\"rule\":\"user.x\"}");
    assert_int_equal(cairn__catalog_list(w->catalog, POPUP, CAIRN_STR(""), &first), 2);
    assert_true(cairn__span_equal(first[0]->name, CAIRN_STR("a")));
    assert_int_equal(cairn__catalog_list(w->catalog, POPUP, CAIRN_STR("a"), &first), 1);
    assert_true(cairn__span_equal(first[0]->name, CAIRN_STR("b")));
    assert_int_equal(cairn__catalog_list(w->catalog, POPUP, CAIRN_STR("b"), &first), 0);
    assert_int_equal(cairn__catalog_list(w->catalog, SLOT, CAIRN_STR(""), &first), 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(versions_only_go_up),
        TEST(the_same_again_is_no_new_version),
        TEST(conditions_are_kept),
        TEST(a_dry_run_changes_nothing),
        TEST(names_that_do_not_exist_are_refused),
        TEST(what_others_use_stays),
        TEST(circles_are_shown),
        TEST(items_of_one_id_are_one_thing),
        TEST(a_bundle_is_the_same_after_a_restart),
        TEST(history_is_kept),
        TEST(what_cannot_be_read_any_more_is_left_out_and_told),
        TEST(lists_are_by_name_and_go_on),
    };
    return cmocka_run_group_tests_name("collector/definitions/catalog", tests, NULL, NULL);
}
