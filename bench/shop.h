/* shop.h: what the benches of the device decide by: 1,000 live popups over 100 audiences, written
 * as operators write them, linked and signed as the edge does. */
#ifndef CAIRN_BENCH_SHOP_H
#define CAIRN_BENCH_SHOP_H

#include "base/memory.h"
#include "cairn/cairn_decide.h"

enum { SHOP_POPUPS = 1000, SHOP_AUDIENCES = 100, SHOP_PROPERTIES = 20 };

#define SHOP_PROJECT CAIRN_STR("shop-key")
/** Every popup wants it. */
#define SHOP_TRIGGER CAIRN_STR("app_open")
/** No popup wants it, and the queries of all audiences count it. */
#define SHOP_COUNTED CAIRN_STR("view_item")
/** Nobody wants it. */
#define SHOP_OTHER CAIRN_STR("scroll")

/** Noon in the shop, when every popup is live. */
extern const int64_t shop_noon_ms;

/** The signed bundle, and the key that it is signed with. Exits where it cannot be made. */
void shop_make(cairn__buffer *bundle_out, cairn_bundle_key *key_out);

#endif
