/* Goal: both directions of the envelope agree, texts that repeat travel once, limits are named.
 * Method: batches written by the device's side and read by the server's, and the other way round.
 */
#include "support/cmocka_all.h"

#include <string.h>

#include "base/bytes.h"
#include "model/limits.h"
#include "model/sync.h"

enum { EVENTS = 50 };

typedef struct fixture {
    cairn__arena arena;
    cairn__buffer events;
    cairn__buffer body;
    cairn__buffer other;
    cairn_span spans[CAIRN__BATCH_EVENTS_MAX + 1];
    cairn_id ids[1];
    cairn__sync_head head;
} fixture;

static int open_fixture(void **state) {
    static fixture f;
    memset(&f, 0, sizeof f);
    f.arena = cairn__arena_make(cairn__heap(), 1 << 22);
    f.events = cairn__buffer_make(cairn__heap(), 1 << 22);
    f.body = cairn__buffer_make(cairn__heap(), 1 << 22);
    f.other = cairn__buffer_make(cairn__heap(), 1 << 22);
    f.ids[0] = (cairn_id){ CAIRN_STR("login"), CAIRN_STR("u1") };
    f.head = (cairn__sync_head){ .project_key = CAIRN_STR("key"),
                                 .device_id = { 1, 2, 3 },
                                 .sdk_name = CAIRN_STR("cairn-sdk"),
                                 .sdk_version = CAIRN_STR("1.0"),
                                 .platform = CAIRN_STR("linux"),
                                 .sent_ms = 1790000000000,
                                 .ids = f.ids,
                                 .id_count = 1,
                                 .consent = 1,
                                 .bundle_version = 7,
                                 .facts_version = 8,
                                 .capabilities = CAIRN__CAPABILITY_DECIDES };
    *state = &f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    cairn__arena_free(&f->arena);
    cairn__buffer_free(&f->events);
    cairn__buffer_free(&f->body);
    cairn__buffer_free(&f->other);
    return 0;
}

static void write_events(fixture *f, size_t count) {
    static const char *const pages[] = { "home", "shop", "basket" };
    size_t ends[CAIRN__BATCH_EVENTS_MAX + 1];
    for (size_t i = 0; i < count; i++) {
        cairn_property properties[] = {
            { CAIRN_STR("page"),
              { CAIRN_VALUE_STRING, { .string = cairn__span_of(pages[i % 3]) } } },
            { CAIRN_STR("number"), { CAIRN_VALUE_INTEGER, { .integer = (int64_t)i } } },
            { CAIRN_STR("empty"), { CAIRN_VALUE_STRING, { .string = CAIRN_STR("") } } },
        };
        cairn__event event = { .seq = i + 1,
                               .name = CAIRN_STR("view"),
                               .time_ms = 1790000000000 + (int64_t)i,
                               .properties = properties,
                               .property_count = 3 };
        cairn__event_encode(&f->events, &event);
        ends[i] = f->events.len;
    }
    for (size_t i = 0, from = 0; i < count; from = ends[i], i++) {
        f->spans[i] = (cairn_span){ f->events.data + from, ends[i] - from };
    }
}

static cairn_status encode(fixture *f, size_t count) {
    return cairn__sync_request_encode(&f->head, f->spans, count, &f->arena, &f->body);
}

static cairn_status decode(fixture *f, cairn__sync_request *out, cairn__sync_fault *fault) {
    return cairn__sync_request_decode(cairn__buffer_span(&f->body), &f->arena, out, fault);
}

static void check_event(fixture *f, cairn_span message, const cairn__dictionary *dictionary,
                        cairn_span original) {
    cairn__event event;
    cairn__event_fault fault;
    assert_int_equal(cairn__event_decode(message, dictionary, &f->arena, &event, &fault), CAIRN_OK);
    cairn__buffer_clear(&f->other);
    cairn__event_encode(&f->other, &event);
    assert_true(cairn__span_equal(cairn__buffer_span(&f->other), original));
}

