/* lexer.c: words, numbers, strings, dates and signs. */
#include "rules/lexer.h"

#include "base/bytes.h"
#include "base/civil.h"

enum {
    DIGITS_MAX = 15,   /* of a number with a point: a double holds them exactly */
    EXPONENT_MAX = 22, /* 10^22 is the largest power of ten that a double holds exactly */
    DATE_BYTES = 10,
    ESCAPE_DIGITS = 4
};

typedef cairn__rule_lexer lexer;
typedef cairn__rule_token token;

static cairn_status fail(lexer *in, size_t at, const char *words) {
    cairn__rule_fault_begin(in->fault, in->text, at);
    cairn__rule_fault_add(in->fault, words);
    return CAIRN_INVALID;
}

static uint8_t byte_at(const lexer *in, size_t at) {
    return at < in->text.len ? in->text.data[at] : 0;
}

static bool is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

static bool is_name_start(uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
           byte == '$';
}

/* --- numbers --------------------------------------------------------------------------------- */

/* A decimal number's parts. */
typedef struct decimal {
    uint64_t digits;    /* without the point */
    uint32_t count;     /* of digits that matter */
    int32_t exponent;   /* of ten */
    bool whole, beyond; /* no point and no exponent; too long to be exact */
} decimal;

static void add_digit(decimal *to, uint8_t byte) {
    uint32_t digit = (uint32_t)(byte - '0');
    if (to->digits > (UINT64_MAX - digit) / 10) {
        to->beyond = true;
        return;
    }
    to->digits = to->digits * 10 + digit;
    to->count += to->digits > 0 ? 1 : 0;
}

static size_t read_decimal(const lexer *in, size_t at, decimal *to) {
    *to = (decimal){ .whole = true };
    for (; is_digit(byte_at(in, at)); at++) {
        add_digit(to, byte_at(in, at));
    }
    if (byte_at(in, at) == '.' && is_digit(byte_at(in, at + 1))) {
        to->whole = false;
        for (at += 1; is_digit(byte_at(in, at)); at++) {
            add_digit(to, byte_at(in, at));
            to->exponent -= 1;
        }
    }
    bool letter = (byte_at(in, at) | 32) == 'e';
    uint8_t sign = byte_at(in, at + 1);
    size_t digits_at = sign == '+' || sign == '-' ? at + 2 : at + 1;
    if (!letter || !is_digit(byte_at(in, digits_at))) {
        return at;
    }
    int32_t exponent = 0;
    for (at = digits_at; is_digit(byte_at(in, at)); at++) {
        exponent = exponent > 1000 ? exponent : exponent * 10 + (byte_at(in, at) - '0');
    }
    to->whole = false;
    to->exponent += sign == '-' ? -exponent : exponent;
    return at;
}

/* Both factors are exact, so that one rounding is all there is (Clinger 1990, the easy case): the
 * same bits everywhere, without strtod and its locale. */
static double exact_double(const decimal *from) {
    double power = 1;
    int32_t steps = from->exponent < 0 ? -from->exponent : from->exponent;
    for (int32_t i = 0; i < steps; i++) {
        power *= 10;
    }
    return from->exponent < 0 ? (double)from->digits / power : (double)from->digits * power;
}

static void drop_zeros(decimal *number) {
    while (!number->whole && number->exponent < 0 && number->digits % 10 == 0 &&
           number->digits > 0) {
        number->digits /= 10;
        number->count -= 1;
        number->exponent += 1;
    }
    if (number->digits == 0) {
        number->exponent = 0;
    }
}

