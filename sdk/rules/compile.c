/* compile.c: the tree to a program. Pieces are gathered in buffers from the arena's allocator and
 * freed before returning; what is returned lies in the arena. */
#include "rules/parser.h"
#include "rules/query.h"

typedef cairn__rule_node node;

typedef struct compiler {
    const cairn__rule_source *source;
    cairn__buffer slots, constants, code, data;
    cairn__buffer names; /* of the slots: cairn__rule_slot */
    uint32_t slot_count, depth, stack_max;
    cairn_status status;
} compiler;

static void write_node(compiler *c, node *from);

static void refuse(compiler *c, const node *at, const char *sentence) {
    if (c->status == CAIRN_OK) {
        c->status = CAIRN_INVALID;
        cairn__rule_fault_begin(c->source->fault, c->source->text, at->at);
        cairn__rule_fault_add(c->source->fault, sentence);
    }
}

/* --- pieces ---------------------------------------------------------------------------------- */

static uint32_t code_count(const compiler *c) {
    return (uint32_t)(c->code.len / CAIRN__RULE_CODE_BYTES);
}

/* Returns where it stands. The stack is followed, so that its depth is known. */
static uint32_t put(compiler *c, const node *at, cairn__rule_code code) {
    if (code_count(c) + 1 >= CAIRN__RULE_CODE_MAX) { /* one is kept for the end */
        refuse(c, at, "the rule is too long: more than 16 KiB when compiled");
    }
    if (c->status != CAIRN_OK) {
        return 0;
    }
    bool jump = code.op == CAIRN__RULE_OP_JUMP_FALSE || code.op == CAIRN__RULE_OP_JUMP_TRUE;
    c->depth = jump ? c->depth : c->depth - cairn__rule_code_takes(&code) + 1;
    c->stack_max = c->depth > c->stack_max ? c->depth : c->stack_max;
    if (c->depth > CAIRN__RULE_STACK_MAX) {
        refuse(c, at, "the rule is too deep: more than 128 values at once");
    }
    uint8_t *to = cairn__buffer_extend(&c->code, CAIRN__RULE_CODE_BYTES);
    if (to != NULL) {
        to[0] = code.op;
        to[1] = code.a;
        cairn__store_u16(to + 2, code.b);
        cairn__store_u32(to + 4, code.c);
    }
    return code_count(c) - 1;
}

static uint32_t put_op(compiler *c, const node *at, cairn__rule_operation op) {
    return put(c, at, (cairn__rule_code){ .op = (uint8_t)op, .a = at->op });
}

/* The data is full: nothing that a rule of 64 KiB text can reach but by many large patterns. */
static uint32_t put_data(compiler *c, const node *at, cairn_span bytes) {
    size_t where = c->data.len;
    if (bytes.len > CAIRN__RULE_DATA_BYTES_MAX - where) {
        refuse(c, at, "the rule's texts and patterns are too long: more than 1 MiB");
        return 0;
    }
    cairn__buffer_append(&c->data, bytes);
    return (uint32_t)where;
}

static uint32_t put_constant(compiler *c, const node *at, cairn__rule_constant constant) {
    uint32_t index = (uint32_t)(c->constants.len / CAIRN__RULE_CONSTANT_BYTES);
    if (index == CAIRN__RULE_CONSTANTS_MAX) {
        refuse(c, at, "too many constants: more than 32,768");
        return 0;
    }
    uint8_t *to = cairn__buffer_extend(&c->constants, CAIRN__RULE_CONSTANT_BYTES);
    if (to != NULL) {
        memset(to, 0, CAIRN__RULE_CONSTANT_BYTES);
        to[0] = constant.kind;
        cairn__store_u32(to + 4, constant.count);
        cairn__store_u64(to + 8, constant.payload);
    }
    return index;
}

static uint32_t put_value(compiler *c, const node *from) {
    const cairn__rule_value *value = &from->constant;
    cairn__rule_constant constant = { .kind = value->kind };
    switch (value->kind) {
    case CAIRN_VALUE_NULL:
        break;
    case CAIRN_VALUE_BOOLEAN:
        constant.payload = value->as.boolean ? 1 : 0;
        break;
    case CAIRN_VALUE_NUMBER:
        memcpy(&constant.payload, &value->as.number, sizeof constant.payload);
        break;
    case CAIRN_VALUE_STRING:
        constant.count = (uint32_t)value->as.string.len;
        constant.payload = put_data(c, from, value->as.string);
        break;
    default:
        constant.payload = (uint64_t)value->as.integer;
        break;
    }
    if (from->kind == CAIRN__RULE_NODE_DATE) {
        constant.kind = CAIRN__RULE_CONSTANT_DAY;
    }
    return put_constant(c, from, constant);
}

