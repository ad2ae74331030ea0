/* apply.c: what an event does to persons, profiles and trails. */
#include <string.h>

#include "base/bytes.h"
#include "decide/memory.h"
#include "facts/session.h"
#include "fold/state.h"
#include "model/id.h"
#include "model/limits.h"

/* The ids of an event that may name a person: the device first, denied ones left out. */
typedef struct names {
    cairn_id list[CAIRN__EVENT_IDS_MAX + 1];
    size_t count;
    size_t device_count; /* 1 when list[0] is the request's device */
} names;

static const cairn__event_fault fault_denied = {
    "id_denied", "ids", "send an id that names one person; null, 0 and unknown name nobody"
};
static const cairn__event_fault fault_value = {
    "value_unfit", "properties[].value",
    "increment by a number; append and union a text or a list of texts"
};
static const cairn__event_fault fault_names = { "too_many_names", "properties[].name",
                                                "use fewer distinct profile properties" };
static const cairn__event_fault fault_kind = {
    "kind_not_yet", "kind", "it is kept; a later version counts it when it is replayed"
};
static const cairn__event_fault fault_consent = {
    "consent_unfit", "properties",
    "say \"granted\" or \"denied\" of analytics, marketing or personalisation"
};
static const cairn__event_fault fault_links = {
    "link_refused", "ids", "two logins are two persons; a person has at most 1,000 ids"
};

static void gather(const cairn__folding *folding, names *out) {
    *out = (names){ .count = 0 };
    if (folding->batch->device.len != 0) {
        out->list[out->count++] = (cairn_id){ CAIRN_STR("device"), folding->batch->device };
        out->device_count = 1;
    }
    const cairn__event *event = &folding->in->event;
    for (size_t i = 0; i < event->id_count; i++) {
        if (!cairn__id_denied(event->ids[i])) {
            out->list[out->count++] = event->ids[i];
        }
    }
}

int cairn__fold_strength(cairn_id id) {
    if (cairn__span_equal(id.type, CAIRN_STR("login"))) {
        return 2;
    }
    return cairn__span_equal(id.type, CAIRN_STR("device")) ||
                   cairn__span_equal(id.type, CAIRN_STR("cookie"))
               ? 0
               : 1;
}

static size_t strongest(const names *ids) {
    size_t best = 0;
    for (size_t i = 1; i < ids->count; i++) {
        best =
            cairn__fold_strength(ids->list[i]) > cairn__fold_strength(ids->list[best]) ? i : best;
    }
    return best;
}

static cairn__identity_moment moment_of(const cairn__folding *folding) {
    return (cairn__identity_moment){ folding->order, folding->time_ms };
}

/* All ids of the event are one person's; the strongest decides whose the event is. */
static cairn_status resolve(cairn__fold *fold, const cairn__folding *folding, const names *ids,
                            uint32_t *node_out) {
    size_t best = strongest(ids);
    for (size_t i = 0; i < ids->count; i++) {
        cairn__identity_outcome outcome;
        if (i == best) {
            continue;
        }
        cairn_status status = cairn__identity_link(fold->identity, ids->list[best], ids->list[i],
                                                   moment_of(folding), &outcome);
        if (status != CAIRN_OK) {
            return status;
        }
    }
    return cairn__identity_see(fold->identity, ids->list[best], moment_of(folding), node_out);
}

/* --- links --------------------------------------------------------------------------------- */

/* link: the event's own ids are one person; one alone is linked with the device it came from. */
static cairn_status link_ids(cairn__fold *fold, const cairn__folding *folding, const names *ids,
                             uint32_t *node_out) {
    size_t from = ids->count - ids->device_count >= 2 ? ids->device_count : 0;
    bool refused = false;
    for (size_t i = from + 1; i < ids->count; i++) {
        cairn__identity_outcome outcome;
        cairn_status status = cairn__identity_link(fold->identity, ids->list[from], ids->list[i],
                                                   moment_of(folding), &outcome);
        if (status != CAIRN_OK) {
            return status;
        }
        refused |= outcome == CAIRN__LINK_REFUSED;
    }
    cairn_status status =
        cairn__identity_see(fold->identity, ids->list[0], moment_of(folding), node_out);
    return status == CAIRN_OK && refused ? cairn__fold_set_aside(fold, folding, &fault_links)
                                         : status;
}

static cairn_status unlink_ids(cairn__fold *fold, const cairn__folding *folding, const names *ids) {
    size_t own = ids->count - ids->device_count;
    if (ids->count < 2) {
        return CAIRN_OK;
    }
    size_t first = own >= 2 ? ids->device_count : 0;
    return cairn__identity_note_unlink(fold->identity, ids->list[first], ids->list[first + 1],
                                       moment_of(folding));
}

/* logout: the next events of the device (of every weak id that is named) are somebody new's. */
static cairn_status leave(cairn__fold *fold, const cairn__folding *folding, const names *ids) {
    cairn_status status = CAIRN_OK;
    for (size_t i = 0; i < ids->count && status == CAIRN_OK; i++) {
        if (cairn__fold_strength(ids->list[i]) == 0) {
            status = cairn__identity_leave(fold->identity, ids->list[i], moment_of(folding));
        }
    }
    return status;
}

/* --- profiles ------------------------------------------------------------------------------ */

static cairn_status delete_profile(cairn__fold *fold, uint32_t node, cairn__written at) {
    uint32_t member = node;
    do {
        cairn_status status = cairn__profile_delete(fold->profile, member, at);
        if (status != CAIRN_OK) {
            return status;
        }
        member = cairn__identity_ring(fold->identity, member);
    } while (member != node);
    return CAIRN_OK;
}

