#include "edge/answer.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/civil.h"
#include "edge/text.h"

typedef struct reason {
    int status;
    const char *text;
} reason;

static const reason reasons[] = {
    { 200, "OK" },
    { 201, "Created" },
    { 204, "No Content" },
    { 304, "Not Modified" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 415, "Unsupported Media Type" },
    { 417, "Expectation Failed" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 503, "Service Unavailable" },
    { 505, "HTTP Version Not Supported" },
};

static const char *reason_of(int status) {
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].status == status) {
            return reasons[i].text;
        }
    }
    return "Unknown";
}

static void append(cairn__buffer *to, const char *text) {
    cairn__buffer_append(to, cairn__span_of(text));
}

static void append_number(cairn__buffer *to, size_t number) {
    uint8_t digits[24];
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    cairn__buffer_append(to, cairn__span(digits + at, sizeof digits - at));
}

void cairn__answer_write(cairn__buffer *to, const cairn__answer *answer, const char *date) {
    append(to, "HTTP/1.1 ");
    append_number(to, (size_t)answer->status);
    append(to, " ");
    append(to, reason_of(answer->status));
    append(to, "\r\nDate: ");
    append(to, date);
    append(to, "\r\nX-Content-Type-Options: nosniff\r\n");
    if (answer->content_type != NULL) {
        append(to, "Content-Type: ");
        append(to, answer->content_type);
        append(to, "\r\n");
    }
    if (answer->headers != NULL) {
        append(to, answer->headers);
    }
    if (!answer->without_length && answer->status != 204 && answer->status != 304) {
        append(to, "Content-Length: ");
        append_number(to, answer->body.len);
        append(to, "\r\n");
    }
    if (answer->close || answer->without_length) {
        append(to, "Connection: close\r\n");
    }
    append(to, "\r\n");
    if (!answer->body_left_out) {
        cairn__buffer_append(to, answer->body);
    }
}

static void member(cairn__buffer *to, const char *name, const char *value) {
    cairn__buffer_byte(to, ',');
    cairn__json_string(to, cairn__span_of(name));
    cairn__buffer_byte(to, ':');
    cairn__json_string(to, cairn__span_of(value));
}

void cairn__problem_json(cairn__buffer *to, const cairn__problem *problem) {
    cairn__buffer_format(to, "{\"type\":\"urn:cairn:problem:%s\"", problem->code);
    member(to, "title", reason_of(problem->status));
    append(to, ",\"status\":");
    append_number(to, (size_t)problem->status);
    member(to, "code", problem->code);
    member(to, "detail", problem->detail);
    if (problem->field != NULL && problem->field[0] != 0) {
        member(to, "field", problem->field);
    }
    member(to, "fix", problem->fix);
    append(to, problem->more == NULL ? "" : problem->more);
    append(to, "}\n");
}

void cairn__http_date(int64_t ms, char *to) {
    static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    int64_t rest = 0;
    int64_t day = cairn__days_of_ms(ms, &rest);
    cairn__civil date = cairn__civil_from_days(day);
    int seconds = (int)(rest / 1000);
    (void)snprintf(to, CAIRN__DATE_BYTES, "%s, %02u %s %04d %02d:%02d:%02d GMT",
                   days[cairn__weekday(day) % 7], date.day % 100, months[(date.month - 1) % 12],
                   (int)date.year % 10000, seconds / 3600, seconds / 60 % 60, seconds % 60);
}