/* A function over the history becomes a name: whoever evaluates gives its value. */
static void name_history(compiler *c, node *from) {
    if (from->kind == CAIRN__RULE_NODE_HISTORY && c->status == CAIRN_OK) {
        from->path.space = CAIRN__RULE_QUERY;
        c->status = cairn__query_write(c->source, from, &from->path.name);
    }
}

static uint32_t slot_of(compiler *c, node *from) {
    name_history(c, from);
    if (c->status != CAIRN_OK) {
        return 0;
    }
    const cairn__rule_slot *names = (const cairn__rule_slot *)(const void *)c->names.data;
    for (uint32_t i = 0; i < c->slot_count && !c->names.failed; i++) {
        if (names[i].space == from->path.space &&
            cairn__span_equal(names[i].name, from->path.name)) {
            return i;
        }
    }
    if (c->slot_count == CAIRN__RULE_SLOTS_MAX) {
        refuse(c, from, "too many different names: more than 1,024");
        return 0;
    }
    uint32_t at = put_data(c, from, from->path.name);
    uint8_t *to = cairn__buffer_extend(&c->slots, CAIRN__RULE_SLOT_BYTES);
    if (to != NULL) {
        to[0] = (uint8_t)from->path.space;
        to[1] = 0;
        cairn__store_u16(to + 2, (uint16_t)from->path.name.len);
        cairn__store_u32(to + 4, at);
    }
    cairn__buffer_append(&c->names, cairn__span(&from->path, sizeof from->path));
    return c->slot_count++;
}

/* --- sets ------------------------------------------------------------------------------------ */

typedef struct item {
    const node *of;
} item;

/* One round of a merge sort from the bottom up: runs of `width` become runs of twice that. */
static void merge(const item *from, item *to, size_t count, size_t width) {
    for (size_t start = 0; start < count; start += 2 * width) {
        size_t middle = start + width < count ? start + width : count;
        size_t end = start + 2 * width < count ? start + 2 * width : count;
        size_t left = start;
        size_t right = middle;
        for (size_t i = start; i < end; i++) {
            bool take_left =
                left < middle &&
                (right == end ||
                 cairn__rule_set_order(&from[left].of->constant, &from[right].of->constant) <= 0);
            to[i] = take_left ? from[left++] : from[right++];
        }
    }
}

/* The items of a list, ascending; NULL: no memory. */
static const item *sorted(compiler *c, const node *list) {
    size_t count = list->child_count;
    item *items = cairn__arena_alloc_zero(c->source->arena, count + 1, sizeof *items);
    item *spare = cairn__arena_alloc_zero(c->source->arena, count + 1, sizeof *spare);
    if (items == NULL || spare == NULL) {
        c->status = CAIRN_NO_MEMORY;
        return NULL;
    }
    size_t filled = 0;
    for (const node *child = list->first; child != NULL; child = child->next) {
        items[filled++].of = child;
    }
    for (size_t width = 1; width < count; width *= 2) {
        merge(items, spare, count, width);
        item *merged = spare;
        spare = items;
        items = merged;
    }
    return items;
}

static void write_set(compiler *c, const node *from) {
    const node *list = from->last;
    const item *items = c->status == CAIRN_OK ? sorted(c, list) : NULL;
    if (items == NULL) {
        return;
    }
    uint32_t first = (uint32_t)(c->constants.len / CAIRN__RULE_CONSTANT_BYTES);
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->child_count; i++) {
        bool again =
            i > 0 && cairn__rule_set_order(&items[i - 1].of->constant, &items[i].of->constant) == 0;
        if (!again) {
            (void)put_value(c, items[i].of);
            count += 1;
        }
    }
    uint32_t set =
        put_constant(c, list, (cairn__rule_constant){ CAIRN__RULE_CONSTANT_SET, count, first });
    (void)put(c, from, (cairn__rule_code){ CAIRN__RULE_OP_IN_SET, from->negated ? 1 : 0, 0, set });
}

/* --- code ------------------------------------------------------------------------------------ */

/* first, then for each other child: jump to the end when it is decided, the child, and/or. The
 * jumps are chained through their targets until the end is known. */
