#include "analytics/report.h"

#include <math.h>
#include <stdlib.h>

#include "analytics/writing.h"

bool cairn__report_room(cairn__report *report, size_t rows) {
    if (rows <= CAIRN__QUERY_ROWS_MAX - report->row_count) {
        report->row_count += rows;
        return true;
    }
    cairn__fault_path at = cairn__fault_key((cairn__fault_path){ { 0 } }, "limit");
    cairn__fault(report->problem, "too_many_rows", at, "the answer would have more than %d rows",
                 (int)CAIRN__QUERY_ROWS_MAX);
    return cairn__fault_fix(report->problem,
                            "take a longer unit, a shorter range, or a smaller limit of groups");
}

void cairn__report_row(cairn__report *report, const cairn__query_side *side, cairn__buffer *to) {
    if (to->len > 0 && to->data[to->len - 1] == ']') {
        cairn__buffer_byte(to, ',');
    }
    cairn__buffer_byte(to, '[');
    if (report->query->side_count == 2) {
        cairn__writing_text(to, side->label);
        cairn__buffer_byte(to, ',');
    }
}

bool cairn__report_member(cairn__report *report, uint32_t person, bool *failed) {
    if (report->members.count == report->query->members.limit) {
        report->has_more = true;
        return false;
    }
    uint32_t *added = cairn__list_add(&report->members);
    if (added == NULL) {
        *failed = true;
        return false;
    }
    *added = person;
    return true;
}

static int compare(const void *a, const void *b) {
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

void cairn__report_sort(double *numbers, size_t count) {
    if (count > 1) {
        qsort(numbers, count, sizeof *numbers, compare);
    }
}

double cairn__report_percentile(const double *sorted, size_t count, double fraction) {
    if (count == 0) {
        return (double)NAN;
    }
    double place = fraction * (double)(count - 1);
    size_t below = (size_t)place;
    if (below + 1 >= count) {
        return sorted[count - 1];
    }
    return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}
