/* analyze.c: reads the question, asks its model once per side, writes what is around the rows. */
#include "analytics/analytics.h"

#include "analytics/event_model.h"
#include "analytics/funnel.h"
#include "analytics/writing.h"
#include "base/civil.h"

enum { QUERY_ARENA_BYTES_MAX = 4 * 1024 * 1024 }; /* what a query of 64 KiB can need, rules too */

static cairn_status say(cairn__analyze_problem *problem, cairn_status status, size_t bytes_max) {
    const cairn__fault_path root = { { 0 } };
    if (status == CAIRN_BUSY) {
        cairn__fault(problem, "deadline", root, "the time for this question is up");
        cairn__fault_fix(problem, "ask for a shorter range, fewer groups, or a sample");
    } else if (status == CAIRN_NO_MEMORY) {
        cairn__fault(problem, "memory", root, "the question needs more than %zu bytes", bytes_max);
        cairn__fault_fix(problem, "ask for a longer unit, fewer groups, or a sample");
    } else if (status == CAIRN_STORAGE) {
        cairn__fault(problem, "storage", root, "a block of the trail is damaged");
        cairn__fault_fix(problem, "run the check of the data folder and restore it");
    }
    return status; /* CAIRN_OK, or CAIRN_INVALID with its problem */
}

/* --- columns --- */

static void write_groups(const cairn__query *query, bool with_unit, cairn__buffer *to) {
    if (query->side_count == 2) {
        cairn__writing_raw(to, "\"compare\",");
    }
    if (with_unit && query->has_unit) {
        cairn__buffer_format(to, "\"%s\",", cairn__query_unit_name(query->unit));
    }
}

static void write_by(const cairn__query *query, cairn__buffer *to) {
    for (size_t i = 0; i < query->by_count; i++) {
        cairn__writing_text(to, query->by[i].label);
        cairn__buffer_byte(to, ',');
    }
}

static void write_numbers(const cairn__query *query, cairn__buffer *to) {
    if (query->model == CAIRN__QUERY_FUNNEL) {
        cairn__funnel_columns(query, to);
        return;
    }
    for (size_t i = 0; i < query->event.series_count; i++) {
        if (i > 0) {
            cairn__buffer_byte(to, ',');
        }
        cairn__writing_text(to, query->event.series[i].label);
    }
}

static void write_part(const cairn__report *report, const char *name, bool by_groups,
                       cairn__buffer *to) {
    const cairn__query *query = report->query;
    const cairn__buffer *rows = by_groups ? &report->group_totals : &report->totals;
    cairn__buffer_format(to, ",\"%s\":{\"columns\":[", name);
    write_groups(query, false, to);
    if (by_groups) {
        write_by(query, to);
    }
    write_numbers(query, to);
    cairn__writing_raw(to, "],\"rows\":[");
    cairn__buffer_append(to, cairn__buffer_span(rows));
    cairn__writing_raw(to, "]}");
}

static void write_head(const cairn__query *query, cairn__buffer *to) {
    char from[CAIRN__INSTANT_TEXT_BYTES];
    char end[CAIRN__INSTANT_TEXT_BYTES];
    (void)cairn__format_instant(query->sides[0].from_ms, from);
    (void)cairn__format_instant(query->sides[0].to_ms, end);
    cairn__buffer_format(to,
                         "{\"model\":\"%s\",\"range\":{\"from\":\"%s\",\"before\":\"%s\","
                         "\"timezone\":",
                         query->model == CAIRN__QUERY_EVENT ? "event" : "funnel", from, end);
    cairn__writing_text(to, query->zone_name);
    cairn__writing_raw(to, "},\"columns\":[");
    if (query->members.wanted) {
        cairn__writing_raw(to, "\"person\"");
    } else {
        write_groups(query, true, to);
        write_by(query, to);
        write_numbers(query, to);
    }
    cairn__writing_raw(to, "],\"rows\":[");
}

static void write_members(const cairn__report *report, cairn__buffer *to) {
    const uint32_t *persons = report->members.items;
    size_t count = report->members.count;
    for (size_t i = 0; i < count; i++) {
        cairn__buffer_format(to, "%s[%u]", i == 0 ? "" : ",", persons[i]);
    }
    cairn__writing_raw(to, "],\"next\":");
    if (report->has_more) {
        cairn__buffer_format(to, "%u", persons[count - 1]);
    } else {
        cairn__writing_raw(to, "null");
    }
}

