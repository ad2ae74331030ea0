/* events.c: the JSON of POST /v1/events (docs/ARCHITECTURE.md): one object, an array, or lines, to
 * events with verdicts. jansson reads the JSON, event_json.c each event. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "ingest/event_json.h"
#include "model/limits.h"

enum { KEY_LENGTH_BYTES = 2 };

typedef struct reading {
    cairn__event_reader one;
    int64_t received_ms;
    cairn__ingest_event *events;
    size_t count, capacity;
} reading;

static bool keep_original(const json_t *value, reading *r, cairn__ingest_event *out) {
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    bool copied = text != NULL && cairn__event_copy(&r->one, cairn__span_of(text), &out->original);
    r->one.no_memory |= !copied;
    free(text);
    return copied;
}

static bool grow(reading *r) {
    if (r->count < r->capacity) {
        return true;
    }
    size_t capacity = r->capacity == 0 ? 8 : r->capacity * 2;
    cairn__ingest_event *events = cairn__arena_alloc_zero(r->one.arena, capacity, sizeof *events);
    if (events == NULL) {
        r->one.no_memory = true;
        return false;
    }
    if (r->count != 0) {
        memcpy(events, r->events, r->count * sizeof *events);
    }
    r->events = events;
    r->capacity = capacity;
    return true;
}

static bool add_event(reading *r, const json_t *value) {
    if (!grow(r)) {
        return false;
    }
    cairn__ingest_event *out = &r->events[r->count];
    *out = (cairn__ingest_event){ .event.time_ms = r->received_ms };
    cairn__event_judge(&r->one, value, out);
    bool keeps = out->fault.code != NULL || out->event.kind == CAIRN__EVENT_ERASE;
    if (r->one.no_memory || (keeps && !keep_original(value, r, out))) {
        return false;
    }
    r->count++;
    return true;
}

static cairn_status refuse(cairn__ingest_problem *out, const char *code, const char *detail,
                           const char *fix) {
    (void)snprintf(out->code, sizeof out->code, "%s", code);
    out->field[0] = '\0';
    (void)snprintf(out->detail, sizeof out->detail, "%s", detail);
    (void)snprintf(out->fix, sizeof out->fix, "%s", fix);
    return CAIRN_INVALID;
}

static cairn_status refuse_text(cairn__ingest_problem *out, const json_error_t *error, size_t line,
                                size_t offset) {
    char detail[256];
    (void)snprintf(detail, sizeof detail, "line %zu, byte %zu: %.150s", line, offset, error->text);
    if (json_error_code(error) == json_error_null_byte_in_key) { /* JSON, but nothing for names */
        return CAIRN_UNSUPPORTED;
    }
    return refuse(out, "body_not_json", detail,
                  "send one JSON object, an array of them, or one object per line");
}

static cairn_status refuse_count(cairn__ingest_problem *out) {
    char fix[64];
    (void)snprintf(fix, sizeof fix, "send at most %d events in one request",
                   (int)CAIRN__BATCH_EVENTS_MAX);
    return refuse(out, "too_many_events", "the request has too many events", fix);
}

/* Add a parsed document: an array's items, or the thing itself. */
static cairn_status add_document(reading *r, const json_t *root, cairn__ingest_problem *out) {
    size_t count = json_is_array(root) ? json_array_size(root) : 1;
    if (count > CAIRN__BATCH_EVENTS_MAX - r->count) {
        return refuse_count(out);
    }
    for (size_t i = 0; i < count; i++) {
        if (!add_event(r, json_is_array(root) ? json_array_get(root, i) : root)) {
            (void)refuse(out, "too_large", "the events do not fit in memory", "send fewer at once");
            return CAIRN_NO_MEMORY;
        }
    }
    return CAIRN_OK;
}

