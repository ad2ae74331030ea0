/* one_answer: README.md.
 *   one_answer make DIRECTORY RULES DECISIONS    so many worlds of each kind, as files
 *   one_answer check DIRECTORY RULES DECISIONS   the native SDK and the collector live and decide
 *                                                in the same worlds; what drive.mjs heard of
 *                                                cairn.wasm must be the same, byte for byte */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "server.h"

enum { FILE_BYTES_MAX = 256 << 20, PATH_BYTES = 300, SHOWN_BYTES = 2000, HEARD_HEAD_BYTES = 12 };
enum { WORLD_PAIRS = WORLD_LIVES * WORLD_RULES * WORLD_RULE_MOMENTS };

typedef struct checking {
    const world *w;
    server s;
    size_t life;
    cairn__buffer answer;        /* the server's */
    uint64_t pairs, with_oracle; /* (rule, person, moment) */
    uint64_t truths, falsehoods;
    uint64_t decisions, popups;
    bool failed;
} checking;

static void path_of(char path[PATH_BYTES], const char *directory, const char *what,
                    const world *w) {
    (void)snprintf(path, PATH_BYTES, "%s/%s-%d-%llu", directory, what, (int)w->kind,
                   (unsigned long long)w->seed);
}

static bool make(const char *directory, const world *w) {
    char path[PATH_BYTES];
    cairn__buffer bytes = cairn__buffer_make(cairn__heap(), FILE_BYTES_MAX);
    world_write(w, &bytes);
    path_of(path, directory, "world", w);
    FILE *file = fopen(path, "wb");
    bool written =
        file != NULL && !bytes.failed && fwrite(bytes.data, 1, bytes.len, file) == bytes.len;
    written = (file == NULL || fclose(file) == 0) && written;
    cairn__buffer_free(&bytes);
    return written;
}

/* --- comparing -------------------------------------------------------------------------------- */

static void show(const char *who, cairn_span text, size_t from) {
    size_t len = text.len - from < SHOWN_BYTES ? text.len - from : SHOWN_BYTES;
    (void)fprintf(stderr, "  %s: %.*s\n", who, (int)len, (const char *)text.data + from);
}

/* Both from a little before they part. */
static void differ(checking *c, const char *a, cairn_span first, const char *b, cairn_span second) {
    size_t at = 0;
    while (at < first.len && at < second.len && first.data[at] == second.data[at]) {
        at += 1;
    }
    at = at > 300 ? at - 300 : 0;
    (void)fprintf(stderr, "one_answer: world %d/%llu, life %zu:\n", (int)c->w->kind,
                  (unsigned long long)c->w->seed, c->life);
    show(a, first, at < first.len ? at : 0);
    show(b, second, at < second.len ? at : 0);
    c->failed = true;
}

static const char *after(const char *text, const char *end, const char *part) {
    size_t len = strlen(part);
    for (; text + len <= end; text++) {
        if (memcmp(text, part, len) == 0) {
            return text + len;
        }
    }
    return NULL;
}

/* What the reason of a rule's experiment says of the rule. */
static const char *answer_of(const char *reason) {
    return strncmp(reason, "assigned\"", 9) == 0        ? "true"
           : strncmp(reason, "not_targeted\"", 13) == 0 ? "false"
                                                        : "unknown";
}

static void check_rules(checking *c, const device_question *question, cairn_span answer) {
    static gen_case person;
    const char *at = (const char *)answer.data;
    const char *end = at + answer.len;
    person = c->w->lives[c->life].person;
    for (size_t i = 0; i < WORLD_RULES; i++) {
        at = after(at, end, "\"reason\":\"");
        const char *got = at == NULL ? "" : answer_of(at);
        const world_rule *rule = &c->w->rules[i];
        person.rule = rule->history;
        const char *want =
            rule->only_history ? history_oracle_answer(&person, question->now_ms) : got;
        if (at == NULL || strcmp(got, "unknown") == 0 || strcmp(got, want) != 0) {
            differ(c, rule->text, cairn__span_of(got), "oracle", cairn__span_of(want));
            return;
        }
        c->pairs += 1;
        c->with_oracle += rule->only_history;
        c->truths += got[0] == 't';
        c->falsehoods += got[0] == 'f';
    }
}

static void on_answer(void *self, device *d, const device_question *question, cairn_span answer) {
    checking *c = self;
    static cairn__buffer copy;
    copy.allocator = cairn__heap();
    copy.bytes_max = FILE_BYTES_MAX;
    cairn__buffer_clear(&copy);
    cairn__buffer_append(&copy, answer); /* borrowed until the next call */
    server_take(&c->s, device_batch(d), question->now_ms);
    cairn__buffer_clear(&c->answer);
    server_decide(&c->s, question, &c->answer);
    const cairn_span own = cairn__buffer_span(&copy);
    if (!cairn__span_equal(own, cairn__buffer_span(&c->answer))) {
        differ(c, "native SDK", own, "collector", cairn__buffer_span(&c->answer));
    } else if (c->w->kind == WORLD_OF_RULES) {
        check_rules(c, question, own);
    } else {
        c->decisions += 1;
    }
}

