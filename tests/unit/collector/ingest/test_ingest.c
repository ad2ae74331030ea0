/* Goal: a request's bytes give the events that its words say, and each thing that is wrong is named
 * with its field. Method: the JSON and protobuf bodies that people send, right and wrong. */
#include <string.h>

#include "base/bytes.h"
#include "ingest/ingest.h"
#include "model/limits.h"
#include "support/cmocka_all.h"

enum { ARENA_BYTES = 8 << 20, RECEIVED = 1000 };

typedef struct reading {
    cairn__arena arena;
    cairn__ingest_batch batch;
    cairn__ingest_problem problem;
    cairn_status status;
} reading;

static reading read_json(const char *body) {
    reading r = { .arena = cairn__arena_make(cairn__heap(), ARENA_BYTES) };
    cairn__ingest_json json = { CAIRN_STR("key"), cairn__span_of(body), RECEIVED };
    r.status = cairn__ingest_events(&json, &r.arena, &r.batch, &r.problem);
    return r;
}

static void a_whole_json_event_is_read(void **state) {
    (void)state;
    reading r = read_json(
        "{\"event\":\"purchase\",\"time\":\"1970-01-01T00:00:02Z\",\"ids\":{\"login\":\"u1\","
        "\"mobile\":13800138000},\"properties\":{\"amount\":29.5,\"n\":3,\"channel\":\"网页\","
        "\"tags\":[\"a\",\"b\"],\"ok\":true,\"none\":null},\"seq\":7,\"session\":2}");
    assert_int_equal(r.status, CAIRN_OK);
    assert_int_equal(r.batch.event_count, 1);
    const cairn__ingest_event *in = &r.batch.events[0];
    assert_null(in->fault.code);
    assert_true(cairn__span_equal(in->event.name, CAIRN_STR("purchase")));
    assert_int_equal(in->event.time_ms, 2000);
    assert_int_equal(in->event.seq, 7);
    assert_int_equal(in->event.session, 2);
    assert_int_equal(in->event.id_count, 2);
    assert_true(cairn__span_equal(in->event.ids[1].value, CAIRN_STR("13800138000")));
    assert_int_equal(in->event.property_count, 6);
    assert_int_equal(in->event.properties[0].value.kind, CAIRN_VALUE_NUMBER);
    assert_int_equal(in->event.properties[1].value.as.integer, 3);
    assert_true(cairn__span_equal(in->event.properties[2].value.as.string, CAIRN_STR("网页")));
    assert_int_equal(in->event.properties[3].value.as.list.count, 2);
    assert_true(cairn__span_equal(r.batch.source, CAIRN_STR("key")));
    cairn__arena_free(&r.arena);
}

static void one_array_and_lines_are_the_same_events(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "[{\"event\":\"a\",\"user\":\"u\"},{\"event\":\"b\",\"user\":\"u\"}]",
        "{\"event\":\"a\",\"user\":\"u\"}\n{\"event\":\"b\",\"user\":\"u\"}",
        " {\"event\":\"a\",\"user\":\"u\"}\r\n\r\n{\"event\":\"b\",\"ids\":[\"login:u\"]}\n",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        reading r = read_json(bodies[i]);
        assert_int_equal(r.status, CAIRN_OK);
        assert_int_equal(r.batch.event_count, 2);
        assert_int_equal(r.batch.rejected_count, 0);
        assert_int_equal(r.batch.events[1].event.seq, 2);
        assert_int_equal(r.batch.events[1].event.time_ms, RECEIVED);
        assert_true(cairn__span_equal(r.batch.events[1].event.name, CAIRN_STR("b")));
        cairn__arena_free(&r.arena);
    }
}

