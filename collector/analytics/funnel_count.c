/* funnel_count.c: results into counts per group and unit, and those into rows. */
#include <math.h>
#include <string.h>

#include "analytics/funnel.h"
#include "analytics/ranks.h"
#include "analytics/writing.h"

/* Upper edges of the histogram of the whole way, in seconds. */
static const double histogram_s[] = { 1, 10, 60, 600, 3600, 21600, 86400, 259200, 604800, 2592000 };
enum { HISTOGRAM_EDGES = sizeof histogram_s / sizeof histogram_s[0] };

cairn__funnel_counts cairn__funnel_counts_make(cairn__run *run, const cairn__units *units) {
    return (cairn__funnel_counts){
        .run = run,
        .step_count = run->query->funnel.step_count,
        .unit_count = units->count == 0 ? 1 : units->count,
        .blocks = cairn__list_make(run->allocator, sizeof(cairn__funnel_count *)),
    };
}

static size_t block_count(const cairn__funnel_counts *counts, size_t group) {
    return (group == 0 ? 1 : counts->unit_count) * counts->step_count;
}

void cairn__funnel_counts_free(cairn__funnel_counts *counts) {
    cairn__funnel_count **blocks = counts->blocks.items;
    const cairn_allocator *allocator = &counts->run->allocator;
    for (size_t group = 0; group < counts->blocks.count; group++) {
        size_t count = block_count(counts, group);
        for (size_t i = 0; i < count; i++) {
            cairn__list_free(&blocks[group][i].times);
        }
        allocator->resize(allocator->self, blocks[group], count * sizeof **blocks, 0);
    }
    cairn__list_free(&counts->blocks);
}

static bool add_block(cairn__funnel_counts *counts) {
    const cairn_allocator *allocator = &counts->run->allocator;
    size_t count = block_count(counts, counts->blocks.count);
    cairn__funnel_count **added = cairn__list_add(&counts->blocks);
    if (added == NULL) {
        return false;
    }
    *added = allocator->resize(allocator->self, NULL, 0, count * sizeof **added);
    if (*added == NULL) {
        counts->blocks.count--;
        return false;
    }
    memset(*added, 0, count * sizeof **added);
    for (size_t i = 0; i < count; i++) {
        (*added)[i].times = cairn__list_make(counts->run->allocator, sizeof(double));
    }
    return true;
}

cairn__funnel_count *cairn__funnel_counts_at(cairn__funnel_counts *counts, uint32_t group,
                                             uint32_t unit) {
    while (counts->blocks.count <= group) {
        if (!add_block(counts)) {
            return NULL;
        }
    }
    cairn__funnel_count **blocks = counts->blocks.items;
    return blocks[group] + (size_t)unit * counts->step_count;
}

static bool add_time(cairn__funnel_count *step, int64_t ms) {
    double *added = cairn__list_add(&step->times);
    if (added == NULL) {
        return false;
    }
    *added = (double)ms / 1000;
    return true;
}

bool cairn__funnel_counts_add(cairn__funnel_count *steps, const cairn__pass *pass,
                              const cairn__funnel_chain *chain) {
    const cairn__query_funnel *options = &pass->run->query->funnel;
    const int64_t *time_ms = pass->batch.time_ms;
    for (uint32_t i = 0; i < chain->level; i++) {
        steps[i].entries++;
        if (steps[i].last_person != pass->person + 1) {
            steps[i].last_person = pass->person + 1;
            steps[i].persons++;
        }
        if (options->times && i > 0 &&
            !add_time(&steps[i], time_ms[chain->rows[i]] - time_ms[chain->rows[i - 1]])) {
            return false;
        }
    }
    if (options->times && chain->level == options->step_count) {
        return add_time(&steps[0],
                        time_ms[chain->rows[chain->level - 1]] - time_ms[chain->rows[0]]);
    }
    return true;
}

/* --- rows --- */

void cairn__funnel_columns(const cairn__query *query, cairn__buffer *to) {
    cairn__writing_raw(to, "\"step\",\"name\",\"persons\"");
    if (query->funnel.entry == CAIRN__QUERY_EVERY) {
        cairn__writing_raw(to, ",\"entries\"");
    }
    cairn__writing_raw(to, ",\"conversion\",\"total\"");
    if (query->funnel.times) {
        cairn__writing_raw(to, ",\"median_s\",\"p75_s\",\"p90_s\",\"mean_s\"");
    }
}

static void write_times(const cairn__list *times, bool first, cairn__buffer *to) {
    double *numbers = times->items;
    size_t count = first ? 0 : times->count;
    double sum = 0;
    if (count > 0) {
        cairn__report_sort(numbers, count);
    }
    for (size_t i = 0; i < count; i++) {
        sum += numbers[i];
    }
    static const double fractions[] = { 0.5, 0.75, 0.9 };
    for (size_t i = 0; i < sizeof fractions / sizeof fractions[0]; i++) {
        cairn__buffer_byte(to, ',');
        cairn__writing_number(to, cairn__report_percentile(numbers, count, fractions[i]));
    }
    cairn__buffer_byte(to, ',');
    cairn__writing_ratio(to, sum, (double)count);
}

static void write_name(const cairn__query_funnel *options, uint32_t step, cairn__buffer *to) {
    if (options->order == CAIRN__QUERY_ANY) {
        cairn__buffer_format(to, ",\"any %u\"", step + 1);
        return;
    }
    cairn__buffer_byte(to, ',');
    cairn__writing_text(to, options->steps[step].label);
}