static void the_server_reads_what_the_device_wrote(void **state) {
    fixture *f = *state;
    cairn__sync_request request;
    cairn__sync_fault fault;
    write_events(f, EVENTS);

    assert_int_equal(encode(f, EVENTS), CAIRN_OK);
    assert_int_equal(decode(f, &request, &fault), CAIRN_OK);

    assert_null(fault.problem);
    assert_true(cairn__span_equal(request.head.project_key, CAIRN_STR("key")));
    assert_memory_equal(request.head.device_id, f->head.device_id, 16);
    assert_true(cairn__span_equal(request.head.sdk_version, CAIRN_STR("1.0")));
    assert_true(cairn__span_equal(request.head.platform, CAIRN_STR("linux")));
    assert_int_equal(request.head.sent_ms, 1790000000000);
    assert_int_equal(request.head.consent, 1);
    assert_int_equal(request.head.bundle_version, 7);
    assert_int_equal(request.head.facts_version, 8);
    assert_int_equal(request.head.capabilities, CAIRN__CAPABILITY_DECIDES);
    assert_int_equal(request.head.id_count, 1);
    assert_true(cairn__span_equal(request.head.ids[0].value, CAIRN_STR("u1")));
    assert_int_equal(request.event_count, EVENTS);
    for (size_t i = 0; i < EVENTS; i++) {
        check_event(f, request.events[i], &request.dictionary, f->spans[i]);
    }
}

static void texts_that_repeat_travel_once(void **state) {
    fixture *f = *state;
    cairn__sync_request request;
    cairn__sync_fault fault;
    write_events(f, EVENTS);
    assert_int_equal(encode(f, EVENTS), CAIRN_OK);
    assert_int_equal(decode(f, &request, &fault), CAIRN_OK);
    assert_int_equal(request.dictionary.count, 7); /* view, three names, three pages */
    assert_true(f->body.len < f->events.len * 2 / 3);
}

static void an_event_alone_needs_no_dictionary(void **state) {
    fixture *f = *state;
    cairn__sync_request request;
    cairn__sync_fault fault;
    write_events(f, 1);
    assert_int_equal(encode(f, 1), CAIRN_OK);
    assert_int_equal(decode(f, &request, &fault), CAIRN_OK);
    assert_int_equal(request.dictionary.count, 0);
    check_event(f, request.events[0], &request.dictionary, f->spans[0]);
}

static void a_damaged_event_is_not_sent(void **state) {
    fixture *f = *state;
    write_events(f, 2);
    f->spans[1].len -= 1;
    assert_int_equal(encode(f, 2), CAIRN_INVALID);
}

static void little_memory_is_told(void **state) {
    fixture *f = *state;
    write_events(f, 2);
    cairn__arena none = cairn__arena_make(cairn__heap(), 1024);
    assert_int_equal(cairn__sync_request_encode(&f->head, f->spans, 2, &none, &f->body),
                     CAIRN_NO_MEMORY);
    cairn__arena_free(&none);
    cairn__buffer small = cairn__buffer_make(cairn__heap(), 20);
    assert_int_equal(cairn__sync_request_encode(&f->head, f->spans, 2, &f->arena, &small),
                     CAIRN_NO_MEMORY);
    cairn__buffer_free(&small);
}

static void expect_fault(fixture *f, const char *field) {
    cairn__sync_request request;
    cairn__sync_fault fault;
    assert_int_equal(decode(f, &request, &fault), CAIRN_INVALID);
    assert_string_equal(fault.field, field);
    assert_true(strlen(fault.problem) > 10);
}

static void a_head_without_a_key_or_a_device_is_refused_by_name(void **state) {
    fixture *f = *state;
    f->head.project_key.len = 0;
    assert_int_equal(encode(f, 0), CAIRN_OK);
    expect_fault(f, "project_key");
    cairn__buffer_clear(&f->body);
    f->head.project_key = CAIRN_STR("key");
    memset(f->head.device_id, 0, sizeof f->head.device_id);
    assert_int_equal(encode(f, 0), CAIRN_OK);
    expect_fault(f, "device_id");
    cairn__buffer_clear(&f->body);
    cairn__buffer_append(&f->body, CAIRN_STR("\x0A\x01k\x12\x03zzz"));
    expect_fault(f, "device_id");
    cairn__buffer_clear(&f->body);
    cairn__buffer_append(&f->body, CAIRN_STR("{\"json\": 1}"));
    expect_fault(f, "body");
}

static void long_heads_are_refused_by_name(void **state) {
    fixture *f = *state;
    f->head.sdk_name = CAIRN_STR("a name that is longer than 32 byte");
    assert_int_equal(encode(f, 0), CAIRN_OK);
    expect_fault(f, "sdk_name");
    cairn__buffer_clear(&f->body);
    f->head.sdk_name = CAIRN_STR("ok");
    f->ids[0].type = CAIRN_STR("a type of an id of more than 32 by");
    assert_int_equal(encode(f, 0), CAIRN_OK);
    expect_fault(f, "ids");
}

