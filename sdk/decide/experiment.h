/* experiment.h: one experiment and one unit -> the variant, or none, and always why.
 *
 * A **unit** is what is assigned: the value of a login or device id, chosen by the caller. The
 * caller also keeps sticky assignments, fills the targeting rule's slots, and counts exposures;
 * this is the decision only. Pure: no memory, no clock, no state, any thread. */
#ifndef CAIRN_DECIDE_EXPERIMENT_H
#define CAIRN_DECIDE_EXPERIMENT_H

#include "decide/assign.h"
#include "rules/rules.h"

enum {
    CAIRN__EXPERIMENT_FORCED_MAX = 256,   /* units with a fixed variant, per experiment */
    CAIRN__EXPERIMENT_NAMESPACES_MAX = 8, /* namespaces of one experiment */
    CAIRN__EXPERIMENT_SLICES_MAX = 64     /* slices in one namespace */
};

/** A unit that always gets this variant: a tester, a customer who was promised something. */
typedef struct cairn__forced_unit {
    cairn_span unit;
    uint32_t variant;
} cairn__forced_unit;

/** A definition; everything in it is borrowed. Zeroed is not valid: variants and version are
 * required, and coverage 0 means nobody. */
typedef struct cairn__experiment {
    cairn_span salt; /* its key, unless it shall share its units' order with another's */
    cairn__assign_version version;
    cairn__murmur murmur; /* of V3 */
    size_t variant_count; /* 1..CAIRN__VARIANTS_MAX; a flag has one */
    cairn__shares shares;
    const cairn__range *ranges;         /* NULL, or variant_count ranges instead of the shares */
    const cairn__namespace *namespaces; /* the unit must be in all of them */
    size_t namespace_count;
    const cairn__rule *targeting; /* NULL: everybody */
    const cairn__forced_unit *forced;
    size_t forced_count;
    bool force_all;             /* everybody who would take part gets force_all_variant */
    uint32_t force_all_variant; /* (how a finished experiment is rolled out) */
    bool paused;                /* only forced units get a variant */
    uint32_t sticky_version; /* sticky assignments of this version hold; of others are made anew */
    uint32_t sticky_oldest;  /* and units with one older than this are out for good */
} cairn__experiment;

/** An assignment that the caller keeps per experiment and unit. */
typedef struct cairn__sticky {
    bool present;
    uint32_t version; /* sticky_version when it was made */
    uint32_t variant;
} cairn__sticky;

typedef enum cairn__experiment_mode {
    CAIRN__EXPERIMENT_LIVE = 0,
    CAIRN__EXPERIMENT_FORCED_ONLY, /* testing: nobody is assigned by chance */
    CAIRN__EXPERIMENT_OFF          /* no experiments here, as without consent */
} cairn__experiment_mode;

/** What the flags and experiments that this one depends on came to. */
typedef enum cairn__prerequisite {
    CAIRN__PREREQUISITE_MET = 0, /* or there is none */
    CAIRN__PREREQUISITE_NOT_MET,
    CAIRN__PREREQUISITE_UNKNOWN /* it needs facts of the server */
} cairn__prerequisite;

/** Whom the decision is about, and when. Zeroed: live, nobody, nothing known. */
typedef struct cairn__experiment_input {
    cairn_span unit; /* empty: nobody to assign */
    cairn__experiment_mode mode;
    bool override; /* this device asks for a variant (a preview link) */
    uint32_t override_variant;
    cairn__sticky sticky; /* what was kept for this unit; not present: nothing, or not wanted */
    const cairn_value *values; /* of targeting's slots; may be NULL without targeting */
    int64_t now_ms;
    const cairn__zone *zone; /* of calendar days in targeting; NULL: UTC */
    cairn__prerequisite prerequisite;
} cairn__experiment_input;

/** Why. The first that applies, in this order where not said otherwise. Numbers and texts are
 * kept: they are in events and in what people read. */
typedef enum cairn__experiment_reason {
    CAIRN__REASON_INVALID = 0,        /* "invalid": the definition breaks a limit of this header */
    CAIRN__REASON_OFF = 1,            /* "off": mode is OFF */
    CAIRN__REASON_FORCED_UNKNOWN = 2, /* "forced_unknown": forced to a variant that it has not */
    CAIRN__REASON_OVERRIDE = 3,       /* "override": a variant; this device asked for it */
    CAIRN__REASON_FORCED_UNIT = 4,    /* "forced_unit": a variant; the unit is in `forced` */
    CAIRN__REASON_PAUSED = 5,         /* "paused" */
    CAIRN__REASON_NO_UNIT = 6,        /* "no_unit": the unit is empty */
    CAIRN__REASON_NAMESPACE = 7,      /* "namespace": another experiment holds this unit */
    CAIRN__REASON_NOT_TARGETED = 8,   /* "not_targeted": the rule says no */
    CAIRN__REASON_TARGET_UNKNOWN = 9, /* "target_unknown": the rule needs facts of the server */
    CAIRN__REASON_PREREQUISITE = 10,  /* "prerequisite": not met */
    CAIRN__REASON_PREREQUISITE_UNKNOWN = 11, /* "prerequisite_unknown" */
    CAIRN__REASON_STICKY_OLD = 12,  /* "sticky_old": assigned before sticky_oldest, so kept out */
    CAIRN__REASON_COVERAGE = 13,    /* "coverage": the bucket is in no variant's range */
    CAIRN__REASON_FORCED_ALL = 14,  /* "forced_all": a variant; everybody taking part gets it */
    CAIRN__REASON_FORCED_ONLY = 15, /* "forced_only": mode is FORCED_ONLY and nothing is forced */
    CAIRN__REASON_STICKY = 16,      /* "sticky": a variant; kept from before. 7..11 and 13 are not
                                       asked again: who is in stays in */
    CAIRN__REASON_ASSIGNED = 17     /* "assigned": a variant, by the bucket */
} cairn__experiment_reason;

enum { CAIRN__REASON_COUNT = 18 };

typedef struct cairn__decision {
    int variant; /* or CAIRN__NO_VARIANT */
    cairn__experiment_reason reason;
    bool has_bucket; /* the unit was hashed */
    double bucket;
    cairn__sticky
        sticky; /* present: to be kept for this unit (STICKY, ASSIGNED), if it is not yet */
} cairn__decision;

/** Decide. Work: the unit, salt and names once per hash, the forced units, and the rule's cost. */
cairn__decision cairn__experiment_decide(const cairn__experiment *experiment,
                                         const cairn__experiment_input *input);

/** The reason's stable text (above); static storage. "invalid" for a number that is none. */
const char *cairn__experiment_reason_text(cairn__experiment_reason reason);

#endif