/* The values from "step" on, and the closing bracket. */
static void write_step(const cairn__query_funnel *options, const cairn__funnel_count *steps,
                       uint32_t step, cairn__buffer *to) {
    const cairn__funnel_count *before = &steps[step == 0 ? 0 : step - 1];
    cairn__buffer_format(to, "%u", step + 1);
    write_name(options, step, to);
    cairn__buffer_format(to, ",%u,", steps[step].persons);
    if (options->entry == CAIRN__QUERY_EVERY) {
        cairn__buffer_format(to, "%llu,", (unsigned long long)steps[step].entries);
    }
    cairn__writing_ratio(to, (double)steps[step].entries, (double)before->entries);
    cairn__buffer_byte(to, ',');
    cairn__writing_ratio(to, (double)steps[step].entries, (double)steps[0].entries);
    if (options->times) {
        write_times(&steps[step].times, step == 0, to);
    }
    cairn__buffer_byte(to, ']');
}

static double weight_of(const void *self, uint32_t group) {
    const cairn__funnel *funnel = self;
    cairn__funnel_count *const *blocks = funnel->counts.blocks.items;
    double weight = 0;
    for (size_t unit = 0; unit < funnel->counts.unit_count; unit++) {
        weight += (double)blocks[group][unit * funnel->counts.step_count].entries;
    }
    return weight;
}

static void write_unit(cairn__funnel *funnel, const cairn__ranks *ranks, size_t index,
                       uint32_t unit, const cairn__query_side *side) {
    const cairn__query *query = funnel->run->query;
    cairn__buffer *to = funnel->report->rows;
    uint32_t group = cairn__ranks_at(ranks, index)->group;
    const cairn__funnel_count *steps = cairn__funnel_counts_at(&funnel->counts, group, unit);
    for (uint32_t step = 0; step < funnel->counts.step_count; step++) {
        cairn__report_row(funnel->report, side, to);
        if (query->has_unit) {
            cairn__units_write(&funnel->units, query, unit, to);
            cairn__buffer_byte(to, ',');
        }
        cairn__ranks_write(ranks, index, to);
        write_step(&query->funnel, steps, step, to);
    }
}

static void write_group(cairn__funnel *funnel, const cairn__ranks *ranks, size_t index,
                        const cairn__query_side *side) {
    for (uint32_t unit = 0; unit < funnel->counts.unit_count; unit++) {
        write_unit(funnel, ranks, index, unit, side);
    }
}

static void write_histogram(cairn__funnel *funnel, const cairn__funnel_count *steps,
                            const cairn__query_side *side) {
    cairn__buffer *to = &funnel->report->details;
    uint64_t counts[HISTOGRAM_EDGES + 1] = { 0 };
    const double *times = steps[0].times.items;
    for (size_t i = 0; i < steps[0].times.count; i++) {
        size_t bin = 0;
        while (bin < HISTOGRAM_EDGES && times[i] >= histogram_s[bin]) {
            bin++;
        }
        counts[bin]++;
    }
    cairn__buffer_format(to, "%s{", to->len == 0 ? ",\"histogram\":[" : ",");
    if (side->label.len != 0) {
        cairn__writing_raw(to, "\"compare\":");
        cairn__writing_text(to, side->label);
        cairn__buffer_byte(to, ',');
    }
    cairn__writing_raw(to, "\"edges_s\":[0");
    for (size_t i = 0; i < HISTOGRAM_EDGES; i++) {
        cairn__buffer_byte(to, ',');
        cairn__writing_number(to, histogram_s[i]);
    }
    cairn__writing_raw(to, "],\"conversions\":[");
    for (size_t i = 0; i <= HISTOGRAM_EDGES; i++) {
        cairn__buffer_format(to, "%s%llu", i == 0 ? "" : ",", (unsigned long long)counts[i]);
    }
    cairn__writing_raw(to, "]}");
}

static void write_totals(cairn__funnel *funnel, const cairn__query_side *side) {
    const cairn__query_funnel *options = &funnel->run->query->funnel;
    const cairn__funnel_count *whole = cairn__funnel_counts_at(&funnel->counts, 0, 0);
    for (uint32_t step = 0; step < options->step_count; step++) {
        cairn__report_row(funnel->report, side, &funnel->report->totals);
        write_step(options, whole, step, &funnel->report->totals);
    }
    if (options->times) {
        write_histogram(funnel, whole, side);
    }
}

cairn_status cairn__funnel_write(cairn__funnel *funnel, const cairn__query_side *side) {
    cairn__ranks ranks;
    const cairn__funnel_counts *counts = &funnel->counts;
    cairn_status status = CAIRN_NO_MEMORY;
    if (cairn__ranks_make(&funnel->groups, weight_of, funnel, &ranks)) {
        size_t rows = ranks.shown * counts->unit_count * counts->step_count;
        status = cairn__report_room(funnel->report, rows) ? CAIRN_OK : CAIRN_INVALID;
    }
    for (size_t i = 0; status == CAIRN_OK && i < ranks.shown; i++) {
        write_group(funnel, &ranks, i, side);
    }
    if (status == CAIRN_OK) {
        funnel->report->groups += ranks.list.count;
        funnel->report->groups_shown += ranks.shown;
        write_totals(funnel, side);
    }
    cairn__ranks_free(&ranks);
    return status;
}
