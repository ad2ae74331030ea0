#define _XOPEN_SOURCE 700 /* strptime */
#include "cli/when.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECONDS_MIN (-62135596800LL) /* 0001-01-01 */
#define SECONDS_MAX 253402300799LL   /* 9999-12-31T23:59:59 */
#define ZONE_FILE_BYTES_MAX 65536u

static bool two_digits(const char *text, int *value) {
    if (!isdigit((unsigned char)text[0]) || !isdigit((unsigned char)text[1])) {
        return false;
    }
    *value = (text[0] - '0') * 10 + (text[1] - '0');
    return true;
}

bool cairn__when_zone(const char *text, int *offset_minutes) {
    int hours;
    int minutes;
    *offset_minutes = 0;
    if (strcmp(text, "UTC") == 0 || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
        return true;
    }
    if ((text[0] != '+' && text[0] != '-') || strlen(text) != 6 || text[3] != ':') {
        return false;
    }
    if (!two_digits(text + 1, &hours) || !two_digits(text + 4, &minutes)) {
        return false;
    }
    if (hours > 18 || minutes > 59) {
        return false;
    }
    *offset_minutes = (hours * 60 + minutes) * (text[0] == '-' ? -1 : 1);
    return true;
}

/* Words of letters, digits, '+', '-' and '_' between slashes: nothing that leads out of a folder.
 */
static bool good_name(const char *name) {
    size_t length = strlen(name);
    for (size_t i = 0; i < length; i++) {
        bool plain = isalnum((unsigned char)name[i]) || strchr("+-_", name[i]) != NULL;
        bool slash = name[i] == '/' && i > 0 && name[i - 1] != '/' && i + 1 < length;
        if (!plain && !slash) {
            return false;
        }
    }
    return length > 0;
}

bool cairn__when_find(const char *name, cairn__arena *arena, cairn__when *when) {
    char path[256];
    *when = (cairn__when){ 0, NULL };
    if (cairn__when_zone(name, &when->offset_minutes)) {
        return true;
    }
    int length = snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    if (!good_name(name) || length < 0 || (size_t)length >= sizeof path) {
        return false;
    }
    uint8_t *bytes = cairn__arena_alloc(arena, ZONE_FILE_BYTES_MAX);
    FILE *file = bytes == NULL ? NULL : fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    size_t count = fread(bytes, 1, ZONE_FILE_BYTES_MAX, file);
    fclose(file);
    return cairn__zone_parse((cairn_span){ bytes, count }, arena, &when->rules) == CAIRN_OK;
}

static bool in_range(int64_t seconds) {
    return seconds >= SECONDS_MIN && seconds <= SECONDS_MAX;
}

static bool parse_epoch(const char *text, int64_t unit, int64_t *ms) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != 0 || isspace((unsigned char)*text)) {
        return false;
    }
    if (!in_range(value / (1000 / unit))) {
        return false;
    }
    *ms = value * unit;
    return true;
}

/* timegm moves 31 February into March; such a date is refused instead. */
static bool civil_ms(const struct tm *wall, int64_t *ms) {
    struct tm moved = *wall;
    int64_t seconds = (int64_t)timegm(&moved);
    if (moved.tm_mday != wall->tm_mday || moved.tm_mon != wall->tm_mon) {
        return false;
    }
    if (!in_range(seconds)) {
        return false;
    }
    *ms = seconds * 1000;
    return true;
}

static bool parse_rfc3339(const char *text, int64_t *ms) {
    struct tm wall = { .tm_mday = 1 };
    int offset_minutes;
    int64_t fraction_ms = 0;
    if (strlen(text) < 20 || text[10] == 0) {
        return false;
    }
    if (text[4] != '-' || (text[10] != 'T' && text[10] != 't' && text[10] != ' ')) {
        return false;
    }
    const char *rest = strptime(text, "%Y-%m-%d", &wall);
    if (rest != text + 10) {
        return false;
    }
    rest = strptime(text + 11, "%H:%M:%S", &wall);
    if (rest != text + 19) {
        return false;
    }
    if (*rest == '.') {
        int64_t unit = 100;
        if (!isdigit((unsigned char)*++rest)) {
            return false;
        }
        for (; isdigit((unsigned char)*rest); rest++, unit /= 10) {
            fraction_ms += (*rest - '0') * unit;
        }
    }
    if (!cairn__when_zone(rest, &offset_minutes) || *rest == 'U') {
        return false;
    }
    if (!civil_ms(&wall, ms)) {
        return false;
    }
    *ms += fraction_ms - (int64_t)offset_minutes * 60000;
    return true;
}

bool cairn__when_parse(const char *text, const char *format, const cairn__when *when, int64_t *ms) {
    if (strcmp(format, "rfc3339") == 0) {
        return parse_rfc3339(text, ms);
    }
    if (strcmp(format, "epoch_s") == 0) {
        return parse_epoch(text, 1000, ms);
    }
    if (strcmp(format, "epoch_ms") == 0) {
        return parse_epoch(text, 1, ms);
    }
    struct tm wall = { .tm_mday = 1 };
    const char *rest = strptime(text, format, &wall);
    if (rest == NULL || *rest != 0 || !civil_ms(&wall, ms)) {
        return false;
    }
    *ms = when->rules == NULL ? *ms - (int64_t)when->offset_minutes * 60000
                              : cairn__zone_to_utc(when->rules, *ms);
    return true;
}
