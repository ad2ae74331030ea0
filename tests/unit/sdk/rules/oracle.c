/* oracle.c: docs/RULES.md as plainly as possible. */
#include "oracle.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

typedef oracle_value val;
typedef oracle_node node;
__extension__ typedef __int128 wide;

const char *const oracle_functions[] = {
    "lower",   "upper", "trim",   "length",   "substring",       "abs",
    "round",   "floor", "ceil",   "year",     "month",           "day",
    "weekday", "hour",  "minute", "coalesce", "version_compare", "in_network"
};
enum {
    LOWER,
    UPPER,
    TRIM,
    LENGTH,
    SUBSTRING,
    ABS,
    ROUND,
    FLOOR,
    CEIL,
    YEAR,
    MONTH,
    DAY,
    WEEKDAY,
    HOUR,
    MINUTE,
    COALESCE
};

/* --- printing -------------------------------------------------------------------------------- */

enum { LEVEL_OR, LEVEL_AND, LEVEL_NOT, LEVEL_TEST, LEVEL_SUM, LEVEL_TERM, LEVEL_UNARY, LEVEL_BASE };

static const char *const compares[] = { "=", "!=", "<", "<=", ">", ">=" };
static const char *const parts[] = { "contains", "starts with", "ends with" };
static const char *const joins[] = { "+", "-", "*", "/", "%" };

static int level_of(const node *n) {
    switch (n->op) {
    case ORACLE_OR:
        return LEVEL_OR;
    case ORACLE_AND:
        return LEVEL_AND;
    case ORACLE_NOT:
        return LEVEL_NOT;
    case ORACLE_ARITHMETIC:
        return n->which < 2 ? LEVEL_SUM : LEVEL_TERM;
    case ORACLE_NEGATE:
        return LEVEL_UNARY;
    case ORACLE_CONSTANT:
        return n->literal[0] == '-' ? LEVEL_UNARY : LEVEL_BASE;
    case ORACLE_SLOT:
    case ORACLE_NOW:
    case ORACLE_CALL:
        return LEVEL_BASE;
    case ORACLE_COMPARE:
    case ORACLE_IN:
    case ORACLE_IN_LIST:
    case ORACLE_BETWEEN:
    case ORACLE_PART:
    case ORACLE_IS_SET:
    case ORACLE_IS_TODAY:
        break;
    }
    return LEVEL_TEST;
}

static size_t put(char *to, const char *text) {
    size_t length = strlen(text);
    memcpy(to, text, length + 1);
    return length;
}

static size_t print_at(const node *n, int level, char *to);

static size_t print_words(const node *n, int level, const char *before, const char *middle,
                          char *to) {
    size_t at = put(to, before);
    at += print_at(n->child[0], level, to + at);
    at += put(to + at, middle);
    if (n->count > 1) {
        at += print_at(n->child[1], level == LEVEL_OR || level == LEVEL_AND ? level + 1 : LEVEL_SUM,
                       to + at);
    }
    return at;
}

static size_t print_list(const node *n, char *to) {
    size_t at = print_at(n->child[0], LEVEL_SUM, to);
    at += put(to + at, n->which == 1 ? " not in [" : " in [");
    for (int i = 1; i < n->count; i++) {
        at += put(to + at, i > 1 ? ", " : "");
        at += put(to + at, n->child[i]->literal);
    }
    return at + put(to + at, "]");
}

static size_t print_call(const node *n, char *to) {
    size_t at = put(to, oracle_functions[n->which]);
    at += put(to + at, "(");
    for (int i = 0; i < n->count; i++) {
        at += put(to + at, i > 0 ? ", " : "");
        at += print_at(n->child[i], LEVEL_OR, to + at);
    }
    return at + put(to + at, ")");
}

static size_t print_between(const node *n, char *to) {
    size_t at = print_at(n->child[0], LEVEL_SUM, to);
    at += put(to + at, " between ");
    at += print_at(n->child[1], LEVEL_SUM, to + at);
    at += put(to + at, " and ");
    return at + print_at(n->child[2], LEVEL_SUM, to + at);
}

