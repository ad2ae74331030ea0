/* trail_model.h: the slow oracle of the trail: an array of rows, and every question answered by
 * going through all of it; and random histories to put to both. */
#ifndef CAIRN_TESTS_TRAIL_MODEL_H
#define CAIRN_TESTS_TRAIL_MODEL_H

#include "trail/reader.h"
#include "trail/trail.h"

typedef struct random_source {
    uint64_t state;
} random_source;

uint64_t random_next(random_source *random);
/** 0 .. limit - 1. */
uint32_t random_below(random_source *random, uint32_t limit);

enum { MODEL_PROPERTIES_MAX = 8 };

typedef struct model_row {
    uint32_t node;
    int64_t time_ms;
    uint64_t order;
    cairn_span name;
    size_t property_count;
    cairn_property properties[MODEL_PROPERTIES_MAX];
    uint32_t person; /* set by a question */
} model_row;

typedef struct model {
    model_row *rows;
    size_t count, capacity;
    size_t committed; /* rows that survive a crash */
    uint64_t next_order;
    cairn__arena text;
} model;

model model_make(void);
void model_free(model *m);

/** What random rows look like. */
typedef struct model_shape {
    uint32_t nodes, names, properties;
    bool whole_seconds;
    bool wild; /* mixed kinds, long texts, odd numbers */
} model_shape;

/** A random row, added to the model; append model.rows[count - 1] to the trail too. */
void model_add(model *m, random_source *random, const model_shape *shape);
cairn__trail_row model_trail_row(const model_row *row);

/** Names and properties as random rows call them. */
cairn_span model_name(uint32_t i);
cairn_span model_property(uint32_t i);

/** Ask the snapshot and the model the same; the status of the reader. When that is CAIRN_OK every
 * row is compared and the test fails at the first difference. */
cairn_status model_compare(const model *m, const cairn__trail_snapshot *snapshot,
                           const cairn__reader_options *options);

/** Options that ask for everything. */
cairn__reader_options model_everything(void);

#endif
