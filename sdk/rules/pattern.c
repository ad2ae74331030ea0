/* pattern.c: pattern text to a tree to states. The tree is there for x{2,5}, which writes the
 * states of x several times; how much is written is counted, so that ((x{100}){100}){100} is
 * refused at once instead of being built. */
#include "rules/pattern.h"

#include "rules/pattern_program.h"

enum {
    WRITES_MAX =
        20000, /* visits of nodes while states are written: also of those that write none */
    CODE_POINT_MAX = 0x10FFFF,
    ENDLESS = 0xFFFF
};

typedef enum node_kind { STATE, SEQUENCE, CHOICE, REPEAT } node_kind;

typedef struct node {
    node_kind kind;
    cairn__pattern_state state;
    uint32_t least, most;      /* of a repeat */
    struct node *first, *last; /* children */
    struct node *next;
} node;

typedef struct compiler {
    const uint8_t *at, *start, *end;
    cairn__arena *arena;
    cairn__pattern_fault *fault;
    const char *wrong; /* NULL until something is */
    bool no_memory, ignore_case;
    uint32_t depth, writes;
    uint32_t state_count, range_count;
    cairn__pattern_state *states;
    cairn__pattern_range *ranges;
} compiler;

static node *parse_choice(compiler *c);

static void *fail(compiler *c, const char *text) {
    if (c->wrong == NULL) {
        c->wrong = text;
        c->fault->text = text;
        c->fault->column = 1;
        for (const uint8_t *at = c->start; at < c->at; at++) {
            c->fault->column += (*at & 0xC0) != 0x80 ? 1 : 0;
        }
    }
    return NULL;
}

static node *new_node(compiler *c, node_kind kind) {
    node *made = cairn__arena_alloc_zero(c->arena, 1, sizeof *made);
    if (made == NULL) {
        c->no_memory = true;
        return fail(c, "no memory");
    }
    made->kind = kind;
    return made;
}

static node *new_state(compiler *c, cairn__pattern_op op, uint32_t value) {
    node *made = new_node(c, STATE);
    if (made != NULL) {
        made->state.op = (uint8_t)op;
        made->state.value = value;
    }
    return made;
}

static bool peek(const compiler *c, uint8_t byte) {
    return c->at < c->end && *c->at == byte;
}

static bool take(compiler *c, uint8_t byte) {
    if (peek(c, byte)) {
        c->at += 1;
        return true;
    }
    return false;
}

/* The text is valid UTF-8 (checked at the start) and not at its end. */
static uint32_t take_char(compiler *c) {
    uint32_t lead = *c->at++;
    if (lead < 0x80) {
        return lead;
    }
    int more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    uint32_t value = lead & (0x3Fu >> more);
    for (int i = 0; i < more; i++) {
        value = value << 6 | (*c->at++ & 0x3Fu);
    }
    return value;
}

/* --- classes -----------------------------------------------------------------------------------
 */

static void add_range(compiler *c, uint32_t first, uint32_t last) {
    if (c->range_count == CAIRN__PATTERN_RANGES_MAX) {
        (void)fail(c, "too many characters in classes: at most 512 ranges");
        return;
    }
    c->ranges[c->range_count++] = (cairn__pattern_range){ first, last };
}