static size_t print_arithmetic(const node *n, char *to) {
    int level = level_of(n);
    size_t at = print_at(n->child[0], level, to);
    at += put(to + at, " ");
    at += put(to + at, joins[n->which]);
    at += put(to + at, " ");
    return at + print_at(n->child[1], level + 1, to + at);
}

static size_t print_slot(int slot, char *to) {
    char name[] = "user.s0";
    name[sizeof name - 2] = (char)('0' + slot);
    return put(to, name);
}

static size_t print_bare(const node *n, char *to) {
    char middle[32];
    switch (n->op) {
    case ORACLE_CONSTANT:
        return put(to, n->literal);
    case ORACLE_SLOT:
        return print_slot(n->slot, to);
    case ORACLE_NOW:
        return put(to, "now");
    case ORACLE_OR:
        return print_words(n, LEVEL_OR, "", " or ", to);
    case ORACLE_AND:
        return print_words(n, LEVEL_AND, "", " and ", to);
    case ORACLE_NOT:
        return print_words(n, LEVEL_NOT, "not ", "", to);
    case ORACLE_COMPARE:
    case ORACLE_PART:
        (void)snprintf(middle, sizeof middle, " %s ",
                       n->op == ORACLE_COMPARE ? compares[n->which] : parts[n->which]);
        return print_words(n, LEVEL_SUM, "", middle, to);
    case ORACLE_IN:
        return print_list(n, to);
    case ORACLE_IN_LIST:
        return print_words(n, LEVEL_SUM, "", n->which == 1 ? " not in " : " in ", to);
    case ORACLE_BETWEEN:
        return print_between(n, to);
    case ORACLE_IS_SET:
        return print_words(n, LEVEL_SUM, "", n->which == 1 ? " is not set" : " is set", to);
    case ORACLE_IS_TODAY:
        return print_words(n, LEVEL_SUM, "", n->which == 1 ? " is today every year" : " is today",
                           to);
    case ORACLE_ARITHMETIC:
        return print_arithmetic(n, to);
    case ORACLE_NEGATE:
        return print_words(n, LEVEL_UNARY, "- ", "", to);
    case ORACLE_CALL:
        break;
    }
    return print_call(n, to);
}

static size_t print_at(const node *n, int level, char *to) {
    bool brackets = level_of(n) < level;
    size_t at = put(to, brackets ? "(" : "");
    at += print_bare(n, to + at);
    return at + put(to + at, brackets ? ")" : "");
}

size_t oracle_print(const node *from, char *to) {
    return print_at(from, LEVEL_OR, to);
}

/* --- values ---------------------------------------------------------------------------------- */

static val of_kind(oracle_kind kind) {
    return (val){ .kind = kind };
}

static val truth(bool t) {
    return (val){ .kind = ORACLE_TRUTH, .truth = t };
}

static val whole(int64_t n) {
    return (val){ .kind = ORACLE_WHOLE, .whole = n };
}

static val number(double d) {
    return isfinite(d) ? (val){ .kind = ORACLE_DOUBLE, .number = d } : of_kind(ORACLE_NULL);
}

static bool numeric(const val *v) {
    return v->kind == ORACLE_WHOLE || v->kind == ORACLE_DOUBLE;
}

static bool timely(const val *v) {
    return v->kind == ORACLE_TIME || v->kind == ORACLE_DURATION;
}

static long double big(const val *v) {
    return v->kind == ORACLE_DOUBLE ? (long double)v->number : (long double)v->whole;
}

static double plain(const val *v) {
    return v->kind == ORACLE_DOUBLE ? v->number : (double)v->whole;
}

/* null: no; unknown: unknown; neither: false is returned and the test goes on. */
static bool settle(const val *a, const val *b, val *out) {
    if (a->kind == ORACLE_NULL || b->kind == ORACLE_NULL) {
        *out = truth(false);
        return true;
    }
    *out = of_kind(ORACLE_UNKNOWN);
    return a->kind == ORACLE_UNKNOWN || b->kind == ORACLE_UNKNOWN;
}