static cairn_status read_number(lexer *in, token *out) {
    decimal number;
    size_t end = read_decimal(in, in->at, &number);
    if (number.whole && !number.beyond && number.digits <= INT64_MAX) {
        out->kind = CAIRN__RULE_TOKEN_INTEGER;
        out->integer = (int64_t)number.digits;
    } else {
        drop_zeros(&number);
        if (number.whole || number.beyond || number.count > DIGITS_MAX ||
            number.exponent > EXPONENT_MAX || number.exponent < -EXPONENT_MAX) {
            return fail(in, in->at,
                        "a number that long cannot be held exactly: integers go to "
                        "9223372036854775807, others have at most 15 digits and powers of ten "
                        "to 22");
        }
        out->kind = CAIRN__RULE_TOKEN_NUMBER;
        out->number = exact_double(&number);
    }
    in->at = end;
    if (is_name_start(byte_at(in, end))) {
        return fail(in, end, "expected a space after the number");
    }
    return CAIRN_OK;
}

/* --- dates ----------------------------------------------------------------------------------- */

static bool looks_like_date(const lexer *in) {
    static const char shape[] = "dddd-dd-dd";
    for (size_t i = 0; i < DATE_BYTES; i++) {
        uint8_t byte = byte_at(in, in->at + i);
        if (shape[i] == 'd' ? !is_digit(byte) : byte != '-') {
            return false;
        }
    }
    return !is_digit(byte_at(in, in->at + DATE_BYTES));
}

/* The end of "10:00:00.5Z" or "10:00:00+08:00". */
static size_t clock_end(const lexer *in, size_t at) {
    while (is_digit(byte_at(in, at)) || byte_at(in, at) == ':') {
        at += 1;
    }
    if (byte_at(in, at) == '.' && is_digit(byte_at(in, at + 1))) {
        for (at += 1; is_digit(byte_at(in, at));) {
            at += 1;
        }
    }
    if ((byte_at(in, at) | 32) == 'z') {
        return at + 1;
    }
    if (byte_at(in, at) == '+' || byte_at(in, at) == '-') {
        for (at += 1; is_digit(byte_at(in, at)) || byte_at(in, at) == ':';) {
            at += 1;
        }
    }
    return at;
}

static cairn_status read_date(lexer *in, token *out) {
    size_t end = in->at + DATE_BYTES;
    bool with_clock = (byte_at(in, end) | 32) == 't' && is_digit(byte_at(in, end + 1));
    if (with_clock) {
        end = clock_end(in, end + 1);
    }
    cairn_span text = cairn__span(in->text.data + in->at, end - in->at);
    bool good = with_clock ? cairn__parse_instant(text, &out->integer)
                           : cairn__parse_date(text, &out->integer);
    if (!good) {
        return fail(in, in->at,
                    with_clock ? "no such moment; write 2026-11-24T10:00:00Z or ...+08:00"
                               : "no such day; write year-month-day, 2026-11-24");
    }
    out->kind = with_clock ? CAIRN__RULE_TOKEN_INSTANT : CAIRN__RULE_TOKEN_DATE;
    in->at = end;
    return CAIRN_OK;
}

/* --- strings --------------------------------------------------------------------------------- */

static bool read_hex(const lexer *in, size_t at, uint32_t *value_out) {
    uint32_t value = 0;
    for (size_t i = 0; i < ESCAPE_DIGITS; i++) {
        uint8_t byte = byte_at(in, at + i);
        uint8_t letter = byte | 32;
        bool hex_letter = letter >= 'a' && letter <= 'f';
        if (!is_digit(byte) && !hex_letter) {
            return false;
        }
        value = value << 4 | (uint32_t)(hex_letter ? letter - 'a' + 10 : byte - '0');
    }
    *value_out = value;
    return true;
}

static size_t put_utf8(uint8_t *to, uint32_t value) {
    if (value < 0x80) {
        to[0] = (uint8_t)value;
        return 1;
    }
    size_t length = value < 0x800 ? 2 : value < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        to[i] = (uint8_t)(0x80 | (value & 0x3F));
        value >>= 6;
    }
    static const uint8_t lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    to[0] = (uint8_t)(lead[length] | value);
    return length;
}

