#include "analytics/event_model.h"

#include <math.h>

#include "analytics/ranks.h"
#include "analytics/writing.h"
#include "base/bytes.h"

typedef struct {
    cairn__run *run;
    cairn__report *report;
    const cairn__query_side *side;
    cairn__pass pass;
    cairn__units units;
    cairn__groups groups;
    cairn__cells cells;
    cairn__list wanted; /* members: uint8_t per group */
    cairn__buffer label;
    cairn__list numbers; /* double: series x units of the group being written */
    bool failed;         /* no memory */
    bool full;           /* the page of members is full */
} model;

/* --- the walk --- */

/* Where the walk of a person stands: most rows count where the row before them did, or near. */
typedef struct {
    cairn__key keys[CAIRN__QUERY_BY_MAX];
    int64_t from_ms, to_ms; /* of the unit at hand */
    cairn__place place;
} cursor;

/* False: no memory; *moved_out when a key is another than before. */
static bool row_keys(model *m, cursor *c, uint32_t row, bool *moved_out) {
    const cairn__query *query = m->run->query;
    for (size_t i = 0; i < query->by_count; i++) {
        cairn__key key;
        if (query->by[i].fact.source == CAIRN__QUERY_OF_USER && c->place.group != 0) {
            continue; /* the same for all rows of a person */
        }
        if (!cairn__groups_key(&m->groups, &query->by[i], row, &key)) {
            return false;
        }
        *moved_out |= !cairn__key_equal(key, c->keys[i]);
        c->keys[i] = key;
    }
    return true;
}

/* The place of a row. False: no memory. */
static bool find_place(model *m, cursor *c, uint32_t row) {
    int64_t now = m->pass.batch.time_ms[row];
    bool moved = c->place.group == 0;
    c->place.row = row;
    if (m->units.count != 0 && (now >= c->to_ms || now < c->from_ms)) {
        c->place.unit = cairn__units_find(&m->units, now);
        c->from_ms = m->units.starts[c->place.unit];
        c->to_ms = m->units.starts[c->place.unit + 1];
        c->place.leaf = NULL;
    }
    if (!row_keys(m, c, row, &moved)) {
        return false;
    }
    if (moved) {
        c->place.leaf = NULL;
        if (!cairn__groups_find(&m->groups, c->keys, &c->place.group)) {
            return false;
        }
    }
    return c->place.leaf != NULL || cairn__cells_find(&m->cells, &c->place);
}

static bool is_wanted_group(model *m, uint32_t group) {
    while (m->wanted.count <= group) {
        uint8_t *added = cairn__list_add(&m->wanted);
        if (added == NULL) {
            m->failed = true;
            return false;
        }
        *added = cairn__groups_wanted(&m->groups, (uint32_t)m->wanted.count - 1, &m->label) ? 1 : 0;
    }
    return ((const uint8_t *)m->wanted.items)[group] != 0;
}

static bool is_wanted_unit(model *m, uint32_t unit) {
    const cairn__query *query = m->run->query;
    if (query->members.unit_json.data == NULL) {
        return true;
    }
    cairn__buffer_clear(&m->label);
    cairn__units_write(&m->units, query, unit, &m->label);
    return cairn__span_equal(cairn__buffer_span(&m->label), query->members.unit_json);
}

static bool take_member(model *m, const cairn__place *place, uint64_t mask) {
    const cairn__query *query = m->run->query;
    const cairn__list *taken = &m->report->members;
    const uint32_t *persons = taken->items;
    if ((mask & query->event.series[query->members.series].patterns) == 0 ||
        (taken->count > 0 && persons[taken->count - 1] == m->pass.person) ||
        !is_wanted_unit(m, place->unit) || !is_wanted_group(m, place->group)) {
        return !m->failed;
    }
    m->full = !cairn__report_member(m->report, m->pass.person, &m->failed);
    return !m->full;
}

static bool take(model *m, const cairn__place *place, uint64_t mask) {
    if (m->run->query->members.wanted) {
        return take_member(m, place, mask);
    }
    m->failed = !cairn__cells_add(&m->cells, place, mask);
    return !m->failed;
}

