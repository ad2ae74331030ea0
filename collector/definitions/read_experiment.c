#include "base/bytes.h"
#include "definitions/reading.h"

static const char *const experiment_keys[] = {
    "title",     "paused",   "unit",          "salt",     "hash",
    "coverage",  "variants", "namespaces",    "audience", "forced",
    "force_all", "sticky",   "prerequisites", "fallback", "murmur",
};

/* Of a flag with rules: who gets which is said by what they name. */
static const char *const flag_keys[] = { "title", "paused", "rules", "fallback" };

static bool read_unit(cairn__reader *reader, cairn__place place, cairn__experiment_entry *entry) {
    entry->unit_type = CAIRN_STR("device");
    return cairn__read_text(reader, place, CAIRN__ID_TYPE_BYTES_MAX, &entry->unit_type);
}

/* The variant of that name, or -1. */
static int variant_named(const cairn__experiment_entry *entry, cairn_span name) {
    for (size_t i = 0; i < entry->experiment.variant_count; i++) {
        if (cairn__span_equal(entry->variants[i].name, name)) {
            return (int)i;
        }
    }
    return -1;
}

static bool find_variant(cairn__reader *reader, cairn__place place, uint32_t *variant_out) {
    const cairn__experiment_entry *entry = &reader->definition->as.experiment;
    cairn_span name = { NULL, 0 };
    const char *words[CAIRN__VARIANTS_MAX];
    if (!cairn__read_text(reader, place, CAIRN__DEFINITION_NAME_BYTES_MAX, &name)) {
        return false;
    }
    int found = variant_named(entry, name);
    *variant_out = found < 0 ? 0 : (uint32_t)found;
    if (found >= 0) {
        return true;
    }
    for (size_t i = 0; i < entry->experiment.variant_count; i++) {
        /* a name has no NUL and is followed by one: it was copied from a JSON text */
        words[i] = (const char *)entry->variants[i].name.data;
    }
    CAIRN__WRONG(reader, "unknown_variant", place.at, "there is no variant `%.*s`", (int)name.len,
                 (const char *)name.data);
    return cairn__fault_fix_words(&reader->problem->fault, name, words,
                                  entry->experiment.variant_count);
}

/* --- who gets which --------------------------------------------------------------------------- */

static bool read_range(cairn__reader *reader, cairn__place place, cairn__range *range) {
    size_t count = 0;
    const cairn__bounds unit = { 0, 1 };
    if (!cairn__read_list(reader, place, 2, &count)) {
        return false;
    }
    bool good = count == 2 &&
                cairn__read_number(reader, cairn__place_item(place, 0), unit, &range->from) &&
                cairn__read_number(reader, cairn__place_item(place, 1), unit, &range->to);
    if (count != 2 || (good && range->from > range->to)) {
        CAIRN__WRONG(reader, "bad_range", place.at, "%.100s is no range", place.at.text);
        return CAIRN__FIX(reader, "write two numbers, the first not above the second: [0, 0.5]");
    }
    return good;
}

/* Has none of the ranges before this one buckets of it? */
static bool stands_alone(cairn__reader *reader, cairn__place place, const cairn__range *ranges,
                         size_t index) {
    for (size_t i = 0; i < index; i++) {
        if (ranges[index].from < ranges[i].to && ranges[i].from < ranges[index].to) {
            CAIRN__WRONG(reader, "bad_range", place.at,
                         "%.100s overlaps with that of variants[%zu]", place.at.text, i);
            return CAIRN__FIX(reader, "give every variant buckets of its own");
        }
    }
    return true;
}

/* Ranges are all there or none. */
static bool read_ranges(cairn__reader *reader, cairn__place list, size_t count) {
    cairn__experiment *experiment = &reader->definition->as.experiment.experiment;
    size_t found = 0;
    cairn__range *ranges = cairn__reader_make(reader, count, sizeof *ranges);
    bool good = ranges != NULL;
    for (size_t i = 0; good && i < count; i++) {
        cairn__place place = cairn__place_key(cairn__place_item(list, i), "range");
        bool given = place.json != NULL;
        found += given ? 1 : 0;
        good = !given ||
               (read_range(reader, place, &ranges[i]) && stands_alone(reader, place, ranges, i));
    }
    if (good && found != 0 && found != count) {
        CAIRN__WRONG(reader, "bad_range", list.at, "%zu of %zu variants have a range", found,
                     count);
        return CAIRN__FIX(reader, "give a range to all variants or to none");
    }
    experiment->ranges = found == 0 ? NULL : ranges;
    return good;
}