static void write_logic(compiler *c, const node *from) {
    bool conjunction = from->kind == CAIRN__RULE_NODE_AND;
    cairn__rule_operation jump = conjunction ? CAIRN__RULE_OP_JUMP_FALSE : CAIRN__RULE_OP_JUMP_TRUE;
    cairn__rule_operation join = conjunction ? CAIRN__RULE_OP_AND : CAIRN__RULE_OP_OR;
    uint32_t chain = UINT32_MAX;
    write_node(c, from->first);
    for (node *child = from->first->next; child != NULL && c->status == CAIRN_OK;
         child = child->next) {
        chain = put(c, from, (cairn__rule_code){ (uint8_t)jump, 0, 0, chain });
        write_node(c, child);
        (void)put_op(c, from, join);
    }
    while (chain != UINT32_MAX && c->status == CAIRN_OK && !c->code.failed) {
        uint8_t *target = c->code.data + (size_t)chain * CAIRN__RULE_CODE_BYTES + 4;
        chain = cairn__load_u32(target);
        cairn__store_u32(target, code_count(c));
    }
}

static bool is_constant(const node *from) {
    return from->kind == CAIRN__RULE_NODE_CONSTANT || from->kind == CAIRN__RULE_NODE_DATE;
}

static bool is_slot(const node *from) {
    return from->kind == CAIRN__RULE_NODE_PATH || from->kind == CAIRN__RULE_NODE_HISTORY;
}

/* `5 < x` is `x > 5`. */
static uint8_t mirrored(uint8_t how) {
    static const uint8_t other[CAIRN__RULE_COMPARE_COUNT] = {
        [CAIRN__RULE_EQUAL] = CAIRN__RULE_EQUAL,
        [CAIRN__RULE_NOT_EQUAL] = CAIRN__RULE_NOT_EQUAL,
        [CAIRN__RULE_LESS] = CAIRN__RULE_GREATER,
        [CAIRN__RULE_LESS_EQUAL] = CAIRN__RULE_GREATER_EQUAL,
        [CAIRN__RULE_GREATER] = CAIRN__RULE_LESS,
        [CAIRN__RULE_GREATER_EQUAL] = CAIRN__RULE_LESS_EQUAL,
    };
    return other[how];
}

/* A name against a constant, nearly every test there is, is one instruction. */
static void write_compare(compiler *c, const node *from) {
    node *left = from->first;
    node *right = from->last;
    bool mirror = is_constant(left) && is_slot(right);
    if (mirror || (is_slot(left) && is_constant(right))) {
        uint32_t slot = slot_of(c, mirror ? right : left);
        uint32_t constant = put_value(c, mirror ? left : right);
        uint8_t how = mirror ? mirrored(from->op) : from->op;
        (void)put(c, from,
                  (cairn__rule_code){ CAIRN__RULE_OP_COMPARE_SLOT, how, (uint16_t)slot, constant });
        return;
    }
    write_node(c, left);
    write_node(c, right);
    (void)put_op(c, from, CAIRN__RULE_OP_COMPARE);
}

static void write_matches(compiler *c, const node *from) {
    cairn_span program;
    cairn__pattern_fault fault;
    write_node(c, from->first);
    if (c->status != CAIRN_OK) {
        return;
    }
    cairn_status status =
        cairn__pattern_compile(from->constant.as.string, c->source->arena, &program, &fault);
    if (status != CAIRN_OK) {
        refuse(c, from, "in the pattern, character ");
        cairn__rule_fault_number(c->source->fault, fault.column);
        cairn__rule_fault_add(c->source->fault, ": ");
        cairn__rule_fault_add(c->source->fault, fault.text);
        c->status = status;
        return;
    }
    uint32_t at = put_data(c, from, program);
    uint32_t constant = put_constant(
        c, from, (cairn__rule_constant){ CAIRN__RULE_CONSTANT_PATTERN, (uint32_t)program.len, at });
    (void)put(c, from, (cairn__rule_code){ CAIRN__RULE_OP_MATCHES, 0, 0, constant });
}

static void write_chain(compiler *c, const node *from) {
    write_node(c, from->first);
    for (node *child = from->first->next; child != NULL; child = child->next) {
        write_node(c, child);
        (void)put(c, child, (cairn__rule_code){ CAIRN__RULE_OP_ARITHMETIC, child->join, 0, 0 });
    }
}

static void write_in(compiler *c, const node *from) {
    write_node(c, from->first);
    if (from->last->kind == CAIRN__RULE_NODE_LIST) {
        write_set(c, from);
        return;
    }
    write_node(c, from->last);
    (void)put(c, from, (cairn__rule_code){ CAIRN__RULE_OP_IN_LIST, from->negated ? 1 : 0, 0, 0 });
}

