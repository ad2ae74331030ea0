/* Any bytes are rows, bad rows or the end; the first byte chooses the delimiter. */
#include "cli/csv.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes of all good rows, with one for the end of each field. */
static size_t read_all(cairn__csv *csv) {
    size_t total = 0;
    cairn__csv_result result = cairn__csv_next(csv);
    while (result == CAIRN__CSV_ROW || result == CAIRN__CSV_BAD) {
        for (size_t i = 0; result == CAIRN__CSV_ROW && i < csv->count; i++) {
            total += strlen(cairn__csv_field(csv, i)) + 1;
        }
        result = cairn__csv_next(csv);
    }
    return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char delimiters[4] = { ',', ';', '\t', CAIRN__CSV_BLANKS };
    if (size < 2) {
        return 0;
    }
    FILE *in = fmemopen((void *)(uintptr_t)(data + 1), size - 1, "rb");
    if (in == NULL) {
        return 0;
    }
    cairn__csv csv;
    size_t total = cairn__csv_open(&csv, in, delimiters[data[0] % 4]) ? read_all(&csv) : 0;
    cairn__csv_close(&csv);
    fclose(in);
    if (total > 2 * size) {
        __builtin_trap(); /* more text than was read */
    }
    return 0;
}
