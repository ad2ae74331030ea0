/* Goal: what a mapping says is what events get, and a wrong word is named with its line. */
#include "cli/convert.h"
#include <stdlib.h>
#include <string.h>

#include "support/cmocka_all.h"

typedef struct {
    cairn__mapping mapping;
    cairn__rows rows;
    cairn__convert convert;
    FILE *in;
} fixture;

static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    cairn__mapping_open(&f->mapping);
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    cairn__rows_close(&f->rows);
    cairn__mapping_close(&f->mapping);
    if (f->in != NULL) {
        fclose(f->in);
    }
    free(f);
    return 0;
}

static void read_mapping(fixture *f, const char *text) {
    if (!cairn__mapping_read(&f->mapping, text, strlen(text)) ||
        !cairn__mapping_check(&f->mapping)) {
        fail_msg("%s", f->mapping.problem);
    }
}

static void start(fixture *f, const char *file) {
    f->in = fmemopen((void *)(uintptr_t)file, strlen(file), "rb");
    assert_non_null(f->in);
    if (!cairn__rows_open(&f->rows, f->in, &f->mapping)) {
        fail_msg("%s", f->rows.reason);
    }
    if (!cairn__convert_open(&f->convert, &f->rows, &f->mapping)) {
        fail_msg("%s", f->convert.reason);
    }
}

static void assert_event(fixture *f, const char *want) {
    assert_int_equal(cairn__rows_next(&f->rows), CAIRN__CSV_ROW);
    json_t *event = cairn__convert_row(&f->convert);
    if (event == NULL) {
        fail_msg("%s", f->convert.reason);
    }
    char *text = json_dumps(event, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, want);
    free(text);
    json_decref(event);
}

static void assert_bad_row(fixture *f, const char *want) {
    assert_int_equal(cairn__rows_next(&f->rows), CAIRN__CSV_ROW);
    assert_null(cairn__convert_row(&f->convert));
    assert_string_equal(f->convert.reason, want);
}

static void a_csv_row_becomes_an_event_with_its_line_as_seq(void **state) {
    fixture *f = *state;
    read_mapping(f, "format: csv\n"
                    "user: {column: customer, type: crm}\n"
                    "ids: {device: phone}\n"
                    "event: order\n"
                    "time: {column: day, format: \"%Y%m%d\", zone: \"+08:00\"}\n"
                    "properties:\n"
                    "  amount: {type: number, name: gmv}\n"
                    "  discs: integer\n"
                    "  tags: list\n"
                    "  gift: boolean\n"
                    "  until: time\n");
    start(f, "customer,phone,day,amount,discs,tags,gift,until\n"
             "\n"
             "c1,,19970101,29.50,2,a;b,1,19970201\n"
             "\"c,2\",p2,19970102,10,,,,\n");
    assert_event(f, "{\"event\":\"order\",\"ids\":{\"crm\":\"c1\"},\"properties\":"
                    "{\"discs\":2,\"gift\":true,\"gmv\":29.5,\"tags\":[\"a\",\"b\"],"
                    "\"until\":\"1997-01-31T16:00:00.000Z\"},\"seq\":3,\"time\":852048000000}");
    assert_event(f, "{\"event\":\"order\",\"ids\":{\"crm\":\"c,2\",\"device\":\"p2\"},"
                    "\"properties\":{\"gmv\":10.0},\"seq\":4,\"time\":852134400000}");
}

static void without_properties_all_other_columns_are_taken(void **state) {
    fixture *f = *state;
    read_mapping(f, "{\"format\": \"csv\", \"user\": \"u\", \"event_column\": \"e\", "
                    "\"time\": {\"column\": \"t\", \"format\": \"epoch_s\"}}");
    start(f, "u,e,t,channel\n1,view,10,抖音\n");
    assert_event(f, "{\"event\":\"view\",\"ids\":{\"login\":\"1\"},\"properties\":"
                    "{\"channel\":\"抖音\"},\"seq\":2,\"time\":10000}");
}

static void members_of_json_lines_are_found_by_their_dots(void **state) {
    fixture *f = *state;
    read_mapping(f, "{format: jsonl, user: user.id, event: pay, time: at, "
                    "properties: {order.sum: {name: sum, type: any}, order.items: list}}");
    start(f, "{\"user\": {\"id\": 7}, \"at\": \"2026-01-01T00:00:00Z\", "
             "\"order\": {\"sum\": 3, \"items\": [\"x\"]}}\n");
    assert_event(f, "{\"event\":\"pay\",\"ids\":{\"login\":\"7\"},\"properties\":"
                    "{\"order.items\":[\"x\"],\"sum\":3},\"seq\":1,\"time\":1767225600000}");
}

static void json_lines_without_a_mapping_are_events_already(void **state) {
    fixture *f = *state;
    read_mapping(f, "format: jsonl");
    start(f, "\n{\"event\": \"a\", \"user\": \"u\"}\n");
    assert_event(f, "{\"event\":\"a\",\"seq\":2,\"user\":\"u\"}");
}