static bool same_list(const val *a, const val *b) {
    bool same = a->items == b->items;
    for (int i = 0; same && i < a->items; i++) {
        same = strcmp(a->list[i], b->list[i]) == 0;
    }
    return same;
}

static bool comparable(const val *a, const val *b, int *order) {
    if (numeric(a) && numeric(b)) {
        *order = (big(a) > big(b)) - (big(a) < big(b));
        return true;
    }
    if (a->kind == b->kind && a->kind == ORACLE_TEXT) {
        *order = strcmp(a->text, b->text);
        return true;
    }
    *order = (a->whole > b->whole) - (a->whole < b->whole);
    return a->kind == b->kind && timely(a);
}

static val compare(int how, const val *a, const val *b) {
    val result;
    int order = 0;
    if (settle(a, b, &result)) {
        return result;
    }
    bool can = comparable(a, b, &order);
    if (how < 2) {
        bool same = can ? order == 0
                        : a->kind == b->kind &&
                              (a->kind == ORACLE_TRUTH ? a->truth == b->truth : same_list(a, b));
        return truth(same == (how == 0));
    }
    bool holds[] = { false, false, order<0, order <= 0, order> 0, order >= 0 };
    return truth(can && holds[how]);
}

static val fit(wide exact, double rough) {
    return exact >= INT64_MIN && exact <= INT64_MAX ? whole((int64_t)exact) : number(rough);
}

static val whole_arithmetic(int how, int64_t a, int64_t b) {
    double x = (double)a;
    double y = (double)b;
    switch (how) {
    case 0:
        return fit((wide)a + b, x + y);
    case 1:
        return fit((wide)a - b, x - y);
    case 2:
        return fit((wide)a * b, x * y);
    case 3:
        return b == 0             ? of_kind(ORACLE_NULL)
               : (wide)a % b == 0 ? fit((wide)a / b, x / y)
                                  : number(x / y);
    default:
        return b == 0 ? of_kind(ORACLE_NULL) : whole((int64_t)((wide)a % b));
    }
}

static val double_arithmetic(int how, double a, double b) {
    if (how > 2 && b == 0) {
        return of_kind(ORACLE_NULL);
    }
    double results[] = { a + b, a - b, a * b, how > 2 ? a / b : 0, how > 2 ? fmod(a, b) : 0 };
    return number(results[how]);
}

/* What kind a result with a time or a duration has; ORACLE_NULL: there is none. */
static oracle_kind timely_kind(int how, const val *a, const val *b) {
    oracle_kind x = numeric(a) ? ORACLE_WHOLE : a->kind;
    oracle_kind y = numeric(b) ? ORACLE_WHOLE : b->kind;
    static const struct {
        oracle_kind a;
        const char *how;
        oracle_kind b, result;
    } table[] = {
        { ORACLE_TIME, "-", ORACLE_TIME, ORACLE_DURATION },
        { ORACLE_TIME, "+-", ORACLE_DURATION, ORACLE_TIME },
        { ORACLE_DURATION, "+", ORACLE_TIME, ORACLE_TIME },
        { ORACLE_DURATION, "+-%", ORACLE_DURATION, ORACLE_DURATION },
        { ORACLE_DURATION, "/", ORACLE_DURATION, ORACLE_WHOLE },
        { ORACLE_DURATION, "*/", ORACLE_WHOLE, ORACLE_DURATION },
        { ORACLE_WHOLE, "*", ORACLE_DURATION, ORACLE_DURATION },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].a == x && table[i].b == y && strstr(table[i].how, joins[how]) != NULL) {
            return table[i].result;
        }
    }
    return ORACLE_NULL;
}

