/* status.c: the names of the status codes. */
#include "cairn/cairn_types.h"

const char *cairn_status_name(cairn_status status) {
    switch (status) {
    case CAIRN_OK:
        return "CAIRN_OK";
    case CAIRN_INVALID:
        return "CAIRN_INVALID";
    case CAIRN_NO_MEMORY:
        return "CAIRN_NO_MEMORY";
    case CAIRN_FULL:
        return "CAIRN_FULL";
    case CAIRN_STORAGE:
        return "CAIRN_STORAGE";
    case CAIRN_NETWORK:
        return "CAIRN_NETWORK";
    case CAIRN_NOT_FOUND:
        return "CAIRN_NOT_FOUND";
    case CAIRN_CLOSED:
        return "CAIRN_CLOSED";
    case CAIRN_NO_CONSENT:
        return "CAIRN_NO_CONSENT";
    case CAIRN_UNSUPPORTED:
        return "CAIRN_UNSUPPORTED";
    case CAIRN_BUSY:
        return "CAIRN_BUSY";
    case CAIRN_DENIED:
        return "CAIRN_DENIED";
    }
    return "unknown status";
}
