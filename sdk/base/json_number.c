/* json_number.c: a double as JSON, exactly enough: 17 significant digits, rounded to nearest, from
 * whole-number arithmetic alone. Apart from json.c: most of what is linked never needs it.
 *
 * A finite double is m * 2^e. Where e is negative that is m * 5^-e / 10^-e: in both cases the
 * digits of one whole number, of at most 767 digits, and a place for the point. */
#include <string.h>

#include "base/json.h"

enum {
    LIMB = 1000000000,
    LIMB_DIGITS = 9,
    LIMBS_MAX = 88, /* 2^53 * 5^1074 has 767 digits: 86 limbs */
    SIGNIFICANT = 17,
    MANTISSA_BITS = 52,
    EXPONENT_BIAS = 1075 /* of the mantissa as a whole number */
};

/* Limbs of nine digits, the lowest first. */
typedef struct whole {
    uint32_t limbs[LIMBS_MAX];
    size_t count;
} whole;

static void multiply(whole *w, uint64_t by) {
    uint64_t carry = 0;
    for (size_t i = 0; i < w->count; i++) {
        uint64_t product = w->limbs[i] * by + carry;
        w->limbs[i] = (uint32_t)(product % LIMB);
        carry = product / LIMB;
    }
    for (; carry > 0; carry /= LIMB) {
        w->limbs[w->count++] = (uint32_t)(carry % LIMB);
    }
}

static void multiply_often(whole *w, uint64_t by, int times) {
    for (int i = 0; i < times; i++) {
        multiply(w, by);
    }
}

/* All digits, without leading zeros; how many. */
static size_t digits_of(const whole *w, uint8_t digits[LIMBS_MAX * LIMB_DIGITS]) {
    size_t count = 0;
    for (size_t place = w->count * LIMB_DIGITS; place > 0; place--) {
        uint32_t limb = w->limbs[(place - 1) / LIMB_DIGITS];
        for (size_t below = (place - 1) % LIMB_DIGITS; below > 0; below--) {
            limb /= 10;
        }
        digits[count] = (uint8_t)(limb % 10);
        count += count > 0 || digits[count] > 0;
    }
    return count;
}

/* Is what follows the significant digits half a unit or more? Half goes up: read again it is the
 * same double as well. */
static bool rounds_up(const uint8_t *digits, size_t count) {
    return count > SIGNIFICANT && digits[SIGNIFICANT] >= 5;
}

/* Round to the significant digits; true: a digit more came in front, and all are zero behind it. */
static bool round_digits(uint8_t *digits, size_t count) {
    size_t at = SIGNIFICANT;
    bool carry = rounds_up(digits, count);
    while (carry && at > 0) {
        at -= 1;
        carry = digits[at] == 9;
        digits[at] = carry ? 0 : digits[at] + 1;
    }
    digits[0] = carry ? 1 : digits[0];
    return carry;
}

static void write_digits(cairn__buffer *to, const uint8_t *digits, size_t count, int64_t exponent) {
    while (count > 1 && digits[count - 1] == 0) {
        count -= 1;
    }
    for (size_t i = 0; i < count; i++) {
        cairn__buffer_byte(to, (uint8_t)('0' + digits[i]));
        if (i == 0 && count > 1) {
            cairn__buffer_byte(to, '.');
        }
    }
    if (exponent != 0) {
        cairn__buffer_byte(to, 'e');
        cairn__json_integer(to, exponent);
    }
}

void cairn__json_number(cairn__buffer *to, double number) {
    static const double whole_max = 9007199254740992.0; /* 2^53 */
    uint64_t bits = 0;
    memcpy(&bits, &number, sizeof bits);
    if (number - number != 0) {
        CAIRN__JSON_PUT(to, "null");
        return;
    }
    if (number > -whole_max && number < whole_max && (double)(int64_t)number == number) {
        cairn__json_integer(to, (int64_t)number);
        return;
    }
    int power = (int)(bits >> MANTISSA_BITS & 0x7FF);
    uint64_t mantissa = bits & ((UINT64_C(1) << MANTISSA_BITS) - 1);
    mantissa |= power > 0 ? UINT64_C(1) << MANTISSA_BITS : 0;
    power = (power > 0 ? power : 1) - EXPONENT_BIAS;
    whole w = { .limbs = { (uint32_t)(mantissa % LIMB), (uint32_t)(mantissa / LIMB) }, .count = 2 };
    multiply_often(&w, power > 0 ? 2 : 5, power > 0 ? power : -power);
    uint8_t digits[LIMBS_MAX * LIMB_DIGITS];
    size_t count = digits_of(&w, digits);
    int64_t exponent = (int64_t)count - 1 + (power > 0 ? 0 : power);
    exponent += round_digits(digits, count) ? 1 : 0;
    if (bits >> 63 != 0) {
        cairn__buffer_byte(to, '-');
    }
    write_digits(to, digits, count < SIGNIFICANT ? count : SIGNIFICANT, exponent);
}