static void a_bad_cell_says_its_column_and_value(void **state) {
    fixture *f = *state;
    read_mapping(f, "{format: csv, user: u, event: e, time: {column: t, format: epoch_ms}, "
                    "properties: {n: number, i: integer, b: boolean, s: string}}");
    start(f, "u,t,n,i,b,s\n"
             "1,x,,,,\n"
             "1,1,nan,,,\n"
             "1,1,,1.5,,\n"
             "1,1,,,maybe,\n"
             "1,1,,,,\xc4\xe3\n"
             ",1,,,,\n");
    assert_bad_row(f, "t: \"x\" is no time in the form epoch_ms");
    assert_bad_row(f, "n: \"nan\" is not a number");
    assert_bad_row(f, "i: \"1.5\" is not a whole number");
    assert_bad_row(f, "b: \"maybe\" is not true, false, 1 or 0");
    assert_bad_row(f, "s: the text is not UTF-8; convert the file first (iconv)");
    assert_bad_row(f, "u: there is no id in this row");
}

static void a_row_with_missing_fields_is_bad_and_is_kept_as_it_came(void **state) {
    fixture *f = *state;
    read_mapping(f, "{format: csv, user: u, event: e, time: t}");
    start(f, "u,t,n\n1,\"a, \"\"b\"\"\"\n");
    assert_int_equal(cairn__rows_next(&f->rows), CAIRN__CSV_BAD);
    assert_string_equal(f->rows.reason, "the row has 2 fields, the columns are 3");
    cairn__buffer raw = cairn__buffer_make(cairn__heap(), 1024);
    cairn__rows_raw(&f->rows, &raw);
    assert_int_equal(raw.len, strlen(",1,\"a, \"\"b\"\"\""));
    assert_memory_equal(raw.data, ",1,\"a, \"\"b\"\"\"", raw.len);
    cairn__buffer_free(&raw);
}

static void a_column_that_is_not_there_is_named(void **state) {
    fixture *f = *state;
    read_mapping(f, "{format: csv, user: nobody, event: e, time: t}");
    f->in = fmemopen((void *)(uintptr_t) "u,t\n", 4, "rb");
    assert_true(cairn__rows_open(&f->rows, f->in, &f->mapping));
    assert_false(cairn__convert_open(&f->convert, &f->rows, &f->mapping));
    assert_string_equal(f->convert.reason, "there is no column nobody; the columns are u, t");
}

static void assert_problem(const char *text, const char *want) {
    cairn__mapping mapping;
    cairn__mapping_open(&mapping);
    assert_false(cairn__mapping_read(&mapping, text, strlen(text)) &&
                 cairn__mapping_check(&mapping));
    if (strstr(mapping.problem, want) == NULL) {
        fail_msg("%s does not say %s", mapping.problem, want);
    }
    cairn__mapping_close(&mapping);
}

static void a_wrong_mapping_is_refused_with_its_line(void **state) {
    (void)state;
    assert_problem("format: csv\nusr: u\n", "line 2: usr: no such key");
    assert_problem("user:\n  columm: u\n", "line 2: columm: no such key");
    assert_problem("user: u\nproperties:\n  a: money\n",
                   "line 3: property type money: write string");
    assert_problem("format: xml\n", "line 1: format xml: write csv or jsonl");
    assert_problem("user: [\n", "line 2:");
    assert_problem("", "it is empty");
    assert_problem("{format: csv, user: u, time: t}", "give one of --event");
    assert_problem("{format: csv, event: e, time: t}", "--user");
}

static void a_flag_says_a_property_in_one_word(void **state) {
    fixture *f = *state;
    cairn__mapping *m = &f->mapping;
    assert_true(cairn__mapping_add_property(m, "a"));
    assert_true(cairn__mapping_add_property(m, "b:number=c"));
    assert_true(cairn__mapping_add_property(m, "d=e:f"));
    assert_int_equal(m->property_count, 3);
    assert_int_equal(m->properties[1].type, CAIRN__TYPE_NUMBER);
    assert_string_equal(m->properties[1].column, "b");
    assert_string_equal(m->properties[1].name, "c");
    assert_string_equal(m->properties[2].name, "e:f");
    assert_false(cairn__mapping_add_property(m, "b:"));
    assert_false(cairn__mapping_add_property(m, "=x"));
    assert_false(cairn__mapping_add_id(m, "device"));
}

#define case_of(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        case_of(a_csv_row_becomes_an_event_with_its_line_as_seq),
        case_of(without_properties_all_other_columns_are_taken),
        case_of(members_of_json_lines_are_found_by_their_dots),
        case_of(json_lines_without_a_mapping_are_events_already),
        case_of(a_bad_cell_says_its_column_and_value),
        case_of(a_row_with_missing_fields_is_bad_and_is_kept_as_it_came),
        case_of(a_column_that_is_not_there_is_named),
        cmocka_unit_test(a_wrong_mapping_is_refused_with_its_line),
        case_of(a_flag_says_a_property_in_one_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
