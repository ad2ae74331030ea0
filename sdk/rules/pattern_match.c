/* pattern_match.c: all ways through a pattern at once (Thompson 1968), one character at a time, so
 * that no text can make it slow: at most `states` steps per character. */
#include "rules/pattern_program.h"

enum {
    STATES = CAIRN__PATTERN_STATES_MAX,
    NO_CHAR = 0x110000, /* before the first and after the last character */
    BAD_BYTE = 0x110001 /* not UTF-8: equal to no character */
};

typedef struct state_set {
    uint16_t at[STATES];
    uint32_t count;
} state_set;

typedef struct matcher {
    cairn__pattern_view view;
    uint64_t seen[STATES / 64];
    state_set waiting; /* states to be entered before the next character */
    state_set ready;   /* states that want a character */
    uint32_t before, after;
} matcher;

static uint32_t lower(uint32_t c) {
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static uint32_t upper(uint32_t c) {
    return c >= 'a' && c <= 'z' ? c - 32 : c;
}

/* The code point at *at, which moves on; each byte of bad UTF-8 counts as one. */
static uint32_t next_char(cairn_span text, size_t *at, cairn__pattern_fold fold) {
    const uint8_t *from = text.data + *at;
    size_t left = text.len - *at;
    uint32_t lead = from[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (length == 1) {
        *at += 1;
        return fold == CAIRN__FOLD_LOWER   ? lower(lead)
               : fold == CAIRN__FOLD_UPPER ? upper(lead)
                                           : lead;
    }
    if (length == 0 || length > left || !cairn__utf8_valid(cairn__span(from, length))) {
        *at += 1;
        return BAD_BYTE;
    }
    uint32_t value = lead & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        value = value << 6 | (from[i] & 0x3Fu);
    }
    *at += length;
    return value;
}

static bool is_word(uint32_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool in_ranges(const cairn__pattern_view *view, const cairn__pattern_state *state,
                      uint32_t c) {
    for (uint32_t i = 0; i < state->value; i++) {
        cairn__pattern_range range = cairn__pattern_range_at(view, state->to + i);
        if (c >= range.first && c <= range.last) {
            return true;
        }
    }
    return false;
}

static bool takes(const cairn__pattern_view *view, const cairn__pattern_state *state, uint32_t c) {
    if (state->op == CAIRN__PATTERN_ANY) {
        return c != '\n';
    }
    if (state->op == CAIRN__PATTERN_CHAR) {
        return (view->ignore_case ? lower(c) : c) == state->value;
    }
    bool found = in_ranges(view, state, c);
    if (!found && view->ignore_case) {
        found = in_ranges(view, state, lower(c)) || in_ranges(view, state, upper(c));
    }
    return found != (state->flag != 0);
}

static void want(matcher *m, state_set *set, uint32_t state) {
    uint64_t bit = UINT64_C(1) << (state % 64);
    if ((m->seen[state / 64] & bit) == 0) {
        m->seen[state / 64] |= bit;
        set->at[set->count++] = (uint16_t)state;
    }
}

static bool condition_holds(const matcher *m, const cairn__pattern_state *state) {
    if (state->op == CAIRN__PATTERN_BEGIN) {
        return m->before == NO_CHAR;
    }
    if (state->op == CAIRN__PATTERN_END) {
        return m->after == NO_CHAR;
    }
    return (is_word(m->before) != is_word(m->after)) == (state->flag == 0);
}

/* Enter one state: its ways on that take no character are wanted too. */
static void enter(matcher *m, uint32_t at, const cairn__pattern_state *state) {
    switch (state->op) {
    case CAIRN__PATTERN_SPLIT:
        want(m, &m->waiting, state->value);
        want(m, &m->waiting, state->to);
        return;
    case CAIRN__PATTERN_JUMP:
        want(m, &m->waiting, state->to);
        return;
    case CAIRN__PATTERN_BEGIN:
    case CAIRN__PATTERN_END:
    case CAIRN__PATTERN_WORD:
        if (condition_holds(m, state)) {
            want(m, &m->waiting, at + 1);
        }
        return;
    default:
        m->ready.at[m->ready.count++] = (uint16_t)at;
        return;
    }
}

/* Follow every way that takes no character; true when one of them is the end of the pattern. Each
 * state is entered once, so `waiting`, used as a stack, never holds more than all of them. */
static bool follow(matcher *m) {
    m->ready.count = 0;
    while (m->waiting.count > 0) {
        uint32_t at = m->waiting.at[--m->waiting.count];
        cairn__pattern_state state = cairn__pattern_state_at(&m->view, at);
        if (state.op == CAIRN__PATTERN_MATCH) {
            return true;
        }
        enter(m, at, &state);
    }
    return false;
}

static void step(matcher *m, uint32_t c) {
    memset(m->seen, 0, sizeof m->seen);
    for (uint32_t i = 0; i < m->ready.count; i++) {
        cairn__pattern_state state = cairn__pattern_state_at(&m->view, m->ready.at[i]);
        if (takes(&m->view, &state, c)) {
            want(m, &m->waiting, m->ready.at[i] + 1u);
        }
    }
}

bool cairn__pattern_matches(cairn_span program, cairn_span text, cairn__pattern_fold fold) {
    matcher m;
    m.view = cairn__pattern_open(program);
    m.waiting.count = 0;
    m.before = NO_CHAR;
    memset(m.seen, 0, sizeof m.seen);
    bool anchored = cairn__pattern_state_at(&m.view, 0).op == CAIRN__PATTERN_BEGIN;
    for (size_t at = 0;;) {
        m.after = at < text.len ? next_char(text, &at, fold) : NO_CHAR;
        want(&m, &m.waiting, 0); /* it may begin here too */
        if (follow(&m)) {
            return true;
        }
        if (m.after == NO_CHAR || (anchored && m.ready.count == 0)) {
            return false;
        }
        step(&m, m.after);
        m.before = m.after;
    }
}

/* --- programs from outside ------------------------------------------------------------------- */

static bool state_is_good(const cairn__pattern_view *view, uint32_t index) {
    cairn__pattern_state state = cairn__pattern_state_at(view, index);
    bool last = index + 1 == view->state_count;
    if (state.op >= CAIRN__PATTERN_OP_COUNT || last != (state.op == CAIRN__PATTERN_MATCH)) {
        return false; /* the match is the last state: so every other has one after it */
    }
    if (state.op == CAIRN__PATTERN_SPLIT) {
        return state.to < view->state_count && state.value < view->state_count;
    }
    if (state.op == CAIRN__PATTERN_JUMP) {
        return state.to < view->state_count;
    }
    if (state.op == CAIRN__PATTERN_CLASS) {
        return state.value <= view->range_count && state.to <= view->range_count - state.value;
    }
    return true;
}

bool cairn__pattern_check(cairn_span program) {
    if (program.len < CAIRN__PATTERN_HEADER_BYTES) {
        return false;
    }
    cairn__pattern_view view = cairn__pattern_open(program);
    size_t bytes = CAIRN__PATTERN_HEADER_BYTES +
                   ((size_t)view.state_count + view.range_count) * CAIRN__PATTERN_STATE_BYTES;
    if (view.state_count == 0 || view.state_count > CAIRN__PATTERN_STATES_MAX ||
        view.range_count > CAIRN__PATTERN_RANGES_MAX || bytes != program.len) {
        return false;
    }
    for (uint32_t i = 0; i < view.state_count; i++) {
        if (!state_is_good(&view, i)) {
            return false;
        }
    }
    return true;
}

uint32_t cairn__pattern_states(cairn_span program) {
    return cairn__load_u16(program.data);
}
