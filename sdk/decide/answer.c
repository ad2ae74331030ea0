/* answer.c: the pieces that all JSON answers are made of (docs/DECISIONS.md, "Answers"). */
#include "decide/decider.h"

const char *cairn__why_text(cairn__why why) {
    static const char *const texts[] = {
#define CAIRN__WHY(name, text, meaning) text,
#include "decide/reasons.def"
#undef CAIRN__WHY
    };
    return (size_t)why < CAIRN__WHY_COUNT ? texts[why] : "";
}

void cairn__answer_put(cairn__buffer *to, const char *lead) {
    cairn__buffer_append(to, cairn__span_of(lead));
}

void cairn__answer_text(cairn__buffer *to, const char *lead, cairn_span text) {
    cairn__answer_put(to, lead);
    cairn__json_text(to, text);
}

/* Our own words need no escaping. */
void cairn__answer_word(cairn__buffer *to, const char *lead, const char *word) {
    cairn__answer_put(to, lead);
    cairn__buffer_byte(to, '"');
    cairn__answer_put(to, word);
    cairn__buffer_byte(to, '"');
}

void cairn__answer_integer(cairn__buffer *to, const char *lead, int64_t number) {
    cairn__answer_put(to, lead);
    cairn__json_integer(to, number);
}

void cairn__answer_why(cairn__buffer *to, cairn__why why) {
    cairn__answer_word(to, ",\"reason\":", cairn__why_text(why));
}

void cairn__answer_json(cairn__buffer *to, const char *lead, cairn_span json) {
    cairn__answer_put(to, lead);
    cairn__buffer_append(to, json.len > 0 ? json : CAIRN_STR("null"));
}

void cairn__answer_head(cairn__buffer *to, const cairn__decider *decider, const char *kind) {
    cairn__answer_word(to, "{\"decide\":", kind);
    cairn__answer_integer(to, ",\"bundle\":", (int64_t)decider->definitions->version);
    cairn__answer_integer(to, ",\"now\":", decider->input->now_ms);
}
