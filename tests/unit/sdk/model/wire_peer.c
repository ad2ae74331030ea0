/* wire_peer.c: our side of the interop test (interop.py): messages in on stdin, out on stdout.
 *   wire_peer decode     SyncRequest in, one line of text per field out
 *   wire_peer recode     SyncRequest in, the same written by the device's side out
 *   wire_peer response   SyncResponse in, the same written by the server's side out */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "model/sync.h"

enum { INPUT_BYTES_MAX = 4 << 20, ARENA_BYTES_MAX = 64 << 20 };

static cairn__buffer read_input(void) {
    cairn__buffer in = cairn__buffer_make(cairn__heap(), INPUT_BYTES_MAX);
    uint8_t part[4096];
    size_t len = 0;
    while ((len = fread(part, 1, sizeof part, stdin)) > 0) {
        cairn__buffer_append(&in, (cairn_span){ part, len });
    }
    return in;
}

static void print_hex(cairn_span bytes) {
    for (size_t i = 0; i < bytes.len; i++) {
        printf("%02x", bytes.data[i]);
    }
}

static void print_value(const cairn_value *value) {
    uint64_t bits = 0;
    switch (value->kind) {
    case CAIRN_VALUE_NULL:
        printf("null");
        break;
    case CAIRN_VALUE_BOOLEAN:
        printf("boolean %d", value->as.boolean);
        break;
    case CAIRN_VALUE_INTEGER:
        printf("integer %" PRId64, value->as.integer);
        break;
    case CAIRN_VALUE_NUMBER:
        memcpy(&bits, &value->as.number, sizeof bits);
        printf("number %016" PRIx64, bits);
        break;
    case CAIRN_VALUE_STRING:
        printf("text ");
        print_hex(value->as.string);
        break;
    case CAIRN_VALUE_TIME:
        printf("time %" PRId64, value->as.time_ms);
        break;
    case CAIRN_VALUE_LIST:
        printf("list");
        for (size_t i = 0; i < value->as.list.count; i++) {
            printf(" ");
            print_hex(value->as.list.items[i]);
        }
        break;
    }
}

static void print_id(const cairn_id *id) {
    printf("id ");
    print_hex(id->type);
    printf(" ");
    print_hex(id->value);
    printf("\n");
}

static void print_event(const cairn__event *event) {
    printf("event %" PRIu64 " %d ", event->seq, (int)event->kind);
    print_hex(event->name);
    printf(" %" PRId64 " %" PRIu64 " %" PRIu64 "\n", event->time_ms, event->mono_ms,
           event->session);
    for (size_t i = 0; i < event->property_count; i++) {
        printf("property ");
        print_hex(event->properties[i].name);
        printf(" ");
        print_value(&event->properties[i].value);
        printf("\n");
    }
    for (size_t i = 0; i < event->id_count; i++) {
        print_id(&event->ids[i]);
    }
}

static int decode(const cairn__sync_request *request, cairn__arena *arena) {
    printf("head ");
    print_hex(request->head.project_key);
    printf(" ");
    print_hex((cairn_span){ request->head.device_id, 16 });
    printf(" %" PRId64 " %d\n", request->head.sent_ms, request->head.consent);
    for (size_t i = 0; i < request->head.id_count; i++) {
        print_id(&request->head.ids[i]);
    }
    for (size_t i = 0; i < request->event_count; i++) {
        cairn__event event;
        cairn__event_fault fault;
        if (cairn__event_decode(request->events[i], &request->dictionary, arena, &event, &fault) !=
            CAIRN_OK) {
            fprintf(stderr, "event %zu: %s %s\n", i, fault.code, fault.field);
            return 1;
        }
        print_event(&event);
    }
    return 0;
}

/* Spells every event out and writes them as a device would. */
static int recode(const cairn__sync_request *request, cairn__arena *arena) {
    cairn__buffer body = cairn__buffer_make(cairn__heap(), INPUT_BYTES_MAX);
    cairn_span *events = cairn__arena_alloc_zero(arena, request->event_count, sizeof *events);
    for (size_t i = 0; i < request->event_count && events != NULL; i++) {
        cairn__buffer one = cairn__buffer_make(cairn__heap(), INPUT_BYTES_MAX);
        cairn__event event;
        cairn__event_fault fault;
        (void)cairn__event_decode(request->events[i], &request->dictionary, arena, &event, &fault);
        cairn__event_encode(&one, &event);
        (void)cairn__arena_copy(arena, cairn__buffer_span(&one), &events[i]);
        cairn__buffer_free(&one);
    }
    cairn_status status =
        cairn__sync_request_encode(&request->head, events, request->event_count, arena, &body);
    (void)fwrite(body.data, 1, body.len, stdout);
    cairn__buffer_free(&body);
    return status == CAIRN_OK ? 0 : 1;
}

static int response(cairn_span in, cairn__arena *arena) {
    cairn__sync_response read;
    if (cairn__sync_response_decode(in, arena, &read) != CAIRN_OK) {
        return 1;
    }
    cairn__buffer out = cairn__buffer_make(cairn__heap(), INPUT_BYTES_MAX);
    cairn__sync_response_encode(&read, &out);
    (void)fwrite(out.data, 1, out.len, stdout);
    cairn__buffer_free(&out);
    return 0;
}

int main(int argc, char **argv) {
    cairn__buffer in = read_input();
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES_MAX);
    cairn__sync_request request;
    cairn__sync_fault fault;
    int code = 2;
    if (argc == 2 && strcmp(argv[1], "response") == 0) {
        code = response(cairn__buffer_span(&in), &arena);
    } else if (cairn__sync_request_decode(cairn__buffer_span(&in), &arena, &request, &fault) !=
               CAIRN_OK) {
        fprintf(stderr, "%s: %s\n", fault.field, fault.problem);
    } else {
        bool decodes = argc == 2 && strcmp(argv[1], "decode") == 0;
        code = decodes ? decode(&request, &arena) : recode(&request, &arena);
    }
    cairn__arena_free(&arena);
    cairn__buffer_free(&in);
    return code;
}
