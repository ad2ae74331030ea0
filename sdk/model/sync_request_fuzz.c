/* sync_request_fuzz.c: any body is refused with a reason or read into spans that lie inside it; and
 * events that are well-formed messages say the same with and without a dictionary. */
#include "base/assert.h"
#include "base/bytes.h"
#include "model/sync.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 4 << 20, WIRE_BYTES = 4 << 20 };

static void check_inside(cairn_span part, cairn_span whole) {
    CAIRN_ASSERT(part.len <= whole.len);
    CAIRN_ASSERT(part.len == 0 ||
                 (part.data >= whole.data && part.data + part.len <= whole.data + whole.len));
}

/* The event spelt out: false where it cannot be read. */
static bool spell(cairn_span event, const cairn__dictionary *dictionary, cairn__arena *arena,
                  cairn__buffer *to) {
    cairn__event decoded;
    cairn__event_fault fault;
    cairn__buffer_clear(to);
    if (cairn__event_decode(event, dictionary, arena, &decoded, &fault) != CAIRN_OK) {
        return false;
    }
    cairn__event_encode(to, &decoded);
    return !to->failed;
}

typedef struct round_trip {
    cairn__arena *arena;
    cairn__buffer body;
    cairn__buffer one;
    cairn__buffer other;
} round_trip;

/* Request, with its events sent again through the writer and its dictionary. */
static void check_writer(const cairn__sync_request *request, round_trip *t) {
    cairn__sync_request again;
    cairn__sync_fault fault;
    cairn_status status = cairn__sync_request_encode(&request->head, request->events,
                                                     request->event_count, t->arena, &t->body);
    if (status != CAIRN_OK) {
        return; /* events are not looked into by the reader: they may be anything */
    }
    status = cairn__sync_request_decode(cairn__buffer_span(&t->body), t->arena, &again, &fault);
    CAIRN_ASSERT(status == CAIRN_OK);
    CAIRN_ASSERT(again.event_count == request->event_count);
    const cairn__dictionary none = { NULL, 0 };
    for (size_t i = 0; i < again.event_count; i++) {
        if (spell(request->events[i], &none, t->arena, &t->one)) {
            CAIRN_ASSERT(spell(again.events[i], &again.dictionary, t->arena, &t->other));
            CAIRN_ASSERT(
                cairn__span_equal(cairn__buffer_span(&t->one), cairn__buffer_span(&t->other)));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    round_trip t = { &arena, cairn__buffer_make(cairn__heap(), WIRE_BYTES),
                     cairn__buffer_make(cairn__heap(), WIRE_BYTES),
                     cairn__buffer_make(cairn__heap(), WIRE_BYTES) };
    cairn_span body = { data, size };
    cairn__sync_request request;
    cairn__sync_fault fault;
    cairn_status status = cairn__sync_request_decode(body, &arena, &request, &fault);
    CAIRN_ASSERT((status == CAIRN_INVALID) == (fault.problem != NULL));
    if (status == CAIRN_OK) {
        check_inside(request.head.project_key, body);
        for (size_t i = 0; i < request.dictionary.count; i++) {
            check_inside(request.dictionary.items[i], body);
        }
        for (size_t i = 0; i < request.event_count; i++) {
            check_inside(request.events[i], body);
        }
        check_writer(&request, &t);
    }
    cairn__buffer_free(&t.body);
    cairn__buffer_free(&t.one);
    cairn__buffer_free(&t.other);
    cairn__arena_free(&arena);
    return 0;
}
