/* program.c: is a run of bytes a program that may be evaluated? Everything the evaluator relies on
 * is checked here, once: kinds, bounds, the stack's depth at every step, and that jumps nest. */
#include "model/limits.h"
#include "rules/query.h"

cairn__rule_value cairn__rule_constant_value(const cairn__rule_view *view, uint32_t index,
                                             const cairn__zone *zone) {
    cairn__rule_constant constant = cairn__rule_constant_at(view, index);
    cairn__rule_value value = { .kind = constant.kind };
    switch (constant.kind) {
    case CAIRN_VALUE_BOOLEAN:
        value.as.boolean = constant.payload != 0;
        break;
    case CAIRN_VALUE_NUMBER:
        memcpy(&value.as.number, &constant.payload, sizeof value.as.number);
        break;
    case CAIRN_VALUE_STRING:
        value.as.string = cairn__span(view->data + constant.payload, constant.count);
        break;
    case CAIRN__RULE_CONSTANT_DAY:
        value = cairn__rule_integer(CAIRN_VALUE_TIME,
                                    cairn__zone_day_start(zone, (int64_t)constant.payload));
        break;
    default:
        value.as.integer = (int64_t)constant.payload;
        break;
    }
    return value;
}

/* Numbers are one type whether whole or not. */
static int type_rank(const cairn__rule_value *value) {
    return value->kind == CAIRN_VALUE_NUMBER ? CAIRN_VALUE_INTEGER : value->kind;
}

int cairn__rule_set_order(const cairn__rule_value *a, const cairn__rule_value *b) {
    int rank = type_rank(a) - type_rank(b);
    if (rank != 0) {
        return rank;
    }
    if (a->kind == CAIRN_VALUE_BOOLEAN) {
        return (int)a->as.boolean - (int)b->as.boolean;
    }
    bool comparable = false;
    return cairn__rule_order(a, b, &comparable);
}

static uint32_t log_two(uint32_t count) {
    uint32_t bits = 0;
    for (; count > 0; count >>= 1) {
        bits += 1;
    }
    return bits;
}

uint32_t cairn__rule_code_cost(const cairn__rule_view *view, const cairn__rule_code *code) {
    if (code->op != CAIRN__RULE_OP_IN_SET && code->op != CAIRN__RULE_OP_MATCHES) {
        return 1;
    }
    cairn__rule_constant constant = cairn__rule_constant_at(view, code->c);
    if (code->op == CAIRN__RULE_OP_IN_SET) {
        return 1 + log_two(constant.count);
    }
    return 1 + cairn__pattern_states(cairn__span(view->data + constant.payload, constant.count));
}

uint32_t cairn__rule_code_takes(const cairn__rule_code *code) {
    switch (code->op) {
    case CAIRN__RULE_OP_SLOT:
    case CAIRN__RULE_OP_CONSTANT:
    case CAIRN__RULE_OP_NOW:
    case CAIRN__RULE_OP_COMPARE_SLOT:
        return 0;
    case CAIRN__RULE_OP_COMPARE:
    case CAIRN__RULE_OP_AND:
    case CAIRN__RULE_OP_OR:
    case CAIRN__RULE_OP_IN_LIST:
    case CAIRN__RULE_OP_TEXT:
    case CAIRN__RULE_OP_ARITHMETIC:
        return 2;
    case CAIRN__RULE_OP_BETWEEN:
        return 3;
    case CAIRN__RULE_OP_CALL:
        return code->b;
    default:
        return 1;
    }
}

/* --- sections -------------------------------------------------------------------------------- */

static bool sizes_are_good(cairn_span program, cairn__rule_view *view) {
    if (program.len < CAIRN__RULE_HEADER_BYTES ||
        cairn__load_u32(program.data) != CAIRN__RULE_MAGIC ||
        cairn__load_u32(program.data + 4) != program.len) {
        return false;
    }
    *view = cairn__rule_open(program.data);
    if (view->slot_count > CAIRN__RULE_SLOTS_MAX ||
        view->constant_count > CAIRN__RULE_CONSTANTS_MAX || view->code_count == 0 ||
        view->code_count > CAIRN__RULE_CODE_MAX || view->stack_max > CAIRN__RULE_STACK_MAX ||
        view->data_bytes > CAIRN__RULE_DATA_BYTES_MAX) {
        return false;
    }
    size_t bytes = CAIRN__RULE_HEADER_BYTES + (size_t)view->slot_count * CAIRN__RULE_SLOT_BYTES +
                   (size_t)view->constant_count * CAIRN__RULE_CONSTANT_BYTES +
                   (size_t)view->code_count * CAIRN__RULE_CODE_BYTES + view->data_bytes;
    return bytes == program.len;
}

static bool in_data(const cairn__rule_view *view, uint64_t at, uint32_t count) {
    return count <= view->data_bytes && at <= view->data_bytes - count;
}

