#include "edge/logline.h"

#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/civil.h"
#include "edge/text.h"

enum { LINE_BYTES_MAX = 2048 };

static void begin(cairn__buffer *line, const char *level, const char *what) {
    struct timespec now;
    char text[CAIRN__INSTANT_TEXT_BYTES];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)cairn__format_instant((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, text);
    cairn__buffer_format(line, "{\"time\":\"%s\",\"level\":\"%s\",\"what\":\"%s\"", text, level,
                         what);
}

/* One write, so that lines of two threads do not mix. */
static void end(cairn__buffer *line) {
    cairn__buffer_append(line, CAIRN_STR("}\n"));
    if (!line->failed) {
        ssize_t done = write(STDERR_FILENO, line->data, line->len);
        (void)done; /* nowhere is left to tell */
    }
    cairn__buffer_free(line);
}

void cairn__logline(const char *level, const char *what, const char *text) {
    cairn__buffer line = cairn__buffer_make(cairn__heap(), LINE_BYTES_MAX);
    begin(&line, level, what);
    if (text != NULL) {
        cairn__buffer_append(&line, CAIRN_STR(",\"text\":"));
        cairn__json_string(&line, cairn__span_of(text));
    }
    end(&line);
}

void cairn__logline_number(const char *what, const char *name, int64_t number) {
    cairn__buffer line = cairn__buffer_make(cairn__heap(), LINE_BYTES_MAX);
    begin(&line, "info", what);
    cairn__buffer_format(&line, ",\"%s\":%lld", name, (long long)number);
    end(&line);
}

void cairn__logline_fields(const char *what, const cairn__logline_field *fields, size_t count) {
    cairn__buffer line = cairn__buffer_make(cairn__heap(), LINE_BYTES_MAX);
    begin(&line, "info", what);
    for (size_t i = 0; i < count; i++) {
        cairn__buffer_format(&line, ",\"%s\":", fields[i].name);
        if (fields[i].text != NULL) {
            cairn__json_string(&line, cairn__span_of(fields[i].text));
        } else {
            cairn__buffer_format(&line, "%lld", (long long)fields[i].number);
        }
    }
    end(&line);
}