static bool read_shares(cairn__reader *reader, cairn__place place) {
    static const char *const keys[] = { "name", "weight", "value", "range" };
    const cairn__variant_keys names = { "value", CAIRN__WORDS(keys), false };
    cairn__experiment_entry *entry = &reader->definition->as.experiment;
    cairn__experiment *experiment = &entry->experiment;
    cairn__place list = cairn__place_key(place, "variants");
    if (!cairn__read_variants(reader, list, &names, &entry->variants, &experiment->variant_count)) {
        return false;
    }
    double *weights = cairn__reader_make(reader, experiment->variant_count, sizeof *weights);
    double sum = 0;
    for (size_t i = 0; weights != NULL && i < experiment->variant_count; i++) {
        sum += entry->variants[i].weight;
    }
    for (size_t i = 0; weights != NULL && i < experiment->variant_count; i++) {
        weights[i] = entry->variants[i].weight / sum;
    }
    experiment->shares.coverage = 1;
    experiment->shares.weights = weights;
    experiment->shares.weight_count = experiment->variant_count;
    return weights != NULL &&
           cairn__read_number(reader, cairn__place_key(place, "coverage"), (cairn__bounds){ 0, 1 },
                              &experiment->shares.coverage) &&
           read_ranges(reader, list, experiment->variant_count);
}

/* --- namespaces ------------------------------------------------------------------------------- */

static bool read_hash(cairn__reader *reader, cairn__place place, cairn__assign_version *to) {
    int64_t version = CAIRN__ASSIGN_DEFAULT;
    if (!cairn__read_integer(reader, place, (cairn__bounds){ CAIRN__ASSIGN_V1, CAIRN__ASSIGN_V3 },
                             &version)) {
        return false;
    }
    *to = (cairn__assign_version)version;
    return true;
}

/* What an experiment that was moved in hashed with before. */
static bool read_murmur(cairn__reader *reader, cairn__place place) {
    static const char *const keys[] = { "seed", "steps" };
    cairn__experiment *experiment = &reader->definition->as.experiment.experiment;
    int64_t seed = 0;
    int64_t steps = 0;
    if (place.json == NULL) {
        return true;
    }
    if (experiment->version != CAIRN__ASSIGN_V3) {
        CAIRN__WRONG(reader, "not_together", place.at, "murmur is of hash 3, and hash is %d",
                     (int)experiment->version);
        return CAIRN__FIX(reader, "write \"hash\": 3, or leave murmur out");
    }
    if (!cairn__read_object(reader, place, CAIRN__WORDS(keys)) ||
        !cairn__read_integer(reader, cairn__place_key(place, "seed"),
                             (cairn__bounds){ 0, UINT32_MAX }, &seed) ||
        !cairn__read_integer(reader, cairn__place_key(place, "steps"),
                             (cairn__bounds){ 1, 1000000 }, &steps)) {
        return false;
    }
    experiment->murmur = (cairn__murmur){ (uint32_t)seed, (uint32_t)steps };
    return true;
}

static bool read_namespace(cairn__reader *reader, cairn__place place, cairn__namespace *layer) {
    static const char *const keys[] = { "name", "hash", "slices" };
    cairn__place name = cairn__place_key(place, "name");
    cairn__place list = cairn__place_key(place, "slices");
    size_t count = 0;
    if (!cairn__read_object(reader, place, CAIRN__WORDS(keys)) ||
        !cairn__read_needed(reader, name, "the name of the namespace") ||
        !cairn__read_name(reader, name, &layer->name) ||
        !read_hash(reader, cairn__place_key(place, "hash"), &layer->version) ||
        !cairn__read_needed(reader, list, "slices, for example [[0, 0.5]]") ||
        !cairn__read_list(reader, list, CAIRN__EXPERIMENT_SLICES_MAX, &count)) {
        return false;
    }
    cairn__range *slices = cairn__reader_make(reader, count, sizeof *slices);
    bool good = slices != NULL;
    for (size_t i = 0; good && i < count; i++) {
        good = read_range(reader, cairn__place_item(list, i), &slices[i]);
    }
    layer->slices = slices;
    layer->slice_count = count;
    return good;
}

