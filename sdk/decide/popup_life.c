/* popup_life.c: what happens around a decision: waiting, converting, and the events' properties. */
#include "decide/decider.h"

cairn_status cairn__popup_queue_add(cairn__popup_queue *queue, const cairn__popup *popup,
                                    int64_t due_ms) {
    for (size_t i = 0; i < queue->count; i++) {
        const cairn__popup_wait *wait = &queue->waiting[i];
        if (cairn__span_equal(popup->name, (cairn_span){ wait->name, wait->name_bytes })) {
            return CAIRN_OK;
        }
    }
    if (queue->count >= CAIRN__POPUP_QUEUE_MAX) {
        return CAIRN_FULL;
    }
    CAIRN_ASSERT(popup->name.len <= CAIRN__DEFINITION_NAME_BYTES_MAX);
    cairn__popup_wait *wait = &queue->waiting[queue->count];
    *wait = (cairn__popup_wait){ .priority = popup->priority, .due_ms = due_ms };
    wait->name_bytes = (uint8_t)popup->name.len;
    memcpy(wait->name, popup->name.data, popup->name.len);
    queue->count += 1;
    return CAIRN_OK;
}

static void drop(cairn__popup_queue *queue, size_t at) {
    queue->count -= 1;
    memmove(&queue->waiting[at], &queue->waiting[at + 1],
            (queue->count - at) * sizeof queue->waiting[0]);
}

static bool expired(const cairn__popup_wait *wait, int64_t now_ms) {
    return now_ms > wait->due_ms &&
           (uint64_t)now_ms - (uint64_t)wait->due_ms > CAIRN__POPUP_WAIT_MS_MAX;
}

bool cairn__popup_queue_take(cairn__popup_queue *queue, int64_t now_ms, cairn__popup_wait *out) {
    size_t best = CAIRN__POPUP_QUEUE_MAX;
    for (size_t i = 0; i < queue->count;) {
        const cairn__popup_wait *wait = &queue->waiting[i];
        if (expired(wait, now_ms)) {
            drop(queue, i);
            continue;
        }
        const cairn__popup_wait *found = &queue->waiting[best % CAIRN__POPUP_QUEUE_MAX];
        if (wait->due_ms <= now_ms &&
            (best == CAIRN__POPUP_QUEUE_MAX || wait->priority > found->priority ||
             (wait->priority == found->priority && wait->due_ms < found->due_ms))) {
            best = i;
        }
        i += 1;
    }
    if (best == CAIRN__POPUP_QUEUE_MAX) {
        return false;
    }
    *out = queue->waiting[best];
    drop(queue, best);
    return true;
}

int64_t cairn__popup_queue_due(const cairn__popup_queue *queue) {
    int64_t due_ms = INT64_MAX;
    for (size_t i = 0; i < queue->count; i++) {
        due_ms = queue->waiting[i].due_ms < due_ms ? queue->waiting[i].due_ms : due_ms;
    }
    return due_ms;
}

bool cairn__decider_wants(const cairn__decider *decider, cairn_span event) {
    return cairn__names_find(&decider->triggers.names, event) >= 0 ||
           cairn__names_find(&decider->goals.names, event) >= 0;
}

int cairn__popup_named(const cairn__decider *decider, cairn_span name) {
    return cairn__names_find(&decider->popup_names, name);
}

/* --- events --- */

static cairn_property text_property(cairn_span name, cairn_span text) {
    return (cairn_property){ name, { .kind = CAIRN_VALUE_STRING, .as.string = text } };
}

static cairn_property integer_property(cairn_span name, int64_t integer) {
    return (cairn_property){ name, { .kind = CAIRN_VALUE_INTEGER, .as.integer = integer } };
}

size_t cairn__popup_properties(const cairn__definitions *definitions, cairn__popup_choice choice,
                               cairn_span *groups, cairn_property *properties_out) {
    const cairn__popup *popup = &definitions->popups[choice.popup];
    const cairn__variant *variant = &popup->variants[choice.variant];
    size_t count = 0;
    properties_out[count++] = text_property(CAIRN_STR("popup"), popup->name);
    properties_out[count++] = integer_property(CAIRN_STR("version"), popup->version);
    properties_out[count++] = text_property(CAIRN_STR("variant"), variant->name);
    if (popup->group_count > 0) {
        for (size_t i = 0; i < popup->group_count; i++) {
            groups[i] = definitions->cap_groups[popup->groups[i]].name;
        }
        properties_out[count++] = (cairn_property){ CAIRN_STR("groups"),
                                                    { .kind = CAIRN_VALUE_LIST,
                                                      .as.list = { groups, popup->group_count } } };
    }
    if (variant->control) {
        properties_out[count++] =
            (cairn_property){ CAIRN_STR("control"),
                              { .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = true } };
    }
    return count;
}

/* --- conversions --- */

/* Was it shown in the window before this event, and has it not converted since? */
static bool may_convert(const cairn__popup *popup, const cairn__memory_entry *entry,
                        int64_t time_ms) {
    const cairn__memory_count *shows = &entry->counts[CAIRN__CAP_SHOWS];
    const cairn__memory_count *converted = &entry->counts[CAIRN__CAP_CONVERSIONS];
    size_t i = 0;
    while (i < shows->mark_count && shows->marks[i].time_ms > time_ms) {
        i += 1; /* shown after it */
    }
    if (i == shows->mark_count) {
        return false;
    }
    int64_t shown_ms = shows->marks[i].time_ms;
    return (uint64_t)time_ms - (uint64_t)shown_ms <= (uint64_t)popup->goal.window_ms &&
           (converted->mark_count == 0 || converted->marks[0].time_ms < shown_ms);
}

/* The variant that was shown; if it is gone, the one that would be now. */
static uint8_t shown_variant(const cairn__decider *decider, uint16_t number,
                             const cairn__memory_entry *entry) {
    const cairn__popup *popup = &decider->definitions->popups[number];
    for (size_t i = 0; i < popup->variant_count; i++) {
        if (cairn__span_equal(popup->variants[i].name, entry->variant)) {
            return (uint8_t)i;
        }
    }
    return popup->variant_count == 1
               ? 0
               : (uint8_t)cairn__popup_variant(decider, number, decider->input->unit);
}

size_t cairn__popup_converted(cairn__decider *decider, const cairn__decide_input *input,
                              cairn__popup_choice *converted_out) {
    const cairn__event_index *index = &decider->goals;
    int row = input->event == NULL ? -1 : cairn__names_find(&index->names, input->event->name);
    if (row < 0 || input->memory == NULL) {
        return 0;
    }
    cairn__decider_begin(decider, input);
    size_t count = 0;
    for (size_t i = 0; i < index->rows[row].count; i++) {
        uint16_t number = index->candidates[index->rows[row].first + i].popup;
        const cairn__popup *popup = &decider->definitions->popups[number];
        uint32_t place = decider->popups[number].entry;
        if (place == 0 || count == CAIRN__POPUP_CONVERSIONS_MAX) {
            continue;
        }
        const cairn__memory_entry *entry = &input->memory->entries[place - 1];
        if (may_convert(popup, entry, input->event->time_ms) &&
            cairn__decider_judge(decider, &popup->goal.trigger->where) == CAIRN__RULE_TRUE) {
            converted_out[count] =
                (cairn__popup_choice){ number, shown_variant(decider, number, entry) };
            count += 1;
        }
    }
    return count;
}