static void write_tail(const cairn__report *report, cairn__buffer *to) {
    const cairn__query *query = report->query;
    if (query->members.wanted) {
        write_members(report, to);
        return;
    }
    cairn__buffer_byte(to, ']');
    write_part(report, "totals", false, to);
    if (report->group_totals.len > 0) {
        write_part(report, "group_totals", true, to);
    }
    if (report->details.len > 0) {
        cairn__buffer_append(to, cairn__buffer_span(&report->details));
        cairn__buffer_byte(to, ']');
    }
}

static void write_stats(const cairn__run *run, const cairn__report *report, int64_t ms,
                        cairn__buffer *to) {
    cairn__buffer_format(to, ",\"stats\":{\"events_read\":%llu,\"persons_read\":%llu,\"ms\":%lld",
                         (unsigned long long)run->rows_read, (unsigned long long)run->persons_read,
                         (long long)ms);
    if (run->query->by_count > 0 && !run->query->members.wanted) {
        cairn__buffer_format(to, ",\"groups\":%zu,\"groups_shown\":%zu", report->groups,
                             report->groups_shown);
    }
    if (run->query->sample < 1) {
        cairn__writing_raw(to, ",\"sample\":");
        cairn__writing_number(to, run->query->sample);
    }
    cairn__writing_raw(to, "}}");
}

/* --- the run --- */

static cairn_status run_sides(cairn__run *run, cairn__report *report) {
    const cairn__query *query = run->query;
    cairn_status status = CAIRN_OK;
    for (size_t i = 0; i < query->side_count && status == CAIRN_OK; i++) {
        if (query->members.wanted && i != query->members.side) {
            continue;
        }
        status = query->model == CAIRN__QUERY_EVENT
                     ? cairn__event_run(run, &query->sides[i], report)
                     : cairn__funnel_run(run, &query->sides[i], report);
    }
    return status;
}

static cairn_status run_query(cairn__run *run, cairn__buffer *answer,
                              cairn__analyze_problem *problem) {
    const cairn__analyze_options *options = run->options;
    int64_t started_ms = options->mono_ms == NULL ? 0 : options->mono_ms(options->self);
    cairn__report report = { .query = run->query, .problem = problem, .rows = answer };
    report.totals = cairn__buffer_make(run->allocator, SIZE_MAX / 2);
    report.group_totals = cairn__buffer_make(run->allocator, SIZE_MAX / 2);
    report.details = cairn__buffer_make(run->allocator, SIZE_MAX / 2);
    report.members = cairn__list_make(run->allocator, sizeof(uint32_t));
    write_head(run->query, answer);
    cairn_status status = run_sides(run, &report);
    if (status == CAIRN_OK) {
        write_tail(&report, answer);
        int64_t now_ms = options->mono_ms == NULL ? 0 : options->mono_ms(options->self);
        write_stats(run, &report, now_ms - started_ms, answer);
    }
    bool failed = answer->failed || report.totals.failed || report.group_totals.failed ||
                  report.details.failed;
    cairn__buffer_free(&report.totals);
    cairn__buffer_free(&report.group_totals);
    cairn__buffer_free(&report.details);
    cairn__list_free(&report.members);
    return status == CAIRN_OK && failed ? CAIRN_NO_MEMORY : status;
}

cairn_status cairn__analyze(const cairn__analyze_source *source, cairn_span query,
                            const cairn__analyze_options *options, cairn__buffer *answer,
                            cairn__analyze_problem *problem_out) {
    cairn__budget budget = cairn__budget_make(options->allocator, options->bytes_max);
    cairn_allocator allocator = cairn__budget_allocator(&budget);
    cairn__arena arena = cairn__arena_make(allocator, QUERY_ARENA_BYTES_MAX);
    const cairn__query_frame frame = {
        .zones = &source->zones,
        .project_zone = source->project_zone,
        .now_ms = options->now_ms,
        .arena = &arena,
        .problem = problem_out,
    };
    cairn__query *parsed = cairn__arena_alloc(&arena, sizeof *parsed);
    *problem_out = (cairn__analyze_problem){ 0 };
    cairn_status status =
        parsed == NULL ? CAIRN_NO_MEMORY : cairn__query_read(query, &frame, parsed);
    size_t start = answer->len;
    if (status == CAIRN_OK) {
        cairn__run run = {
            .source = source,
            .options = options,
            .query = parsed,
            .allocator = allocator,
            .reader_bytes_max = options->bytes_max / 2,
        };
        status = run_query(&run, answer, problem_out);
    }
    if (status != CAIRN_OK) {
        answer->len = start; /* half an answer is none */
    }
    cairn__arena_free(&arena);
    return say(problem_out, status, options->bytes_max);
}
