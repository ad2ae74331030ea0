/* formula.c: "(gmv - refunds) / buyers" to postfix order, by the shunting yard. */
#include <stdlib.h>

#include "analytics/reading.h"
#include "base/bytes.h"

enum { NUMBER_BYTES_MAX = 40 };

typedef struct {
    cairn__reading *reading;
    cairn__fault_path at;
    const cairn__reading_names *names;
    cairn__reading_ops *out;
    cairn_span text;
    size_t next;                        /* byte that is read next */
    char waiting[CAIRN__QUERY_OPS_MAX]; /* operators and brackets; '~' is the sign of a number */
    size_t waiting_count;
} parser;

static bool bad(const parser *p, const char *what) {
    CAIRN__READING_FAULT(p->reading, "bad_formula", p->at, "column %zu of `%.*s`: %s", p->next + 1,
                         (int)p->text.len, (const char *)p->text.data, what);
    return CAIRN__READING_FIX(p->reading,
                              "write names, numbers, + - * / and brackets, such as (a - b) / c");
}

static bool emit(parser *p, cairn__query_op op) {
    if (p->out->count == CAIRN__QUERY_OPS_MAX) {
        return bad(p, "the formula is too long");
    }
    p->out->list[p->out->count++] = op;
    return true;
}

static int rank(char sign) {
    switch (sign) {
    case '+':
    case '-':
        return 1;
    case '*':
    case '/':
        return 2;
    case '~':
        return 3;
    default:
        return 0; /* a bracket: nothing goes past it */
    }
}

static bool emit_sign(parser *p, char sign) {
    cairn__query_op op = { .kind = CAIRN__QUERY_OP_ADD };
    if (sign == '-') {
        op.kind = CAIRN__QUERY_OP_SUBTRACT;
    } else if (sign == '*') {
        op.kind = CAIRN__QUERY_OP_MULTIPLY;
    } else if (sign == '/') {
        op.kind = CAIRN__QUERY_OP_DIVIDE;
    } else if (sign == '~') {
        op.kind = CAIRN__QUERY_OP_NEGATE;
    }
    return emit(p, op);
}

static bool wait(parser *p, char sign) {
    if (p->waiting_count == CAIRN__QUERY_OPS_MAX) {
        return bad(p, "too many brackets");
    }
    p->waiting[p->waiting_count++] = sign;
    return true;
}

/* Emits what waits and binds at least as strongly, down to a bracket. */
static bool release(parser *p, int lowest) {
    while (p->waiting_count > 0 && rank(p->waiting[p->waiting_count - 1]) >= lowest) {
        if (!emit_sign(p, p->waiting[--p->waiting_count])) {
            return false;
        }
    }
    return true;
}

static bool is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

static bool is_letter(uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
           byte >= 0x80;
}

static bool read_number(parser *p) {
    char digits[NUMBER_BYTES_MAX];
    size_t used = 0;
    while (p->next < p->text.len &&
           (is_digit(p->text.data[p->next]) || p->text.data[p->next] == '.')) {
        if (used + 1 == sizeof digits) {
            return bad(p, "the number is too long");
        }
        digits[used++] = (char)p->text.data[p->next++];
    }
    digits[used] = 0;
    char *end;
    double number = strtod(digits, &end);
    if (end != digits + used || used == 0) {
        return bad(p, "not a number");
    }
    return emit(p, (cairn__query_op){ .kind = CAIRN__QUERY_OP_NUMBER, .number = number });
}

static bool read_name(parser *p) {
    size_t start = p->next;
    while (p->next < p->text.len &&
           (is_letter(p->text.data[p->next]) || is_digit(p->text.data[p->next]))) {
        p->next++;
    }
    cairn__query_op op = { .kind = CAIRN__QUERY_OP_ATOM };
    cairn_span name = cairn__span(p->text.data + start, p->next - start);
    switch (p->names->find(p->names->self, name, &op)) {
    case CAIRN__READING_FOUND:
        return emit(p, op);
    case CAIRN__READING_UNKNOWN:
        p->next = start;
        return bad(p, "no measure has this name");
    case CAIRN__READING_WRONG:
    default:
        return false;
    }
}

/* A number, a name, a sign or an opening bracket; *value_out: a value is complete. */
static bool read_value(parser *p, uint8_t byte, bool *value_out) {
    *value_out = false;
    if (byte == '-' || byte == '(') {
        p->next++;
        return wait(p, byte == '-' ? '~' : '(');
    }
    *value_out = true;
    if (is_digit(byte) || byte == '.') {
        return read_number(p);
    }
    return is_letter(byte) ? read_name(p) : bad(p, "expected a name, a number or a bracket");
}

static bool close_bracket(parser *p) {
    if (!release(p, 1)) {
        return false;
    }
    if (p->waiting_count == 0) {
        return bad(p, "this bracket was not opened");
    }
    p->waiting_count--;
    p->next++;
    return true;
}

/* After a value: an operator or a closing bracket; *value_out: still a value. */
static bool read_operator(parser *p, uint8_t byte, bool *value_out) {
    if (byte == ')') {
        return close_bracket(p);
    }
    if (byte != '+' && byte != '-' && byte != '*' && byte != '/') {
        return bad(p, "expected + - * / or the end");
    }
    *value_out = false;
    p->next++;
    return release(p, rank((char)byte)) && wait(p, (char)byte);
}

bool cairn__reading_formula(cairn__reading *reading, cairn_span text, cairn__fault_path at,
                            const cairn__reading_names *names, cairn__reading_ops *ops_out) {
    parser p = { .reading = reading, .at = at, .names = names, .out = ops_out, .text = text };
    bool after_value = false;
    ops_out->count = 0;
    while (p.next < text.len) {
        uint8_t byte = text.data[p.next];
        if (byte == ' ') {
            p.next++;
        } else if (after_value ? !read_operator(&p, byte, &after_value)
                               : !read_value(&p, byte, &after_value)) {
            return false;
        }
    }
    if (!after_value) {
        return bad(&p, "the formula ends too early");
    }
    if (!release(&p, 1)) {
        return false;
    }
    return p.waiting_count == 0 || bad(&p, "a bracket is not closed");
}
