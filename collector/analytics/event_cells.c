/* event_cells.c: what is gathered per group, unit and measure.
 *
 * Counts and sums are gathered once, in the unit, and added up at the end. Persons and distinct
 * values cannot be added up: they are counted in the unit, in the group's range and in the whole.
 */
#include <math.h>
#include <string.h>

#include "analytics/event_model.h"
#include "base/assert.h"
#include "base/hash.h"

cairn__cells cairn__cells_make(cairn__pass *pass, size_t unit_count) {
    cairn_allocator allocator = pass->run->allocator;
    return (cairn__cells){
        .pass = pass,
        .event = &pass->run->query->event,
        .unit_count = unit_count,
        .blocks = cairn__list_make(allocator, sizeof(cairn__cell *)),
        .seen_table = cairn__keyed_make(allocator),
        .seen = cairn__list_make(allocator, sizeof(cairn__seen)),
    };
}

bool cairn__cell_make(cairn__run *run, const cairn__query_atom *atom, cairn__cell *cell_out) {
    *cell_out = (cairn__cell){ .min = (double)INFINITY, .max = -(double)INFINITY };
    if (atom->measure != CAIRN__QUERY_PERCENTILE) {
        return true;
    }
    cell_out->values = run->allocator.resize(run->allocator.self, NULL, 0, sizeof(cairn__list));
    if (cell_out->values == NULL) {
        return false;
    }
    *cell_out->values = cairn__list_make(run->allocator, sizeof(double));
    return true;
}

void cairn__cell_free(cairn__run *run, cairn__cell *cell) {
    if (cell->values != NULL) {
        cairn__list_free(cell->values);
        run->allocator.resize(run->allocator.self, cell->values, sizeof(cairn__list), 0);
        cell->values = NULL;
    }
}

static void free_block(cairn__cells *cells, cairn__cell *block, size_t count) {
    const cairn_allocator *allocator = &cells->pass->run->allocator;
    for (size_t i = 0; i < count; i++) {
        cairn__cell_free(cells->pass->run, &block[i]);
    }
    allocator->resize(allocator->self, block, count * sizeof *block, 0);
}

static size_t block_count(const cairn__cells *cells, size_t group) {
    return (group == 0 ? 1 : cells->unit_count + 1) * cells->event->atom_count;
}

void cairn__cells_free(cairn__cells *cells) {
    cairn__cell **blocks = cells->blocks.items;
    for (size_t group = 0; group < cells->blocks.count; group++) {
        free_block(cells, blocks[group], block_count(cells, group));
    }
    cairn__list_free(&cells->blocks);
    cairn__keyed_free(&cells->seen_table);
    cairn__list_free(&cells->seen);
}

static cairn__cell *make_block(cairn__cells *cells, size_t count) {
    cairn__run *run = cells->pass->run;
    cairn__cell *block = run->allocator.resize(run->allocator.self, NULL, 0, count * sizeof *block);
    if (block == NULL) {
        return NULL;
    }
    memset(block, 0, count * sizeof *block); /* whole, so that a part of it can be freed */
    for (size_t i = 0; i < count; i++) {
        const cairn__query_atom *atom = &cells->event->atoms[i % cells->event->atom_count];
        if (!cairn__cell_make(run, atom, &block[i])) {
            free_block(cells, block, count);
            return NULL;
        }
    }
    return block;
}

static bool add_block(cairn__cells *cells) {
    cairn__cell *block = make_block(cells, block_count(cells, cells->blocks.count));
    cairn__cell **added = block == NULL ? NULL : cairn__list_add(&cells->blocks);
    if (added != NULL) {
        *added = block;
    } else if (block != NULL) {
        free_block(cells, block, block_count(cells, cells->blocks.count));
    }
    return added != NULL;
}

