/* zone.c: see zone.h. */
#include "port/posix/zone.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

#define ZONE_FILES "/usr/share/zoneinfo/"
#define LOCAL_ZONE "/etc/localtime"

static bool read_all(const char *path, cairn__buffer *to) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t part[4096];
    ssize_t got = file < 0 ? -1 : read(file, part, sizeof part);
    while (got > 0) {
        cairn__buffer_append(to, cairn__span(part, (size_t)got));
        got = read(file, part, sizeof part);
    }
    if (file >= 0) {
        (void)close(file);
    }
    return got == 0 && to->len > 0 && !to->failed;
}

static void set_name(const char *name, cairn__buffer *to) {
    size_t len = strlen(name);
    if (len <= CAIRN__SYSTEM_ZONE_NAME_BYTES_MAX) {
        cairn__buffer_append(to, cairn__span(name, len));
    }
}

/* The name is what follows ".../zoneinfo/" in the link's target. */
static void name_of_link(cairn__buffer *name) {
    char target[PATH_MAX];
    ssize_t len = readlink(LOCAL_ZONE, target, sizeof target - 1);
    if (len <= 0) {
        return;
    }
    target[len] = '\0';
    const char *found = strstr(target, "/zoneinfo/");
    if (found != NULL) {
        set_name(found + strlen("/zoneinfo/"), name);
    }
}

bool cairn__system_zone(cairn__buffer *name, cairn__buffer *tzif) {
    const char *said = getenv("TZ");
    if (said == NULL) {
        name_of_link(name);
        return read_all(LOCAL_ZONE, tzif);
    }
    said += said[0] == ':' ? 1 : 0;
    if (said[0] == '/') {
        return read_all(said, tzif);
    }
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s%s", ZONE_FILES, said[0] == '\0' ? "UTC" : said);
    set_name(said[0] == '\0' ? "UTC" : said, name);
    return len > 0 && (size_t)len < sizeof path && read_all(path, tzif);
}
