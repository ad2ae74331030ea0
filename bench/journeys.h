/* Journeys of a shop's customers, the same ones on every machine for a seed: what every engine of
 * the bench is asked about.
 *
 * People are as busy as a Zipf-Mandelbrot law with offset 100 and exponent 0.8 says (the median of
 * 250,000 people with 5,000,000 events has 8). Each has sessions in 90 days: 55 % of the people
 * were there before, the others join evenly; later sessions become rarer as (1 + age)^-0.6; hours
 * follow a day's curve. A session is a Markov chain over 30 events. Times are whole seconds, no two
 * of a person equal, so that no engine can order them otherwise. Properties: platform (4, fixed),
 * province (34, home, 3 % of sessions elsewhere), channel (12, of the session), amount in cents. */
#ifndef CAIRN_BENCH_JOURNEYS_H
#define CAIRN_BENCH_JOURNEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNEYS_BASE_S 1704067200u /* 2024-01-01 */
#define JOURNEYS_DAYS 90u
#define JOURNEYS_NAMES 30u

enum { JOURNEY_VIEW_PRODUCT = 9, JOURNEY_SUBMIT_ORDER = 14, JOURNEY_PAY_ORDER = 15 };

/* 16 bytes that are ClickHouse's RowBinary of (UInt32, UInt32, UInt8 x 4, UInt32). */
typedef struct {
    uint32_t person; /* from 1 */
    uint32_t time_s;
    uint8_t name, platform, province, channel;
    uint32_t amount;
} journey_event;

typedef struct {
    journey_event *events; /* by person, then time; owned, free() */
    size_t count;
    size_t *first; /* person i (from 0) owns [first[i], first[i + 1]); owned, free() */
    size_t people;
} journeys;

/* False: no memory. `count` must be at least `people`. */
bool journeys_make(journeys *to, size_t people, size_t count, uint64_t seed);
void journeys_free(journeys *of);

const char *journeys_name(unsigned name);
const char *journeys_platform(unsigned platform);
const char *journeys_province(unsigned province);
const char *journeys_channel(unsigned channel);

#endif
