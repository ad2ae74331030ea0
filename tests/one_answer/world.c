#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "support/signed_bundle.h"

enum { TEXT_BYTES_MAX = 64 * 1024, BUNDLE_BYTES_MAX = 8 << 20, STEPS_BYTES_MAX = 4 << 20 };

/* Those of history_places whose odd nights a bundle's zone table knows: from 2020 on. */
static const size_t places[WORLD_PLACES] = { 0, 1, 2, 6, 8 };

unsigned world_roll(world *w, unsigned sides) {
    w->dice += 0x9E3779B97F4A7C15u;
    return (unsigned)(cairn__mix(w->dice) >> 33) % sides;
}

const char *world_text(world *w, const char *format, ...) {
    static char text[TEXT_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    CAIRN_ASSERT(length >= 0 && length < TEXT_BYTES_MAX);
    cairn_span copy;
    bool fits = cairn__arena_copy(&w->arena, cairn__span(text, (size_t)length + 1), &copy);
    CAIRN_ASSERT(fits);
    return (const char *)copy.data;
}

const char *world_quoted(world *w, const char *text) {
    cairn__buffer json = cairn__buffer_make(cairn__heap(), TEXT_BYTES_MAX);
    cairn_span copy;
    cairn__json_text(&json, cairn__span_of(text));
    cairn__buffer_byte(&json, 0);
    bool fits = !json.failed && cairn__arena_copy(&w->arena, cairn__buffer_span(&json), &copy);
    CAIRN_ASSERT(fits);
    cairn__buffer_free(&json);
    return (const char *)copy.data;
}

bool world_make(world *w, world_kind kind, uint64_t seed) {
    const history_place *at = &history_places[places[seed % WORLD_PLACES]];
    memset(w, 0, sizeof *w);
    w->kind = kind;
    w->seed = seed;
    w->dice = seed * 2 + (uint64_t)kind;
    w->arena = cairn__arena_make(cairn__heap(), WORLD_ARENA_BYTES);
    w->bundle = cairn__buffer_make(cairn__heap(), BUNDLE_BYTES_MAX);
    w->signed_bundle = cairn__buffer_make(cairn__heap(), BUNDLE_BYTES_MAX);
    for (size_t i = 0; i < WORLD_LIVES; i++) {
        w->lives[i].steps = cairn__buffer_make(cairn__heap(), STEPS_BYTES_MAX);
    }
    if (!history_clock_open(&w->zone, at->zone, at->base_ms, &w->arena) ||
        !history_clock_open(&w->user_zone, at->user_zone, at->base_ms, &w->arena)) {
        return false;
    }
    for (size_t i = 0; i < WORLD_RULES; i++) {
        world_make_rule(w, &w->rules[i]);
    }
    world_make_bundle(w);
    world_make_lives(w);
    return true;
}

void world_free(world *w) {
    for (size_t i = 0; i < WORLD_LIVES; i++) {
        cairn__buffer_free(&w->lives[i].steps);
    }
    cairn__buffer_free(&w->bundle);
    cairn__buffer_free(&w->signed_bundle);
    cairn__arena_free(&w->arena);
}

void world_write(const world *w, cairn__buffer *to) {
    const cairn_bundle_key key = signed_bundle_key();
    cairn__buffer_append(to, cairn__span(key.bytes, sizeof key.bytes));
    cairn__buffer_u32(to, (uint32_t)w->signed_bundle.len);
    cairn__buffer_append(to, cairn__buffer_span(&w->signed_bundle));
    cairn__buffer_u32(to, WORLD_LIVES);
    for (size_t i = 0; i < WORLD_LIVES; i++) {
        const world_life *life = &w->lives[i];
        cairn__buffer_append(to, cairn__span(life->seed, SEED_BYTES));
        cairn__buffer_u32(to, (uint32_t)life->steps.len);
        cairn__buffer_append(to, cairn__buffer_span(&life->steps));
    }
}
