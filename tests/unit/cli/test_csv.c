#include "cli/csv.h"
#include "support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

/* All rows of `text` in one line: fields in [], rows ended by ;, bad rows as !line. */
static void read_all(const char *text, char delimiter, char *out, size_t out_bytes) {
    FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "rb");
    FILE *to = fmemopen(out, out_bytes, "w");
    cairn__csv csv;
    cairn__csv_result result;
    assert_non_null(in);
    assert_non_null(to);
    assert_true(cairn__csv_open(&csv, in, delimiter));
    while ((result = cairn__csv_next(&csv)) != CAIRN__CSV_END) {
        assert_int_not_equal(result, CAIRN__CSV_FAILED);
        if (result == CAIRN__CSV_BAD) {
            fprintf(to, "!%d", (int)csv.row_line);
        }
        for (size_t i = 0; result == CAIRN__CSV_ROW && i < csv.count; i++) {
            fprintf(to, "[%s]", cairn__csv_field(&csv, i));
        }
        fputc(';', to);
    }
    cairn__csv_close(&csv);
    fclose(to);
    fclose(in);
}

static void assert_rows(const char *text, char delimiter, const char *want) {
    char out[512] = { 0 };
    read_all(text, delimiter, out, sizeof out);
    assert_string_equal(out, want);
}

static void quotes_and_line_ends_inside_them_are_kept(void **state) {
    (void)state;
    assert_rows("a,\"x,\"\"y\"\"\"\n\"two\r\nlines\",3\n", ',', "[a][x,\"y\"];[two\r\nlines][3];");
}

static void crlf_a_mark_and_blank_lines_are_not_data(void **state) {
    (void)state;
    assert_rows("\xef\xbb\xbf"
                "a;b\r\n\r\n1;2",
                ';', "[a][b];[1][2];");
}

static void half_a_mark_is_text(void **state) {
    (void)state;
    assert_rows("\xef\xbc\x88"
                "a\n",
                ',',
                "[\xef\xbc\x88"
                "a];");
    assert_rows("\xef\xbb", ',', "[\xef\xbb];");
}

static void empty_fields_count(void **state) {
    (void)state;
    assert_rows(",a,\n\"\",\n", ',', "[][a][];[][];");
}

static void columns_may_be_set_apart_by_blanks(void **state) {
    (void)state;
    assert_rows(" 00004 0001 19970101  2   29.33\r\n 5\t6 \n", ' ',
                "[00004][0001][19970101][2][29.33];[5][6];");
}

static void a_bad_row_is_named_and_reading_goes_on(void **state) {
    (void)state;
    assert_rows("1,2\n\"a\"b,3\n4,5\n", ',', "[1][2];!2;[4][5];");
    assert_rows("1\n\"open", ',', "[1];!2;");
}

static void a_row_of_too_many_fields_is_bad(void **state) {
    (void)state;
    char *text = malloc(2 * CAIRN__CSV_FIELDS_MAX + 4);
    assert_non_null(text);
    memset(text, ',', CAIRN__CSV_FIELDS_MAX);
    memcpy(text + CAIRN__CSV_FIELDS_MAX, "\nz", 3);
    assert_rows(text, ',', "!1;[z];");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_and_line_ends_inside_them_are_kept),
        cmocka_unit_test(crlf_a_mark_and_blank_lines_are_not_data),
        cmocka_unit_test(half_a_mark_is_text),
        cmocka_unit_test(empty_fields_count),
        cmocka_unit_test(columns_may_be_set_apart_by_blanks),
        cmocka_unit_test(a_bad_row_is_named_and_reading_goes_on),
        cmocka_unit_test(a_row_of_too_many_fields_is_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