/* \uXXXX at in->at, behind the u; a pair of surrogates is one character. */
static cairn_status read_unicode(lexer *in, uint32_t *value_out) {
    uint32_t low = 0;
    size_t at = in->at;
    if (!read_hex(in, at, value_out)) {
        return fail(in, at, "expected four hexadecimal digits after \\u");
    }
    in->at += ESCAPE_DIGITS;
    bool surrogate = *value_out >= 0xD800 && *value_out <= 0xDFFF;
    if (!surrogate) {
        return CAIRN_OK;
    }
    bool pair = *value_out < 0xDC00 && byte_at(in, in->at) == '\\' &&
                byte_at(in, in->at + 1) == 'u' && read_hex(in, in->at + 2, &low) && low >= 0xDC00 &&
                low <= 0xDFFF;
    if (!pair) {
        return fail(in, at, "half of a surrogate pair: write both, or the character itself");
    }
    in->at += 2 + ESCAPE_DIGITS;
    *value_out = 0x10000 + ((*value_out - 0xD800) << 10) + (low - 0xDC00);
    return CAIRN_OK;
}

static cairn_status read_escape(lexer *in, uint32_t *value_out) {
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    uint8_t letter = byte_at(in, in->at + 1);
    const char *known = letter == 0 ? NULL : strchr(from, letter);
    if (letter != 'u' && known == NULL) {
        return fail(in, in->at,
                    "no such escape; known are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
    }
    in->at += 2;
    if (letter == 'u') {
        return read_unicode(in, value_out);
    }
    *value_out = (uint8_t)to[known - from];
    return CAIRN_OK;
}

static cairn_status read_string(lexer *in, token *out) {
    size_t start = in->at + 1;
    size_t end = start;
    while (end < in->text.len && in->text.data[end] != '"') {
        end += in->text.data[end] == '\\' ? 2 : 1;
    }
    if (end >= in->text.len) {
        return fail(in, in->at, "a string without its closing quote");
    }
    uint8_t *to = cairn__arena_alloc(in->arena, end - start + 1);
    if (to == NULL) {
        return CAIRN_NO_MEMORY;
    }
    size_t length = 0;
    in->at = start;
    while (in->at < end) {
        uint32_t value = in->text.data[in->at];
        if (value < ' ') {
            return fail(in, in->at, "a line break or control character in a string: write \\n");
        }
        if (value != '\\') {
            to[length++] = (uint8_t)value;
            in->at += 1;
            continue;
        }
        cairn_status status = read_escape(in, &value);
        if (status != CAIRN_OK) {
            return status;
        }
        length += put_utf8(to + length, value); /* never longer than its escape */
    }
    in->at = end + 1;
    out->kind = CAIRN__RULE_TOKEN_STRING;
    out->text = cairn__span(to, length);
    return CAIRN_OK;
}

/* --- the rest -------------------------------------------------------------------------------- */

static cairn_status read_quoted(lexer *in, token *out) {
    size_t start = in->at + 1;
    size_t end = start;
    while (end < in->text.len && in->text.data[end] != '`' && in->text.data[end] >= ' ') {
        end += 1;
    }
    if (byte_at(in, end) != '`' || end == start) {
        return fail(in, in->at, "a name in back-quotes is on one line, not empty, and ends with `");
    }
    out->kind = CAIRN__RULE_TOKEN_QUOTED;
    out->text = cairn__span(in->text.data + start, end - start);
    in->at = end + 1;
    return CAIRN_OK;
}

/* What people write who come from elsewhere: full-width signs, other languages' operators. */
static const struct {
    const char *wrong, *right;
} mistaken[] = {
    { "（", "(" },  { "）", ")" },  { "，", "," },  { "“", "\"" },  { "”", "\"" },
    { "＝", "=" },  { "＞", ">" },  { "＜", "<" },  { "。", "." },  { "、", "," },
    { "‘", "\"" },  { "’", "\"" },  { "'", "\"" },  { "==", "=" },  { "&&", "and" },
    { "||", "or" }, { "<>", "!=" }, { "=>", ">=" }, { "=<", "<=" }, { "≥", ">=" },
    { "≤", "<=" },  { "≠", "!=" },  { "【", "[" },  { "】", "]" },  { "！", "not" },
    { "!", "not" }, { "{", "[" },   { "}", "]" },
};

static bool starts_with(const lexer *in, const char *sign) {
    cairn_span want = cairn__span_of(sign);
    return in->text.len - in->at >= want.len &&
           memcmp(in->text.data + in->at, want.data, want.len) == 0;
}

static cairn_status refuse_sign(lexer *in) {
    for (size_t i = 0; i < sizeof mistaken / sizeof mistaken[0]; i++) {
        if (starts_with(in, mistaken[i].wrong)) {
            (void)fail(in, in->at, "write ");
            cairn__rule_fault_add(in->fault, mistaken[i].right);
            cairn__rule_fault_add(in->fault, " instead of ");
            cairn__rule_fault_quote(in->fault, cairn__span_of(mistaken[i].wrong));
            return CAIRN_INVALID;
        }
    }
    size_t end = in->at + 1;
    while (end < in->text.len && (in->text.data[end] & 0xC0) == 0x80) {
        end += 1;
    }
    bool letter = in->text.data[in->at] >= 0x80;
    (void)fail(in, in->at, "no rule has the character ");
    cairn__rule_fault_quote(in->fault, cairn__span(in->text.data + in->at, end - in->at));
    if (letter) {
        cairn__rule_fault_add(in->fault, " here; a name in other letters stands in back-quotes");
    }
    return CAIRN_INVALID;
}

static cairn_status read_sign(lexer *in, token *out) {
    static const char *const two[] = { "!=", "<=", ">=", ".." };
    static const char *const wrong[] = { "==", "<>", "=>", "=<" };
    out->kind = CAIRN__RULE_TOKEN_SIGN;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (starts_with(in, wrong[i])) {
            return refuse_sign(in);
        }
    }
    size_t length = strchr("()[],.=<>+-*/%", in->text.data[in->at]) != NULL ? 1 : 0;
    for (size_t i = 0; i < sizeof two / sizeof two[0]; i++) {
        length = starts_with(in, two[i]) ? 2 : length;
    }
    if (length == 0 || in->text.data[in->at] == 0) {
        return refuse_sign(in);
    }
    in->at += length;
    return CAIRN_OK;
}

