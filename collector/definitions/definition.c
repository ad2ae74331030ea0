#include "definitions/definition.h"

#include "base/bytes.h"
#include "definitions/json_text.h"
#include "definitions/reading.h"

enum { SCRATCH_BYTES_MAX = 16 << 20 }; /* of one rule of 64 KiB: 100 times its text */

typedef bool (*read_kind)(cairn__reader *reader, cairn__place place);

static const struct {
    const char *name;
    read_kind read;
} kinds[CAIRN__DEFINITION_KIND_COUNT] = {
    { "popup", cairn__read_popup },           { "slot", cairn__read_slot },
    { "experiment", cairn__read_experiment }, { "audience", cairn__read_audience },
    { "settings", cairn__read_settings },
};

const char *cairn__definition_kind_name(cairn__definition_kind kind) {
    return kinds[kind].name;
}

/* What all kinds have. */
static bool read_common(cairn__reader *reader, cairn__place place) {
    if (!json_is_object(place.json)) {
        CAIRN__WRONG(reader, "wrong_type", place.at, "the definition must be an object");
        return CAIRN__FIX(reader, "write {...}; docs/DEFINITIONS.md has an example of each kind");
    }
    cairn__definition *definition = reader->definition;
    return cairn__read_text(reader, cairn__place_key(place, "title"),
                            CAIRN__DEFINITION_TITLE_BYTES_MAX, &definition->title) &&
           cairn__read_flag(reader, cairn__place_key(place, "paused"), &definition->paused);
}

static bool keep_json(cairn__reader *reader, const json_t *parsed) {
    cairn__buffer text =
        cairn__buffer_make(reader->arena->allocator, (size_t)2 * CAIRN__DEFINITION_BYTES_MAX);
    bool good = cairn__json_write(parsed, &text) || cairn__reader_no_memory(reader);
    good = good && cairn__reader_copy(reader, cairn__buffer_span(&text), &reader->definition->json);
    cairn__buffer_free(&text);
    return good;
}

static bool parse(cairn__reader *reader, cairn_span json, json_t **parsed_out) {
    const cairn__fault_path root = { { 0 } };
    json_error_t error;
    if (json.len > CAIRN__DEFINITION_BYTES_MAX) {
        CAIRN__WRONG(reader, "too_large", root, "the definition has %zu bytes", json.len);
        return CAIRN__FIX(reader, "send at most %d bytes", (int)CAIRN__DEFINITION_BYTES_MAX);
    }
    *parsed_out = json_loadb((const char *)json.data, json.len, JSON_REJECT_DUPLICATES, &error);
    if (*parsed_out == NULL) {
        CAIRN__WRONG(reader, "bad_json", root, "line %d, column %d: %s", error.line, error.column,
                     error.text);
        return CAIRN__FIX(reader, "send one JSON object");
    }
    return true;
}

static bool read_all(cairn__reader *reader, const cairn__definition_source *source) {
    json_t *parsed = NULL;
    cairn__definition *definition = reader->definition;
    if (!cairn__reader_copy(reader, source->name, &definition->name) ||
        !parse(reader, source->json, &parsed)) {
        return false;
    }
    const cairn__place root = { parsed, { { 0 } } };
    bool good = read_common(reader, root) && kinds[source->kind].read(reader, root) &&
                keep_json(reader, parsed);
    json_decref(parsed);
    return good;
}

cairn_status cairn__definition_read(const cairn__definition_source *source,
                                    cairn__definition **definition_out,
                                    cairn__definition_problem *problem_out) {
    *definition_out = NULL;
    *problem_out = (cairn__definition_problem){ 0 };
    cairn__arena arena = cairn__arena_make(source->allocator, CAIRN__DEFINITION_ARENA_BYTES_MAX);
    cairn__arena scratch = cairn__arena_make(source->allocator, SCRATCH_BYTES_MAX);
    cairn__reader reader = { .problem = problem_out, .arena = &arena, .scratch = &scratch };
    reader.definition = cairn__reader_make(&reader, 1, sizeof *reader.definition);
    bool good = false;
    if (reader.definition != NULL) {
        reader.definition->kind = source->kind;
        good = read_all(&reader, source);
    }
    cairn__arena_free(&scratch);
    if (good) {
        reader.definition->arena = arena; /* it lives inside of its own arena */
        *definition_out = reader.definition;
        return CAIRN_OK;
    }
    cairn__arena_free(&arena);
    if (!reader.no_memory) {
        return CAIRN_INVALID;
    }
    cairn__fault(&problem_out->fault, "memory", (cairn__fault_path){ { 0 } },
                 "the definition takes more memory than one may have");
    cairn__fault_fix(&problem_out->fault, "split it, or try again later");
    return CAIRN_NO_MEMORY;
}

void cairn__definition_free(cairn__definition *definition) {
    if (definition != NULL) {
        cairn__arena arena = definition->arena;
        cairn__arena_free(&arena);
    }
}
