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

void cairn__answer_head(cairn__buffer *to, const cairn__decider *decider, cairn_span kind) {
    CAIRN__JSON_PUT(to, "{\"decide\":");
    cairn__json_text(to, kind);
    cairn__answer_integer(to, CAIRN_STR(",\"bundle\":"), (int64_t)decider->definitions->version);
    cairn__answer_integer(to, CAIRN_STR(",\"now\":"), decider->input->now_ms);
}

void cairn__answer_text(cairn__buffer *to, cairn_span literal, cairn_span text) {
    cairn__buffer_append(to, literal);
    cairn__json_text(to, text);
}

void cairn__answer_integer(cairn__buffer *to, cairn_span literal, int64_t number) {
    cairn__buffer_append(to, literal);
    cairn__json_integer(to, number);
}

void cairn__answer_why(cairn__buffer *to, cairn__why why) {
    cairn__answer_text(to, CAIRN_STR(",\"reason\":"), cairn__span_of(cairn__why_text(why)));
}

void cairn__answer_json(cairn__buffer *to, cairn_span literal, cairn_span json) {
    cairn__buffer_append(to, literal);
    cairn__buffer_append(to, json.len > 0 ? json : CAIRN_STR("null"));
}