/* --- what drive.mjs heard --------------------------------------------------------------------- */

static cairn_span heard_at(cairn_span all, size_t at) {
    if (all.len - at < HEARD_HEAD_BYTES) {
        return cairn__span(all.data + at, all.len - at);
    }
    size_t len = HEARD_HEAD_BYTES + (size_t)cairn__load_u32(all.data + at + 8);
    return cairn__span(all.data + at, len < all.len - at ? len : all.len - at);
}

static void compare_heard(checking *c, cairn_span native, cairn_span wasm) {
    size_t at = 0;
    while (at < native.len && at < wasm.len) {
        cairn_span first = heard_at(native, at);
        cairn_span second = heard_at(wasm, at);
        if (!cairn__span_equal(first, second)) {
            (void)fprintf(stderr, "one_answer: heard at byte %zu\n", at);
            differ(c, "native SDK", first, "cairn.wasm", second);
            return;
        }
        c->popups += first.data[0] == HEARD_POPUP;
        at += first.len;
    }
    if (native.len != wasm.len || native.len == 0) {
        (void)fprintf(stderr, "one_answer: one has heard more\n");
        c->failed = true;
    }
}

static bool read_heard(const char *directory, const world *w, cairn__buffer *to) {
    char path[PATH_BYTES];
    path_of(path, directory, "heard", w);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        (void)fprintf(stderr, "one_answer: %s is missing\n", path);
        return false;
    }
    size_t got = 0;
    do {
        uint8_t part[65536];
        got = fread(part, 1, sizeof part, file);
        cairn__buffer_append(to, cairn__span(part, got));
    } while (got > 0);
    (void)fclose(file);
    return !to->failed;
}

static bool check(checking *c, const char *directory, const world *w) {
    cairn__buffer native = cairn__buffer_make(cairn__heap(), FILE_BYTES_MAX);
    cairn__buffer wasm = cairn__buffer_make(cairn__heap(), FILE_BYTES_MAX);
    c->w = w;
    server_use(&c->s, w);
    for (c->life = 0; c->life < WORLD_LIVES && !c->failed; c->life++) {
        device d = { .heard = &native, .on_answer = on_answer, .self = c };
        device_live(&d, w, &w->lives[c->life]);
    }
    if (!c->failed && read_heard(directory, w, &wasm)) {
        compare_heard(c, cairn__buffer_span(&native), cairn__buffer_span(&wasm));
    } else {
        c->failed = true;
    }
    cairn__buffer_free(&native);
    cairn__buffer_free(&wasm);
    return !c->failed;
}

/* --- all of it -------------------------------------------------------------------------------- */

typedef struct plan {
    bool makes;
    const char *directory;
    uint64_t counts[2]; /* by kind of world */
} plan;

static bool run(const plan *p, checking *c) {
    static world w;
    bool good = true;
    for (int kind = 0; kind < 2; kind++) {
        for (uint64_t seed = 0; good && seed < p->counts[kind]; seed++) {
            good = world_make(&w, (world_kind)kind, seed) &&
                   (p->makes ? make(p->directory, &w) : check(c, p->directory, &w));
            world_free(&w);
        }
    }
    return good;
}

int main(int argc, char **argv) {
    static checking c;
    if (argc != 5 || (strcmp(argv[1], "make") != 0 && strcmp(argv[1], "check") != 0)) {
        (void)fprintf(stderr, "usage: one_answer make|check DIRECTORY RULES DECISIONS\n");
        return 2;
    }
    const plan p = { .makes = argv[1][0] == 'm',
                     .directory = argv[2],
                     .counts = { strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10) } };
    if (p.makes) {
        return run(&p, &c) ? 0 : 1;
    }
    c.answer = cairn__buffer_make(cairn__heap(), FILE_BYTES_MAX);
    server_open(&c.s);
    bool good = run(&p, &c);
    server_close(&c.s);
    cairn__buffer_free(&c.answer);
    printf("%llu pairs of a rule and a history agree (%llu true; %llu also with brute force)\n",
           (unsigned long long)c.pairs, (unsigned long long)c.truths,
           (unsigned long long)c.with_oracle);
    printf("%llu decisions are the same bytes; %llu popups were shown by both devices\n",
           (unsigned long long)c.decisions, (unsigned long long)c.popups);
    bool enough = c.pairs == p.counts[0] * WORLD_PAIRS && c.truths > 0 && c.falsehoods > 0 &&
                  (p.counts[1] == 0 || (c.decisions > 0 && c.popups > 0));
    return good && enough ? 0 : 1;
}