static bool walk_person(model *m, const uint64_t *name_masks) {
    cursor c = { .from_ms = INT64_MAX };
    const uint64_t *masks = name_masks == NULL ? cairn__pass_masks(&m->pass) : NULL;
    if (name_masks == NULL && masks == NULL) {
        return false; /* the pass says why */
    }
    for (uint32_t row = m->pass.first; row < m->pass.end; row++) {
        uint64_t mask =
            name_masks == NULL ? masks[row - m->pass.first] : name_masks[m->pass.batch.name[row]];
        if (mask == 0) {
            continue;
        }
        if (!find_place(m, &c, row)) {
            m->failed = true;
            return false;
        }
        if (!take(m, &c.place, mask)) {
            return false;
        }
    }
    return true;
}

/* --- rows --- */

static double weight_of(const void *self, uint32_t group) {
    const model *m = self;
    cairn__cell *const *blocks = m->cells.blocks.items;
    const cairn__query_event *event = &m->run->query->event;
    cairn__cell *range = blocks[group] + m->units.count * event->atom_count;
    double weight = cairn__cells_number(&m->cells, &event->series[0], range);
    return isnan(weight) ? -(double)INFINITY : weight;
}

static void write_series(const model *m, cairn__cell *row, cairn__buffer *to) {
    const cairn__query_event *event = &m->run->query->event;
    for (size_t i = 0; i < event->series_count; i++) {
        if (i > 0) {
            cairn__buffer_byte(to, ',');
        }
        cairn__writing_number(to, cairn__cells_number(&m->cells, &event->series[i], row));
    }
    cairn__buffer_byte(to, ']');
}

static bool accumulate(const cairn__query_event *event, cairn__cell *totals, cairn__cell *row) {
    for (size_t atom = 0; atom < event->atom_count; atom++) {
        if (!cairn__cell_accumulate(&totals[atom], &row[atom])) {
            return false;
        }
    }
    return true;
}

/* The numbers of a group, unit by unit; cumulative ones over all units so far. */
static bool fill_numbers(model *m, uint32_t group, cairn__cell *totals) {
    const cairn__query_event *event = &m->run->query->event;
    double *numbers = m->numbers.items;
    for (uint32_t unit = 0; unit < m->units.count; unit++) {
        cairn__cell *row = cairn__cells_at(&m->cells, group, unit);
        if (event->cumulative && !accumulate(event, totals, row)) {
            return false;
        }
        for (size_t i = 0; i < event->series_count; i++) {
            numbers[i * m->units.count + unit] =
                cairn__cells_number(&m->cells, &event->series[i], event->cumulative ? totals : row);
        }
    }
    return true;
}

static bool group_numbers(model *m, uint32_t group) {
    const cairn__query_event *event = &m->run->query->event;
    cairn__cell totals[CAIRN__QUERY_ATOMS_MAX];
    size_t made = 0;
    bool good = true;
    while (good && made < event->atom_count) {
        good = cairn__cell_make(m->run, &event->atoms[made], &totals[made]);
        made++;
    }
    good = good && fill_numbers(m, group, totals);
    for (size_t i = 0; i < made; i++) {
        cairn__cell_free(m->run, &totals[i]);
    }
    return good;
}

/* The mean of the last units that have a number; null before there are enough units. */
static double smoothed(const model *m, const double *numbers, size_t unit) {
    uint32_t moving = m->run->query->event.moving;
    double sum = 0;
    double count = 0;
    if (moving == 0) {
        return numbers[unit];
    }
    for (size_t i = 0; unit + 1 >= moving && i < moving; i++) {
        double number = numbers[unit - i];
        sum += isnan(number) ? 0 : number;
        count += isnan(number) ? 0 : 1;
    }
    return count == 0 ? (double)NAN : sum / count;
}

static void write_unit_numbers(const model *m, uint32_t unit, cairn__buffer *to) {
    const double *numbers = m->numbers.items;
    for (size_t i = 0; i < m->run->query->event.series_count; i++) {
        if (i > 0) {
            cairn__buffer_byte(to, ',');
        }
        cairn__writing_number(to, smoothed(m, numbers + i * m->units.count, unit));
    }
    cairn__buffer_byte(to, ']');
}