static bool read_namespaces(cairn__reader *reader, cairn__place list) {
    cairn__experiment *experiment = &reader->definition->as.experiment.experiment;
    size_t count = 0;
    if (!cairn__read_list(reader, list, CAIRN__EXPERIMENT_NAMESPACES_MAX, &count)) {
        return false;
    }
    cairn__namespace *layers = cairn__reader_make(reader, count, sizeof *layers);
    bool good = layers != NULL;
    for (size_t i = 0; good && i < count; i++) {
        good = read_namespace(reader, cairn__place_item(list, i), &layers[i]);
    }
    experiment->namespaces = layers;
    experiment->namespace_count = count;
    return good;
}

/* --- forced, sticky, prerequisites ------------------------------------------------------------ */

static bool read_forced(cairn__reader *reader, cairn__place place) {
    cairn__experiment *experiment = &reader->definition->as.experiment.experiment;
    const cairn_span *units = NULL;
    size_t count = 0;
    if (!cairn__read_keys(reader, place, CAIRN__EXPERIMENT_FORCED_MAX, &units, &count)) {
        return false;
    }
    cairn__forced_unit *forced = cairn__reader_make(reader, count, sizeof *forced);
    bool good = forced != NULL;
    for (size_t i = 0; good && i < count; i++) {
        cairn__place one = cairn__place_key(place, (const char *)units[i].data);
        forced[i].unit = units[i];
        if (units[i].len == 0 || units[i].len > CAIRN__ID_VALUE_BYTES_MAX) {
            CAIRN__WRONG(reader, "bad_unit", one.at, "a unit here has %zu bytes", units[i].len);
            return CAIRN__FIX(reader, "write an id of 1 to %d bytes", CAIRN__ID_VALUE_BYTES_MAX);
        }
        good = find_variant(reader, one, &forced[i].variant);
    }
    experiment->forced = forced;
    experiment->forced_count = count;
    return good;
}

static bool read_force_all(cairn__reader *reader, cairn__place place) {
    cairn__experiment *experiment = &reader->definition->as.experiment.experiment;
    experiment->force_all = place.json != NULL;
    return place.json == NULL || find_variant(reader, place, &experiment->force_all_variant);
}

static bool read_sticky(cairn__reader *reader, cairn__place place) {
    static const char *const keys[] = { "version", "oldest" };
    cairn__experiment *experiment = &reader->definition->as.experiment.experiment;
    const cairn__bounds versions = { 0, 1000000 };
    cairn__place oldest_place = cairn__place_key(place, "oldest");
    int64_t version = 0;
    int64_t oldest = 0;
    if (place.json == NULL) {
        return true;
    }
    if (!cairn__read_object(reader, place, CAIRN__WORDS(keys)) ||
        !cairn__read_integer(reader, cairn__place_key(place, "version"), versions, &version) ||
        !cairn__read_integer(reader, oldest_place, versions, &oldest)) {
        return false;
    }
    if (oldest > version) {
        CAIRN__WRONG(reader, "bad_range", oldest_place.at, "oldest is %lld and version is %lld",
                     (long long)oldest, (long long)version);
        return CAIRN__FIX(reader, "write an oldest that is not above version");
    }
    experiment->sticky_version = (uint32_t)version;
    experiment->sticky_oldest = (uint32_t)oldest;
    return true;
}

static bool read_prerequisite(cairn__reader *reader, cairn__place place) {
    static const char *const keys[] = { "experiment", "variant" };
    cairn__reference reference = { .kind = CAIRN__REFERENCE_EXPERIMENT, .at = place.at };
    if (json_is_string(place.json)) {
        return cairn__read_name(reader, place, &reference.name) &&
               cairn__reader_refer(reader, &reference);
    }
    cairn__place experiment = cairn__place_key(place, "experiment");
    return cairn__read_object(reader, place, CAIRN__WORDS(keys)) &&
           cairn__read_needed(reader, experiment, "the name of an experiment") &&
           cairn__read_name(reader, experiment, &reference.name) &&
           cairn__read_name(reader, cairn__place_key(place, "variant"), &reference.part) &&
           cairn__reader_refer(reader, &reference);
}

/* What they name is found when they are linked. */
static bool read_prerequisites(cairn__reader *reader, cairn__place list) {
    size_t *count = &reader->definition->as.experiment.prerequisite_count;
    bool good = cairn__read_list(reader, list, CAIRN__BUNDLE_PREREQUISITES_MAX, count);
    for (size_t i = 0; good && i < *count; i++) {
        good = read_prerequisite(reader, cairn__place_item(list, i));
    }
    return good;
}

