#include "decide/experiment.h"

#include "base/bytes.h"

/* Each step gives the reason that ends the search, or this. */
enum { GO_ON = CAIRN__REASON_COUNT };

static int forced(const cairn__experiment *experiment, uint32_t variant,
                  cairn__experiment_reason reason, int *variant_out) {
    if (variant >= experiment->variant_count) {
        return CAIRN__REASON_FORCED_UNKNOWN;
    }
    *variant_out = (int)variant;
    return (int)reason;
}

static bool valid(const cairn__experiment *experiment) {
    for (size_t i = 0; i < experiment->namespace_count; i++) {
        if (i == CAIRN__EXPERIMENT_NAMESPACES_MAX ||
            experiment->namespaces[i].slice_count > CAIRN__EXPERIMENT_SLICES_MAX) {
            return false;
        }
    }
    return experiment->variant_count >= 1 && experiment->variant_count <= CAIRN__VARIANTS_MAX &&
           experiment->forced_count <= CAIRN__EXPERIMENT_FORCED_MAX &&
           experiment->version >= CAIRN__ASSIGN_V1 && experiment->version <= CAIRN__ASSIGN_V3;
}

/* Before anything that depends on chance. */
static int given(const cairn__experiment *experiment, const cairn__experiment_input *input,
                 int *variant_out) {
    if (!valid(experiment)) {
        return CAIRN__REASON_INVALID;
    }
    if (input->mode == CAIRN__EXPERIMENT_OFF) {
        return CAIRN__REASON_OFF;
    }
    if (input->override) {
        return forced(experiment, input->override_variant, CAIRN__REASON_OVERRIDE, variant_out);
    }
    for (size_t i = 0; i < experiment->forced_count && input->unit.len > 0; i++) {
        if (cairn__span_equal(experiment->forced[i].unit, input->unit)) {
            return forced(experiment, experiment->forced[i].variant, CAIRN__REASON_FORCED_UNIT,
                          variant_out);
        }
    }
    if (experiment->paused) {
        return CAIRN__REASON_PAUSED;
    }
    return input->unit.len == 0 ? (int)CAIRN__REASON_NO_UNIT : GO_ON;
}

/* May a unit that is not in yet come in? */
static int entry(const cairn__experiment *experiment, const cairn__experiment_input *input) {
    for (size_t i = 0; i < experiment->namespace_count; i++) {
        if (!cairn__assign_in_namespace(&experiment->namespaces[i], input->unit)) {
            return CAIRN__REASON_NAMESPACE;
        }
    }
    if (experiment->targeting != NULL) {
        cairn__rule_answer answer =
            cairn__rule_evaluate(experiment->targeting, input->values, input->now_ms, input->zone);
        if (answer != CAIRN__RULE_TRUE) {
            return answer == CAIRN__RULE_UNKNOWN ? CAIRN__REASON_TARGET_UNKNOWN
                                                 : CAIRN__REASON_NOT_TARGETED;
        }
    }
    if (input->prerequisite == CAIRN__PREREQUISITE_MET) {
        return GO_ON;
    }
    return input->prerequisite == CAIRN__PREREQUISITE_UNKNOWN ? CAIRN__REASON_PREREQUISITE_UNKNOWN
                                                              : CAIRN__REASON_PREREQUISITE;
}

static int variant_of(const cairn__experiment *experiment, double bucket) {
    if (experiment->ranges != NULL) {
        return cairn__assign_choose(bucket, experiment->ranges, experiment->variant_count);
    }
    cairn__range ranges[CAIRN__VARIANTS_MAX];
    cairn__assign_ranges(&experiment->shares, ranges, experiment->variant_count);
    return cairn__assign_choose(bucket, ranges, experiment->variant_count);
}

static bool sticky_holds(const cairn__experiment *experiment, const cairn__sticky *sticky) {
    return sticky->present && sticky->version == experiment->sticky_version &&
           sticky->version >= experiment->sticky_oldest &&
           sticky->variant < experiment->variant_count;
}

static int by_chance(const cairn__experiment *experiment, const cairn__experiment_input *input,
                     cairn__decision *decision) {
    bool holds = sticky_holds(experiment, &input->sticky);
    if (!holds && input->sticky.present && input->sticky.version < experiment->sticky_oldest) {
        return CAIRN__REASON_STICKY_OLD;
    }
    int variant = holds ? (int)input->sticky.variant : variant_of(experiment, decision->bucket);
    if (variant == CAIRN__NO_VARIANT) {
        return CAIRN__REASON_COVERAGE;
    }
    if (experiment->force_all) {
        return forced(experiment, experiment->force_all_variant, CAIRN__REASON_FORCED_ALL,
                      &decision->variant);
    }
    if (input->mode == CAIRN__EXPERIMENT_FORCED_ONLY) {
        return CAIRN__REASON_FORCED_ONLY;
    }
    decision->variant = variant;
    decision->sticky = (cairn__sticky){ true, experiment->sticky_version, (uint32_t)variant };
    return holds ? CAIRN__REASON_STICKY : CAIRN__REASON_ASSIGNED;
}

static double bucket_of(const cairn__experiment *experiment, cairn_span unit) {
    if (experiment->version == CAIRN__ASSIGN_V3) {
        return cairn__assign_murmur_bucket(&experiment->murmur, experiment->salt, unit);
    }
    double bucket = 0; /* `valid` has let only known versions by */
    (void)cairn__assign_bucket(experiment->version, experiment->salt, unit, &bucket);
    return bucket;
}

cairn__decision cairn__experiment_decide(const cairn__experiment *experiment,
                                         const cairn__experiment_input *input) {
    cairn__decision decision = { .variant = CAIRN__NO_VARIANT };
    int reason = given(experiment, input, &decision.variant);
    if (reason == GO_ON && !sticky_holds(experiment, &input->sticky)) {
        reason = entry(experiment, input);
    }
    if (reason == GO_ON) {
        decision.bucket = bucket_of(experiment, input->unit);
        decision.has_bucket = true;
        reason = by_chance(experiment, input, &decision);
    }
    decision.reason = (cairn__experiment_reason)reason;
    return decision;
}

const char *cairn__experiment_reason_text(cairn__experiment_reason reason) {
    static const char *const texts[CAIRN__REASON_COUNT] = {
        "invalid",        "off",          "forced_unknown",
        "override",       "forced_unit",  "paused",
        "no_unit",        "namespace",    "not_targeted",
        "target_unknown", "prerequisite", "prerequisite_unknown",
        "sticky_old",     "coverage",     "forced_all",
        "forced_only",    "sticky",       "assigned",
    };
    bool known = (unsigned)reason < CAIRN__REASON_COUNT;
    return known ? texts[reason] : texts[CAIRN__REASON_INVALID];
}
