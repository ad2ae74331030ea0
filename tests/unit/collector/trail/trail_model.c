#include "trail_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "support/cmocka_all.h"

uint64_t random_next(random_source *random) {
    random->state += UINT64_C(0x9E3779B97F4A7C15);
    return cairn__mix(random->state);
}

uint32_t random_below(random_source *random, uint32_t limit) {
    return (uint32_t)(((random_next(random) >> 32) * limit) >> 32);
}

model model_make(void) {
    return (model){ .next_order = 1, .text = cairn__arena_make(cairn__heap(), SIZE_MAX / 2) };
}

void model_free(model *m) {
    free(m->rows);
    cairn__arena_free(&m->text);
}

static cairn_span numbered(const char *prefix, uint32_t i, char *to, size_t bytes) {
    int len = snprintf(to, bytes, "%s%u", prefix, i);
    return cairn__span(to, (size_t)len);
}

static cairn_span keep(model *m, cairn_span text) {
    cairn_span copy = { NULL, 0 };
    assert_true(cairn__arena_copy(&m->text, text, &copy));
    return copy;
}

static const char *const fixed_names[] = { "view",     "click", "支付订单",  "",
                                           "purchase", "login", "加入购物车" };

cairn_span model_name(uint32_t i) {
    static char text[1024][32];
    if (i < sizeof fixed_names / sizeof fixed_names[0]) {
        return cairn__span_of(fixed_names[i]);
    }
    return numbered("event ", i, text[i % 1024], sizeof text[0]);
}

cairn_span model_property(uint32_t i) {
    static char text[1024][32];
    return i == 1 ? cairn__span_of("金额")
                  : numbered("property ", i, text[i % 1024], sizeof text[0]);
}

static cairn_span random_text(model *m, random_source *random, bool wild) {
    char text[64];
    uint32_t kind = random_below(random, wild ? 40 : 8);
    if (kind == 39) {
        size_t len = random_below(random, 65536);
        uint8_t *long_text = cairn__arena_alloc(&m->text, len + 1);
        memset(long_text, 'a' + (int)random_below(random, 26), len + 1);
        return cairn__span(long_text, len);
    }
    if (kind == 8) {
        return (cairn_span){ (const uint8_t *)"", 0 };
    }
    if (kind < 12) {
        return keep(m, numbered("省份", random_below(random, 34), text, sizeof text));
    }
    return keep(m, numbered("unique ", random_below(random, 1u << 30), text, sizeof text));
}

static double random_number(random_source *random, bool wild) {
    static const double odd[] = { 0.0,     -0.0,   1e300, -1e300, 5e-324, 0.1,
                                  1.0 / 3, 9.1e15, 1e22,  29.5,   -0.01,  1e-9 };
    if (wild && random_below(random, 4) == 0) {
        return odd[random_below(random, sizeof odd / sizeof odd[0])];
    }
    return (double)random_below(random, 100000) / 100;
}

static int64_t random_integer(random_source *random, bool wild) {
    static const int64_t odd[] = { INT64_MIN, INT64_MAX, 0, -1, INT64_MIN + 1, 1 };
    if (wild && random_below(random, 8) == 0) {
        return odd[random_below(random, sizeof odd / sizeof odd[0])];
    }
    return (int64_t)random_below(random, 1000) - 500;
}

static cairn_string_list random_list(model *m, random_source *random, bool wild) {
    size_t count = random_below(random, 4);
    cairn_span *items = cairn__arena_alloc_zero(&m->text, count + 1, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        items[i] = random_text(m, random, wild && random_below(random, 8) == 0);
    }
    return (cairn_string_list){ items, count };
}

static cairn_value random_value(model *m, random_source *random, uint32_t property, bool wild) {
    uint32_t kind = 1 + property % 6;
    if (wild && random_below(random, 5) == 0) {
        kind = random_below(random, 7);
    }
    cairn_value value = { .kind = (cairn_value_kind)kind };
    switch (value.kind) {
    case CAIRN_VALUE_BOOLEAN:
        value.as.boolean = random_below(random, 2) == 1;
        break;
    case CAIRN_VALUE_INTEGER:
        value.as.integer = random_integer(random, wild);
        break;
    case CAIRN_VALUE_NUMBER:
        value.as.number = random_number(random, wild);
        break;
    case CAIRN_VALUE_STRING:
        value.as.string = random_text(m, random, wild);
        break;
    case CAIRN_VALUE_TIME:
        value.as.time_ms = (int64_t)random_below(random, 1u << 30) * (wild ? 1 : 1000);
        break;
    case CAIRN_VALUE_LIST:
        value.as.list = random_list(m, random, wild);
        break;
    case CAIRN_VALUE_NULL:
    default:
        break;
    }
    return value;
}

