/* verify.c: reads every image of a trail from its first byte to its last. */
#include "trail/verify.h"

#include <stdio.h>
#include <string.h>

#include "trail/decode.h"
#include "trail/schema.h"
#include "trail/state.h"

enum { LIST_BYTES_MAX = 64 * 1024 * 1024 };

/* What the fields of an image may hold: how many strings each dictionary has. */
typedef struct checker {
    cairn__image *image;
    cairn__image_damage *damage;
    cairn__arena arena;
    uint32_t node; /* of the last row */
    int64_t time_ms;
    uint64_t order;
    bool any;
} checker;

static cairn_status damaged(checker *c, const char *what, uint64_t where) {
    *c->damage = (cairn__image_damage){ what, where };
    return CAIRN_STORAGE;
}

static cairn_status check_strings(checker *c, uint32_t number) {
    cairn__image_dict dict;
    if (cairn__image_dict_open(c->image, number, &dict) != CAIRN_OK) {
        return damaged(c, "the checksum of dictionary", number);
    }
    for (uint32_t i = 0; i < dict.count; i++) {
        cairn_span string;
        cairn_string_list list;
        if (!cairn__image_dict_string(&dict, i, &string)) {
            return damaged(c, "the ends of dictionary", number);
        }
        if (number < CAIRN__DICT_FIELDS || dict.kind != CAIRN_VALUE_LIST) {
            continue;
        }
        cairn_status status = cairn__list_decode(string, &c->arena, &list);
        cairn__arena_reset(&c->arena);
        if (status != CAIRN_OK) {
            return status == CAIRN_NO_MEMORY ? status : damaged(c, "a list of dictionary", number);
        }
    }
    return CAIRN_OK;
}

static bool is_after_last(const checker *c, uint32_t node, int64_t time_ms, uint64_t order) {
    if (!c->any || node != c->node) {
        return !c->any || node > c->node;
    }
    return time_ms != c->time_ms ? time_ms > c->time_ms : order > c->order;
}

static bool is_in_bounds(const checker *c, const cairn__image_block *block, int64_t time_ms,
                         uint64_t order) {
    return time_ms >= block->time_min && time_ms <= block->time_max &&
           order >= c->image->order_min && order <= c->image->order_max;
}

static cairn_status check_order(checker *c, const cairn__image_view *view, uint32_t index) {
    cairn__image_chunk runs, time, order;
    if (cairn__decode_frame(c->image, view, &runs, &time, &order) != CAIRN_OK) {
        return damaged(c, "the rows of block", index);
    }
    uint32_t run = 0;
    for (uint32_t row = 0; row < view->block.rows; row++) {
        run += row == cairn__load_u16(runs.ends + (size_t)run * 2);
        uint32_t node = (uint32_t)cairn__decode_integer(&runs, run);
        int64_t time_ms = cairn__decode_time(&time, row);
        uint64_t at = cairn__decode_order(&order, row);
        if (!is_after_last(c, node, time_ms, at) || !is_in_bounds(c, &view->block, time_ms, at)) {
            return damaged(c, "the order of rows in block", index);
        }
        c->any = true;
        c->node = node;
        c->time_ms = time_ms;
        c->order = at;
    }
    return CAIRN_OK;
}

static cairn_status check_values(checker *c, const cairn__image_chunk *chunk, uint32_t index) {
    cairn__image_dict dict = cairn__image_dict_entry(c->image, CAIRN__DICT_FIELDS + chunk->field);
    bool coded = dict.kind == CAIRN_VALUE_STRING || dict.kind == CAIRN_VALUE_LIST;
    for (uint32_t i = 0; coded && i < chunk->count; i++) {
        if (cairn__decode_integer(chunk, i) >= dict.count) {
            return damaged(c, "a value of block", index);
        }
    }
    return CAIRN_OK;
}

static cairn_status check_block(checker *c, uint32_t index) {
    cairn__image_view view;
    if (cairn__image_view_open(c->image, index, &view) != CAIRN_OK) {
        return damaged(c, "the header of block", index);
    }
    for (uint32_t i = 0; i < view.block.chunk_count; i++) {
        cairn__image_chunk chunk;
        if (cairn__image_chunk_open(c->image, &view, i, &chunk) != CAIRN_OK) {
            return damaged(c, "the checksum of a column of block", index);
        }
        cairn_status status = i >= CAIRN__CHUNK_FIELDS ? check_values(c, &chunk, index) : CAIRN_OK;
        if (status != CAIRN_OK) {
            return status;
        }
    }
    return check_order(c, &view, index);
}

cairn_status cairn__image_verify(cairn__image *image, cairn__image_damage *damage_out) {
    checker c = { .image = image, .damage = damage_out };
    c.arena = cairn__arena_make(image->allocator, LIST_BYTES_MAX);
    cairn_status status =
        cairn__image_check_again(image) ? CAIRN_OK : damaged(&c, "the directory", 0);
    for (uint32_t i = 0; i < image->dict_count && status == CAIRN_OK; i++) {
        status = check_strings(&c, i);
    }
    for (uint32_t i = 0; i < image->block_count && status == CAIRN_OK; i++) {
        status = check_block(&c, i);
    }
    cairn__arena_free(&c.arena);
    return status;
}

typedef struct verifier {
    cairn__trail_report report;
    void *self;
    const char *what; /* which kind of image */
    bool any;
} verifier;

static void verify_image(verifier *v, uint64_t number, cairn__image *image) {
    cairn__image_damage damage = { "no memory for block", 0 };
    if (cairn__image_verify(image, &damage) == CAIRN_OK) {
        return;
    }
    char text[256];
    (void)snprintf(text, sizeof text, "trail: %s %016llx: %s %llu; restore it from a backup",
                   v->what, (unsigned long long)number, damage.what,
                   (unsigned long long)damage.where);
    v->any = true;
    v->report(v->self, text);
}

static bool verify_row(void *self, uint64_t number, cairn__image *image) {
    verify_image(self, number, image);
    cairn__image_release(image);
    return true;
}

/* Rows of trail_tail as they are in the database, not as they were loaded. */
cairn_status cairn__trail_verify(cairn__trail *trail, cairn__trail_report report, void *self) {
    verifier v = { report, self, "segment", false };
    for (size_t i = 0; i < trail->segment_count; i++) {
        verify_image(&v, trail->segments[i].id, trail->segments[i].image);
    }
    v.what = "tail image";
    for (size_t i = 0; i < trail->tail_count; i++) {
        verify_image(&v, i, trail->tails[i].image);
    }
    v.what = "row of trail_tail";
    cairn__trail_problem problem;
    cairn_status status = cairn__store_load_tail(&trail->store, verify_row, &v, &problem);
    if (status != CAIRN_OK) {
        v.any = true;
        report(self, problem.text);
    }
    return v.any ? CAIRN_STORAGE : CAIRN_OK;
}