/* \d, \w, \s, and with a capital letter all the rest; false: another letter. */
static bool add_known_class(compiler *c, uint32_t letter) {
    static const cairn__pattern_range digit[] = { { '0', '9' } };
    static const cairn__pattern_range word[] = {
        { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' }
    };
    static const cairn__pattern_range space[] = { { '\t', '\n' }, { '\f', '\r' }, { ' ', ' ' } };
    uint32_t small = letter | 32;
    const cairn__pattern_range *set = small == 'd' ? digit : small == 'w' ? word : space;
    size_t count = small == 'd' ? 1 : small == 'w' ? 4 : 3;
    if (small != 'd' && small != 'w' && small != 's') {
        return false;
    }
    uint32_t next = 0;
    for (size_t i = 0; i < count; i++) {
        if (letter == small) {
            add_range(c, set[i].first, set[i].last);
        } else {
            add_range(c, next, set[i].first - 1);
            next = set[i].last + 1;
        }
    }
    if (letter != small) {
        add_range(c, next, CODE_POINT_MAX);
    }
    return true;
}

/* The character that a backslash and a letter mean, when they mean one. */
static bool escaped_char(compiler *c, uint32_t letter, uint32_t *value_out) {
    static const char from[] = "nrtfv";
    static const char to[] = "\n\r\t\f\v";
    for (size_t i = 0; i < sizeof from - 1; i++) {
        if (letter == (uint8_t)from[i]) {
            *value_out = (uint8_t)to[i];
            return true;
        }
    }
    bool plain = letter >= 0x80 || (letter >= '0' && letter <= '9') ||
                 ((letter | 32) >= 'a' && (letter | 32) <= 'z');
    if (plain) {
        c->at -= 1;
        (void)fail(c, letter >= '1' && letter <= '9'
                          ? "back-references are not supported: matching takes linear time"
                          : "no such escape: known are \\d \\w \\s \\D \\W \\S \\b \\B \\n \\r \\t "
                            "and \\ before a sign");
        return false;
    }
    *value_out = letter;
    return true;
}

/* One end of a range in a class; true when it was a known class such as \d instead. */
static bool class_item(compiler *c, uint32_t *value_out) {
    *value_out = 0;
    if (!take(c, '\\')) {
        *value_out = take_char(c);
        return false;
    }
    if (c->at == c->end) {
        (void)fail(c, "a backslash at the end");
        return false;
    }
    uint32_t letter = take_char(c);
    if (add_known_class(c, letter)) {
        return true;
    }
    (void)escaped_char(c, letter, value_out);
    return false;
}

static void class_range(compiler *c) {
    uint32_t first = 0;
    uint32_t last = 0;
    if (peek(c, '[') && c->end - c->at > 1 && c->at[1] == ':') {
        (void)fail(c, "[:name:] is not supported: use \\d, \\w, \\s or ranges");
        return;
    }
    if (class_item(c, &first)) {
        return;
    }
    bool range = peek(c, '-') && c->end - c->at > 1 && c->at[1] != ']';
    last = first;
    if (range) {
        c->at += 1;
        if (class_item(c, &last) || last < first) {
            (void)fail(c, "a range of characters ends before it begins");
            return;
        }
    }
    add_range(c, first, last);
}

static node *parse_class(compiler *c) {
    node *made = new_state(c, CAIRN__PATTERN_CLASS, 0);
    if (made == NULL) {
        return NULL;
    }
    uint32_t first = c->range_count;
    made->state.flag = take(c, '^') ? 1 : 0;
    bool any = false; /* a ] right at the start is a character */
    while (c->wrong == NULL && c->at < c->end && (!any || *c->at != ']')) {
        class_range(c);
        any = true;
    }
    if (!take(c, ']')) {
        return fail(c, "a [ without its ]");
    }
    made->state.to = (uint16_t)first;
    made->state.value = c->range_count - first;
    return made;
}

/* --- the tree -------------------------------------------------------------------------------- */

static node *parse_escape(compiler *c) {
    if (c->at == c->end) {
        return fail(c, "a backslash at the end");
    }
    uint32_t letter = take_char(c);
    if (letter == 'b' || letter == 'B') {
        node *made = new_state(c, CAIRN__PATTERN_WORD, 0);
        if (made != NULL) {
            made->state.flag = letter == 'B' ? 1 : 0;
        }
        return made;
    }
    uint32_t first = c->range_count;
    if (add_known_class(c, letter)) {
        node *made = new_state(c, CAIRN__PATTERN_CLASS, c->range_count - first);
        if (made != NULL) {
            made->state.to = (uint16_t)first;
        }
        return made;
    }
    uint32_t value = 0;
    return escaped_char(c, letter, &value) ? new_state(c, CAIRN__PATTERN_CHAR, value) : NULL;
}

static node *parse_group(compiler *c) {
    if (c->depth == CAIRN__PATTERN_DEPTH_MAX) {
        return fail(c, "groups within groups: at most 32 deep");
    }
    if (take(c, '?') && !take(c, ':')) {
        return fail(c, "only (?:...) and, at the start, (?i) are supported after (?");
    }
    c->depth += 1;
    node *inner = parse_choice(c);
    c->depth -= 1;
    if (inner != NULL && !take(c, ')')) {
        return fail(c, "a ( without its )");
    }
    return inner;
}

static node *parse_atom(compiler *c) {
    uint32_t value = take_char(c);
    switch (value) {
    case '(':
        return parse_group(c);
    case '[':
        return parse_class(c);
    case '\\':
        return parse_escape(c);
    case '.':
        return new_state(c, CAIRN__PATTERN_ANY, 0);
    case '^':
        return new_state(c, CAIRN__PATTERN_BEGIN, 0);
    case '$':
        return new_state(c, CAIRN__PATTERN_END, 0);
    case '*':
    case '+':
    case '?':
        c->at -= 1;
        return fail(c, "nothing before it to repeat");
    default:
        if (c->ignore_case && value >= 'A' && value <= 'Z') {
            value += 32;
        }
        return new_state(c, CAIRN__PATTERN_CHAR, value);
    }
}

static bool take_number(compiler *c, uint32_t *value_out) {
    const uint8_t *start = c->at;
    uint32_t value = 0;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        value = value > CAIRN__PATTERN_REPEAT_MAX ? value : value * 10 + (uint32_t)(*c->at - '0');
        c->at += 1;
    }
    *value_out = value;
    return c->at > start;
}