void model_add(model *m, random_source *random, const model_shape *shape) {
    if (m->count == m->capacity) {
        m->capacity = m->capacity == 0 ? 1024 : m->capacity * 2;
        m->rows = realloc(m->rows, m->capacity * sizeof *m->rows);
        assert_non_null(m->rows);
    }
    model_row *row = &m->rows[m->count++];
    *row = (model_row){ .node = random_below(random, shape->nodes) };
    if (random_below(random, 4) == 0) {
        row->node = shape->nodes / 2; /* somebody is busy: more rows than a block holds */
    }
    row->time_ms = 1700000000000 + (int64_t)m->count * 500 + random_below(random, 20000);
    if (shape->wild && random_below(random, 50) == 0) {
        row->time_ms = (int64_t)random_next(random) / 1000;
    }
    if (shape->whole_seconds) {
        row->time_ms -= row->time_ms % 1000;
    }
    /* as the fold numbers: mostly position and index, in between anything that grows */
    row->order = m->next_order;
    m->next_order += random_below(random, 3) == 0 ? 1 + random_below(random, 200) : 1;
    if (random_below(random, 5) == 0) {
        m->next_order = (m->next_order / 1024 + 1 + random_below(random, 500)) * 1024;
    }
    row->name = keep(m, model_name(random_below(random, shape->names)));
    for (uint32_t i = 0; i < shape->properties && row->property_count < MODEL_PROPERTIES_MAX; i++) {
        if (random_below(random, 3) < i % 4) {
            continue; /* the first one is on every row, others are sparse */
        }
        row->properties[row->property_count++] =
            (cairn_property){ keep(m, model_property(i)), random_value(m, random, i, shape->wild) };
    }
}

cairn__trail_row model_trail_row(const model_row *row) {
    return (cairn__trail_row){ .node = row->node,
                               .time_ms = row->time_ms,
                               .order = row->order,
                               .name = row->name,
                               .properties = row->properties,
                               .property_count = row->property_count };
}

cairn__reader_options model_everything(void) {
    return (cairn__reader_options){ .allocator = cairn__heap(),
                                    .bytes_max = (size_t)1 << 30,
                                    .from_ms = INT64_MIN,
                                    .to_ms = INT64_MAX,
                                    .person_end = UINT32_MAX };
}

static bool is_wanted(const model_row *row, const cairn__reader_options *options) {
    bool named = options->name_count == 0;
    for (size_t i = 0; i < options->name_count; i++) {
        named = named || cairn__span_equal(options->names[i], row->name);
    }
    return named && row->time_ms >= options->from_ms && row->time_ms < options->to_ms &&
           row->person >= options->person_first &&
           (options->person_end == UINT32_MAX || row->person < options->person_end);
}

