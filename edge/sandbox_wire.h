/* sandbox_wire.h: the frames between the edge and a sandbox child. Both ends are one binary, so
 * little-endian structs by hand suffice; the edge believes nothing that a child says. */
#ifndef CAIRN_EDGE_SANDBOX_WIRE_H
#define CAIRN_EDGE_SANDBOX_WIRE_H

#include "script/script.h"

enum {
    CAIRN__SANDBOX_REQUEST_HEAD_BYTES = 32, /* use, source bytes, input bytes, 0, time, seed */
    CAIRN__SANDBOX_REQUEST_BYTES_MAX = CAIRN__SANDBOX_REQUEST_HEAD_BYTES +
                                       CAIRN__SCRIPT_SOURCE_BYTES_MAX +
                                       CAIRN__SCRIPT_INPUT_BYTES_MAX,
    CAIRN__SANDBOX_ANSWER_HEAD_BYTES = 8, /* outcome, bytes of the text */
    CAIRN__SANDBOX_ANSWER_BYTES_MAX =
        CAIRN__SANDBOX_ANSWER_HEAD_BYTES + CAIRN__SCRIPT_RESULT_BYTES_MAX
};

/** What a child says first, as the outcome of an answer without a text: it is locked in. */
#define CAIRN__SANDBOX_READY 0x79646572u

/** The child's whole life: argument of the program, returned by main. Never returns before its
 * input ends. Exit codes are only for people: the edge starts another one whatever happened. */
#define CAIRN__SANDBOX_ARGUMENT "--sandbox-child"
int cairn__sandbox_child(void);

/** Locks this process in for good: resource limits, and a filter that kills at any system call but
 * read(0), write(1) and exit. False: the kernel does not do it; then nothing may run. */
bool cairn__sandbox_lock(void);

#endif
