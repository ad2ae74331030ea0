#include "definitions/reading.h"

static const char *const audience_keys[] = { "title", "rule", "server" };

bool cairn__read_audience(cairn__reader *reader, cairn__place place) {
    cairn__audience *audience = &reader->definition->as.audience;
    const cairn__rule_place who = { CAIRN__RULE_OF_PERSON, 0 };
    cairn__place rule = cairn__place_key(place, "rule");
    bool server = false;
    audience->name = reader->definition->name;
    if (!cairn__read_object(reader, place, CAIRN__WORDS(audience_keys)) ||
        !cairn__read_flag(reader, cairn__place_key(place, "server"), &server)) {
        return false;
    }
    if (server == (rule.json != NULL)) {
        CAIRN__WRONG(reader, server ? "bad_audience" : "missing_key", rule.at, "%s",
                     server ? "an audience of the server has no rule" : "rule is missing");
        return CAIRN__FIX(reader, "write a rule, for example \"user.vip_level >= 3\", or "
                                  "\"server\": true where only the server can say who is in it");
    }
    return cairn__read_rule(reader, rule, who, &audience->condition);
}