static cairn_status write_profile(cairn__fold *fold, const cairn__folding *folding, uint32_t node) {
    const cairn__event *event = &folding->in->event;
    cairn__written at = { folding->time_ms, folding->order };
    if (event->kind == CAIRN__EVENT_PROFILE_DELETE) {
        return delete_profile(fold, node, at);
    }
    const cairn__event_fault *fault = NULL;
    for (size_t i = 0; i < event->property_count; i++) {
        cairn_status status =
            cairn__profile_apply(fold->profile, node, event->kind, &event->properties[i], at);
        if (status == CAIRN_INVALID) {
            fault = &fault_value;
        } else if (status == CAIRN_FULL) {
            fault = &fault_names;
        } else if (status != CAIRN_OK) {
            return status;
        }
    }
    return fault == NULL ? CAIRN_OK : cairn__fold_set_aside(fold, folding, fault);
}

/* --- consent and erasure ------------------------------------------------------------------- */

static cairn_status enter(cairn__fold *fold, const cairn__folding *folding, uint32_t node) {
    const cairn__event *event = &folding->in->event;
    const cairn__ledger_moment at = { node, folding->order, folding->time_ms,
                                      folding->received_ms };
    if (event->kind == CAIRN__EVENT_ERASE) {
        return cairn__ledger_erase(&fold->ledger, folding->in->original, &at);
    }
    cairn_status status = cairn__ledger_consent(&fold->ledger, event, &at);
    return status == CAIRN_INVALID ? cairn__fold_set_aside(fold, folding, &fault_consent) : status;
}

/* --- all kinds ----------------------------------------------------------------------------- */

static cairn_status append(cairn__fold *fold, const cairn__folding *folding, uint32_t node) {
    const cairn__event *event = &folding->in->event;
    cairn__trail_row row = { node,        folding->time_ms,  folding->order,
                             event->name, event->properties, event->property_count };
    cairn_property with_session[CAIRN__PROPERTIES_MAX + 1];
    bool counted = event->session != 0 && cairn__memory_takes(event->name);
    if (counted && event->property_count <= CAIRN__PROPERTIES_MAX) {
        /* caps "per session" need it; its own of that name, if any, is the first and loses */
        size_t count = event->property_count;
        if (count > 0) {
            memcpy(with_session, event->properties, count * sizeof *with_session);
        }
        with_session[count] = (cairn_property){
            CAIRN__SESSION_PROPERTY,
            { CAIRN_VALUE_INTEGER,
              { .integer = cairn__session_number(folding->batch->device, event->session) } },
        };
        row.properties = with_session;
        row.property_count = count + 1;
    }
    return cairn__trail_append(fold->trail, &row);
}

static cairn_status apply_to_person(cairn__fold *fold, const cairn__folding *folding,
                                    const names *ids, uint32_t *node_out) {
    cairn_status status = CAIRN_OK;
    switch (folding->in->event.kind) {
    case CAIRN__EVENT_TRACK:
        status = resolve(fold, folding, ids, node_out);
        return status == CAIRN_OK ? append(fold, folding, *node_out) : status;
    case CAIRN__EVENT_LOGIN:
        return resolve(fold, folding, ids, node_out);
    case CAIRN__EVENT_LINK:
        return link_ids(fold, folding, ids, node_out);
    case CAIRN__EVENT_UNLINK:
        status = unlink_ids(fold, folding, ids);
        break;
    case CAIRN__EVENT_LOGOUT:
        status = cairn__identity_find(fold->identity, ids->list[0], node_out);
        return status == CAIRN_OK || status == CAIRN_NOT_FOUND ? leave(fold, folding, ids) : status;
    case CAIRN__EVENT_PROFILE_SET:
    case CAIRN__EVENT_PROFILE_SET_ONCE:
    case CAIRN__EVENT_PROFILE_INCREMENT:
    case CAIRN__EVENT_PROFILE_APPEND:
    case CAIRN__EVENT_PROFILE_UNION:
    case CAIRN__EVENT_PROFILE_UNSET:
    case CAIRN__EVENT_PROFILE_DELETE:
        status = resolve(fold, folding, ids, node_out);
        return status == CAIRN_OK ? write_profile(fold, folding, *node_out) : status;
    case CAIRN__EVENT_CONSENT:
    case CAIRN__EVENT_ERASE:
        status = resolve(fold, folding, ids, node_out);
        return status == CAIRN_OK ? enter(fold, folding, *node_out) : status;
    case CAIRN__EVENT_ITEM_SET:
    case CAIRN__EVENT_ITEM_DELETE:
    case CAIRN__EVENT_DECISION:
        return cairn__fold_set_aside(fold, folding, &fault_kind);
    }
    if (status == CAIRN_OK) {
        status = cairn__identity_see(fold->identity, ids->list[0], moment_of(folding), node_out);
    }
    return status;
}

cairn_status cairn__fold_apply(cairn__fold *fold, const cairn__folding *folding) {
    names ids;
    gather(folding, &ids);
    if (ids.count == 0) {
        return cairn__fold_set_aside(fold, folding, &fault_denied);
    }
    uint32_t node = 0;
    cairn_status status = apply_to_person(fold, folding, &ids, &node);
    if (status == CAIRN_OK) {
        fold->progress.events++;
        if (fold->listening) {
            cairn__fold_tell(fold, folding, cairn__identity_person(fold->identity, node));
        }
    }
    return status;
}