static val arithmetic(int how, const val *a, const val *b) {
    if (a->kind == ORACLE_NULL || b->kind == ORACLE_NULL) {
        return of_kind(ORACLE_NULL);
    }
    if (a->kind == ORACLE_UNKNOWN || b->kind == ORACLE_UNKNOWN) {
        return of_kind(ORACLE_UNKNOWN);
    }
    oracle_kind kind = ORACLE_WHOLE;
    if (!numeric(a) || !numeric(b)) {
        kind = timely_kind(how, a, b);
    }
    if (kind == ORACLE_NULL) {
        return of_kind(ORACLE_NULL);
    }
    bool rough = a->kind == ORACLE_DOUBLE || b->kind == ORACLE_DOUBLE;
    val result = rough ? double_arithmetic(how, plain(a), plain(b))
                       : whole_arithmetic(how, a->whole, b->whole);
    if (kind == ORACLE_WHOLE || result.kind == ORACLE_NULL) {
        return result;
    }
    if (result.kind == ORACLE_DOUBLE) {
        long double ms = truncl(result.number);
        if (ms < -9223372036854775808.0L || ms >= 9223372036854775808.0L) {
            return of_kind(ORACLE_NULL);
        }
        result = whole((int64_t)ms);
    }
    result.kind = kind;
    return result;
}

static val negate(const val *a) {
    val zero = whole(0);
    zero.kind = a->kind == ORACLE_DURATION ? ORACLE_DURATION : ORACLE_WHOLE;
    if (a->kind == ORACLE_DOUBLE) {
        return number(-a->number);
    }
    if (a->kind == ORACLE_UNKNOWN || a->kind == ORACLE_WHOLE || a->kind == ORACLE_DURATION) {
        return arithmetic(1, &zero, a);
    }
    return of_kind(ORACLE_NULL);
}

/* --- dates ----------------------------------------------------------------------------------- */

static struct tm broken(int64_t ms) {
    time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0 ? 1 : 0));
    struct tm parts_of = { 0 };
    (void)gmtime_r(&seconds, &parts_of);
    return parts_of;
}

static bool as_date(const val *v, struct tm *out) {
    int year = 0;
    int month = 0;
    int day = 0;
    char end = 0;
    if (v->kind == ORACLE_TIME) {
        *out = broken(v->whole);
        return true;
    }
    if (v->kind != ORACLE_TEXT || strlen(v->text) != 10 ||
        sscanf(v->text, "%4d-%2d-%2d%c", &year, &month, &day, &end) != 3) {
        return false;
    }
    *out = (struct tm){ .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };
    *out = broken((int64_t)timegm(out) * 1000);
    return true;
}

static bool leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static val is_today(int every_year, const val *v, int64_t now_ms) {
    val result;
    struct tm then;
    struct tm now = broken(now_ms);
    if (settle(v, v, &result)) {
        return result;
    }
    if (!as_date(v, &then)) {
        return truth(false);
    }
    if (every_year == 0) {
        return truth(then.tm_year == now.tm_year && then.tm_yday == now.tm_yday);
    }
    if (then.tm_mon == 1 && then.tm_mday == 29 && !leap(now.tm_year + 1900)) {
        then.tm_mday = 28;
    }
    return truth(then.tm_mon == now.tm_mon && then.tm_mday == now.tm_mday);
}

/* --- functions ------------------------------------------------------------------------------- */

static void change_text(char *text, char from, char to) {
    for (char *c = text; *c != '\0'; c++) {
        *c = *c >= from && *c <= from + 25 ? (char)(*c - from + to) : *c;
    }
}

static val change_letters(val v, char from, char to) {
    change_text(v.text, from, to);
    for (int i = 0; v.kind == ORACLE_LIST && i < v.items; i++) {
        change_text(v.list[i], from, to);
    }
    return v;
}

static val trimmed(const val *v) {
    val result = of_kind(ORACLE_TEXT);
    size_t start = strspn(v->text, " ");
    size_t end = strlen(v->text);
    while (end > start && v->text[end - 1] == ' ') {
        end -= 1;
    }
    memcpy(result.text, v->text + start, end - start);
    return result;
}

