/* hostile_scripts.h: the scripts of tests/unit/sdk/script/hostile, each with the end that it must
 * come to when it is given time ("timeout": nothing but the clock ends it). */
#ifndef CAIRN_TESTS_HOSTILE_SCRIPTS_H
#define CAIRN_TESTS_HOSTILE_SCRIPTS_H

#include "script/script.h"

typedef struct hostile_script {
    char name[64];
    cairn__script_outcome ends;
    uint8_t *source;
    size_t bytes;
} hostile_script;

enum { HOSTILE_SCRIPTS_MAX = 64, HOSTILE_SCRIPTS_MIN = 21 };

/* How many, sorted by name; the tree's folder comes from CAIRN_ROOT, or is the current one. */
size_t hostile_scripts_load(hostile_script *scripts);
void hostile_scripts_free(hostile_script *scripts, size_t count);

#endif
