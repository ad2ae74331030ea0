/* http.h: the transport seam on libcurl: one POST at a time, compressed where that pays. The thread
 * that owns it drives it; only wake() may be called from others. */
#ifndef CAIRN_PORT_POSIX_HTTP_H
#define CAIRN_PORT_POSIX_HTTP_H

#include "base/memory.h"
#include "cairn/cairn_platform.h"

typedef struct cairn__http cairn__http;

/** How a request ended. */
typedef struct cairn__http_result {
    uint32_t ticket;
    uint32_t status; /* 0: no answer */
    uint32_t retry_after_ms;
    cairn_span body; /* until the next start() */
} cairn__http_result;

/** `url` is the edge's; /v1/sync is added. NULL: no memory, or libcurl cannot start. */
cairn__http *cairn__http_open(const char *url, uint32_t request_ms_max);
void cairn__http_close(cairn__http *http);

/** The seam: copies the body and begins with the next run(). */
cairn_transport cairn__http_seam(cairn__http *http);

/** Move on what is under way; true when a request has ended. */
bool cairn__http_run(cairn__http *http, cairn__http_result *result_out);

/** Wait at most so long for the network or wake(). */
void cairn__http_wait(cairn__http *http, int64_t wait_ms);
void cairn__http_wake(cairn__http *http);

#endif