static void more_events_than_a_request_carries_are_refused(void **state) {
    fixture *f = *state;
    write_events(f, CAIRN__BATCH_EVENTS_MAX + 1);
    assert_int_equal(encode(f, CAIRN__BATCH_EVENTS_MAX + 1), CAIRN_OK);
    expect_fault(f, "events");
    cairn__buffer_clear(&f->body);
    assert_int_equal(encode(f, CAIRN__BATCH_EVENTS_MAX), CAIRN_OK);
    cairn__sync_request request;
    cairn__sync_fault fault;
    assert_int_equal(decode(f, &request, &fault), CAIRN_OK);
    assert_int_equal(request.event_count, CAIRN__BATCH_EVENTS_MAX);
}

static void every_beginning_of_a_request_is_survived(void **state) {
    fixture *f = *state;
    write_events(f, 3);
    assert_int_equal(encode(f, 3), CAIRN_OK);
    size_t whole = f->body.len;
    for (f->body.len = 0; f->body.len < whole; f->body.len++) {
        cairn__sync_request request;
        cairn__sync_fault fault;
        cairn_status status = decode(f, &request, &fault);
        assert_true((status == CAIRN_OK) == (fault.problem == NULL));
    }
}

static void the_device_reads_what_the_server_wrote(void **state) {
    fixture *f = *state;
    const cairn__sync_rejected rejected[] = { { 3, CAIRN_STR("text_too_long: shorten") },
                                              { 900, CAIRN_STR("") } };
    cairn__sync_response wrote = { .acked_seq = 1000,
                                   .rejected = rejected,
                                   .rejected_count = 2,
                                   .server_ms = 1790000000001,
                                   .bundle = CAIRN_STR("bundle"),
                                   .bundle_version = 2,
                                   .facts = CAIRN_STR("facts"),
                                   .facts_version = 3,
                                   .next_sync_ms = 4,
                                   .retry_after_ms = 5,
                                   .new_device_id = true };
    cairn__sync_response read;
    cairn__sync_response_encode(&wrote, &f->body);

    assert_int_equal(cairn__sync_response_decode(cairn__buffer_span(&f->body), &f->arena, &read),
                     CAIRN_OK);

    assert_int_equal(read.acked_seq, 1000);
    assert_int_equal(read.rejected_count, 2);
    assert_int_equal(read.rejected[0].seq, 3);
    assert_true(cairn__span_equal(read.rejected[0].reason, rejected[0].reason));
    assert_int_equal(read.rejected[1].seq, 900);
    assert_int_equal(read.server_ms, wrote.server_ms);
    assert_true(cairn__span_equal(read.bundle, wrote.bundle));
    assert_true(cairn__span_equal(read.facts, wrote.facts));
    assert_int_equal(read.bundle_version, 2);
    assert_int_equal(read.facts_version, 3);
    assert_int_equal(read.next_sync_ms, 4);
    assert_int_equal(read.retry_after_ms, 5);
    assert_true(read.new_device_id);
}

static void an_answer_that_is_not_one_is_refused(void **state) {
    fixture *f = *state;
    cairn__sync_response read;
    assert_int_equal(cairn__sync_response_decode(CAIRN_STR("<html>proxy</html>"), &f->arena, &read),
                     CAIRN_INVALID);
    assert_int_equal(cairn__sync_response_decode((cairn_span){ NULL, 0 }, &f->arena, &read),
                     CAIRN_OK);
    assert_int_equal(read.acked_seq, 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(the_server_reads_what_the_device_wrote),
        TEST(texts_that_repeat_travel_once),
        TEST(an_event_alone_needs_no_dictionary),
        TEST(a_damaged_event_is_not_sent),
        TEST(little_memory_is_told),
        TEST(a_head_without_a_key_or_a_device_is_refused_by_name),
        TEST(long_heads_are_refused_by_name),
        TEST(more_events_than_a_request_carries_are_refused),
        TEST(every_beginning_of_a_request_is_survived),
        TEST(the_device_reads_what_the_server_wrote),
        TEST(an_answer_that_is_not_one_is_refused),
    };
    return cmocka_run_group_tests_name("sdk/model/sync", tests, NULL, NULL);
}
