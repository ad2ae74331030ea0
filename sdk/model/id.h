/* id.h: ids that mean nobody. Pure. */
#ifndef CAIRN_MODEL_ID_H
#define CAIRN_MODEL_ID_H

#include "cairn/cairn_types.h"

/** Must this id never link persons ("null", "0", "undefined", "000-000", whatever the case)? */
bool cairn__id_denied(cairn_id id);

#endif
