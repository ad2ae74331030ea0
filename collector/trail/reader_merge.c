/* reader_merge.c: a merge by person. What a batch takes is first only noted, as pieces of the
 * streams' columns, then copied column by column: persons are small, and their rows few. */
#include "trail/reader_merge.h"

#include "base/assert.h"

#define NO_PERSON UINT64_MAX

cairn_status cairn__reader_merge_open(cairn__reader_merge *merge, size_t column_count) {
    const cairn_allocator *allocator = &merge->allocator;
    merge->out = cairn__rowset_make(*allocator, column_count);
    merge->side.allocator = *allocator;
    merge->side.set = cairn__rowset_make(*allocator, column_count);
    merge->sorter.allocator = *allocator;
    merge->sorter.by_time = merge->selection->without_order;
    merge->heads =
        allocator->resize(allocator->self, NULL, 0, (merge->count + 1) * sizeof *merge->heads);
    if (merge->heads == NULL) {
        return CAIRN_NO_MEMORY;
    }
    for (size_t i = 0; i <= merge->count; i++) {
        merge->heads[i] = NO_PERSON;
    }
    return CAIRN_OK;
}

void cairn__reader_merge_close(cairn__reader_merge *merge) {
    const cairn_allocator *allocator = &merge->allocator;
    cairn__rowset_free(&merge->out);
    cairn__side_free(&merge->side);
    cairn__rowset_sorter_free(&merge->sorter);
    cairn__release(allocator, merge->heads, merge->count + 1, sizeof *merge->heads);
    cairn__release(allocator, merge->pieces, merge->piece_capacity, sizeof *merge->pieces);
    cairn__release(allocator, merge->unsorted, merge->unsorted_capacity, sizeof *merge->unsorted);
}

/* --- pieces --- */

/* Most pieces are a row or two: a fixed copy of CAIRN__ROWSET_SLACK items, then what is left. What
 * it writes too far the next piece writes again, or it lies in the slack. */
static void copy_column(void *to, const void *from, size_t count, size_t size) {
    memcpy(to, from, CAIRN__ROWSET_SLACK * size);
    if (count > CAIRN__ROWSET_SLACK) {
        memcpy(to, from, count * size);
    }
}

/* Copy the pieces behind the rows of the batch; there is room. */
static void copy_pieces(cairn__reader_merge *merge) {
    cairn__rowset *out = &merge->out;
    bool with_order = !merge->selection->without_order;
    size_t at = out->rows;
    for (size_t i = 0; i < merge->piece_count; at += merge->pieces[i++].count) {
        const cairn__piece *p = &merge->pieces[i];
        copy_column(out->time_ms + at, p->set->time_ms + p->first, p->count, sizeof(int64_t));
        copy_column(out->name + at, p->set->name + p->first, p->count, sizeof(uint16_t));
        if (with_order) {
            copy_column(out->order + at, p->set->order + p->first, p->count, sizeof(uint64_t));
        }
    }
    for (size_t c = 0; c < out->column_count; c++) {
        at = out->rows;
        for (size_t i = 0; i < merge->piece_count; at += merge->pieces[i++].count) {
            const cairn__piece *p = &merge->pieces[i];
            copy_column(out->bits[c] + at, p->set->bits[c] + p->first, p->count, sizeof(uint64_t));
            copy_column(out->kind[c] + at, p->set->kind[c] + p->first, p->count, 1);
        }
    }
    out->rows += merge->piece_rows;
    merge->piece_count = merge->piece_rows = 0;
}

static bool make_room(cairn__reader_merge *merge, size_t rows) {
    return cairn__grow(&merge->allocator, &merge->pieces, &merge->piece_capacity,
                       merge->piece_count + 1, sizeof *merge->pieces) &&
           cairn__rowset_reserve(&merge->out, merge->piece_rows + rows);
}

static bool take_piece(cairn__reader_merge *merge, const cairn__rowset *set, size_t first,
                       size_t end) {
    size_t count = end - first;
    if ((merge->piece_count == merge->piece_capacity ||
         merge->out.rows + merge->piece_rows + count > merge->out.capacity) &&
        !make_room(merge, count)) {
        return false;
    }
    merge->pieces[merge->piece_count++] = (cairn__piece){ set, (uint32_t)first, (uint32_t)count };
    merge->piece_rows += count;
    return true;
}

/* Does the newest piece begin before the one before it ends? */
static bool is_out_of_order(const cairn__reader_merge *merge) {
    const cairn__piece *b = &merge->pieces[merge->piece_count - 1], *a = b - 1;
    size_t last = (size_t)a->first + a->count - 1;
    int64_t before = a->set->time_ms[last], after = b->set->time_ms[b->first];
    if (before != after || merge->selection->without_order) {
        return before > after; /* pieces of one time come from images in the order of arrival */
    }
    return a->set->order[last] > b->set->order[b->first];
}

/* --- heads --- */

static void see_head(cairn__reader_merge *merge, size_t i) {
    const cairn__side *side = &merge->side;
    if (i == merge->count) {
        merge->heads[i] =
            side->at < side->count ? side->by_person[side->at] >> CAIRN__SIDE_SHIFT : NO_PERSON;
        return;
    }
    const cairn__stream *stream = &merge->streams[i];
    merge->heads[i] = stream->at < stream->ready ? stream->set.persons[stream->at] : NO_PERSON;
}

/* Streams without a whole person at hand go on; their sets move, so pieces are copied first. */
static cairn_status fill_streams(cairn__reader_merge *merge) {
    for (size_t i = 0; i < merge->count; i++) {
        cairn__stream *stream = &merge->streams[i];
        if (merge->heads[i] != NO_PERSON || cairn__stream_ended(stream)) {
            continue;
        }
        copy_pieces(merge);
        cairn_status status = cairn__stream_fill(stream, merge->selection, merge->rows_target);
        if (status != CAIRN_OK) {
            return status;
        }
        see_head(merge, i);
    }
    return CAIRN_OK;
}

