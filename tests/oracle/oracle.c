#include "oracle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka_all.h"

uint32_t oracle_person(const world *w, const world_event *event) {
    return event->node < w->node_count ? w->person_of[event->node] : event->node;
}

bool oracle_matches(const world *w, const oracle_pattern *pattern, const world_event *event) {
    bool named = pattern->every;
    for (int i = 0; i < 2 && pattern->names[i] != NULL; i++) {
        named |= strcmp(pattern->names[i], event->name) == 0;
    }
    return named && (pattern->where == NULL || pattern->where(event, w));
}

const cairn_value *oracle_value(const world_event *event, const char *name) {
    for (size_t i = 0; i < event->property_count; i++) {
        const cairn_property *property = &event->properties[i];
        if (strlen(name) == property->name.len &&
            memcmp(name, property->name.data, property->name.len) == 0) {
            return &property->value;
        }
    }
    return NULL;
}

const cairn_value *oracle_user_value(const world *w, uint32_t person, const char *name) {
    for (size_t i = 0; i < w->profile_count; i++) {
        if (w->profiles[i].node == person) {
            return oracle_value(&w->profiles[i], name);
        }
    }
    return NULL;
}

static bool is_number(const cairn_value *value) {
    return value->kind == CAIRN_VALUE_INTEGER || value->kind == CAIRN_VALUE_NUMBER;
}

static double number_of(const cairn_value *value) {
    return value->kind == CAIRN_VALUE_INTEGER ? (double)value->as.integer : value->as.number;
}

bool oracle_same(const cairn_value *a, const cairn_value *b) {
    if (a == NULL || b == NULL) {
        return a == b;
    }
    if (is_number(a) && is_number(b)) {
        return number_of(a) == number_of(b);
    }
    return a->kind == b->kind && a->kind == CAIRN_VALUE_STRING &&
           a->as.string.len == b->as.string.len &&
           memcmp(a->as.string.data, b->as.string.data, a->as.string.len) == 0;
}

void oracle_json(const cairn_value *value, char *to, size_t bytes) {
    if (value == NULL) {
        (void)snprintf(to, bytes, "null,");
    } else if (is_number(value)) {
        (void)snprintf(to, bytes, "%g,", number_of(value));
    } else {
        (void)snprintf(to, bytes, "\"%.*s\",", (int)value->as.string.len,
                       (const char *)value->as.string.data);
    }
}

double oracle_percentile(double *numbers, int count, double fraction) {
    if (count == 0) {
        return (double)NAN;
    }
    for (int i = 1; i < count; i++) {
        for (int j = i; j > 0 && numbers[j - 1] > numbers[j]; j--) {
            double swap = numbers[j];
            numbers[j] = numbers[j - 1];
            numbers[j - 1] = swap;
        }
    }
    double place = fraction * (count - 1);
    int low = (int)floor(place);
    int high = (int)ceil(place);
    return numbers[low] * (1 - (place - low)) + numbers[high] * (place - low);
}

oracle_row *oracle_add(oracle_answer *answer, const char *key) {
    assert_true(answer->count < ORACLE_ROWS_MAX);
    oracle_row *row = &answer->rows[answer->count++];
    *row = (oracle_row){ .value_count = 0 };
    (void)snprintf(row->key, sizeof row->key, "%s", key);
    return row;
}