/* The children, then one instruction. */
static void write_simple(compiler *c, const node *from) {
    static const uint8_t operations[CAIRN__RULE_NODE_KIND_COUNT] = {
        [CAIRN__RULE_NODE_NOT] = CAIRN__RULE_OP_NOT,
        [CAIRN__RULE_NODE_BETWEEN] = CAIRN__RULE_OP_BETWEEN,
        [CAIRN__RULE_NODE_TEXT] = CAIRN__RULE_OP_TEXT,
        [CAIRN__RULE_NODE_IS_SET] = CAIRN__RULE_OP_IS_SET,
        [CAIRN__RULE_NODE_IS_TODAY] = CAIRN__RULE_OP_IS_TODAY,
        [CAIRN__RULE_NODE_NEGATE] = CAIRN__RULE_OP_NEGATE,
        [CAIRN__RULE_NODE_CALL] = CAIRN__RULE_OP_CALL,
    };
    for (node *child = from->first; child != NULL; child = child->next) {
        write_node(c, child);
    }
    cairn__rule_code code = { operations[from->kind], from->op, (uint16_t)from->child_count, 0 };
    if (from->kind == CAIRN__RULE_NODE_IS_SET) {
        code.a = from->negated ? 1 : 0;
    }
    (void)put(c, from, code);
}

static void write_node(compiler *c, node *from) {
    if (c->status != CAIRN_OK) {
        return;
    }
    switch ((int)from->kind) {
    case CAIRN__RULE_NODE_CONSTANT:
    case CAIRN__RULE_NODE_DATE:
        (void)put(c, from, (cairn__rule_code){ CAIRN__RULE_OP_CONSTANT, 0, 0, put_value(c, from) });
        break;
    case CAIRN__RULE_NODE_NOW:
        (void)put_op(c, from, CAIRN__RULE_OP_NOW);
        break;
    case CAIRN__RULE_NODE_PATH:
    case CAIRN__RULE_NODE_HISTORY:
        (void)put(c, from, (cairn__rule_code){ CAIRN__RULE_OP_SLOT, 0, 0, slot_of(c, from) });
        break;
    case CAIRN__RULE_NODE_AND:
    case CAIRN__RULE_NODE_OR:
        write_logic(c, from);
        break;
    case CAIRN__RULE_NODE_COMPARE:
        write_compare(c, from);
        break;
    case CAIRN__RULE_NODE_IN:
        write_in(c, from);
        break;
    case CAIRN__RULE_NODE_MATCHES:
        write_matches(c, from);
        break;
    case CAIRN__RULE_NODE_CHAIN:
        write_chain(c, from);
        break;
    default:
        write_simple(c, from);
        break;
    }
    from->code = code_count(c); /* its value is what the last instruction gives */
}

/* --- the whole ------------------------------------------------------------------------------- */

static uint32_t total_cost(const uint8_t *program) {
    cairn__rule_view view = cairn__rule_open(program);
    uint32_t cost = 0;
    for (uint32_t i = 0; i + 1 < view.code_count; i++) {
        cairn__rule_code code = cairn__rule_code_at(&view, i);
        cost += cairn__rule_code_cost(&view, &code);
    }
    return cost;
}

static void append(uint8_t **to, const cairn__buffer *piece) {
    if (piece->len > 0) {
        memcpy(*to, piece->data, piece->len);
        *to += piece->len;
    }
}

static cairn_status assemble(compiler *c, cairn__rule *rule_out) {
    size_t bytes =
        CAIRN__RULE_HEADER_BYTES + c->slots.len + c->constants.len + c->code.len + c->data.len;
    uint8_t *program = cairn__arena_alloc(c->source->arena, bytes);
    if (program == NULL) {
        return CAIRN_NO_MEMORY;
    }
    cairn__store_u32(program, CAIRN__RULE_MAGIC);
    cairn__store_u32(program + 4, (uint32_t)bytes);
    cairn__store_u32(program + 12, c->slot_count);
    cairn__store_u32(program + 16, (uint32_t)(c->constants.len / CAIRN__RULE_CONSTANT_BYTES));
    cairn__store_u32(program + 20, code_count(c));
    cairn__store_u32(program + 24, c->stack_max);
    cairn__store_u32(program + 28, (uint32_t)c->data.len);
    uint8_t *to = program + CAIRN__RULE_HEADER_BYTES;
    append(&to, &c->slots);
    append(&to, &c->constants);
    append(&to, &c->code);
    append(&to, &c->data);
    cairn__store_u32(program + 8, total_cost(program));
    return cairn__rule_fill(cairn__span(program, bytes), c->source->arena, rule_out);
}

