/* Goal: a slot that wants a ranking script says so and gives all that it needs; with its scores the
 * order is the script's, without them it is the default's, with the reason. Method: definitions as
 * operators write them, and the very engine of the server and of browsers. */
#include "fake_host.h"
#include "support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cairn/cairn_script.h"
#include "script/script.h"
#include "support/signed_bundle.h"
#include "world.h"

typedef struct fixture {
    world *w;
    fake_host *host;
    cairn_bundle_key key;
    cairn_options options;
    cairn_client *client;
    char text[1 << 16];
} fixture;

static void put(fixture *f, cairn__definition_kind kind, const char *name, const char *json) {
    if (world_put(f->w, kind, name, json) != CAIRN__CATALOG_DONE) {
        fail_msg("%s: %s", name, f->w->result.problem.fault.detail);
    }
    f->host->bundle_version = signed_bundle_make(f->w->catalog, &f->host->bundle);
}

static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_int_equal(world_open((void **)&f->w), 0);
    f->host = calloc(1, sizeof *f->host);
    fake_host_open(f->host, 1);
    f->key = signed_bundle_key();
    f->options = (cairn_options){ .project_key = CAIRN_STR("shop-key"),
                                  .platform = CAIRN_STR("test"),
                                  .decide = { .keys = &f->key, .key_count = 1 } };
    put(f, CAIRN__DEFINITION_SETTINGS, "settings",
        "{\"scripts\":{\"dearest\":\"function main(i) { return i.items.map(function (x) {"
        " return x.price * (i.person.vip ? 1 : -1); }); }\","
        "\"spare\":\"function main() { return []; }\"}}");
    put(f, CAIRN__DEFINITION_SLOT, "home",
        "{\"size\":2,\"items\":["
        "{\"id\":\"a\",\"properties\":{\"price\":1.25,\"id\":7}},"
        "{\"id\":\"b\",\"properties\":{\"price\":30,\"tags\":[\"x\",\"y\"],\"on\":true}},"
        "{\"id\":\"c\",\"properties\":{\"price\":2,\"at\":{\"time\":\"1970-01-01T00:00:01Z\"}}},"
        "{\"id\":\"d\",\"properties\":{\"price\":9},\"audience\":\"user.vip = false\"}],"
        "\"lists\":{\"all\":[\"a\",\"b\",\"c\",\"d\"]},\"default\":\"all\","
        "\"strategies\":[{\"name\":\"s\",\"recall\":[{\"list\":\"all\"}],\"script\":\"dearest\"}]"
        "}");
    put(f, CAIRN__DEFINITION_SLOT, "plain",
        "{\"items\":[{\"id\":\"a\",\"properties\":{\"price\":1.25,\"id\":7}}],"
        "\"lists\":{\"all\":[\"a\"]},\"default\":\"all\"}");
    f->client = fake_host_boot(f->host, &f->options);
    assert_non_null(f->client);
    fake_host_pass(f->host, f->client, 1000);
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    cairn_close(f->client);
    fake_host_close(f->host);
    assert_int_equal(world_close((void **)&f->w), 0);
    free(f->host);
    free(f);
    return 0;
}

static bool has(fixture *f, cairn_span span, const char *part) {
    assert_true(span.len < sizeof f->text);
    memcpy(f->text, span.data, span.len);
    f->text[span.len] = 0;
    return strstr(f->text, part) != NULL;
}

static void become_vip(fixture *f) {
    const cairn_property vip = { CAIRN_STR("vip"), { CAIRN_VALUE_BOOLEAN, { .boolean = true } } };
    const cairn_id ann = { CAIRN_STR("login"), CAIRN_STR("ann") };
    assert_int_equal(cairn_login(f->client, ann), CAIRN_OK);
    assert_int_equal(cairn_profile(f->client, CAIRN_PROFILE_SET, &vip, 1), CAIRN_OK);
}

static cairn_slot_script wanted(fixture *f) {
    cairn_slot_script script;
    assert_int_equal(cairn_slot_script_wanted(f->client, CAIRN_STR("home"), &script), CAIRN_OK);
    return script;
}

/* Numbers of "[1,2.5]". */
static size_t read_scores(cairn_span json, double scores[16]) {
    char text[512];
    assert_true(json.len < sizeof text);
    memcpy(text, json.data, json.len);
    text[json.len] = 0;
    size_t count = 0;
    for (char *at = text; *at != 0 && *at != ']' && count < 16;) {
        scores[count++] = strtod(at + 1, &at);
    }
    return count;
}

static void run(const cairn_slot_script *script, double scores[16]) {
    cairn__script_limits limits = cairn__script_default_limits();
    limits.steps_max = 1 << 20; /* nobody kills a test */
    cairn__script_engine *engine = cairn__script_open(cairn__heap(), limits);
    cairn__buffer out = cairn__buffer_make(cairn__heap(), 1 << 20);
    const cairn__script_job job = { .use = CAIRN__SCRIPT_RANK,
                                    .source = script->source,
                                    .input = script->input,
                                    .now_ms = script->now_ms,
                                    .seed = script->seed };
    assert_int_equal(cairn__script_run(engine, &job, &out), CAIRN__SCRIPT_OK);
    assert_int_equal(read_scores(cairn__buffer_span(&out), scores), script->item_count);
    cairn__buffer_free(&out);
    cairn__script_close(engine);
}

