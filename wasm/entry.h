/* entry.h: what the full flavour's exports (wasm/full) share with the core's (entry.c); whoever
 * does not use it does not link it. */
#ifndef CAIRN_WASM_ENTRY_H
#define CAIRN_WASM_ENTRY_H

#include "cairn/cairn.h"

/** The instance's one client; NULL before init. */
cairn_client *cairn__wasm_client(void);

/** What exchange() and exchange_bytes() tell the host from now on; borrowed. */
void cairn__wasm_exchange(cairn_span bytes);

#endif
