/* inside.h: what the source files of collector/facts share. */
#ifndef CAIRN_FACTS_INSIDE_H
#define CAIRN_FACTS_INSIDE_H

#include "facts/past.h"

struct cairn__person_facts {
    cairn__person_source source;
    cairn__person_past past;
    cairn__memory memory;
    cairn__query_moment when;
    cairn__arena scratch; /* of one evaluation */
    cairn__arena values;  /* texts that were given at this moment */
};

#endif