/* A query's name is a query. */
static bool slots_are_good(const cairn__rule_view *view, unsigned spaces) {
    for (uint32_t i = 0; i < view->slot_count; i++) {
        const uint8_t *slot = view->slots + (size_t)i * CAIRN__RULE_SLOT_BYTES;
        uint32_t name_bytes = cairn__load_u16(slot + 2);
        uint32_t at = cairn__load_u32(slot + 4);
        bool one_space = (slot[0] & spaces) != 0 && (slot[0] & (slot[0] - 1)) == 0;
        if (!one_space || !in_data(view, at, name_bytes)) {
            return false;
        }
        bool good = slot[0] == CAIRN__RULE_QUERY
                        ? cairn__query_check(cairn__span(view->data + at, name_bytes))
                        : name_bytes > 0 && name_bytes <= CAIRN__NAME_BYTES_MAX;
        if (!good) {
            return false;
        }
    }
    return true;
}

static bool is_set_item(uint8_t kind) {
    return kind == CAIRN_VALUE_BOOLEAN || kind == CAIRN_VALUE_INTEGER ||
           kind == CAIRN_VALUE_NUMBER || kind == CAIRN_VALUE_STRING || kind == CAIRN_VALUE_TIME;
}

static bool ascends(const cairn__rule_view *view, uint32_t index) {
    cairn__rule_value before = cairn__rule_constant_value(view, index - 1, NULL);
    cairn__rule_value item = cairn__rule_constant_value(view, index, NULL);
    return cairn__rule_set_order(&before, &item) < 0;
}

/* The items come before their set, so that they have been checked; they ascend, for the search. */
static bool set_is_good(const cairn__rule_view *view, uint32_t index,
                        const cairn__rule_constant *set) {
    if (set->count > index || set->payload > index - set->count) {
        return false;
    }
    uint32_t first = (uint32_t)set->payload;
    for (uint32_t i = first; i < first + set->count; i++) {
        if (!is_set_item(cairn__rule_constant_at(view, i).kind) ||
            (i > first && !ascends(view, i))) {
            return false;
        }
    }
    return true;
}

static bool constant_is_good(const cairn__rule_view *view, uint32_t index) {
    cairn__rule_constant constant = cairn__rule_constant_at(view, index);
    switch (constant.kind) {
    case CAIRN_VALUE_NULL:
    case CAIRN_VALUE_INTEGER:
    case CAIRN_VALUE_TIME:
    case CAIRN__RULE_KIND_DURATION:
    case CAIRN__RULE_CONSTANT_DAY:
        return true;
    case CAIRN_VALUE_BOOLEAN:
        return constant.payload <= 1;
    case CAIRN_VALUE_NUMBER: /* finite: the exponent is not all ones */
        return (constant.payload >> 52 & 0x7FF) != 0x7FF;
    case CAIRN_VALUE_STRING:
        return in_data(view, constant.payload, constant.count);
    case CAIRN__RULE_CONSTANT_SET:
        return set_is_good(view, index, &constant);
    case CAIRN__RULE_CONSTANT_PATTERN:
        return in_data(view, constant.payload, constant.count) &&
               cairn__pattern_check(cairn__span(view->data + constant.payload, constant.count));
    default:
        return false;
    }
}

/* --- code ------------------------------------------------------------------------------------ */

static uint8_t constant_kind(const cairn__rule_view *view, uint32_t index) {
    return index < view->constant_count ? cairn__rule_constant_at(view, index).kind : UINT8_MAX;
}

static bool is_scalar(uint8_t kind) {
    return is_set_item(kind) || kind == CAIRN_VALUE_NULL || kind == CAIRN__RULE_KIND_DURATION ||
           kind == CAIRN__RULE_CONSTANT_DAY;
}

static bool operands_are_good(const cairn__rule_view *view, const cairn__rule_code *code) {
    switch (code->op) {
    case CAIRN__RULE_OP_SLOT:
        return code->c < view->slot_count;
    case CAIRN__RULE_OP_CONSTANT:
        return is_scalar(constant_kind(view, code->c));
    case CAIRN__RULE_OP_COMPARE:
        return code->a < CAIRN__RULE_COMPARE_COUNT;
    case CAIRN__RULE_OP_COMPARE_SLOT:
        return code->a < CAIRN__RULE_COMPARE_COUNT && code->b < view->slot_count &&
               is_scalar(constant_kind(view, code->c));
    case CAIRN__RULE_OP_IN_SET:
        return constant_kind(view, code->c) == CAIRN__RULE_CONSTANT_SET;
    case CAIRN__RULE_OP_MATCHES:
        return constant_kind(view, code->c) == CAIRN__RULE_CONSTANT_PATTERN;
    case CAIRN__RULE_OP_TEXT:
        return code->a < CAIRN__RULE_TEXT_TEST_COUNT;
    case CAIRN__RULE_OP_ARITHMETIC:
        return code->a < CAIRN__RULE_ARITHMETIC_COUNT;
    case CAIRN__RULE_OP_CALL:
        return code->a < CAIRN__RULE_FUNCTION_COUNT &&
               code->b >= cairn__rule_signature_of(code->a)->least &&
               code->b <= cairn__rule_signature_of(code->a)->most;
    default:
        return code->op < CAIRN__RULE_OP_COUNT;
    }
}