static val substring(const val *args, int count) {
    double start = plain(&args[1]);
    double length = count == 3 ? plain(&args[2]) : 1000;
    if (!numeric(&args[1]) || (count == 3 && !numeric(&args[2])) || start < 1 || length < 0 ||
        start != floor(start) || length != floor(length)) {
        return of_kind(ORACLE_NULL);
    }
    val result = of_kind(ORACLE_TEXT);
    double total = (double)strlen(args[0].text);
    int at = 0;
    for (double i = start; i < start + length && i <= total; i++) {
        result.text[at++] = args[0].text[(int)i - 1];
    }
    return result;
}

static val text_function(int which, const val *args, int count) {
    if (which == LENGTH && args[0].kind == ORACLE_LIST) {
        return whole(args[0].items);
    }
    bool folds = args[0].kind == ORACLE_LIST && (which == LOWER || which == UPPER);
    if (args[0].kind != ORACLE_TEXT && !folds) {
        return of_kind(ORACLE_NULL);
    }
    switch (which) {
    case LOWER:
        return change_letters(args[0], 'A', 'a');
    case UPPER:
        return change_letters(args[0], 'a', 'A');
    case TRIM:
        return trimmed(&args[0]);
    case LENGTH:
        return whole((int64_t)strlen(args[0].text));
    default:
        return substring(args, count);
    }
}

static val number_function(int which, const val *v) {
    val zero = whole(0);
    zero.kind = v->kind == ORACLE_DURATION ? ORACLE_DURATION : ORACLE_WHOLE;
    if (which == ABS && v->kind == ORACLE_DURATION) {
        return v->whole < 0 ? arithmetic(1, &zero, v) : *v;
    }
    if (!numeric(v)) {
        return of_kind(ORACLE_NULL);
    }
    if (which == ABS) {
        return v->kind == ORACLE_DOUBLE ? number(fabs(v->number))
               : v->whole < 0           ? arithmetic(1, &zero, v)
                                        : *v;
    }
    if (v->kind == ORACLE_WHOLE) {
        return *v;
    }
    long double result = which == ROUND   ? roundl(v->number)
                         : which == FLOOR ? floorl(v->number)
                                          : ceill(v->number);
    bool fits = result >= -9223372036854775808.0L && result < 9223372036854775808.0L;
    return fits ? whole((int64_t)result) : number((double)result);
}

static val date_function(int which, const val *v) {
    struct tm date;
    if (!as_date(v, &date) || ((which == HOUR || which == MINUTE) && v->kind != ORACLE_TIME)) {
        return of_kind(ORACLE_NULL);
    }
    int64_t results[] = { date.tm_year + INT64_C(1900), date.tm_mon + 1, date.tm_mday,
                          (date.tm_wday + 6) % 7 + 1,   date.tm_hour,    date.tm_min };
    return whole(results[which - YEAR]);
}

static val call(int which, const val *args, int count) {
    if (which == COALESCE) {
        int at = 0;
        while (at < count - 1 && args[at].kind == ORACLE_NULL) {
            at += 1;
        }
        return args[at];
    }
    bool unknown = false;
    for (int i = 0; i < count; i++) {
        if (args[i].kind == ORACLE_NULL) {
            return of_kind(ORACLE_NULL);
        }
        unknown = unknown || args[i].kind == ORACLE_UNKNOWN;
    }
    if (unknown) {
        return of_kind(ORACLE_UNKNOWN);
    }
    if (which == ORACLE_VERSION_COMPARE || which == ORACLE_IN_NETWORK) {
        return oracle_two_texts(which, &args[0], &args[1]);
    }
    return which <= SUBSTRING ? text_function(which, args, count)
           : which <= CEIL    ? number_function(which, args)
                              : date_function(which, args);
}

/* --- tests ----------------------------------------------------------------------------------- */

/* 0 false, 1 unknown, 2 true: then `and` is the least and `or` the greatest. */
static int rank(const val *v) {
    return v->kind == ORACLE_UNKNOWN ? 1 : v->kind == ORACLE_TRUTH && v->truth ? 2 : 0;
}

