#include "bench/journeys.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define DAY_S 86400u

/* --- what there is: names, and as what share they come ------------------------------------------
 */

typedef struct {
    const char *name;
    uint32_t weight;
} share;

static const share platforms[] = {
    { "Android", 45 }, { "iOS", 30 }, { "MiniProgram", 20 }, { "Web", 5 }
};
static const share provinces[] = {
    { "Guangdong", 126 },     { "Shandong", 101 }, { "Henan", 99 },     { "Jiangsu", 85 },
    { "Sichuan", 84 },        { "Hebei", 74 },     { "Hunan", 66 },     { "Zhejiang", 65 },
    { "Anhui", 61 },          { "Hubei", 58 },     { "Guangxi", 50 },   { "Yunnan", 47 },
    { "Jiangxi", 45 },        { "Liaoning", 42 },  { "Fujian", 41 },    { "Shaanxi", 40 },
    { "Guizhou", 39 },        { "Shanxi", 35 },    { "Chongqing", 32 }, { "Heilongjiang", 31 },
    { "Xinjiang", 26 },       { "Gansu", 25 },     { "Shanghai", 25 },  { "Jilin", 24 },
    { "Inner Mongolia", 24 }, { "Beijing", 22 },   { "Tianjin", 14 },   { "Hainan", 10 },
    { "Ningxia", 7 },         { "Qinghai", 6 },    { "Tibet", 4 },      { "Taiwan", 3 },
    { "Hong Kong", 3 },       { "Macau", 1 },
};
static const share channels[] = {
    { "organic", 30 }, { "baidu", 9 },       { "toutiao", 8 }, { "weixin", 18 },
    { "weibo", 4 },    { "xiaohongshu", 8 }, { "douyin", 12 }, { "sms", 2 },
    { "push", 4 },     { "email", 1 },       { "offline", 2 }, { "kol", 2 },
};
enum { PLATFORMS = 4, PROVINCES = 34, CHANNELS = 12, PUSH_CHANNEL = 8 };
static const uint8_t hour_weights[24] = { 12, 7,  4,  3,  3,  5,  12, 24, 34, 40, 44, 46,
                                          52, 48, 44, 42, 42, 44, 50, 58, 66, 68, 54, 30 };

/* Each event and what follows it: pairs of event number and weight, ended by weight 0. */
typedef struct {
    const char *name;
    uint8_t next[11][2];
} node;

enum { APP_START = 0, APP_END = 1, PUSH_RECEIVE = 26 };

