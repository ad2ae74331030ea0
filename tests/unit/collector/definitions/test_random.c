/* Goal: whatever operators do, in whatever order: what is accepted, refused and kept is what a slow
 * and obvious model says, and the bundle is always one that devices read.
 * Method: random histories of puts, removals, trials and restarts on few names that name each
 * other; the model is a list of texts and of who names whom. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "bundle/read.h"
#include "support/cmocka_all.h"
#include "world.h"

enum { NAMES = 5, TEXT_BYTES = 1500, HISTORIES = 40, STEPS = 60 };

typedef struct known {
    bool live;
    char text[TEXT_BYTES];
    bool flag;                       /* an experiment that is a flag with rules */
    unsigned audiences, experiments; /* whom it names: bit sets */
    unsigned variants;               /* of which of these experiments a variant */
} known;

typedef struct model {
    world *w;
    known all[CAIRN__DEFINITION_SETTINGS][NAMES];
    uint32_t versions[CAIRN__DEFINITION_SETTINGS][NAMES]; /* the last that was given out */
    uint64_t bundle_version;
    uint64_t random;
    size_t outcomes[CAIRN__CATALOG_STORAGE + 1]; /* how often */
} model;

static unsigned draw(model *m, unsigned below) { /* splitmix64 */
    m->random += 0x9E3779B97F4A7C15;
    uint64_t x = m->random;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return (unsigned)((x ^ (x >> 31)) % below);
}

static void add(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(char *text, const char *format, ...) {
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text + used, TEXT_BYTES - used, format, arguments);
    va_end(arguments);
    assert_true(length >= 0 && (size_t)length < TEXT_BYTES - used);
}

static unsigned live_set(const model *m, int kind) {
    unsigned set = 0;
    for (int i = 0; i < NAMES; i++) {
        set |= m->all[kind][i].live ? 1U << i : 0;
    }
    return set;
}

static unsigned some(model *m) {
    return draw(m, 3) == 0 ? 1U << draw(m, NAMES) | 1U << draw(m, NAMES) : 0;
}

/* A rule that names these audiences. */
static void add_rule(model *m, char *text, unsigned audiences) {
    static const char *const parts[] = {
        "user.age >= 18",
        "count(purchase where amount > 10, last 7 days) >= 2",
        "tag.level in [\\\"a\\\", \\\"b\\\"]",
        "sequence(view_item, purchase, within 1 hour)",
        "lower(device.os) matches \\\"^(ios|android)$\\\"",
    };
    add(text, "\"%s", parts[draw(m, 5)]);
    for (int i = 0; i < NAMES; i++) {
        if ((audiences >> i & 1) != 0) {
            add(text, " %s member(\\\"n%d\\\")", i % 2 == 0 ? "and not" : "or", i);
        }
    }
    add(text, "\"");
}

static void add_caps(model *m, char *text) {
    static const char *const pers[] = { "ever", "session", "day", "week", "month", "36 hours" };
    static const char *const ofs[] = { "shows", "clicks", "conversions", "closes" };
    add(text, "[");
    for (unsigned i = draw(m, 3); i > 0; i--) {
        add(text, "{\"at_most\":%u,\"of\":\"%s\",\"per\":\"%s\"}%s", 1 + draw(m, 64),
            ofs[draw(m, 4)], pers[draw(m, 6)], i > 1 ? "," : "");
    }
    add(text, "]");
}