cairn__cell *cairn__cells_at(cairn__cells *cells, uint32_t group, uint32_t unit) {
    while (cells->blocks.count <= group) {
        if (!add_block(cells)) {
            return NULL;
        }
    }
    cairn__cell **blocks = cells->blocks.items;
    return blocks[group] + (group == 0 ? 0 : unit) * cells->event->atom_count;
}

/* --- numbers --- */

static void add_sum(cairn__cell *cell, double number) {
    double sum = cell->sum + number;
    cell->lost +=
        fabs(cell->sum) >= fabs(number) ? (cell->sum - sum) + number : (number - sum) + cell->sum;
    cell->sum = sum;
}

static bool add_number(cairn__cell *cell, double number) {
    cell->count++;
    add_sum(cell, number);
    cell->min = number < cell->min ? number : cell->min;
    cell->max = number > cell->max ? number : cell->max;
    if (cell->values == NULL) {
        return true;
    }
    double *added = cairn__list_add(cell->values);
    if (added != NULL) {
        *added = number;
    }
    return added != NULL;
}

static bool number_at(const cairn__pass *pass, uint16_t index, uint32_t row, double *number_out) {
    const cairn__reader_column *column = &pass->batch.columns[index];
    if (column->kind[row] == CAIRN_VALUE_INTEGER) {
        *number_out = (double)(int64_t)column->bits[row];
        return true;
    }
    memcpy(number_out, &column->bits[row], sizeof *number_out);
    return column->kind[row] == CAIRN_VALUE_NUMBER;
}

/* --- persons and distinct values: in the unit, the group's range, and the whole --- */

static bool mark(cairn__cell *cell, uint32_t person) {
    if (cell->last_person == person + 1) {
        return false;
    }
    cell->last_person = person + 1;
    cell->persons++;
    return true;
}

static bool match_seen(const void *context, uint32_t value) {
    const cairn__cells *cells = context;
    const cairn__seen *seen = (const cairn__seen *)cells->seen.items + value;
    return seen->cell == cells->wanted.cell && cairn__key_equal(seen->key, cells->wanted.key);
}

static uint64_t cell_number(const cairn__cells *cells, uint32_t group, uint32_t unit, size_t atom) {
    return ((uint64_t)group * (cells->unit_count + 1) + unit) * cells->event->atom_count + atom;
}

/* False: no memory. */
static bool see(cairn__cells *cells, cairn__seen wanted, cairn__cell *cell) {
    uint64_t hash = cairn__mix(cairn__mix(wanted.cell + 1) ^
                               cairn__mix(wanted.key.bits + wanted.key.kind * UINT64_C(0x9E37)));
    uint32_t index;
    cells->wanted = wanted;
    if (cairn__keyed_find(&cells->seen_table, hash, match_seen, cells, &index)) {
        cairn__seen *seen = (cairn__seen *)cells->seen.items + index;
        seen->unit = wanted.unit < seen->unit ? wanted.unit : seen->unit;
        return true;
    }
    cairn__seen *added = cairn__list_add(&cells->seen);
    if (added == NULL) {
        return false;
    }
    *added = wanted;
    cell->distinct++;
    return cairn__keyed_add(&cells->seen_table, hash, (uint32_t)cells->seen.count - 1);
}

static bool add_distinct(cairn__cells *cells, const cairn__place *place, size_t atom) {
    uint16_t index = cells->event->atoms[atom].fact.index;
    uint32_t range = (uint32_t)cells->unit_count;
    cairn__seen seen = {
        .cell = cell_number(cells, place->group, place->unit, atom),
        .key = cairn__key_of_column(&cells->pass->batch.columns[index], place->row),
        .unit = place->unit,
    };
    if (seen.key.kind == CAIRN_VALUE_NULL) {
        return true;
    }
    if (place->leaf != place->range && !see(cells, seen, &place->leaf[atom])) {
        return false;
    }
    seen.cell = cell_number(cells, place->group, range, atom);
    if (!see(cells, seen, &place->range[atom])) {
        return false;
    }
    seen.cell = atom; /* group 0 has the numbers that its only row would have first */
    return see(cells, seen, &place->whole[atom]);
}