static bool is_blank(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The blank bytes at the front of text; the ends of lines among them are counted. */
static size_t blanks(cairn_span text, size_t *lines) {
    size_t at = 0;
    for (; at < text.len && is_blank(text.data[at]); at++) {
        *lines += text.data[at] == '\n';
    }
    return at;
}

static cairn_status read_documents(reading *r, cairn_span body, cairn__ingest_problem *out) {
    json_error_t error = { 0 };
    size_t line = 1;
    size_t at = blanks(body, &line);
    bool array = false;
    for (bool first = true; first || at < body.len; first = false) {
        json_t *root =
            json_loadb((const char *)body.data + at, body.len - at,
                       JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
        if (root == NULL) {
            return refuse_text(out, &error, line + (size_t)(error.line > 0 ? error.line - 1 : 0),
                               at + (size_t)(error.position > 0 ? error.position : 0));
        }
        at += (size_t)error.position;
        array = array || json_is_array(root);
        size_t line_before = line;
        at += blanks((cairn_span){ body.data + at, body.len - at }, &line);
        cairn_status status = add_document(r, root, out);
        json_decref(root);
        if (status != CAIRN_OK) {
            return status;
        }
        if (at < body.len && (array || line == line_before)) {
            (void)snprintf(error.text, sizeof error.text, "something follows the %s",
                           array ? "array" : "value on its line");
            return refuse_text(out, &error, line, at);
        }
    }
    return CAIRN_OK;
}

cairn_status cairn__ingest_events(const cairn__ingest_json *json, cairn__arena *arena,
                                  cairn__ingest_batch *batch_out,
                                  cairn__ingest_problem *problem_out) {
    *batch_out = (cairn__ingest_batch){ 0 };
    if (json->body.len == 0) {
        return refuse(problem_out, "body_not_json", "the body is empty",
                      "send one JSON object, an array of them, or one object per line");
    }
    reading r = { .one.arena = arena, .received_ms = json->received_ms };
    cairn_status status = read_documents(&r, json->body, problem_out);
    if (status == CAIRN_UNSUPPORTED) { /* a name with U+0000 */
        cairn_span marked;
        status = cairn__nul_mark_body(json->body, arena, &marked, &r.one.mark);
        r.count = 0;
        status = status == CAIRN_OK ? read_documents(&r, marked, problem_out)
                                    : refuse(problem_out, "name_has_nul", "a name has U+0000 in it",
                                             "leave \\u0000 out of the names of members");
    }
    if (status != CAIRN_OK) {
        return status;
    }
    for (size_t i = 0; i < r.count; i++) {
        batch_out->rejected_count += r.events[i].fault.code != NULL;
        if (r.events[i].event.seq == 0) {
            r.events[i].event.seq = i + 1;
        }
    }
    batch_out->source = json->idempotency_key;
    batch_out->events = r.events;
    batch_out->event_count = r.count;
    return CAIRN_OK;
}

void cairn__ingest_events_pack(cairn__buffer *to, cairn_span idempotency_key, cairn_span body) {
    if (idempotency_key.len > CAIRN__INGEST_KEY_BYTES_MAX) {
        to->failed = true;
        return;
    }
    uint8_t length[KEY_LENGTH_BYTES];
    cairn__store_u16(length, (uint16_t)idempotency_key.len);
    cairn__buffer_append(to, cairn__span(length, sizeof length));
    cairn__buffer_append(to, idempotency_key);
    cairn__buffer_append(to, body);
}

cairn_status cairn__ingest_events_unpack(cairn_span payload, cairn_span *key_out,
                                         cairn_span *body_out) {
    size_t key_len = payload.len < KEY_LENGTH_BYTES ? SIZE_MAX : cairn__load_u16(payload.data);
    if (key_len > CAIRN__INGEST_KEY_BYTES_MAX || payload.len - KEY_LENGTH_BYTES < key_len) {
        return CAIRN_INVALID;
    }
    *key_out = cairn__span(payload.data + KEY_LENGTH_BYTES, key_len);
    *body_out = cairn__span(payload.data + KEY_LENGTH_BYTES + key_len,
                            payload.len - KEY_LENGTH_BYTES - key_len);
    return CAIRN_OK;
}
