/* compile_history.c: a function over the history to the bytes of a query (query.h). The `where`s
 * become programs of their own, over the event's (or the row's) properties alone. */
#include "base/bytes.h"
#include "rules/fault.h"
#include "rules/query.h"

typedef cairn__rule_node node;
typedef cairn__rule_history history;
typedef cairn__rule_events events;

static cairn_status refuse(const cairn__rule_source *source, const node *at, const char *sentence) {
    cairn__rule_fault_begin(source->fault, source->text, at->at);
    cairn__rule_fault_add(source->fault, sentence);
    return CAIRN_INVALID;
}

static bool of_rows(const history *of) {
    return of->kind == CAIRN__RULE_ANY_ROW || of->kind == CAIRN__RULE_ALL_ROWS;
}

/* What a query's value may not depend on, or NULL: it would have to be asked again whenever that
 * changes, and could not be counted event by event. */
static const node *find_foreign(const node *tree, bool rows) {
    bool foreign = tree->kind == CAIRN__RULE_NODE_PATH &&
                   (unsigned)tree->path.space != (rows ? CAIRN__RULE_ROW : CAIRN__RULE_EVENT);
    bool moving = tree->kind == CAIRN__RULE_NODE_NOW || tree->kind == CAIRN__RULE_NODE_IS_TODAY;
    if (foreign || (moving && !rows)) {
        return tree;
    }
    for (const node *child = tree->first; child != NULL; child = child->next) {
        const node *found = find_foreign(child, rows);
        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

static cairn_status compile_where(const cairn__rule_source *source, const history *of, node *where,
                                  cairn__rule *rule_out) {
    *rule_out = (cairn__rule){ 0 };
    if (where == NULL) {
        return CAIRN_OK;
    }
    const node *foreign = find_foreign(where, of_rows(of));
    if (foreign != NULL && foreign->kind == CAIRN__RULE_NODE_PATH) {
        return refuse(source, foreign,
                      of_rows(of) ? "\"where\" can ask only the row's own columns here"
                                  : "\"where\" can ask only the event's own properties; ask about "
                                    "the person outside of it");
    }
    if (foreign != NULL) {
        return refuse(source, foreign,
                      "\"where\" is about the event as it was, whatever the time is now; say when "
                      "with a window (last 7 days, today)");
    }
    cairn_status status = cairn__rule_compile_part(source, where, rule_out);
    if (status == CAIRN_OK && rule_out->slot_count > CAIRN__QUERY_WHERE_SLOTS_MAX) {
        return refuse(source, where, "a \"where\" can name at most 64 different properties");
    }
    return status;
}

/* Insertion sort: at most 64 names. Returns how many are distinct. */
static uint32_t sort_names(cairn_span *names, uint32_t count) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        cairn_span name = names[i];
        uint32_t at = kept;
        while (at > 0 && cairn__span_compare(names[at - 1], name) > 0) {
            at -= 1;
        }
        if (at > 0 && cairn__span_equal(names[at - 1], name)) {
            continue;
        }
        memmove(names + at + 1, names + at, (kept - at) * sizeof *names);
        names[at] = name;
        kept += 1;
    }
    return kept;
}

static void write_step(cairn__buffer *to, const events *step, uint32_t names,
                       const cairn__rule *where) {
    uint8_t *head = cairn__buffer_extend(to, CAIRN__QUERY_STEP_BYTES);
    if (head == NULL) {
        return;
    }
    memset(head, 0, CAIRN__QUERY_STEP_BYTES);
    head[0] = (uint8_t)((step->any ? CAIRN__QUERY_STEP_ANY : 0) |
                        (step->negated ? CAIRN__QUERY_STEP_NEGATED : 0));
    cairn__store_u16(head + 2, (uint16_t)names);
    cairn__store_u32(head + 4, (uint32_t)where->program_bytes);
    for (uint32_t i = 0; i < names; i++) {
        uint8_t *length = cairn__buffer_extend(to, 2);
        if (length != NULL) {
            cairn__store_u16(length, (uint16_t)step->names[i].len);
        }
        cairn__buffer_append(to, step->names[i]);
    }
    cairn__buffer_append(to, cairn__span(where->program, where->program_bytes));
}

/* Where days play no part, whose days they would be says nothing. */
static bool needs_days(const history *of) {
    bool calendar =
        of->window.kind != CAIRN__RULE_WINDOW_EVER && of->window.kind != CAIRN__RULE_WINDOW_LAST;
    return calendar || of->kind == CAIRN__RULE_DAYS || of->events->where != NULL;
}

static void write_header(uint8_t *head, const history *of, uint32_t steps, size_t bytes) {
    const cairn__rule_window *window = &of->window;
    bool rolling = window->kind == CAIRN__RULE_WINDOW_LAST;
    memset(head, 0, CAIRN__QUERY_HEADER_BYTES);
    cairn__store_u32(head, CAIRN__QUERY_MAGIC);
    head[4] = (uint8_t)of->kind;
    head[5] = (uint8_t)window->kind;
    head[6] = window->user_time && needs_days(of) ? 1 : 0;
    head[7] = (uint8_t)steps;
    cairn__store_u32(head + 8, (uint32_t)bytes);
    cairn__store_u32(head + 12, (uint32_t)of->name.len);
    cairn__store_u64(head + 16, (uint64_t)(rolling ? window->ms : window->from_day));
    cairn__store_u64(head + 24, (uint64_t)window->to_day);
    cairn__store_u64(head + 32, (uint64_t)of->within_ms);
}

static cairn_status write_steps(const cairn__rule_source *source, const history *of,
                                cairn__buffer *to, uint32_t *steps_out) {
    for (const events *step = of->events; step != NULL; step = step->next) {
        cairn__rule where;
        cairn_status status = compile_where(source, of, step->where, &where);
        if (status != CAIRN_OK) {
            return status;
        }
        write_step(to, step, sort_names(step->names, step->count), &where);
        *steps_out += 1;
    }
    return CAIRN_OK;
}

cairn_status cairn__query_write(const cairn__rule_source *source, const node *from,
                                cairn_span *bytes_out) {
    const history *of = from->history;
    uint32_t steps = 0;
    cairn__buffer to =
        cairn__buffer_make(source->arena->allocator, (size_t)CAIRN__RULE_DATA_BYTES_MAX * 2);
    (void)cairn__buffer_extend(&to, CAIRN__QUERY_HEADER_BYTES);
    cairn__buffer_append(&to, of->name);
    cairn_status status = write_steps(source, of, &to, &steps);
    if (status == CAIRN_OK && to.len > CAIRN__QUERY_BYTES_MAX) {
        status = refuse(source, from,
                        "this function is too long: more than 64 KiB when compiled; ask shorter "
                        "lists or patterns");
    }
    if (status == CAIRN_OK && !to.failed) {
        write_header(to.data, of, steps, to.len);
    }
    if (status == CAIRN_OK &&
        (to.failed || !cairn__arena_copy(source->arena, cairn__buffer_span(&to), bytes_out))) {
        status = CAIRN_NO_MEMORY;
    }
    cairn__buffer_free(&to);
    return status;
}