static void write_popup(model *m, known *to) {
    to->audiences = some(m);
    add(to->text, draw(m, 2) == 0 ? "{\"manual\":true"
                                  : "{\"triggers\":[\"a\",{\"event\":[\"b\",\"c\"]"
                                    ",\"where\":\"price > 1\"}]");
    add(to->text, ",\"priority\":%d,\"audience\":", (int)draw(m, 7) - 3);
    add_rule(m, to->text, to->audiences);
    add(to->text, ",\"caps\":");
    add_caps(m, to->text);
    if (draw(m, 2) == 0) {
        add(to->text, ",\"pages\":[{\"matches\":\"^/p/[0-9]+$\"}],\"not_pages\":[\"/x\"],"
                      "\"quiet\":[\"22:00-08:00\"],\"delay\":\"2 s\"");
    }
    if (draw(m, 2) == 0) {
        add(to->text, ",\"content\":{\"n\":0.1,\"t\":\"%u\"}}", draw(m, 3));
    } else {
        add(to->text, ",\"variants\":[{\"name\":\"x\",\"weight\":0.3},{\"name\":\"y\","
                      "\"control\":true}],\"goal\":{\"event\":\"buy\",\"within\":\"1 day\"}}");
    }
}

/* Items of one id say the same in every slot. */
static void write_slot(model *m, known *to) {
    unsigned count = 1 + draw(m, 4);
    add(to->text, "{\"size\":%u,\"items\":[", 1 + draw(m, 9));
    for (unsigned i = 0; i < count; i++) {
        add(to->text, "%s{\"id\":\"i%u\",\"properties\":{\"price\":%u,\"category\":\"c%u\"}}",
            i == 0 ? "" : ",", i, i * 3, i % 2);
    }
    add(to->text,
        "],\"lists\":{\"l\":[\"i0\"],\"m\":[\"i%u\"]},\"default\":\"l\","
        "\"strategies\":[{\"name\":\"s\",\"audience\":",
        count - 1);
    to->audiences = some(m);
    add_rule(m, to->text, to->audiences);
    add(to->text, ",\"recall\":[{\"list\":\"m\",\"where\":\"price < 7\"},{\"recent\":{\"event\":"
                  "\"view\",\"property\":\"sku\"}}],\"rank\":[{\"property\":\"brand\",\"tag\":"
                  "\"user.brand\"},{\"by_recall\":true}],\"fallback\":\"l\",\"item_caps\":");
    add_caps(m, to->text);
    add(to->text, "}]}");
}

static void write_flag(known *to) {
    const char *comma = "";
    add(to->text, "{\"fallback\":false,\"rules\":[");
    for (int i = 0; i < NAMES; i++) {
        if ((to->experiments >> i & 1) != 0) {
            add(to->text, i % 2 == 0 ? "%s\"n%d\"" : "%s{\"experiment\":\"n%d\",\"gate\":true}",
                comma, i);
            comma = ",";
        }
    }
    add(to->text, "]}");
}

static void write_experiment(model *m, known *to) {
    to->experiments = some(m) | some(m);
    if (draw(m, 4) != 0) { /* mostly such as there are */
        to->experiments &= live_set(m, CAIRN__DEFINITION_EXPERIMENT);
    }
    if (to->experiments != 0 && draw(m, 2) == 0) {
        to->flag = true;
        write_flag(to);
        return;
    }
    to->audiences = some(m);
    to->variants = to->experiments & 0xAA; /* as written below */
    add(to->text,
        "{\"variants\":[{\"name\":\"a\",\"value\":%u},{\"name\":\"b\"}],\"audience\":", draw(m, 3));
    add_rule(m, to->text, to->audiences);
    add(to->text, ",\"forced\":{\"u\":\"b\"},\"prerequisites\":[");
    const char *comma = "";
    for (int i = 0; i < NAMES; i++) {
        if ((to->experiments >> i & 1) != 0) {
            add(to->text, i % 2 == 0 ? "%s\"n%d\"" : "%s{\"experiment\":\"n%d\",\"variant\":\"b\"}",
                comma, i);
            comma = ",";
        }
    }
    add(to->text, "]}");
}

static void write_audience(model *m, known *to) {
    to->audiences = some(m);
    add(to->text, "{\"rule\":");
    add_rule(m, to->text, to->audiences);
    add(to->text, "}");
}

/* --- the model -------------------------------------------------------------------------------- */

