/* program.h: the bytes of a compiled rule, shared by its writer (compile.c), its checker
 * (program.c) and its evaluator. Little-endian; every platform writes the same bytes for the same
 * text.
 *
 *   header     32 bytes: "CRP1", u32 all bytes, u32 cost, u32 slots, u32 constants, u32 code, u32
 *              stack depth, u32 data bytes
 *   slots      8 bytes each: u8 space, u8 0, u16 name bytes, u32 where in the data
 *   constants  16 bytes each: u8 kind, 3 zero, u32 count or bytes, u64 payload
 *   code       8 bytes each: u8 operation, u8 a, u16 b, u32 c
 *   data       names, strings, patterns
 *
 * The code is for a machine with a stack of values. Jumps go forward only: an evaluation takes at
 * most `code` steps. */
#ifndef CAIRN_RULES_PROGRAM_H
#define CAIRN_RULES_PROGRAM_H

#include "base/bytes.h"
#include "rules/functions.h"

enum {
    CAIRN__RULE_MAGIC = 0x31505243, /* "CRP1" */
    CAIRN__RULE_HEADER_BYTES = 32,
    CAIRN__RULE_SLOT_BYTES = 8,
    CAIRN__RULE_CONSTANT_BYTES = 16,
    CAIRN__RULE_CODE_BYTES = 8,
    CAIRN__RULE_STACK_MAX = 128, /* values; 3 KiB */
    CAIRN__RULE_CODE_MAX = 2048, /* instructions: 16 KiB */
    CAIRN__RULE_SLOTS_MAX = 1024,
    CAIRN__RULE_CONSTANTS_MAX = 1 << 15,
    CAIRN__RULE_DATA_BYTES_MAX = 1 << 20,
    CAIRN__RULE_JUMPS_MAX = 2 * CAIRN__RULE_DEPTH_MAX /* open at once */
};

/** Kinds of constants beside those of values. */
enum {
    CAIRN__RULE_CONSTANT_DAY = 16,     /* payload: days; a time once the zone is known */
    CAIRN__RULE_CONSTANT_SET = 17,     /* payload: first constant, count: how many, ascending */
    CAIRN__RULE_CONSTANT_PATTERN = 18, /* payload: where in the data, count: bytes */
};

/** Numbers in programs: never renumber. */
typedef enum cairn__rule_operation {
    CAIRN__RULE_OP_END = 0,
    CAIRN__RULE_OP_SLOT = 1,         /* push slot c */
    CAIRN__RULE_OP_CONSTANT = 2,     /* push constant c */
    CAIRN__RULE_OP_NOW = 3,          /* push the time of evaluation */
    CAIRN__RULE_OP_COMPARE = 4,      /* a: how; two values to a truth */
    CAIRN__RULE_OP_COMPARE_SLOT = 5, /* a: how, b: slot, c: constant; push a truth */
    CAIRN__RULE_OP_AND = 6,
    CAIRN__RULE_OP_OR = 7,
    CAIRN__RULE_OP_NOT = 8,
    CAIRN__RULE_OP_JUMP_FALSE = 9,  /* to c when the top is not true or unknown: it becomes false */
    CAIRN__RULE_OP_JUMP_TRUE = 10,  /* to c when the top is true */
    CAIRN__RULE_OP_IN_SET = 11,     /* a: negated, c: a set */
    CAIRN__RULE_OP_IN_LIST = 12,    /* a: negated; value, list */
    CAIRN__RULE_OP_BETWEEN = 13,    /* three values */
    CAIRN__RULE_OP_TEXT = 14,       /* a: how; two values */
    CAIRN__RULE_OP_MATCHES = 15,    /* c: a pattern */
    CAIRN__RULE_OP_IS_SET = 16,     /* a: negated */
    CAIRN__RULE_OP_IS_TODAY = 17,   /* a: every year */
    CAIRN__RULE_OP_ARITHMETIC = 18, /* a: how; two values */
    CAIRN__RULE_OP_NEGATE = 19,
    CAIRN__RULE_OP_CALL = 20, /* a: function, b: arguments */
    CAIRN__RULE_OP_COUNT = 21
} cairn__rule_operation;