static void a_good_script_orders_the_slot(void **state) {
    fixture *f = *state;
    cairn_span answer;
    double scores[16];
    become_vip(f);
    assert_int_equal(cairn_slot(f->client, CAIRN_STR("home"), &answer), CAIRN_OK);
    assert_true(has(f, answer, "\"reason\":\"chosen\",\"script\":\"script_unavailable\""));
    assert_true(has(f, answer,
                    "\"strategy\":\"s\",\"wants_script\":\"dearest\",\"items\":["
                    "{\"id\":\"a\",\"position\":1"));
    cairn_slot_script script = wanted(f);
    assert_true(cairn__span_equal(script.name, CAIRN_STR("dearest")));
    run(&script, scores);
    const cairn_slot_ranking ranking = {
        .script = script.name, .items = script.items, .scores = scores, .count = script.item_count
    };
    assert_int_equal(cairn_slot_ranked(f->client, CAIRN_STR("home"), &ranking, &answer), CAIRN_OK);
    assert_false(has(f, answer, "script"));
    assert_true(has(f, answer, "\"items\":[{\"id\":\"b\",\"position\":1"));
    assert_true(has(f, answer, "{\"id\":\"c\",\"position\":2"));
}

static void its_input_has_what_rules_name_and_the_pool_with_its_properties(void **state) {
    fixture *f = *state;
    cairn_slot_script script = wanted(f);
    assert_true(has(f, script.input, "{\"person\":{},\"tags\":{},\"items\":["));
    become_vip(f);
    script = wanted(f);
    const char *all = "{\"person\":{\"vip\":true},\"tags\":{},\"items\":["
                      "{\"id\":\"a\",\"price\":1.25},"
                      "{\"id\":\"b\",\"on\":true,\"price\":30,\"tags\":[\"x\",\"y\"]},"
                      "{\"id\":\"c\",\"at\":1000,\"price\":2}]}";
    (void)has(f, script.input, all);
    assert_string_equal(f->text, all);
    assert_int_equal(script.item_count, 3); /* d is for others */
    assert_int_equal(script.now_ms, f->host->wall_ms);
}

static void a_lost_script_leaves_the_default_order_and_its_reason(void **state) {
    fixture *f = *state;
    cairn_span answer;
    cairn_slot_ranking ranking = { .script = CAIRN_STR("dearest"),
                                   .lost = CAIRN_STR("script_timeout") };
    become_vip(f);
    assert_int_equal(cairn_slot_ranked(f->client, CAIRN_STR("home"), &ranking, &answer), CAIRN_OK);
    assert_true(has(f, answer, "\"script\":\"script_timeout\""));
    assert_true(has(f, answer, "\"items\":[{\"id\":\"a\",\"position\":1"));
    assert_false(has(f, answer, "wants_script"));
    ranking.lost = CAIRN_STR("bored");
    assert_int_equal(cairn_slot_ranked(f->client, CAIRN_STR("home"), &ranking, &answer),
                     CAIRN_INVALID);
}

static void no_script_is_given_where_none_is_wanted(void **state) {
    fixture *f = *state;
    cairn_slot_script script;
    const cairn_consent_choice no = { .denied = CAIRN_CONSENT_PERSONALISATION };
    assert_int_equal(cairn_slot_script_wanted(f->client, CAIRN_STR("plain"), &script),
                     CAIRN_NOT_FOUND);
    assert_int_equal(cairn_slot_script_wanted(f->client, CAIRN_STR("none"), &script),
                     CAIRN_NOT_FOUND);
    assert_int_equal(cairn_consent(f->client, &no), CAIRN_OK);
    assert_int_equal(cairn_slot_script_wanted(f->client, CAIRN_STR("home"), &script),
                     CAIRN_NOT_FOUND);
}

/* Whoever ran the script took its time: the slot may have another script by now. */
static void scores_of_a_script_that_is_not_the_slots_any_more_do_not_count(void **state) {
    fixture *f = *state;
    cairn_span answer;
    const cairn_span ids[] = { CAIRN_STR("c"), CAIRN_STR("gone") };
    const double scores[] = { 9, 10 };
    cairn_slot_ranking ranking = {
        .script = CAIRN_STR("spare"), .items = ids, .scores = scores, .count = 2
    };
    become_vip(f);
    assert_int_equal(cairn_slot_ranked(f->client, CAIRN_STR("home"), &ranking, &answer), CAIRN_OK);
    assert_true(has(f, answer, "\"items\":[{\"id\":\"a\",\"position\":1"));
    assert_true(has(f, answer, "\"wants_script\":\"dearest\""));
    ranking.script = CAIRN_STR("dearest");
    assert_int_equal(cairn_slot_ranked(f->client, CAIRN_STR("home"), &ranking, &answer), CAIRN_OK);
    assert_true(has(f, answer, "\"items\":[{\"id\":\"c\",\"position\":1"));
}

#define WITH_FIXTURE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(a_good_script_orders_the_slot),
        WITH_FIXTURE(its_input_has_what_rules_name_and_the_pool_with_its_properties),
        WITH_FIXTURE(a_lost_script_leaves_the_default_order_and_its_reason),
        WITH_FIXTURE(no_script_is_given_where_none_is_wanted),
        WITH_FIXTURE(scores_of_a_script_that_is_not_the_slots_any_more_do_not_count),
    };
    return cmocka_run_group_tests_name("sdk/client/scripts", tests, NULL, NULL);
}
