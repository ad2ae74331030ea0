#include "history_clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/bytes.h"

static const int64_t day_ms = 86400000;

const history_place history_places[] = {
    { "UTC", "Asia/Shanghai", 1795514400000 },
    { "America/New_York", "Europe/Berlin", 1793512800000 },       /* 2026-11-01, back from 02:00 */
    { "Europe/Berlin", "America/New_York", 1774746000000 },       /* 2026-03-29, on from 02:00 */
    { "America/St_Johns", "UTC", 1162089060000 },                 /* 2006-10-29, back from 00:01 */
    { "America/Sao_Paulo", "Asia/Tokyo", 1518919200000 },         /* 2018-02-18, back from 00:00 */
    { "America/Sao_Paulo", "UTC", 1541300400000 },                /* 2018-11-04, no 00:00 */
    { "Australia/Lord_Howe", "America/New_York", 1775314800000 }, /* 2026-04-05, half an hour */
    { "Pacific/Apia", "Pacific/Auckland", 1325239200000 },        /* 2011-12-30, no such day */
    { "Asia/Kolkata", "America/St_Johns", 1800000000000 },
};

static bool read_zone(history_clock *clock, cairn__arena *arena) {
    static uint8_t bytes[1 << 16];
    char path[128];
    (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", clock->name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    size_t len = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    return cairn__zone_parse(cairn__span(bytes, len), arena, &clock->zone) == CAIRN_OK;
}

static int64_t floor_days(int64_t ms) {
    return ms / day_ms - (ms % day_ms < 0 ? 1 : 0);
}

bool history_clock_open(history_clock *clock, const char *name, int64_t base_ms,
                        cairn__arena *arena) {
    clock->name = name;
    clock->from_ms = (base_ms / day_ms - CLOCK_DAYS / 2) * day_ms;
    clock->to_ms = clock->from_ms + CLOCK_DAYS * day_ms;
    if (!read_zone(clock, arena) || setenv("TZ", name, 1) != 0) {
        return false;
    }
    tzset();
    for (size_t i = 0; i < CLOCK_DAYS; i++) {
        clock->day_ms[i] = INT64_MAX;
    }
    clock->first_day = floor_days(clock->from_ms) + 2;
    for (int64_t i = 0; i < CLOCK_MINUTES; i++) {
        struct tm local;
        time_t seconds = (time_t)(clock->from_ms / 1000 + i * 60);
        (void)localtime_r(&seconds, &local);
        clock->offset_s[i] = (int32_t)local.tm_gmtoff;
        int64_t at = clock->from_ms + i * 60000;
        int64_t day = floor_days(at + local.tm_gmtoff * INT64_C(1000)) - clock->first_day;
        if (day >= 0 && day < CLOCK_DAYS && clock->day_ms[day] == INT64_MAX) {
            clock->day_ms[day] = at;
        }
    }
    return true;
}

static int64_t local_ms(const history_clock *clock, int64_t ms) {
    if (ms < clock->from_ms || ms >= clock->to_ms) {
        (void)fprintf(stderr, "history_clock: %lld is not known\n", (long long)ms);
        abort();
    }
    return ms + clock->offset_s[(ms - clock->from_ms) / 60000] * INT64_C(1000);
}

int64_t history_clock_day(const history_clock *clock, int64_t ms) {
    return floor_days(local_ms(clock, ms));
}

int history_clock_hour(const history_clock *clock, int64_t ms) {
    int64_t local = local_ms(clock, ms);
    return (int)((local - floor_days(local) * day_ms) / 3600000);
}

int64_t history_clock_day_start(const history_clock *clock, int64_t day) {
    int64_t index = day - clock->first_day;
    if (index < 0 || index >= CLOCK_DAYS) {
        (void)fprintf(stderr, "history_clock: day %lld is not known\n", (long long)day);
        abort();
    }
    return clock->day_ms[index];
}