cairn_status cairn__rule_compile_part(const cairn__rule_source *source, node *tree,
                                      cairn__rule *rule_out) {
    cairn_allocator allocator = source->arena->allocator;
    compiler c = {
        .source = source,
        .slots =
            cairn__buffer_make(allocator, (size_t)CAIRN__RULE_SLOTS_MAX * CAIRN__RULE_SLOT_BYTES),
        .constants = cairn__buffer_make(allocator, (size_t)CAIRN__RULE_CONSTANTS_MAX *
                                                       CAIRN__RULE_CONSTANT_BYTES),
        .code =
            cairn__buffer_make(allocator, (size_t)CAIRN__RULE_CODE_MAX * CAIRN__RULE_CODE_BYTES),
        .data = cairn__buffer_make(allocator, CAIRN__RULE_DATA_BYTES_MAX),
        .names = cairn__buffer_make(allocator, CAIRN__RULE_SLOTS_MAX * sizeof(cairn__rule_slot)),
        .status = CAIRN_OK,
    };
    write_node(&c, tree);
    if (c.status == CAIRN_OK) {
        uint8_t *end = cairn__buffer_extend(&c.code, CAIRN__RULE_CODE_BYTES);
        if (end != NULL) {
            memset(end, 0, CAIRN__RULE_CODE_BYTES);
        }
        bool failed = c.slots.failed || c.constants.failed || c.code.failed || c.data.failed ||
                      c.names.failed;
        c.status = failed ? CAIRN_NO_MEMORY : assemble(&c, rule_out);
    }
    cairn__buffer_free(&c.slots);
    cairn__buffer_free(&c.constants);
    cairn__buffer_free(&c.code);
    cairn__buffer_free(&c.data);
    cairn__buffer_free(&c.names);
    return c.status;
}

static cairn_status refuse_text(const cairn__rule_source *source, const char *sentence) {
    cairn__rule_fault_begin(source->fault, source->text, 0);
    cairn__rule_fault_add(source->fault, sentence);
    return CAIRN_INVALID;
}

/* Right, but who uses this rule does not ask a person's history. */
static cairn_status refuse_history(const cairn__rule_source *source, const node *history) {
    const uint8_t *name = source->text.data + history->at;
    size_t length = 0;
    while (history->at + length < source->text.len && (name[length] | 32) >= 'a' &&
           (name[length] | 32) <= 'z') {
        length += 1;
    }
    cairn__rule_fault_begin(source->fault, source->text, history->at);
    cairn__rule_fault_quote(source->fault, cairn__span(name, length));
    cairn__rule_fault_add(source->fault,
                          " asks for a person's history, audiences or related rows, which cannot "
                          "be asked here; properties can");
    return CAIRN_UNSUPPORTED;
}

cairn_status cairn__rule_compile_tree(const cairn__rule_source *source, cairn__rule *rule_out,
                                      node **tree_out) {
    node *tree = NULL;
    *tree_out = NULL;
    *source->fault = (cairn__rule_fault){ .line = 1, .column = 1 };
    *rule_out = (cairn__rule){ 0 };
    if (source->text.len > CAIRN__RULE_TEXT_BYTES_MAX) {
        return refuse_text(source, "the rule is too long: more than 64 KiB");
    }
    if (!cairn__utf8_valid(source->text)) {
        return refuse_text(source, "the rule is not UTF-8 text");
    }
    cairn_status status = cairn__rule_parse(source, &tree);
    if (status == CAIRN_OK) {
        status = cairn__rule_check_types(source, tree);
    }
    if (status == CAIRN_OK) {
        bool allowed = (source->spaces & CAIRN__RULE_QUERY) != 0;
        const node *history = allowed ? NULL : cairn__rule_find_history(tree);
        status = history != NULL ? refuse_history(source, history)
                                 : cairn__rule_compile_part(source, tree, rule_out);
    }
    if (status == CAIRN_NO_MEMORY) {
        cairn__rule_fault_begin(source->fault, source->text, 0);
        cairn__rule_fault_add(source->fault, "the rule needs more memory than it was given");
    }
    *tree_out = status == CAIRN_OK ? tree : NULL;
    return status;
}

cairn_status cairn__rule_compile(const cairn__rule_source *source, cairn__rule *rule_out) {
    node *tree = NULL;
    return cairn__rule_compile_tree(source, rule_out, &tree);
}
