/* core_entry.c: what the core of cairn-full.wasm exports beside that of cairn.wasm: its history,
 * event by event, for the table in SQL (sql_entry.c, in another instance), and the ranking scripts
 * of slots, which the host runs in a Worker.
 *
 * One instance holds one client: what is below is lent to the host until the next call. */
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "cairn/cairn_history.h"
#include "cairn/cairn_script.h"
#include "wasm/block.h"
#include "wasm/entry.h"

#define EXPORT(name) __attribute__((export_name(name)))

enum {
    ARGUMENTS_BYTES_MAX = 256 * 1024,
    SCRIPT_JSON_BYTES_MAX = 2 * 1024 * 1024, /* source and input, escaped */
    SCORES_MAX = 512
};

/* As HISTORY_* in src/full/core.ts. */
typedef struct history_row {
    double seq, person;
    const uint8_t *event;
    uint32_t bytes;
} history_row;

static struct {
    history_row row;
    cairn__arena arguments;
    cairn__buffer json;
} the;

/** The first event after this seq; 0: there is none. */
EXPORT("history_next") const history_row *export_history_next(double after_seq) {
    cairn_history_event event;
    if (!cairn_history_next(cairn__wasm_client(), (uint64_t)after_seq, &event)) {
        return NULL;
    }
    the.row = (history_row){ (double)event.seq, (double)event.person, event.event.data,
                             (uint32_t)event.event.len };
    return &the.row;
}

/* --- scripts --------------------------------------------------------------------------------- */

/* As RANKS in src/full/core.ts. */
typedef enum rank_method {
    RANK_WANTED = 0, /* name: the slot; exchange: {"name","source","input","now","seed"} */
    RANK_SCORES,     /* name: the slot, value: the script, properties: item = score */
    RANK_LOST        /* name: the slot, value: the script, property "reason" */
} rank_method;

static void put_text(const char *lead, cairn_span text) {
    cairn__buffer_append(&the.json, cairn__span_of(lead));
    cairn__json_text(&the.json, text);
}

static cairn_status wanted(const cairn__block *b) {
    cairn_slot_script script;
    cairn_status status = cairn_slot_script_wanted(cairn__wasm_client(), b->name, &script);
    if (status != CAIRN_OK) {
        return status;
    }
    cairn__buffer_clear(&the.json);
    put_text("{\"name\":", script.name);
    put_text(",\"source\":", script.source);
    put_text(",\"input\":", script.input);
    CAIRN__JSON_PUT(&the.json, ",\"now\":");
    cairn__json_integer(&the.json, script.now_ms);
    CAIRN__JSON_PUT(&the.json, ",\"seed\":");
    cairn__json_integer(&the.json, script.seed);
    cairn__buffer_byte(&the.json, '}');
    cairn__wasm_exchange(cairn__buffer_span(&the.json));
    return the.json.failed ? CAIRN_NO_MEMORY : CAIRN_OK;
}

static cairn_status give(cairn_span slot, const cairn_slot_ranking *ranking) {
    cairn_span answer = { NULL, 0 };
    cairn_status status = cairn_slot_ranked(cairn__wasm_client(), slot, ranking, &answer);
    cairn__wasm_exchange(answer);
    return status;
}

static cairn_status scores(const cairn__block *b) {
    size_t count = b->property_count;
    cairn_span *ids = cairn__arena_alloc_zero(&the.arguments, count + 1, sizeof *ids);
    double *numbers = cairn__arena_alloc_zero(&the.arguments, count + 1, sizeof *numbers);
    if (ids == NULL || numbers == NULL || count > SCORES_MAX) {
        return CAIRN_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        const cairn_value *value = &b->properties[i].value;
        ids[i] = b->properties[i].name;
        numbers[i] =
            value->kind == CAIRN_VALUE_INTEGER ? (double)value->as.integer : value->as.number;
        if (value->kind != CAIRN_VALUE_INTEGER && value->kind != CAIRN_VALUE_NUMBER) {
            return CAIRN_INVALID;
        }
    }
    const cairn_slot_ranking ranking = {
        .script = b->value, .items = ids, .scores = numbers, .count = count
    };
    return give(b->name, &ranking);
}

static cairn_status lost(const cairn__block *b) {
    if (b->property_count != 1 || b->properties[0].value.kind != CAIRN_VALUE_STRING) {
        return CAIRN_INVALID;
    }
    const cairn_slot_ranking ranking = { .script = b->value,
                                         .lost = b->properties[0].value.as.string };
    return give(b->name, &ranking);
}

/** cairn_script.h; exchange() and exchange_bytes() have the answer. */
EXPORT("rank") cairn_status export_rank(uint32_t method, const uint8_t *bytes, size_t len) {
    cairn__block block;
    if (the.json.allocator.resize == NULL) {
        the.arguments = cairn__arena_make(cairn__heap(), ARGUMENTS_BYTES_MAX);
        the.json = cairn__buffer_make(cairn__heap(), SCRIPT_JSON_BYTES_MAX);
    }
    cairn__wasm_exchange((cairn_span){ NULL, 0 });
    cairn__arena_reset(&the.arguments);
    cairn_status status = cairn__block_read((cairn_span){ bytes, len }, &the.arguments, &block);
    if (status != CAIRN_OK) {
        return status;
    }
    return method == RANK_WANTED   ? wanted(&block)
           : method == RANK_SCORES ? scores(&block)
                                   : lost(&block);
}