/* Who is needed by `from`, in any number of steps. */
static unsigned needed(const model *m, int kind, unsigned from) {
    for (int step = 0; step < NAMES; step++) {
        for (int i = 0; i < NAMES; i++) {
            const known *one = &m->all[kind][i];
            if ((from >> i & 1) != 0 && one->live) {
                from |= kind == CAIRN__DEFINITION_AUDIENCE ? one->audiences : one->experiments;
            }
        }
    }
    return from;
}

static bool goes_in_a_circle(const model *m, int kind, int index, const known *next) {
    unsigned first = kind == CAIRN__DEFINITION_AUDIENCE     ? next->audiences
                     : kind == CAIRN__DEFINITION_EXPERIMENT ? next->experiments
                                                            : 0;
    return (needed(m, kind, first) >> index & 1) != 0;
}

/* Live flags: they have no variants. */
static unsigned flag_set(const model *m, int index) {
    unsigned set = 0;
    for (int i = 0; i < NAMES; i++) {
        const known *one = &m->all[CAIRN__DEFINITION_EXPERIMENT][i];
        set |= one->live && one->flag && i != index ? 1U << i : 0;
    }
    return set;
}

/* Does another experiment name a variant of this one, which is to become a flag? */
static bool variant_is_named(const model *m, int index) {
    bool named = false;
    for (int i = 0; i < NAMES; i++) {
        const known *one = &m->all[CAIRN__DEFINITION_EXPERIMENT][i];
        named = named || (i != index && one->live && (one->variants >> index & 1) != 0);
    }
    return named;
}

static cairn__catalog_outcome expect_put(const model *m, int kind, int index, const known *next) {
    const known *before = &m->all[kind][index];
    unsigned self = 1U << index;
    unsigned audiences = live_set(m, CAIRN__DEFINITION_AUDIENCE);
    unsigned experiments = live_set(m, CAIRN__DEFINITION_EXPERIMENT);
    audiences |= kind == CAIRN__DEFINITION_AUDIENCE ? self : 0; /* it is there then */
    experiments |= kind == CAIRN__DEFINITION_EXPERIMENT ? self : 0;
    if (before->live && strcmp(before->text, next->text) == 0) {
        return CAIRN__CATALOG_SAME;
    }
    if ((next->audiences & ~audiences) != 0 || (next->experiments & ~experiments) != 0) {
        return CAIRN__CATALOG_REFUSED;
    }
    if ((next->variants & flag_set(m, index)) != 0) {
        return CAIRN__CATALOG_REFUSED;
    }
    if (next->flag && variant_is_named(m, index)) {
        return CAIRN__CATALOG_CONFLICT;
    }
    return goes_in_a_circle(m, kind, index, next) ? CAIRN__CATALOG_CONFLICT : CAIRN__CATALOG_DONE;
}

static cairn__catalog_outcome expect_removal(const model *m, int kind, int index) {
    if (!m->all[kind][index].live) {
        return CAIRN__CATALOG_NOT_FOUND;
    }
    for (int other = 0; other < CAIRN__DEFINITION_SETTINGS; other++) {
        for (int i = 0; i < NAMES; i++) {
            const known *one = &m->all[other][i];
            unsigned named = kind == CAIRN__DEFINITION_AUDIENCE     ? one->audiences
                             : kind == CAIRN__DEFINITION_EXPERIMENT ? one->experiments
                                                                    : 0;
            if (one->live && (named >> index & 1) != 0) {
                return CAIRN__CATALOG_CONFLICT;
            }
        }
    }
    return CAIRN__CATALOG_DONE;
}

/* --- one step --------------------------------------------------------------------------------- */