static void each_wrong_event_is_refused_alone_with_its_field(void **state) {
    (void)state;
    static const struct {
        const char *body, *code, *field;
    } cases[] = {
        { "5", "event_not_object", "" },
        { "\"text\"", "event_not_object", "" },
        { "{\"event\":\"a\",\"user\":\"u\",\"when\":1}", "key_unknown", "when" },
        { "{\"event\":1,\"user\":\"u\"}", "name_invalid", "event" },
        { "{\"event\":\"a\"}", "ids_missing", "ids" },
        { "{\"event\":\"a\",\"ids\":\"u\"}", "ids_invalid", "ids" },
        { "{\"event\":\"a\",\"ids\":[\"nocolon\"]}", "ids_invalid", "ids" },
        { "{\"event\":\"a\",\"ids\":{\"login\":true}}", "ids_invalid", "ids" },
        { "{\"event\":\"a\",\"user\":\"u\",\"time\":\"yesterday\"}", "time_invalid", "time" },
        { "{\"event\":\"a\",\"user\":\"u\",\"type\":\"trac\"}", "type_unknown", "type" },
        { "{\"event\":\"a\",\"user\":\"u\",\"seq\":0}", "seq_invalid", "seq" },
        { "{\"event\":\"a\",\"user\":\"u\",\"session\":-1}", "session_invalid", "session" },
        { "{\"event\":\"a\",\"user\":\"u\",\"properties\":[]}", "properties_invalid",
          "properties" },
        { "{\"event\":\"a\",\"user\":\"u\",\"properties\":{\"x\":{}}}", "value_invalid",
          "properties.x" },
        { "{\"event\":\"a\",\"user\":\"u\",\"properties\":{\"x\":[1]}}", "value_invalid",
          "properties.x" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        reading r = read_json(cases[i].body);
        assert_int_equal(r.status, CAIRN_OK);
        assert_int_equal(r.batch.rejected_count, 1);
        assert_string_equal(r.batch.events[0].fault.code, cases[i].code);
        assert_string_equal(r.batch.events[0].fault.field, cases[i].field);
        assert_true(r.batch.events[0].original.len > 0);
        assert_true(strlen(r.batch.events[0].fault.fix) > 10);
        cairn__arena_free(&r.arena);
    }
}

static void a_name_with_nul_costs_its_own_event_only(void **state) {
    (void)state;
    reading r = read_json("[{\"event\":\"a\",\"user\":\"u\",\"properties\":{\"x\\u0000y\":1}},"
                          "{\"event\":\"b\",\"user\":\"u\",\"properties\":"
                          "{\"t\":\"1\\u00002\",\"p\":\"\xEE\x80\x80\\ue001\\\\u0000\"}}]");
    assert_int_equal(r.status, CAIRN_OK);
    assert_int_equal(r.batch.rejected_count, 1);
    assert_string_equal(r.batch.events[0].fault.code, "name_has_nul");
    const cairn_property *properties = r.batch.events[1].event.properties;
    assert_true(cairn__span_equal(properties[0].value.as.string, CAIRN_STR("1\0"
                                                                           "2")));
    assert_true(cairn__span_equal(properties[1].value.as.string,
                                  CAIRN_STR("\xEE\x80\x80\xEE\x80\x81\\u0000")));
    cairn__arena_free(&r.arena);
    r = read_json("{\"event\":\"a\",\"user\":\"u\",\"x\\u0000\":1}");
    assert_int_equal(r.status, CAIRN_OK);
    assert_string_equal(r.batch.events[0].fault.code, "key_unknown");
    cairn__arena_free(&r.arena);
}

static void what_is_not_json_is_refused_whole(void **state) {
    (void)state;
    static const char *const bodies[] = { "",
                                          "  ",
                                          "{",
                                          "[1",
                                          "[]]",
                                          "[] []",
                                          "{} {}",
                                          "{}\n[}",
                                          "{\"event\":\"a\"}x",
                                          "nul",
                                          "{\"a\":\"\\uD800\"}",
                                          "\xff" };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        reading r = read_json(bodies[i]);
        assert_int_equal(r.status, CAIRN_INVALID);
        assert_string_equal(r.problem.code, "body_not_json");
        assert_true(strlen(r.problem.fix) > 10);
        cairn__arena_free(&r.arena);
    }
}

static void too_many_events_are_refused_whole(void **state) {
    (void)state;
    static char body[CAIRN__BATCH_EVENTS_MAX * 2 + 8];
    body[0] = '[';
    for (size_t i = 0; i <= CAIRN__BATCH_EVENTS_MAX; i++) {
        memcpy(body + 1 + 2 * i, i == CAIRN__BATCH_EVENTS_MAX ? "1]" : "1,", 2);
    }
    reading r = read_json(body);
    assert_int_equal(r.status, CAIRN_INVALID);
    assert_string_equal(r.problem.code, "too_many_events");
    cairn__arena_free(&r.arena);
}

static void a_log_payload_gives_key_and_body_back(void **state) {
    (void)state;
    cairn__buffer packed = cairn__buffer_make(cairn__heap(), 1024);
    cairn__ingest_events_pack(&packed, CAIRN_STR("the key"), CAIRN_STR("[]"));
    cairn_span key;
    cairn_span body;
    assert_int_equal(cairn__ingest_events_unpack(cairn__buffer_span(&packed), &key, &body),
                     CAIRN_OK);
    assert_true(cairn__span_equal(key, CAIRN_STR("the key")));
    assert_true(cairn__span_equal(body, CAIRN_STR("[]")));
    for (size_t cut = 0; cut < 9; cut++) {
        assert_int_equal(cairn__ingest_events_unpack(cairn__span(packed.data, cut), &key, &body),
                         CAIRN_INVALID);
    }
    cairn__buffer_free(&packed);
}

