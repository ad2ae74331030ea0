/* logline.h: what happens, one JSON object per line on standard error. No personal data: no ids, no
 * properties, no addresses of clients, no keys. Any thread. */
#ifndef CAIRN_EDGE_LOGLINE_H
#define CAIRN_EDGE_LOGLINE_H

#include <stddef.h>
#include <stdint.h>

/** `what` names the happening ("started"), `text` is for people; NULL leaves it out. */
void cairn__logline(const char *level, const char *what, const char *text);
/** With a number of its own name. */
void cairn__logline_number(const char *what, const char *name, int64_t number);

typedef struct cairn__logline_field {
    const char *name;
    const char *text; /* NULL: number */
    int64_t number;
} cairn__logline_field;
/** With fields of their own names; texts may be anything. */
void cairn__logline_fields(const char *what, const cairn__logline_field *fields, size_t count);

#endif