/* {n}, {n,} or {n,m} after its brace. */
static bool parse_counts(compiler *c, uint32_t *least, uint32_t *most) {
    bool good = take_number(c, least);
    *most = *least;
    if (good && take(c, ',')) {
        if (!take_number(c, most)) {
            *most = ENDLESS;
        }
    }
    if (!good || !take(c, '}')) {
        (void)fail(c, "expected {n}, {n,} or {n,m}; a brace as itself is \\{");
        return false;
    }
    if (*least > CAIRN__PATTERN_REPEAT_MAX ||
        (*most != ENDLESS && *most > CAIRN__PATTERN_REPEAT_MAX) || *most < *least) {
        (void)fail(c, "a repeat is at most 100, the smaller number first");
        return false;
    }
    return true;
}

/* *, +, ? or {..} right here; false: none of them (or a fault). */
static bool take_repeat(compiler *c, uint32_t *least, uint32_t *most) {
    *least = 0;
    *most = ENDLESS;
    if (take(c, '*')) {
        return true;
    }
    if (take(c, '+')) {
        *least = 1;
        return true;
    }
    if (take(c, '?')) {
        *most = 1;
        return true;
    }
    return take(c, '{') && parse_counts(c, least, most);
}

static node *parse_repeat(compiler *c) {
    node *inner = parse_atom(c);
    uint32_t least = 0;
    uint32_t most = 0;
    if (inner == NULL || !take_repeat(c, &least, &most)) {
        return c->wrong == NULL ? inner : NULL;
    }
    (void)take(c, '?'); /* greedy or not: whether it is found is the same */
    if (peek(c, '*') || peek(c, '+') || peek(c, '?') || peek(c, '{')) {
        return fail(c, "a repeat of a repeat: put the inner one in brackets");
    }
    node *made = new_node(c, REPEAT);
    if (made != NULL) {
        made->least = least;
        made->most = most;
        made->first = inner;
    }
    return made;
}

static void append(node *parent, node *child) {
    if (parent->last == NULL) {
        parent->first = child;
    } else {
        parent->last->next = child;
    }
    parent->last = child;
}

static node *parse_sequence(compiler *c) {
    node *made = new_node(c, SEQUENCE);
    while (made != NULL && c->at < c->end && *c->at != '|' && *c->at != ')') {
        node *child = parse_repeat(c);
        if (child == NULL) {
            return NULL;
        }
        append(made, child);
    }
    return made;
}

static node *parse_choice(compiler *c) {
    node *made = new_node(c, CHOICE);
    do {
        node *child = made == NULL ? NULL : parse_sequence(c);
        if (child == NULL) {
            return NULL;
        }
        append(made, child);
    } while (take(c, '|'));
    return made;
}

/* --- the states ------------------------------------------------------------------------------ */

static uint32_t put(compiler *c, cairn__pattern_state state) {
    if (c->state_count == CAIRN__PATTERN_STATES_MAX || c->writes == WRITES_MAX) {
        (void)fail(c, "the pattern is too large: repeats included, at most 512 states");
        return 0;
    }
    c->states[c->state_count] = state;
    return c->state_count++;
}

static void write_node(compiler *c, const node *from);

/* first | second | ...: each choice but the last begins with a split and ends with a jump out. The
 * jumps are chained through their targets until the end is known. */
static void write_choice(compiler *c, const node *from) {
    uint32_t chain = UINT32_MAX;
    for (const node *child = from->first; child != NULL && c->wrong == NULL; child = child->next) {
        if (child->next == NULL) {
            write_node(c, child);
            break;
        }
        uint32_t split = put(c, (cairn__pattern_state){ CAIRN__PATTERN_SPLIT, 0, 0, 0 });
        write_node(c, child);
        uint32_t jump = put(c, (cairn__pattern_state){ CAIRN__PATTERN_JUMP, 0, 0, chain });
        c->states[split].to = (uint16_t)(split + 1);
        c->states[split].value = c->state_count;
        chain = jump;
    }
    while (chain != UINT32_MAX && c->wrong == NULL) {
        uint32_t next = c->states[chain].value;
        c->states[chain].to = (uint16_t)c->state_count;
        c->states[chain].value = 0;
        chain = next;
    }
}