/* --- protobuf -------------------------------------------------------------------------------- */

/* A request of a device with events of these numbers; number 0 writes an event without one, and
 * a number above 1000 one whose name is missing. */
static cairn_span request(cairn__arena *arena, cairn__buffer *to, const uint64_t *seqs,
                          size_t count) {
    cairn_span events[8];
    for (size_t i = 0; i < count; i++) {
        cairn__buffer one = cairn__buffer_make(cairn__heap(), 1024);
        cairn__event event = { .seq = seqs[i] > 1000 ? seqs[i] - 1000 : seqs[i],
                               .name = seqs[i] > 1000 ? cairn__span(NULL, 0) : CAIRN_STR("view"),
                               .time_ms = 1700000000000 };
        cairn__event_encode(&one, &event);
        assert_true(cairn__arena_copy(arena, cairn__buffer_span(&one), &events[i]));
        cairn__buffer_free(&one);
    }
    cairn__sync_head head = { .project_key = CAIRN_STR("key"),
                              .device_id = { 1, 2, 3 },
                              .sent_ms = 1700000000001 };
    assert_int_equal(cairn__sync_request_encode(&head, events, count, arena, to), CAIRN_OK);
    return cairn__buffer_span(to);
}

static void the_ack_is_the_end_of_the_run_without_gaps(void **state) {
    (void)state;
    static const struct {
        uint64_t seqs[4];
        size_t count;
        uint64_t acked;
        size_t rejected;
    } cases[] = {
        { { 0 }, 0, 0, 0 },          { { 5, 6, 7 }, 3, 7, 0 },    { { 5, 7, 8 }, 3, 5, 0 },
        { { 5, 1006, 7 }, 3, 7, 1 }, { { 1001, 1002 }, 2, 2, 2 }, { { 5, 0, 7 }, 3, 7, 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
        cairn__buffer bytes = cairn__buffer_make(cairn__heap(), 65536);
        cairn_span body = request(&arena, &bytes, cases[i].seqs, cases[i].count);
        cairn__ingest_sync_verdict verdict;
        cairn__ingest_problem problem;
        assert_int_equal(cairn__ingest_sync_check(body, &arena, &verdict, &problem), CAIRN_OK);
        assert_int_equal(verdict.acked_seq, cases[i].acked);
        assert_int_equal(verdict.rejected_count, cases[i].rejected);
        cairn__ingest_batch batch;
        assert_int_equal(cairn__ingest_sync(body, &arena, &batch, &problem), CAIRN_OK);
        assert_int_equal(batch.rejected_count, cases[i].rejected);
        assert_int_equal(batch.device.len, 32);
        assert_memory_equal(batch.device.data, "01020300", 8);
        cairn__buffer_free(&bytes);
        cairn__arena_free(&arena);
    }
}

static void a_request_that_is_cut_off_is_refused_with_a_field_or_a_sentence(void **state) {
    (void)state;
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    cairn__buffer bytes = cairn__buffer_make(cairn__heap(), 65536);
    cairn_span body = request(&arena, &bytes, (const uint64_t[]){ 1 }, 1);
    cairn__ingest_sync_verdict verdict;
    cairn__ingest_problem problem;
    assert_int_equal(
        cairn__ingest_sync_check(cairn__span(body.data, body.len - 1), &arena, &verdict, &problem),
        CAIRN_INVALID);
    assert_true(strlen(problem.detail) > 5);
    assert_true(strlen(problem.fix) > 5);
    cairn__buffer_free(&bytes);
    cairn__arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_json_event_is_read),
        cmocka_unit_test(one_array_and_lines_are_the_same_events),
        cmocka_unit_test(each_wrong_event_is_refused_alone_with_its_field),
        cmocka_unit_test(a_name_with_nul_costs_its_own_event_only),
        cmocka_unit_test(what_is_not_json_is_refused_whole),
        cmocka_unit_test(too_many_events_are_refused_whole),
        cmocka_unit_test(a_log_payload_gives_key_and_body_back),
        cmocka_unit_test(the_ack_is_the_end_of_the_run_without_gaps),
        cmocka_unit_test(a_request_that_is_cut_off_is_refused_with_a_field_or_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
