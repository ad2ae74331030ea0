/* pattern_program.h: the bytes of a compiled pattern, shared by its writer and its readers.
 * Header (8 bytes): u16 states, u16 ranges, u8 ignore case, 3 zero. Then the states, 8 bytes each,
 * and the ranges of the classes, 8 bytes each (first and last code point). Little-endian. */
#ifndef CAIRN_RULES_PATTERN_PROGRAM_H
#define CAIRN_RULES_PATTERN_PROGRAM_H

#include "base/bytes.h"
#include "rules/pattern.h"

enum { CAIRN__PATTERN_HEADER_BYTES = 8, CAIRN__PATTERN_STATE_BYTES = 8 };

typedef enum cairn__pattern_op {
    CAIRN__PATTERN_MATCH,
    CAIRN__PATTERN_CHAR,  /* value: the code point */
    CAIRN__PATTERN_ANY,   /* any but a line feed */
    CAIRN__PATTERN_CLASS, /* to: first range, value: how many, flag: negated */
    CAIRN__PATTERN_SPLIT, /* to and value: both ways on */
    CAIRN__PATTERN_JUMP,  /* to */
    CAIRN__PATTERN_BEGIN,
    CAIRN__PATTERN_END,
    CAIRN__PATTERN_WORD, /* flag: not at the end of a word */
    CAIRN__PATTERN_OP_COUNT
} cairn__pattern_op;

typedef struct cairn__pattern_state {
    uint8_t op;
    uint8_t flag;
    uint16_t to;
    uint32_t value;
} cairn__pattern_state;

typedef struct cairn__pattern_range {
    uint32_t first, last;
} cairn__pattern_range;

/** A program's parts, as offsets into its bytes. */
typedef struct cairn__pattern_view {
    const uint8_t *states;
    const uint8_t *ranges;
    uint32_t state_count;
    uint32_t range_count;
    bool ignore_case;
} cairn__pattern_view;

static inline cairn__pattern_view cairn__pattern_open(cairn_span program) {
    cairn__pattern_view view;
    view.state_count = cairn__load_u16(program.data);
    view.range_count = cairn__load_u16(program.data + 2);
    view.ignore_case = program.data[4] != 0;
    view.states = program.data + CAIRN__PATTERN_HEADER_BYTES;
    view.ranges = view.states + (size_t)view.state_count * CAIRN__PATTERN_STATE_BYTES;
    return view;
}

static inline cairn__pattern_state cairn__pattern_state_at(const cairn__pattern_view *view,
                                                           uint32_t index) {
    const uint8_t *from = view->states + (size_t)index * CAIRN__PATTERN_STATE_BYTES;
    return (cairn__pattern_state){ from[0], from[1], cairn__load_u16(from + 2),
                                   cairn__load_u32(from + 4) };
}

static inline cairn__pattern_range cairn__pattern_range_at(const cairn__pattern_view *view,
                                                           uint32_t index) {
    const uint8_t *from = view->ranges + (size_t)index * 8;
    return (cairn__pattern_range){ cairn__load_u32(from), cairn__load_u32(from + 4) };
}

#endif