static cairn_status read_token(lexer *in, token *out) {
    uint8_t byte = in->text.data[in->at];
    if (is_digit(byte)) {
        return looks_like_date(in) ? read_date(in, out) : read_number(in, out);
    }
    if (byte == '"') {
        return read_string(in, out);
    }
    if (byte == '`') {
        return read_quoted(in, out);
    }
    if (!is_name_start(byte)) {
        return read_sign(in, out);
    }
    size_t start = in->at;
    while (is_name_start(byte_at(in, in->at)) || is_digit(byte_at(in, in->at))) {
        in->at += 1;
    }
    out->kind = CAIRN__RULE_TOKEN_NAME;
    out->text = cairn__span(in->text.data + start, in->at - start);
    return CAIRN_OK;
}

cairn_status cairn__rule_next(cairn__rule_lexer *in, cairn__rule_token *token_out) {
    while (in->at < in->text.len && in->text.data[in->at] != 0 &&
           strchr(" \t\r\n", in->text.data[in->at]) != NULL) {
        in->at += 1;
    }
    *token_out = (token){ .kind = CAIRN__RULE_TOKEN_END, .at = (uint32_t)in->at };
    if (in->at == in->text.len) {
        return CAIRN_OK;
    }
    cairn_status status = read_token(in, token_out);
    token_out->raw = cairn__span(in->text.data + token_out->at, in->at - token_out->at);
    return status;
}