static const node nodes[JOURNEYS_NAMES] = {
    { "$AppStart", { { 2, 50 }, { 24, 20 }, { 22, 12 }, { 5, 8 }, { 4, 3 }, { 1, 7 } } },
    { "$AppEnd", { { 1, 1 } } },
    { "$AppViewScreen",
      { { 3, 26 },
        { 2, 14 },
        { 6, 12 },
        { 8, 14 },
        { 24, 8 },
        { 9, 10 },
        { 29, 4 },
        { 12, 3 },
        { 1, 9 } } },
    { "$AppClick", { { 2, 40 }, { 9, 22 }, { 8, 10 }, { 3, 12 }, { 18, 4 }, { 1, 12 } } },
    { "$SignUp", { { 5, 50 }, { 18, 25 }, { 2, 20 }, { 1, 5 } } },
    { "Login", { { 2, 60 }, { 12, 8 }, { 24, 15 }, { 6, 12 }, { 1, 5 } } },
    { "Search", { { 7, 58 }, { 6, 20 }, { 2, 10 }, { 1, 12 } } },
    { "SearchResultClick", { { 9, 85 }, { 6, 10 }, { 1, 5 } } },
    { "ViewCategory", { { 9, 52 }, { 8, 16 }, { 2, 18 }, { 1, 14 } } },
    { "ViewProduct",
      { { 9, 26 },
        { 11, 14 },
        { 10, 5 },
        { 20, 3 },
        { 28, 2 },
        { 14, 4 },
        { 2, 20 },
        { 6, 6 },
        { 3, 6 },
        { 1, 14 } } },
    { "AddToFavorite", { { 9, 50 }, { 2, 30 }, { 1, 20 } } },
    { "AddToCart", { { 12, 46 }, { 9, 28 }, { 14, 14 }, { 2, 6 }, { 1, 6 } } },
    { "ViewCart", { { 14, 38 }, { 13, 12 }, { 9, 20 }, { 19, 12 }, { 2, 8 }, { 1, 10 } } },
    { "RemoveFromCart", { { 12, 40 }, { 9, 30 }, { 1, 30 } } },
    { "SubmitOrder", { { 15, 68 }, { 16, 9 }, { 19, 6 }, { 28, 3 }, { 1, 14 } } },
    { "PayOrder", { { 2, 40 }, { 20, 8 }, { 17, 2 }, { 21, 6 }, { 18, 8 }, { 1, 36 } } },
    { "CancelOrder", { { 9, 30 }, { 2, 30 }, { 1, 40 } } },
    { "RefundApply", { { 28, 40 }, { 1, 60 } } },
    { "ReceiveCoupon", { { 9, 40 }, { 2, 40 }, { 1, 20 } } },
    { "UseCoupon", { { 14, 74 }, { 12, 16 }, { 1, 10 } } },
    { "ShareProduct", { { 9, 40 }, { 2, 30 }, { 1, 30 } } },
    { "CommentProduct", { { 2, 50 }, { 1, 50 } } },
    { "PopupShow", { { 23, 18 }, { 2, 74 }, { 1, 8 } } },
    { "PopupClick", { { 9, 40 }, { 18, 40 }, { 2, 15 }, { 1, 5 } } },
    { "BannerShow", { { 25, 14 }, { 2, 60 }, { 24, 14 }, { 1, 12 } } },
    { "BannerClick", { { 9, 50 }, { 8, 30 }, { 18, 12 }, { 1, 8 } } },
    { "PushReceive", { { 27, 1 } } },
    { "PushClick", { { 0, 1 } } },
    { "ContactService", { { 2, 40 }, { 9, 20 }, { 1, 40 } } },
    { "WatchVideo", { { 29, 40 }, { 9, 20 }, { 2, 20 }, { 1, 20 } } },
};

const char *journeys_name(unsigned name) {
    return nodes[name].name;
}

const char *journeys_platform(unsigned platform) {
    return platforms[platform].name;
}

const char *journeys_province(unsigned province) {
    return provinces[province].name;
}

const char *journeys_channel(unsigned channel) {
    return channels[channel].name;
}

/* --- dice ---------------------------------------------------------------------------------------
 */

typedef struct {
    uint64_t state;
} dice;

static uint64_t roll(dice *d) {
    d->state += 0x9E3779B97F4A7C15u;
    return cairn__mix(d->state);
}

static uint32_t below(dice *d, uint32_t count) {
    return (uint32_t)(((roll(d) >> 32) * count) >> 32);
}

static unsigned pick(dice *d, const share *shares, unsigned count) {
    uint32_t total = 0;
    for (unsigned i = 0; i < count; i++) {
        total += shares[i].weight;
    }
    uint32_t left = below(d, total);
    unsigned at = 0;
    while (left >= shares[at].weight) {
        left -= shares[at++].weight;
    }
    return at;
}

static unsigned pick_hour(dice *d) {
    uint32_t total = 0;
    for (unsigned i = 0; i < 24; i++) {
        total += hour_weights[i];
    }
    uint32_t left = below(d, total);
    unsigned at = 0;
    while (left >= hour_weights[at]) {
        left -= hour_weights[at++];
    }
    return at;
}