static void add_person(const cairn__cells *cells, const cairn__place *place, size_t atom) {
    uint32_t person = cells->pass->person;
    if (place->leaf != place->range) {
        (void)mark(&place->leaf[atom], person);
    }
    if (mark(&place->range[atom], person)) {
        place->leaf[atom].first++;
    }
    (void)mark(&place->whole[atom], person);
}

static bool add_atom(cairn__cells *cells, const cairn__place *place, size_t atom) {
    double number;
    const cairn__query_atom *measure = &cells->event->atoms[atom];
    cairn__cell *leaf = &place->leaf[atom];
    switch (measure->measure) {
    case CAIRN__QUERY_COUNT:
        leaf->count++;
        return true;
    case CAIRN__QUERY_PERSONS:
    case CAIRN__QUERY_PER_PERSON:
        leaf->count++;
        add_person(cells, place, atom);
        return true;
    case CAIRN__QUERY_DISTINCT:
        return add_distinct(cells, place, atom);
    case CAIRN__QUERY_SUM:
    case CAIRN__QUERY_AVG:
    case CAIRN__QUERY_MIN:
    case CAIRN__QUERY_MAX:
    case CAIRN__QUERY_PERCENTILE:
    default:
        return !number_at(cells->pass, measure->fact.index, place->row, &number) ||
               add_number(leaf, number);
    }
}

bool cairn__cells_find(cairn__cells *cells, cairn__place *place) {
    place->leaf = cairn__cells_at(cells, place->group, place->unit);
    place->range = cairn__cells_at(cells, place->group, (uint32_t)cells->unit_count);
    place->whole = cairn__cells_at(cells, 0, 0);
    return place->leaf != NULL && place->range != NULL && place->whole != NULL;
}

bool cairn__cells_add(cairn__cells *cells, const cairn__place *place, uint64_t mask) {
    const cairn__query_event *event = cells->event;
    for (size_t atom = 0; atom < event->atom_count; atom++) {
        if ((mask >> event->atoms[atom].pattern & 1) != 0 && !add_atom(cells, place, atom)) {
            return false;
        }
    }
    return true;
}

/* --- adding up --- */

/* Two sorted lists into the first, from their ends. */
static bool merge_values(cairn__list *into, cairn__list *from) {
    if (from->count == 0) {
        return true;
    }
    if (!cairn__list_reserve(into, into->count + from->count)) {
        return false;
    }
    cairn__report_sort(from->items, from->count);
    double *to = into->items;
    const double *more = from->items;
    size_t left = into->count;
    size_t right = from->count;
    for (size_t at = left + right; right > 0; at--) {
        bool take_left = left > 0 && to[left - 1] > more[right - 1];
        to[at - 1] = take_left ? to[--left] : more[--right];
    }
    into->count += from->count;
    return true;
}

static bool add_up(cairn__cell *into, cairn__cell *from) {
    into->count += from->count;
    add_sum(into, from->sum);
    add_sum(into, from->lost);
    into->min = from->min < into->min ? from->min : into->min;
    into->max = from->max > into->max ? from->max : into->max;
    return into->values == NULL || merge_values(into->values, from->values);
}

bool cairn__cell_accumulate(cairn__cell *total, cairn__cell *from) {
    total->persons += from->first;
    total->distinct += from->first;
    return add_up(total, from);
}

/* The unit in which the group met a value first. */
static void note_first_values(cairn__cells *cells) {
    size_t atoms = cells->event->atom_count;
    const cairn__seen *seen = cells->seen.items;
    CAIRN_ASSERT(atoms > 0); /* a question without measures was refused */
    for (size_t i = 0; i < cells->seen.count; i++) {
        uint64_t row = seen[i].cell / atoms;
        uint32_t group = (uint32_t)(row / (cells->unit_count + 1));
        if (group > 0 && row % (cells->unit_count + 1) == cells->unit_count) {
            cairn__cells_at(cells, group, seen[i].unit)[seen[i].cell % atoms].first++;
        }
    }
}

