/* datadir.h: the data directory: who holds it, and in which format it is. */
#ifndef CAIRN_EDGE_DATADIR_H
#define CAIRN_EDGE_DATADIR_H

#include <stdbool.h>
#include <stddef.h>

enum { CAIRN__DATA_FORMAT = 1 };

/** Make the directory when it is missing, lock it for this process, and check its format number.
 * @param lock_out  Keep it open: the lock goes with it.
 * @return false: text_out says what is wrong and what to do. */
bool cairn__datadir_open(const char *path, int *lock_out, char *text_out, size_t text_bytes);

#endif