static int by_person(const void *a, const void *b) {
    const model_row *x = *(const model_row *const *)a, *y = *(const model_row *const *)b;
    if (x->person != y->person) {
        return x->person < y->person ? -1 : 1;
    }
    if (x->time_ms != y->time_ms) {
        return x->time_ms < y->time_ms ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

static void compare_value(const cairn__reader *reader, const cairn_value *value, uint8_t kind,
                          uint64_t bits) {
    assert_int_equal(kind, value == NULL ? CAIRN_VALUE_NULL : value->kind);
    uint64_t expected = 0;
    cairn_string_list list;
    switch ((cairn_value_kind)kind) {
    case CAIRN_VALUE_BOOLEAN:
        assert_int_equal(bits, value->as.boolean);
        break;
    case CAIRN_VALUE_INTEGER:
        assert_true((int64_t)bits == value->as.integer);
        break;
    case CAIRN_VALUE_TIME:
        assert_true((int64_t)bits == value->as.time_ms);
        break;
    case CAIRN_VALUE_NUMBER:
        memcpy(&expected, &value->as.number, sizeof expected);
        assert_true(bits == expected);
        break;
    case CAIRN_VALUE_STRING:
        assert_true(cairn__span_equal(cairn__reader_text(reader, bits), value->as.string));
        break;
    case CAIRN_VALUE_LIST:
        list = cairn__reader_list(reader, bits);
        assert_int_equal(list.count, value->as.list.count);
        for (size_t i = 0; i < list.count; i++) {
            assert_true(cairn__span_equal(list.items[i], value->as.list.items[i]));
        }
        break;
    case CAIRN_VALUE_NULL:
    default:
        break;
    }
}

static const cairn_value *value_of(const model_row *row, cairn_span name) {
    const cairn_value *value = NULL;
    for (size_t i = 0; i < row->property_count; i++) {
        if (cairn__span_equal(row->properties[i].name, name) &&
            row->properties[i].value.kind != CAIRN_VALUE_NULL) {
            value = &row->properties[i].value;
        }
    }
    return value;
}

static void compare_row(const cairn__reader *reader, const cairn__reader_options *options,
                        const cairn__reader_batch *batch, size_t i, const model_row *row) {
    assert_true(batch->time_ms[i] == row->time_ms);
    assert_true(options->without_order || batch->order != NULL);
    assert_true(batch->order == NULL || batch->order[i] == row->order);
    assert_true(cairn__span_equal(cairn__reader_name(reader, batch->name[i]), row->name));
    if (options->name_count != 0) {
        assert_true(cairn__span_equal(options->names[batch->name[i]], row->name));
    }
    for (size_t c = 0; c < options->property_count; c++) {
        compare_value(reader, value_of(row, options->properties[c]), batch->columns[c].kind[i],
                      batch->columns[c].bits[i]);
    }
}

/* The rows of the answer, in order. */
typedef struct expected_rows {
    model_row **rows;
    size_t count, at;
} expected_rows;

/* Compare a batch with the rows from expected->at on; all persons whole and ascending. */
static void compare_batch(const cairn__reader *reader, const cairn__reader_options *options,
                          const cairn__reader_batch *batch, expected_rows *expected) {
    assert_int_equal(batch->person_rows[0], 0);
    assert_int_equal(batch->person_rows[batch->person_count], batch->row_count);
    for (size_t p = 0; p < batch->person_count; p++) {
        assert_true(batch->person_rows[p] < batch->person_rows[p + 1]);
        for (size_t i = batch->person_rows[p]; i < batch->person_rows[p + 1]; i++) {
            assert_true(expected->at < expected->count);
            const model_row *row = expected->rows[expected->at++];
            assert_int_equal(batch->persons[p], row->person);
            compare_row(reader, options, batch, i, row);
        }
        assert_true(expected->at == expected->count ||
                    expected->rows[expected->at]->person > batch->persons[p]);
    }
}

cairn_status model_compare(const model *m, const cairn__trail_snapshot *snapshot,
                           const cairn__reader_options *options) {
    expected_rows expected = { malloc((m->count + 1) * sizeof(model_row *)), 0, 0 };
    assert_non_null(expected.rows);
    for (size_t i = 0; i < m->count; i++) {
        model_row *row = &m->rows[i];
        row->person = options->person_of != NULL && row->node < options->node_count
                          ? options->person_of[row->node]
                          : row->node;
        if (is_wanted(row, options)) {
            expected.rows[expected.count++] = row;
        }
    }
    qsort(expected.rows, expected.count, sizeof(model_row *), by_person);
    cairn__reader *reader = NULL;
    cairn_status status = cairn__reader_open(snapshot, options, &reader);
    cairn__reader_batch batch = { .person_count = 1 };
    while (status == CAIRN_OK && batch.person_count != 0) {
        status = cairn__reader_next(reader, &batch);
        if (status == CAIRN_OK && batch.person_count != 0) {
            compare_batch(reader, options, &batch, &expected);
        }
    }
    if (status == CAIRN_OK) {
        assert_int_equal(expected.at, expected.count);
    }
    cairn__reader_close(reader);
    free(expected.rows);
    return status;
}