bool cairn__cells_finish(cairn__cells *cells) {
    size_t atoms = cells->event->atom_count;
    uint32_t units = (uint32_t)cells->unit_count;
    cairn__cell *whole = cairn__cells_at(cells, 0, 0);
    bool good = whole != NULL;
    for (uint32_t group = 1; good && group < cells->blocks.count; group++) {
        cairn__cell *range = cairn__cells_at(cells, group, units);
        for (size_t i = 0; good && i < units * atoms; i++) {
            good = add_up(&range[i % atoms], cairn__cells_at(cells, group, 0) + i);
        }
        for (size_t i = 0; good && i < atoms; i++) {
            good = add_up(&whole[i], &range[i]);
        }
    }
    if (good && cells->event->cumulative) {
        note_first_values(cells);
    }
    return good;
}

static double number_of(const cairn__query_atom *atom, cairn__cell *cell) {
    double count = (double)cell->count;
    switch (atom->measure) {
    case CAIRN__QUERY_COUNT:
        return count;
    case CAIRN__QUERY_PERSONS:
        return cell->persons;
    case CAIRN__QUERY_PER_PERSON:
        return cell->persons == 0 ? (double)NAN : count / cell->persons;
    case CAIRN__QUERY_SUM:
        return cell->sum + cell->lost;
    case CAIRN__QUERY_AVG:
        return cell->count == 0 ? (double)NAN : (cell->sum + cell->lost) / count;
    case CAIRN__QUERY_MIN:
        return cell->count == 0 ? (double)NAN : cell->min;
    case CAIRN__QUERY_MAX:
        return cell->count == 0 ? (double)NAN : cell->max;
    case CAIRN__QUERY_DISTINCT:
        return cell->distinct;
    case CAIRN__QUERY_PERCENTILE:
    default:
        cairn__report_sort(cell->values->items, cell->values->count);
        return cairn__report_percentile(cell->values->items, cell->values->count, atom->fraction);
    }
}

static double apply(cairn__query_op_kind kind, double a, double b) {
    switch (kind) {
    case CAIRN__QUERY_OP_ADD:
        return a + b;
    case CAIRN__QUERY_OP_SUBTRACT:
        return a - b;
    case CAIRN__QUERY_OP_MULTIPLY:
        return a * b;
    case CAIRN__QUERY_OP_DIVIDE:
        return b == 0 ? (double)NAN : a / b;
    case CAIRN__QUERY_OP_ATOM:
    case CAIRN__QUERY_OP_NUMBER:
    case CAIRN__QUERY_OP_NEGATE:
    default:
        return -b;
    }
}

double cairn__cells_number(const cairn__cells *cells, const cairn__query_series *series,
                           cairn__cell *row) {
    double stack[CAIRN__QUERY_OPS_MAX + 1] = { 0 };
    size_t depth = 1; /* stack[0] is never a value: a sign has always something before it */
    for (size_t i = 0; i < series->op_count; i++) {
        const cairn__query_op *op = &series->ops[i];
        if (op->kind == CAIRN__QUERY_OP_NUMBER) {
            stack[depth++] = op->number;
        } else if (op->kind == CAIRN__QUERY_OP_ATOM) {
            stack[depth++] = number_of(&cells->event->atoms[op->atom], &row[op->atom]);
        } else if (op->kind == CAIRN__QUERY_OP_NEGATE) {
            stack[depth - 1] = -stack[depth - 1];
        } else {
            depth--;
            stack[depth - 1] = apply(op->kind, stack[depth - 1], stack[depth]);
        }
    }
    return stack[depth - 1];
}
