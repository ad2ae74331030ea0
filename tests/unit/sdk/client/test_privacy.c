/* Goal: what a rule names never reaches the store or the server, and hashes are those that anybody
 * else computes.
 * Method: calls with a secret in every place where there can be one; the bytes of the disk and of
 * requests are searched for it. */
#include "fake_host.h"
#include "support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "client/client.h"

typedef struct fixture {
    fake_host host;
    cairn_options options;
    cairn_client *client;
} fixture;

#define SECRET "anna@example.com"
/* printf '%s' 'pepperanna@example.com' | sha256sum */
#define HASHED "299fd0d6813531a4c4e8a8e3e3aaba588e5cff2d85a70395d0464e442f8e415e"
#define RULE(text, what, where)                                                                    \
    {                                                                                              \
        { (const uint8_t *)(text), sizeof(text) - 1 }, what, where, {                              \
            NULL, 0                                                                                \
        }                                                                                          \
    }

static const cairn_privacy_rule rules[] = {
    RULE("secret", CAIRN_PRIVACY_DROP, CAIRN_PRIVACY_PROPERTIES),
    RULE("card_*", CAIRN_PRIVACY_DROP, CAIRN_PRIVACY_PROPERTIES),
    RULE("mail*", CAIRN_PRIVACY_HASH, CAIRN_PRIVACY_PROPERTIES),
    RULE("mail_plain", CAIRN_PRIVACY_DROP, CAIRN_PRIVACY_PROPERTIES),
    RULE("email", CAIRN_PRIVACY_HASH, CAIRN_PRIVACY_IDS),
    RULE("passport", CAIRN_PRIVACY_DROP, CAIRN_PRIVACY_IDS),
};

static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    fake_host_open(&f->host, 23);
    f->options = (cairn_options){ .project_key = CAIRN_STR("demo"),
                                  .flush_interval_ms = 1000,
                                  .privacy = { rules, sizeof rules / sizeof rules[0],
                                               CAIRN_STR("pepper") } };
    f->client = fake_host_boot(&f->host, &f->options);
    assert_non_null(f->client);
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    cairn_close(f->client);
    fake_host_close(&f->host);
    free(f);
    return 0;
}

static bool contains(const cairn__buffer *bytes, const char *text) {
    size_t len = strlen(text);
    for (size_t i = 0; i + len <= bytes->len; i++) {
        if (memcmp(bytes->data + i, text, len) == 0) {
            return true;
        }
    }
    return false;
}

/* How many places of the disk and the network hold it. */
static size_t seen(fixture *f, const char *text) {
    fake_host_commit(&f->host, f->client, true);
    f->host.mono_ms += 5000;
    (void)cairn_pump(f->client);
    size_t places = contains(&f->host.post, text);
    for (size_t i = 0; i < f->host.segment_count; i++) {
        places += contains(&f->host.segments[i].bytes, text);
    }
    return places + contains(&f->host.slots[0], text) + contains(&f->host.slots[1], text);
}

static cairn_property text(const char *name, cairn_span value) {
    return (cairn_property){ cairn__span_of(name), { CAIRN_VALUE_STRING, { .string = value } } };
}

static void dropped_properties_reach_nothing(void **state) {
    fixture *f = *state;
    const cairn_property properties[] = { text("secret", CAIRN_STR(SECRET)),
                                          text("card_number", CAIRN_STR(SECRET)),
                                          text("mail_plain", CAIRN_STR(SECRET)),
                                          text("kept", CAIRN_STR("visible")) };
    assert_int_equal(cairn_track(f->client, CAIRN_STR("e"), properties, 4), CAIRN_OK);
    assert_int_equal(cairn_register(f->client, properties, 4, false), CAIRN_OK);
    assert_int_equal(cairn_profile(f->client, CAIRN_PROFILE_SET, properties, 4), CAIRN_OK);
    assert_int_equal(cairn_profile(f->client, CAIRN_PROFILE_SET, properties, 3), CAIRN_DENIED);
    assert_int_equal(cairn_timer(f->client, CAIRN_STR("t"), CAIRN_TIMER_START), CAIRN_OK);
    assert_int_equal(cairn_timer_end(f->client, CAIRN_STR("t"), properties, 3), CAIRN_OK);
    assert_int_equal(seen(f, SECRET), 0);
    assert_int_equal(seen(f, "card_"), 0);
    assert_true(seen(f, "visible") > 0);
}

static void hashes_are_sha_256_of_salt_and_text(void **state) {
    fixture *f = *state;
    const cairn_property mail = text("mail", CAIRN_STR(SECRET));
    assert_int_equal(cairn_track(f->client, CAIRN_STR("e"), &mail, 1), CAIRN_OK);
    assert_int_equal(seen(f, SECRET), 0);
    assert_true(seen(f, HASHED) > 0);
}