/* The least head, and the least of the others. */
typedef struct least {
    uint64_t person, other;
    size_t index;
} least;

static least find_least(const cairn__reader_merge *merge) {
    least l = { NO_PERSON, NO_PERSON, 0 };
    for (size_t i = 0; i <= merge->count; i++) {
        uint64_t head = merge->heads[i];
        if (head < l.person) {
            l.other = l.person;
            l.person = head;
            l.index = i;
        } else if (head < l.other) {
            l.other = head;
        }
    }
    return l;
}

/* --- taking --- */

/* Persons below `until` that only this stream has, as many as the batch takes: one piece. */
static bool take_alone(cairn__reader_merge *merge, const least *l, uint64_t until) {
    cairn__stream *stream = &merge->streams[l->index];
    const cairn__rowset *set = &stream->set;
    cairn__rowset *out = &merge->out;
    size_t taken = out->rows + merge->piece_rows, room = merge->rows_target - taken;
    size_t first = set->starts[stream->at], end = stream->at + 1;
    while (end < stream->ready && set->persons[end] < until && set->starts[end] - first < room) {
        end++;
    }
    if (!take_piece(merge, set, first, set->starts[end])) {
        return false;
    }
    for (size_t i = stream->at; i < end; i++) {
        out->persons[out->person_count] = set->persons[i];
        out->starts[out->person_count++] = (uint32_t)(taken + set->starts[i] - first);
    }
    stream->at = end;
    see_head(merge, l->index);
    return true;
}

static bool take_side(cairn__reader_merge *merge, uint64_t person) {
    cairn__side *side = &merge->side;
    while (side->at < side->count && side->by_person[side->at] >> CAIRN__SIDE_SHIFT == person) {
        const uint32_t *starts = side->set.starts + (uint32_t)side->by_person[side->at++];
        if (!take_piece(merge, &side->set, starts[0], starts[1])) {
            return false;
        }
    }
    see_head(merge, merge->count);
    return true;
}

/* All runs of one person; whether they are in order is seen at the joints. */
static bool take_shared(cairn__reader_merge *merge, uint64_t person) {
    cairn__rowset *out = &merge->out;
    size_t taken = out->rows + merge->piece_rows, first_piece = merge->piece_count;
    for (size_t i = 0; i < merge->count; i++) {
        if (merge->heads[i] != person) {
            continue;
        }
        cairn__stream *stream = &merge->streams[i];
        const uint32_t *starts = stream->set.starts + stream->at++;
        if (!take_piece(merge, &stream->set, starts[0], starts[1])) {
            return false;
        }
        see_head(merge, i);
    }
    if (merge->heads[merge->count] == person && !take_side(merge, person)) {
        return false;
    }
    out->persons[out->person_count] = (uint32_t)person;
    out->starts[out->person_count++] = (uint32_t)taken;
    bool sorted = true;
    size_t pieces = merge->piece_count;
    for (merge->piece_count = first_piece + 2; merge->piece_count <= pieces && sorted;
         merge->piece_count++) {
        sorted = !is_out_of_order(merge);
    }
    merge->piece_count = pieces;
    if (sorted) {
        return true;
    }
    if (!cairn__grow(&merge->allocator, &merge->unsorted, &merge->unsorted_capacity,
                     merge->unsorted_count + 1, sizeof *merge->unsorted)) {
        return false;
    }
    merge->unsorted[merge->unsorted_count++] = (uint32_t)out->person_count - 1;
    return true;
}

static cairn_status finish_batch(cairn__reader_merge *merge) {
    copy_pieces(merge);
    cairn__rowset_seal(&merge->out);
    for (size_t i = 0; i < merge->unsorted_count; i++) {
        const uint32_t *starts = merge->out.starts + merge->unsorted[i];
        if (!cairn__rowset_sort(&merge->out, starts[0], starts[1], &merge->sorter)) {
            return CAIRN_NO_MEMORY;
        }
    }
    return CAIRN_OK;
}

/* The side has given all that it collected: on with the next persons. */
static cairn_status next_window(cairn__reader_merge *merge) {
    cairn__selection selection = *merge->selection;
    selection.moved = true;
    copy_pieces(merge); /* they borrow from the set that is filled anew */
    cairn_status status =
        cairn__side_collect(&merge->side, merge->sources, merge->count, &selection);
    see_head(merge, merge->count);
    return status;
}

cairn_status cairn__reader_merge_next(cairn__reader_merge *merge) {
    cairn__rowset_clear(&merge->out);
    merge->piece_count = merge->piece_rows = merge->unsorted_count = 0;
    while (merge->out.rows + merge->piece_rows < merge->rows_target) {
        cairn_status status = fill_streams(merge);
        if (status != CAIRN_OK) {
            return status;
        }
        least l = find_least(merge);
        bool last = !merge->moved || cairn__side_ended(&merge->side, merge->selection);
        uint64_t window_end = last ? NO_PERSON : merge->side.window_end;
        bool ok = true;
        if (!last && l.person >= window_end) {
            status = next_window(merge);
        } else if (l.person == NO_PERSON) {
            break;
        } else if (l.index < merge->count && l.person < l.other) {
            ok = take_alone(merge, &l, l.other < window_end ? l.other : window_end);
        } else {
            ok = take_shared(merge, l.person);
        }
        if (status != CAIRN_OK || !ok) {
            return ok ? status : CAIRN_NO_MEMORY;
        }
    }
    return finish_batch(merge);
}
