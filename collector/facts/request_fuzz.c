/* request_fuzz.c: any bytes as the body of POST /v1/decide. */
#include "base/assert.h"
#include "facts/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static cairn__decide_request request;
    cairn__fault_problem problem;
    cairn__arena arena = cairn__arena_make(cairn__heap(), CAIRN__DECIDE_ARENA_BYTES_MAX);
    cairn_status status =
        cairn__decide_request_read((cairn_span){ data, size }, 1, &arena, &request, &problem);
    if (status == CAIRN_OK) {
        CAIRN_ASSERT(request.id_count > 0 && request.ids[0].value.len > 0);
        CAIRN_ASSERT(request.what == CAIRN__DECIDE_EXPERIMENTS || request.name.len > 0);
    } else {
        CAIRN_ASSERT(problem.code[0] != 0);
    }
    cairn__arena_free(&arena);
    return 0;
}