typedef struct cairn__rule_code {
    uint8_t op, a;
    uint16_t b;
    uint32_t c;
} cairn__rule_code;

typedef struct cairn__rule_constant {
    uint8_t kind;
    uint32_t count;
    uint64_t payload;
} cairn__rule_constant;

/** A program's sections. */
typedef struct cairn__rule_view {
    const uint8_t *slots, *constants, *code, *data;
    uint32_t cost, slot_count, constant_count, code_count, stack_max, data_bytes;
} cairn__rule_view;

/** The sections of a program whose header is good. */
static inline cairn__rule_view cairn__rule_open(const uint8_t *program) {
    cairn__rule_view view;
    view.cost = cairn__load_u32(program + 8);
    view.slot_count = cairn__load_u32(program + 12);
    view.constant_count = cairn__load_u32(program + 16);
    view.code_count = cairn__load_u32(program + 20);
    view.stack_max = cairn__load_u32(program + 24);
    view.data_bytes = cairn__load_u32(program + 28);
    view.slots = program + CAIRN__RULE_HEADER_BYTES;
    view.constants = view.slots + (size_t)view.slot_count * CAIRN__RULE_SLOT_BYTES;
    view.code = view.constants + (size_t)view.constant_count * CAIRN__RULE_CONSTANT_BYTES;
    view.data = view.code + (size_t)view.code_count * CAIRN__RULE_CODE_BYTES;
    return view;
}

static inline cairn__rule_code cairn__rule_code_at(const cairn__rule_view *view, uint32_t index) {
    const uint8_t *from = view->code + (size_t)index * CAIRN__RULE_CODE_BYTES;
    return (cairn__rule_code){ from[0], from[1], cairn__load_u16(from + 2),
                               cairn__load_u32(from + 4) };
}

static inline cairn__rule_constant cairn__rule_constant_at(const cairn__rule_view *view,
                                                           uint32_t index) {
    const uint8_t *from = view->constants + (size_t)index * CAIRN__RULE_CONSTANT_BYTES;
    return (cairn__rule_constant){ from[0], cairn__load_u32(from + 4), cairn__load_u64(from + 8) };
}

/** A scalar constant as a value; days need the zone. */
cairn__rule_value cairn__rule_constant_value(const cairn__rule_view *view, uint32_t index,
                                             const cairn__zone *zone);

/** As cairn__rule_compile, with the tree: its nodes know their text and their instructions. */
cairn_status cairn__rule_compile_tree(const cairn__rule_source *source, cairn__rule *rule_out,
                                      cairn__rule_node **tree_out);

/** A part of a rule as a rule of its own (a `where`). Faults as cairn__rule_compile. */
cairn_status cairn__rule_compile_part(const cairn__rule_source *source, cairn__rule_node *tree,
                                      cairn__rule *rule_out);

/** As cairn__rule_program_check for the `where` of a query: all its names are of one space, and
 * few. */
bool cairn__rule_check_where(cairn_span program, unsigned space);

/** A rule from a program that is good. @retval CAIRN_NO_MEMORY  The arena is full. */
cairn_status cairn__rule_fill(cairn_span program, cairn__arena *arena, cairn__rule *rule_out);

/** Run all of a program, jumping over nothing, and keep what each instruction gives (of a jump:
 * nothing). By Kleene's logic what a jump would skip changes no answer. `trace`: room for
 * `code_count` values; their strings are views into the values and the program. */
void cairn__rule_trace(const cairn__rule *rule, const cairn_value *values, int64_t now_ms,
                       const cairn__zone *zone, cairn__rule_value *trace);

/** Order of the items of a set: by type, then by value; of types that never compare, by kind. */
int cairn__rule_set_order(const cairn__rule_value *a, const cairn__rule_value *b);

/** The steps that one instruction may take, for the bound on a program's cost. */
uint32_t cairn__rule_code_cost(const cairn__rule_view *view, const cairn__rule_code *code);

/** What an instruction takes from the stack; it leaves one value more, END and jumps none. */
uint32_t cairn__rule_code_takes(const cairn__rule_code *code);

#endif