static void check_bundle(const model *m) {
    uint64_t version;
    cairn__bundle bundle;
    cairn__bundle_fault fault = { 0 };
    cairn_span bytes = cairn__catalog_bundle(m->w->catalog, &version);
    assert_int_equal(version, m->bundle_version);
    if (version == 0) {
        return;
    }
    cairn__arena arena = cairn__arena_make(cairn__heap(), CAIRN__BUNDLE_ARENA_BYTES_MAX);
    assert_int_equal(cairn__bundle_read(bytes, &arena, &bundle, &fault), CAIRN_OK);
    size_t counts[] = { bundle.definitions.popup_count, bundle.definitions.slot_count,
                        bundle.definitions.experiment_count, bundle.definitions.audience_count };
    for (int kind = 0; kind < CAIRN__DEFINITION_SETTINGS; kind++) {
        assert_int_equal(counts[kind], __builtin_popcount(live_set(m, kind)));
    }
    cairn__arena_free(&arena);
}

static void accepted(model *m, int kind, int index, const known *next) {
    m->all[kind][index] = *next;
    m->versions[kind][index]++;
    m->bundle_version++;
    if (next->live) {
        assert_int_equal(m->w->result.version, m->versions[kind][index]);
    }
    assert_int_equal(m->w->result.bundle_version, m->bundle_version);
}

static void step(model *m) {
    static void (*const writers[])(model *, known *) = { write_popup, write_slot, write_experiment,
                                                         write_audience };
    known next = { .live = draw(m, 4) != 0 };
    int kind = (int)draw(m, CAIRN__DEFINITION_SETTINGS + 1);
    kind = kind < CAIRN__DEFINITION_SETTINGS ? kind : CAIRN__DEFINITION_EXPERIMENT;
    int index = (int)draw(m, NAMES);
    char name[8];
    (void)snprintf(name, sizeof name, "n%d", index);
    if (next.live) {
        writers[kind](m, &next);
    }
    cairn__catalog_outcome expected =
        next.live ? expect_put(m, kind, index, &next) : expect_removal(m, kind, index);
    bool dry_run = draw(m, 8) == 0;
    cairn__catalog_outcome got =
        world_change(m->w, (cairn__catalog_change){ .kind = (cairn__definition_kind)kind,
                                                    .name = cairn__span_of(name),
                                                    .json = cairn__span_of(next.text),
                                                    .remove = !next.live,
                                                    .dry_run = dry_run });
    if (got != expected) {
        fail_msg("%s %d: expected %d, got %d: %s; %s", name, kind, expected, got, next.text,
                 m->w->result.problem.fault.detail);
    }
    m->outcomes[got]++;
    if (got == CAIRN__CATALOG_DONE && !dry_run) {
        accepted(m, kind, index, &next);
    }
    if (draw(m, 16) == 0) {
        world_reopen(m->w);
        assert_string_equal(m->w->left_out, "");
    }
    check_bundle(m);
}

static void every_history_goes_as_the_model_says(void **state) {
    (void)state;
    size_t outcomes[CAIRN__CATALOG_STORAGE + 1] = { 0 };
    model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    for (unsigned history = 0; history < HISTORIES; history++) {
        void *opened = NULL;
        (void)world_open(&opened);
        *m = (model){ .w = opened, .random = history };
        for (int i = 0; i < STEPS; i++) {
            step(m);
        }
        assert_true(m->bundle_version > STEPS / 8);
        (void)world_close(&opened);
        for (size_t i = 0; i <= CAIRN__CATALOG_STORAGE; i++) {
            outcomes[i] += m->outcomes[i];
        }
    }
    free(m);
    static const cairn__catalog_outcome seen[] = { CAIRN__CATALOG_DONE, CAIRN__CATALOG_SAME,
                                                   CAIRN__CATALOG_REFUSED, CAIRN__CATALOG_CONFLICT,
                                                   CAIRN__CATALOG_NOT_FOUND };
    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++) {
        assert_true(outcomes[seen[i]] > 5); /* each of them was really tried */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_history_goes_as_the_model_says),
    };
    return cmocka_run_group_tests_name("collector/definitions/random", tests, NULL, NULL);
}