static void ids_are_hashed_or_refused(void **state) {
    fixture *f = *state;
    const cairn_id mail = { CAIRN_STR("email"), CAIRN_STR(SECRET) };
    const cairn_id passport = { CAIRN_STR("passport"), CAIRN_STR(SECRET) };
    assert_int_equal(cairn_login(f->client, mail), CAIRN_OK);
    assert_int_equal(cairn_bind(f->client, mail), CAIRN_OK);
    assert_int_equal(cairn_login(f->client, passport), CAIRN_DENIED);
    assert_int_equal(cairn_bind(f->client, passport), CAIRN_DENIED);
    cairn_client_status status;
    cairn_get_status(f->client, &status);
    uint64_t last_seq = status.last_seq;
    assert_int_equal(cairn_login(f->client, mail), CAIRN_OK); /* the same: costs nothing */
    cairn_get_status(f->client, &status);
    assert_int_equal(status.last_seq, last_seq);
    assert_true(cairn__span_equal(status.login_id, CAIRN_STR(HASHED)));
    assert_int_equal(seen(f, SECRET), 0);
}

static void lists_and_integers_are_hashed_and_other_values_left_out(void **state) {
    fixture *f = *state;
    const cairn_span items[] = { CAIRN_STR(SECRET), CAIRN_STR("b") };
    const cairn_property properties[] = {
        { CAIRN_STR("mails"), { CAIRN_VALUE_LIST, { .list = { items, 2 } } } },
        { CAIRN_STR("mail_id"), { CAIRN_VALUE_INTEGER, { .integer = INT64_MIN } } },
        { CAIRN_STR("mail_rate"), { CAIRN_VALUE_NUMBER, { .number = 0.5 } } },
    };
    assert_int_equal(cairn_track(f->client, CAIRN_STR("e"), properties, 3), CAIRN_OK);
    assert_int_equal(seen(f, SECRET), 0);
    assert_true(seen(f, HASHED) > 0);
    assert_true(seen(f, "82c88bcd449266110ebd1f5e2446aaf1f3a51498db22ed1976dd580e08f5fe94") > 0);
    assert_int_equal(seen(f, "mail_rate"), 0);
}

static void a_bundle_adds_rules_and_reaches_super_properties(void **state) {
    fixture *f = *state;
    const cairn_property super[] = { text("city", CAIRN_STR(SECRET)),
                                     text("nick", CAIRN_STR("nickname")),
                                     text("mail", CAIRN_STR(SECRET)) };
    assert_int_equal(cairn_register(f->client, super, 3, false), CAIRN_OK);
    const cairn_privacy_rule later[] = {
        RULE("city", CAIRN_PRIVACY_DROP, CAIRN_PRIVACY_PROPERTIES),
        RULE("nick", CAIRN_PRIVACY_HASH, CAIRN_PRIVACY_PROPERTIES),
    };
    assert_int_equal(cairn__privacy_set(f->client, &(cairn_privacy_options){ later, 2, { 0 } }),
                     CAIRN_OK);
    fake_host_commit(&f->host, f->client, true);
    assert_int_equal(cairn_unregister(f->client, &(cairn_span){ (const uint8_t *)"x", 1 }, 1),
                     CAIRN_OK);
    assert_int_equal(cairn_register(f->client, NULL, 0, false), CAIRN_OK); /* over the other slot */
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    assert_int_equal(seen(f, SECRET), 0);
    assert_int_equal(seen(f, "nickname"), 0);
    assert_true(seen(f, HASHED) > 0); /* not hashed twice */
    assert_int_equal(cairn__privacy_set(f->client, &(cairn_privacy_options){ NULL, 0, { 0 } }),
                     CAIRN_OK);
    assert_int_equal(cairn_track(f->client, CAIRN_STR("e"), super, 1), CAIRN_OK);
    assert_true(seen(f, SECRET) > 0);
}

static void rules_beyond_their_limits_are_refused(void **state) {
    fixture *f = *state;
    static cairn_privacy_rule many[CAIRN__PRIVACY_RULES_MAX + 1];
    for (size_t i = 0; i < sizeof many / sizeof many[0]; i++) {
        many[i] = rules[0];
    }
    cairn_options options = f->options;
    cairn_client *client = NULL;
    options.privacy.rules = many;
    options.privacy.count = sizeof many / sizeof many[0];
    assert_int_equal(cairn_open(&options, &f->host.platform, &client), CAIRN_INVALID);
    options.privacy.count = 1;
    many[0].name.len = 0;
    assert_int_equal(cairn_open(&options, &f->host.platform, &client), CAIRN_INVALID);
    many[0] = rules[0];
    many[0].action = (cairn_privacy_action)7;
    assert_int_equal(cairn_open(&options, &f->host.platform, &client), CAIRN_INVALID);
    assert_null(client);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(dropped_properties_reach_nothing),
        TEST(hashes_are_sha_256_of_salt_and_text),
        TEST(ids_are_hashed_or_refused),
        TEST(lists_and_integers_are_hashed_and_other_values_left_out),
        TEST(a_bundle_adds_rules_and_reaches_super_properties),
        TEST(rules_beyond_their_limits_are_refused),
    };
    return cmocka_run_group_tests_name("sdk/client/privacy", tests, NULL, NULL);
}