/* --- flags with rules ------------------------------------------------------------------------- */

static bool read_flag_rule(cairn__reader *reader, cairn__place place, cairn__flag_rule *rule) {
    static const char *const keys[] = { "experiment", "gate" };
    cairn__reference reference = { .kind = CAIRN__REFERENCE_EXPERIMENT, .at = place.at };
    if (json_is_string(place.json)) {
        return cairn__read_name(reader, place, &reference.name) &&
               cairn__reader_refer(reader, &reference);
    }
    cairn__place experiment = cairn__place_key(place, "experiment");
    return cairn__read_object(reader, place, CAIRN__WORDS(keys)) &&
           cairn__read_needed(reader, experiment, "the name of an experiment or flag") &&
           cairn__read_name(reader, experiment, &reference.name) &&
           cairn__read_flag(reader, cairn__place_key(place, "gate"), &rule->gate) &&
           cairn__reader_refer(reader, &reference);
}

/* The second of one name could never decide. */
static bool named_once(cairn__reader *reader, cairn__place list, size_t index) {
    const cairn__reference *references = reader->definition->references;
    for (size_t i = 0; i < index; i++) {
        if (cairn__span_equal(references[i].name, references[index].name)) {
            CAIRN__WRONG(reader, "repeated", cairn__place_item(list, index).at,
                         "rules[%zu] names `%.*s`, too", i, (int)references[i].name.len,
                         (const char *)references[i].name.data);
            return CAIRN__FIX(reader, "name each experiment once");
        }
    }
    return true;
}

/* Reference i is rule i's: a flag names nothing else. */
static bool read_flag(cairn__reader *reader, cairn__place place) {
    cairn__experiment_entry *entry = &reader->definition->as.experiment;
    cairn__place list = cairn__place_key(place, "rules");
    size_t count = 0;
    if (!cairn__read_object(reader, place, CAIRN__WORDS(flag_keys)) ||
        !cairn__read_list(reader, list, CAIRN__FLAG_RULES_MAX, &count)) {
        return false;
    }
    if (count == 0) {
        CAIRN__WRONG(reader, "too_few", list.at, "rules is empty");
        return CAIRN__FIX(reader, "name at least one experiment, or write variants instead");
    }
    cairn__flag_rule *rules = cairn__reader_make(reader, count, sizeof *rules);
    bool good = rules != NULL;
    for (size_t i = 0; good && i < count; i++) {
        good = read_flag_rule(reader, cairn__place_item(list, i), &rules[i]) &&
               named_once(reader, list, i);
    }
    entry->rules = rules;
    entry->rule_count = count;
    return good &&
           cairn__read_content(reader, cairn__place_key(place, "fallback"), &entry->fallback);
}

bool cairn__read_experiment(cairn__reader *reader, cairn__place place) {
    cairn__experiment_entry *entry = &reader->definition->as.experiment;
    const cairn__rule_place who = { CAIRN__RULE_OF_PERSON, 0 };
    entry->name = reader->definition->name;
    entry->experiment.paused = reader->definition->paused;
    entry->fallback = CAIRN_STR("null");
    if (cairn__place_key(place, "rules").json != NULL) {
        return read_flag(reader, place);
    }
    entry->experiment.salt = entry->name;
    return cairn__read_object(reader, place, CAIRN__WORDS(experiment_keys)) &&
           read_unit(reader, cairn__place_key(place, "unit"), entry) &&
           cairn__read_name(reader, cairn__place_key(place, "salt"), &entry->experiment.salt) &&
           read_hash(reader, cairn__place_key(place, "hash"), &entry->experiment.version) &&
           read_murmur(reader, cairn__place_key(place, "murmur")) && read_shares(reader, place) &&
           read_namespaces(reader, cairn__place_key(place, "namespaces")) &&
           cairn__read_rule(reader, cairn__place_key(place, "audience"), who, &entry->condition) &&
           read_forced(reader, cairn__place_key(place, "forced")) &&
           read_force_all(reader, cairn__place_key(place, "force_all")) &&
           read_sticky(reader, cairn__place_key(place, "sticky")) &&
           read_prerequisites(reader, cairn__place_key(place, "prerequisites")) &&
           cairn__read_content(reader, cairn__place_key(place, "fallback"), &entry->fallback);
}