/* Jumps that have not arrived: they nest, so the last to leave arrives first, and with the depth
 * that it left with. */
typedef struct jumps {
    uint32_t to[CAIRN__RULE_JUMPS_MAX];
    uint32_t depth[CAIRN__RULE_JUMPS_MAX];
    uint32_t count;
} jumps;

static bool arrive(jumps *open, uint32_t at, uint32_t depth) {
    while (open->count > 0 && open->to[open->count - 1] <= at) {
        open->count -= 1;
        if (open->to[open->count] != at || open->depth[open->count] != depth) {
            return false;
        }
    }
    return true;
}

static bool leave(const cairn__rule_view *view, jumps *open, uint32_t at, uint32_t depth) {
    uint32_t to = cairn__rule_code_at(view, at).c;
    uint32_t inner = open->count == 0 ? view->code_count - 1 : open->to[open->count - 1];
    if (to <= at || to > inner || to >= view->code_count) {
        return false;
    }
    if (open->count > 0 && open->to[open->count - 1] == to &&
        open->depth[open->count - 1] == depth) {
        return true; /* `a and b and c`: many jumps to one place are one */
    }
    if (open->count == CAIRN__RULE_JUMPS_MAX) {
        return false;
    }
    open->to[open->count] = to;
    open->depth[open->count++] = depth;
    return true;
}

static bool code_is_good(const cairn__rule_view *view) {
    jumps open = { .count = 0 };
    uint32_t depth = 0;
    uint64_t cost = 0;
    for (uint32_t at = 0; at < view->code_count; at++) {
        cairn__rule_code code = cairn__rule_code_at(view, at);
        bool last = at + 1 == view->code_count;
        bool jump = code.op == CAIRN__RULE_OP_JUMP_FALSE || code.op == CAIRN__RULE_OP_JUMP_TRUE;
        uint32_t takes = cairn__rule_code_takes(&code);
        if (!arrive(&open, at, depth) || !operands_are_good(view, &code) || takes > depth ||
            last != (code.op == CAIRN__RULE_OP_END)) {
            return false;
        }
        if (last) {
            break;
        }
        depth = jump ? depth : depth - takes + 1;
        if (depth > view->stack_max || (jump && !leave(view, &open, at, depth))) {
            return false;
        }
        cost += cairn__rule_code_cost(view, &code);
    }
    return depth == 1 && open.count == 0 && cost == view->cost;
}

static bool is_good(cairn_span program, unsigned spaces) {
    cairn__rule_view view;
    if (!sizes_are_good(program, &view) || !slots_are_good(&view, spaces)) {
        return false;
    }
    for (uint32_t i = 0; i < view.constant_count; i++) {
        if (!constant_is_good(&view, i)) {
            return false;
        }
    }
    return code_is_good(&view);
}

cairn_status cairn__rule_program_check(cairn_span program) {
    const unsigned spaces = CAIRN__RULE_EVENT | CAIRN__RULE_USER | CAIRN__RULE_TAG |
                            CAIRN__RULE_ITEM | CAIRN__RULE_DEVICE | CAIRN__RULE_SESSION |
                            CAIRN__RULE_QUERY;
    return is_good(program, spaces) ? CAIRN_OK : CAIRN_INVALID;
}

bool cairn__rule_check_where(cairn_span program, unsigned space) {
    return is_good(program, space) &&
           cairn__rule_open(program.data).slot_count <= CAIRN__QUERY_WHERE_SLOTS_MAX;
}

cairn_status cairn__rule_fill(cairn_span program, cairn__arena *arena, cairn__rule *rule_out) {
    cairn__rule_view view = cairn__rule_open(program.data);
    *rule_out = (cairn__rule){ 0 };
    cairn__rule_slot *slots =
        cairn__arena_alloc_zero(arena, (size_t)view.slot_count + 1, sizeof *slots);
    if (slots == NULL) {
        return CAIRN_NO_MEMORY;
    }
    for (uint32_t i = 0; i < view.slot_count; i++) {
        const uint8_t *from = view.slots + (size_t)i * CAIRN__RULE_SLOT_BYTES;
        slots[i].space = (cairn__rule_space)from[0];
        slots[i].name =
            cairn__span(view.data + cairn__load_u32(from + 4), cairn__load_u16(from + 2));
    }
    rule_out->slots = slots;
    rule_out->slot_count = view.slot_count;
    rule_out->program = program.data;
    rule_out->program_bytes = program.len;
    rule_out->cost = view.cost;
    return CAIRN_OK;
}

cairn_status cairn__rule_load(cairn_span program, cairn__arena *arena, cairn__rule *rule_out) {
    *rule_out = (cairn__rule){ 0 };
    return cairn__rule_program_check(program) == CAIRN_OK
               ? cairn__rule_fill(program, arena, rule_out)
               : CAIRN_INVALID;
}