static bool write_units(model *m, const cairn__ranks *ranks, size_t index) {
    const cairn__query *query = m->run->query;
    cairn__buffer *to = m->report->rows;
    if (!group_numbers(m, cairn__ranks_at(ranks, index)->group)) {
        return false;
    }
    for (uint32_t unit = 0; unit < m->units.count; unit++) {
        cairn__report_row(m->report, m->side, to);
        cairn__units_write(&m->units, query, unit, to);
        cairn__buffer_byte(to, ',');
        cairn__ranks_write(ranks, index, to);
        write_unit_numbers(m, unit, to);
    }
    return true;
}

static void write_range(model *m, const cairn__ranks *ranks, size_t index, cairn__buffer *to) {
    uint32_t group = cairn__ranks_at(ranks, index)->group;
    cairn__report_row(m->report, m->side, to);
    cairn__ranks_write(ranks, index, to);
    write_series(m, cairn__cells_at(&m->cells, group, (uint32_t)m->units.count), to);
}

static bool write_groups(model *m, const cairn__ranks *ranks) {
    const cairn__query *query = m->run->query;
    if (!cairn__list_reserve(&m->numbers, m->units.count * query->event.series_count + 1)) {
        return false;
    }
    for (size_t i = 0; i < ranks->shown; i++) {
        if (!query->has_unit) {
            write_range(m, ranks, i, m->report->rows);
        } else if (!write_units(m, ranks, i)) {
            return false;
        } else if (query->by_count > 0) {
            write_range(m, ranks, i, &m->report->group_totals);
        }
    }
    cairn__report_row(m->report, m->side, &m->report->totals);
    write_series(m, cairn__cells_at(&m->cells, 0, 0), &m->report->totals);
    return true;
}

static cairn_status write_answer(model *m) {
    cairn__ranks ranks;
    cairn_status status = CAIRN_NO_MEMORY;
    if (cairn__ranks_make(&m->groups, weight_of, m, &ranks)) {
        size_t rows = ranks.shown * (m->units.count == 0 ? 1 : m->units.count);
        status = cairn__report_room(m->report, rows) ? CAIRN_OK : CAIRN_INVALID;
    }
    if (status == CAIRN_OK) {
        m->report->groups += ranks.list.count;
        m->report->groups_shown += ranks.shown;
        status = write_groups(m, &ranks) ? CAIRN_OK : CAIRN_NO_MEMORY;
    }
    cairn__ranks_free(&ranks);
    return status;
}

static cairn_status answer(model *m) {
    uint32_t group;
    const cairn__query *query = m->run->query;
    /* A question without groups has its rows even when there is nobody. */
    if (query->by_count == 0 && !cairn__groups_find(&m->groups, NULL, &group)) {
        return CAIRN_NO_MEMORY;
    }
    if (cairn__cells_at(&m->cells, m->groups.count - 1, 0) == NULL) {
        return CAIRN_NO_MEMORY;
    }
    const uint64_t *name_masks = cairn__pass_name_masks(&m->pass);
    while (cairn__pass_next(&m->pass) && walk_person(m, name_masks)) {
    }
    if (m->failed) {
        return CAIRN_NO_MEMORY;
    }
    if (m->pass.status != CAIRN_OK || query->members.wanted) {
        return m->pass.status;
    }
    return cairn__cells_finish(&m->cells) ? write_answer(m) : CAIRN_NO_MEMORY;
}

cairn_status cairn__event_run(cairn__run *run, const cairn__query_side *side,
                              cairn__report *report) {
    model m = { .run = run, .report = report, .side = side };
    cairn_status status = cairn__units_make(run->allocator, run->query, side, &m.units);
    if (status != CAIRN_OK) {
        return status;
    }
    status = cairn__pass_open(&m.pass, run, side, side->to_ms);
    if (status == CAIRN_OK) {
        m.groups = cairn__groups_make(&m.pass);
        m.cells = cairn__cells_make(&m.pass, m.units.count);
        m.wanted = cairn__list_make(run->allocator, sizeof(uint8_t));
        m.label = cairn__buffer_make(run->allocator, SIZE_MAX / 2);
        m.numbers = cairn__list_make(run->allocator, sizeof(double));
        status = answer(&m);
        cairn__groups_free(&m.groups);
        cairn__cells_free(&m.cells);
        cairn__list_free(&m.wanted);
        cairn__buffer_free(&m.label);
        cairn__list_free(&m.numbers);
        cairn__pass_close(&m.pass);
    }
    cairn__units_free(&m.units);
    return status;
}