static void write_repeat(compiler *c, const node *from) {
    for (uint32_t i = 0; i < from->least && c->wrong == NULL; i++) {
        write_node(c, from->first);
    }
    if (from->most == ENDLESS) {
        uint32_t split = put(c, (cairn__pattern_state){ CAIRN__PATTERN_SPLIT, 0, 0, 0 });
        write_node(c, from->first);
        (void)put(c, (cairn__pattern_state){ CAIRN__PATTERN_JUMP, 0, (uint16_t)split, 0 });
        c->states[split].to = (uint16_t)(split + 1);
        c->states[split].value = c->state_count;
        return;
    }
    for (uint32_t i = from->least; i < from->most && c->wrong == NULL; i++) {
        uint32_t split = put(c, (cairn__pattern_state){ CAIRN__PATTERN_SPLIT, 0, 0, 0 });
        write_node(c, from->first);
        c->states[split].to = (uint16_t)(split + 1);
        c->states[split].value = c->state_count; /* skipping one leads to the next question */
    }
}

static void write_node(compiler *c, const node *from) {
    if (c->wrong != NULL) {
        return;
    }
    if (++c->writes >= WRITES_MAX) {
        (void)fail(c, "the pattern is too large: repeats included, at most 512 states");
        return;
    }
    switch (from->kind) {
    case STATE:
        (void)put(c, from->state);
        break;
    case SEQUENCE:
        for (const node *child = from->first; child != NULL; child = child->next) {
            write_node(c, child);
        }
        break;
    case CHOICE:
        write_choice(c, from);
        break;
    case REPEAT:
        write_repeat(c, from);
        break;
    }
}

static bool serialise(compiler *c, cairn_span *program_out) {
    size_t bytes = CAIRN__PATTERN_HEADER_BYTES +
                   ((size_t)c->state_count + c->range_count) * CAIRN__PATTERN_STATE_BYTES;
    uint8_t *to = cairn__arena_alloc_zero(c->arena, 1, bytes);
    if (to == NULL) {
        return false;
    }
    *program_out = cairn__span(to, bytes);
    cairn__store_u16(to, (uint16_t)c->state_count);
    cairn__store_u16(to + 2, (uint16_t)c->range_count);
    to[4] = c->ignore_case ? 1 : 0;
    to += CAIRN__PATTERN_HEADER_BYTES;
    for (uint32_t i = 0; i < c->state_count; i++, to += CAIRN__PATTERN_STATE_BYTES) {
        to[0] = c->states[i].op;
        to[1] = c->states[i].flag;
        cairn__store_u16(to + 2, c->states[i].to);
        cairn__store_u32(to + 4, c->states[i].value);
    }
    for (uint32_t i = 0; i < c->range_count; i++, to += CAIRN__PATTERN_STATE_BYTES) {
        cairn__store_u32(to, c->ranges[i].first);
        cairn__store_u32(to + 4, c->ranges[i].last);
    }
    return true;
}

static bool compile(compiler *c) {
    static const char ignore[] = "(?i)";
    size_t ignore_bytes = sizeof ignore - 1;
    if ((size_t)(c->end - c->at) >= ignore_bytes && memcmp(c->at, ignore, ignore_bytes) == 0) {
        c->ignore_case = true;
        c->at += ignore_bytes;
    }
    node *tree = parse_choice(c);
    if (tree == NULL) {
        return false;
    }
    if (c->at < c->end) {
        (void)fail(c, "a ) without its (");
        return false;
    }
    write_node(c, tree);
    (void)put(c, (cairn__pattern_state){ CAIRN__PATTERN_MATCH, 0, 0, 0 });
    return c->wrong == NULL;
}

cairn_status cairn__pattern_compile(cairn_span pattern, cairn__arena *arena,
                                    cairn_span *program_out, cairn__pattern_fault *fault_out) {
    compiler c = { .at = pattern.data, .start = pattern.data, .arena = arena, .fault = fault_out };
    c.end = pattern.len == 0 ? c.at : pattern.data + pattern.len;
    *fault_out = (cairn__pattern_fault){ 1, "" };
    *program_out = (cairn_span){ NULL, 0 };
    if (pattern.len > CAIRN__PATTERN_TEXT_BYTES_MAX || !cairn__utf8_valid(pattern)) {
        fault_out->text = "a pattern is at most 1,024 bytes of UTF-8";
        return CAIRN_INVALID;
    }
    c.states = cairn__arena_alloc(arena, CAIRN__PATTERN_STATES_MAX * sizeof *c.states);
    c.ranges = cairn__arena_alloc(arena, CAIRN__PATTERN_RANGES_MAX * sizeof *c.ranges);
    if (c.states == NULL || c.ranges == NULL) {
        return CAIRN_NO_MEMORY;
    }
    if (!compile(&c)) {
        return c.no_memory ? CAIRN_NO_MEMORY : CAIRN_INVALID;
    }
    return serialise(&c, program_out) ? CAIRN_OK : CAIRN_NO_MEMORY;
}