static uint8_t follow(dice *d, uint8_t name) {
    const uint8_t(*next)[2] = nodes[name].next;
    uint32_t total = 0;
    for (unsigned i = 0; next[i][1] != 0; i++) {
        total += next[i][1];
    }
    uint32_t left = below(d, total);
    unsigned at = 0;
    while (left >= next[at][1]) {
        left -= next[at++][1];
    }
    return next[at][0];
}

/* --- how many events a person has ---------------------------------------------------------------
 */

/* Every person one event, the rest by the law; dice round, and the busiest take the difference. */
static size_t *make_counts(size_t people, size_t count, uint64_t seed) {
    size_t *counts = calloc(people + 1, sizeof *counts);
    double total = 0;
    size_t given = 0;
    dice d = { seed };
    for (size_t rank = 0; counts != NULL && rank < people; rank++) {
        total += pow((double)rank + 100.0, -0.8);
    }
    for (size_t rank = 0; counts != NULL && rank < people; rank++) {
        double part = (double)count * pow((double)rank + 100.0, -0.8) / total;
        size_t whole = (size_t)(part + (double)(roll(&d) >> 11) / 9007199254740992.0);
        counts[rank] = whole == 0 ? 1 : whole;
        given += counts[rank];
    }
    for (size_t rank = 0; counts != NULL && given != count; rank = (rank + 1) % people) {
        if (given < count) {
            counts[rank]++;
            given++;
        } else if (counts[rank] > 1) {
            counts[rank]--;
            given--;
        }
    }
    return counts;
}

/* Ranks are dealt to people as a shuffled deck is. */
static void shuffle(size_t *counts, size_t people, uint64_t seed) {
    dice d = { ~seed };
    for (size_t i = people; i > 1; i--) {
        size_t j = (size_t)(roll(&d) % i);
        size_t kept = counts[i - 1];
        counts[i - 1] = counts[j];
        counts[j] = kept;
    }
}

/* --- one person ---------------------------------------------------------------------------------
 */

typedef struct {
    dice d;
    journey_event *events;
    size_t count;
    uint32_t *sessions; /* start of each; room for count */
    size_t session_count;
    const uint32_t *ages; /* cumulated weights of a session's age in days */
} person;

static uint32_t amount_of(dice *d) {
    uint64_t rolled = roll(d);
    unsigned doublings = (unsigned)__builtin_ctzll((rolled >> 20) | 64);
    return (500 + (uint32_t)(rolled & 4095)) << doublings;
}

/* Sessions of events without times; time_s is the number of the session for now. */
static void make_sessions(person *p, uint32_t number) {
    uint8_t platform = (uint8_t)pick(&p->d, platforms, PLATFORMS);
    uint8_t home = (uint8_t)pick(&p->d, provinces, PROVINCES);
    size_t made = 0;
    while (made < p->count) {
        uint8_t name = below(&p->d, 100) < 8 ? PUSH_RECEIVE : APP_START;
        uint8_t channel =
            name == PUSH_RECEIVE ? (uint8_t)PUSH_CHANNEL : (uint8_t)pick(&p->d, channels, CHANNELS);
        uint8_t province =
            below(&p->d, 100) < 3 ? (uint8_t)pick(&p->d, provinces, PROVINCES) : home;
        for (bool going = true; going && made < p->count; made++) {
            bool order = name == JOURNEY_SUBMIT_ORDER || name == JOURNEY_PAY_ORDER;
            p->events[made] = (journey_event){ .person = number,
                                               .time_s = (uint32_t)p->session_count,
                                               .name = name,
                                               .platform = platform,
                                               .province = province,
                                               .channel = channel,
                                               .amount = order ? amount_of(&p->d) : 0 };
            going = name != APP_END;
            name = follow(&p->d, name);
        }
        p->session_count++;
    }
}