static val of_rank(int r) {
    return r == 1 ? of_kind(ORACLE_UNKNOWN) : truth(r == 2);
}

static bool list_has(const val *list, const val *item) {
    for (int i = 0; i < list->items; i++) {
        if (item->kind == ORACLE_TEXT && strcmp(list->list[i], item->text) == 0) {
            return true;
        }
    }
    return false;
}

static val in(const node *n, const val *v) {
    val result;
    bool found = false;
    if (settle(&v[0], &v[0], &result)) {
        return result;
    }
    for (int i = 1; i < n->count; i++) {
        val equal = compare(0, &v[0], &v[i]);
        found = found || equal.truth;
    }
    return truth(found != (n->which == 1));
}

static val in_list(const node *n, const val *v) {
    val result;
    if (settle(&v[0], &v[1], &result)) {
        return result;
    }
    bool found = v[1].kind == ORACLE_LIST && list_has(&v[1], &v[0]);
    return truth(found != (n->which == 1));
}

static val part(int how, const val *v) {
    val result;
    if (settle(&v[0], &v[1], &result)) {
        return result;
    }
    if (v[0].kind == ORACLE_LIST && how == 0) {
        return truth(list_has(&v[0], &v[1]));
    }
    if (v[0].kind != ORACLE_TEXT || v[1].kind != ORACLE_TEXT) {
        return truth(false);
    }
    size_t whole_length = strlen(v[0].text);
    size_t length = strlen(v[1].text);
    if (how == 0) {
        return truth(strstr(v[0].text, v[1].text) != NULL);
    }
    const char *from = how == 1 ? v[0].text : v[0].text + whole_length - length;
    return truth(length <= whole_length && strncmp(from, v[1].text, length) == 0);
}

static val test_of(const node *n, const val *v, int64_t now_ms) {
    switch ((int)n->op) {
    case ORACLE_AND:
        return of_rank(rank(&v[0]) < rank(&v[1]) ? rank(&v[0]) : rank(&v[1]));
    case ORACLE_OR:
        return of_rank(rank(&v[0]) > rank(&v[1]) ? rank(&v[0]) : rank(&v[1]));
    case ORACLE_NOT:
        return of_rank(2 - rank(&v[0]));
    case ORACLE_COMPARE:
        return compare(n->which, &v[0], &v[1]);
    case ORACLE_IN:
        return in(n, v);
    case ORACLE_IN_LIST:
        return in_list(n, v);
    case ORACLE_BETWEEN: {
        val low = compare(5, &v[0], &v[1]);
        val high = compare(3, &v[0], &v[2]);
        return of_rank(rank(&low) < rank(&high) ? rank(&low) : rank(&high));
    }
    case ORACLE_PART:
        return part(n->which, v);
    case ORACLE_IS_SET:
        return v[0].kind == ORACLE_UNKNOWN ? v[0]
                                           : truth((v[0].kind == ORACLE_NULL) == (n->which == 1));
    default:
        return is_today(n->which, &v[0], now_ms);
    }
}

val oracle_evaluate(const node *n, const val *slots, int64_t now_ms) {
    val v[ORACLE_CHILDREN];
    for (int i = 0; i < n->count; i++) {
        v[i] = oracle_evaluate(n->child[i], slots, now_ms);
    }
    switch ((int)n->op) {
    case ORACLE_CONSTANT:
        return n->constant;
    case ORACLE_SLOT:
        return slots[n->slot];
    case ORACLE_NOW: {
        val now = whole(now_ms);
        now.kind = ORACLE_TIME;
        return now;
    }
    case ORACLE_ARITHMETIC:
        return arithmetic(n->which, &v[0], &v[1]);
    case ORACLE_NEGATE:
        return negate(&v[0]);
    case ORACLE_CALL:
        return call(n->which, v, n->count);
    default:
        return test_of(n, v, now_ms);
    }
}