static int by_time(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static uint32_t age_of(person *p, uint32_t days) {
    uint32_t rolled = below(&p->d, p->ages[days]);
    uint32_t age = 0;
    while (age + 1 < days && p->ages[age + 1] <= rolled) {
        age++;
    }
    return age;
}

static void make_starts(person *p) {
    uint32_t joined =
        below(&p->d, 100) < 55 ? below(&p->d, 8) * below(&p->d, 4) : below(&p->d, JOURNEYS_DAYS);
    for (size_t i = 0; i < p->session_count; i++) {
        uint32_t day = joined + (i == 0 ? 0 : age_of(p, JOURNEYS_DAYS - joined));
        p->sessions[i] =
            JOURNEYS_BASE_S + day * DAY_S + pick_hour(&p->d) * 3600 + below(&p->d, 3600);
    }
    qsort(p->sessions, p->session_count, sizeof *p->sessions, by_time);
}

/* Seconds to minutes between the events of a session, once in a hundred up to 25 minutes. */
static uint32_t gap_of(dice *d) {
    uint64_t rolled = roll(d);
    unsigned doublings = (unsigned)__builtin_ctzll((rolled >> 20) | 64);
    uint32_t gap = 1 + (uint32_t)(rolled & 7) + ((uint32_t)((rolled >> 8) & 15) << doublings);
    return ((rolled >> 40) & 127) == 0 ? gap + (uint32_t)((rolled >> 48) % 1500) : gap;
}

static void make_times(person *p) {
    uint32_t now = 0;
    uint32_t session = UINT32_MAX;
    for (size_t i = 0; i < p->count; i++) {
        if (p->events[i].time_s != session) {
            session = p->events[i].time_s;
            now = p->sessions[session] > now ? p->sessions[session] : now + 1;
        } else {
            now += gap_of(&p->d);
        }
        p->events[i].time_s = now;
    }
    /* what runs over the end is pushed back into the range, still without two equal times */
    uint32_t end = JOURNEYS_BASE_S + JOURNEYS_DAYS * DAY_S;
    for (size_t i = p->count; i > 0 && p->events[i - 1].time_s >= end; i--) {
        p->events[i - 1].time_s = --end;
    }
    for (size_t i = p->count; i > 1 && p->events[i - 2].time_s >= p->events[i - 1].time_s; i--) {
        p->events[i - 2].time_s = p->events[i - 1].time_s - 1;
    }
}

/* --- all ----------------------------------------------------------------------------------------
 */

static size_t most(const size_t *counts, size_t people) {
    size_t found = 0;
    for (size_t i = 0; i < people; i++) {
        found = counts[i] > found ? counts[i] : found;
    }
    return found;
}

bool journeys_make(journeys *to, size_t people, size_t count, uint64_t seed) {
    uint32_t ages[JOURNEYS_DAYS + 1] = { 0 };
    for (unsigned i = 0; i < JOURNEYS_DAYS; i++) {
        ages[i + 1] = ages[i] + (uint32_t)(1e6 * pow(1.0 + i, -0.6) + 0.5);
    }
    *to = (journeys){ .count = count, .people = people };
    size_t *counts = make_counts(people, count, seed);
    if (counts != NULL) {
        shuffle(counts, people, seed);
    }
    uint32_t *sessions = counts == NULL ? NULL : calloc(most(counts, people), sizeof *sessions);
    to->events = calloc(count, sizeof *to->events);
    to->first = calloc(people + 1, sizeof *to->first);
    bool ok = sessions != NULL && to->events != NULL && to->first != NULL;
    for (size_t i = 0; ok && i < people; i++) {
        person p = { .d = { cairn__mix(seed * 0x2545F4914F6CDD1Du + i) },
                     .events = to->events + to->first[i],
                     .count = counts[i],
                     .sessions = sessions,
                     .ages = ages };
        make_sessions(&p, (uint32_t)i + 1);
        make_starts(&p);
        make_times(&p);
        to->first[i + 1] = to->first[i] + counts[i];
    }
    free(counts);
    free(sessions);
    if (!ok) {
        journeys_free(to);
    }
    return ok;
}

void journeys_free(journeys *of) {
    free(of->events);
    free(of->first);
    *of = (journeys){ 0 };
}
