#include "shop.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/signed_bundle.h"
#include "world.h"

enum { TEXT_BYTES = 2048, DAY_MS = 86400000 };
const int64_t shop_noon_ms = 1790000000000 / DAY_MS * DAY_MS + (int64_t)4 * 3600000;

/* The catalogue writes the whole bundle anew at each put, so this takes some seconds. */
__attribute__((format(printf, 4, 5))) static void put(world *w, cairn__definition_kind kind,
                                                      const char *name, const char *format, ...) {
    char json[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(json, sizeof json, format, arguments);
    va_end(arguments);
    if (world_put(w, kind, name, json) != CAIRN__CATALOG_DONE) {
        (void)fprintf(stderr, "bench: %s: %s\n%s\n", name, w->result.problem.fault.detail, json);
        exit(1);
    }
}

/* Every other one does not hold; each has a query of its own, every other one with a where. */
static void put_audiences(world *w) {
    char name[32];
    char where[32];
    for (int i = 0; i < SHOP_AUDIENCES; i++) {
        (void)snprintf(name, sizeof name, "audience_%d", i);
        (void)snprintf(where, sizeof where, " where price > %d", i / 4);
        put(w, CAIRN__DEFINITION_AUDIENCE, name,
            "{\"rule\":\"user.p%d >= %d and user.city in [\\\"Beijing\\\", \\\"Shanghai\\\", "
            "\\\"Shenzhen\\\"] and not user.banned and count(view_item%s, "
            "last %d minutes) >= 0\"}",
            i % SHOP_PROPERTIES, i % 2 == 0 ? 1 : 1000, i % 4 < 2 ? "" : where,
            (i % 2 == 0 ? 7 : 28) * 24 * 60 - i);
    }
}

static void put_popups(world *w) {
    char name[32];
    for (int i = 0; i < SHOP_POPUPS; i++) {
        (void)snprintf(name, sizeof name, "popup_%04d", i);
        put(w, CAIRN__DEFINITION_POPUP, name,
            "{\"triggers\":[\"app_open\"],\"priority\":%d,"
            "\"audience\":\"member(\\\"audience_%d\\\") and user.level >= %d\","
            "\"from\":\"2026-01-01T00:00:00+08:00\",\"to\":\"2027-01-01T00:00:00+08:00\","
            "\"quiet\":[\"22:00-07:00\"],\"groups\":[\"promo\"],"
            "\"caps\":[{\"at_most\":5},{\"at_most\":1,\"per\":\"24 hours\"}],"
            "\"variants\":[{\"name\":\"a\",\"content\":{\"headline\":\"Coupon %d\",\"button\":"
            "\"Use it\",\"image\":\"/img/coupon-%d.webp\",\"link\":\"/coupons/%d\"}},"
            "{\"name\":\"b\",\"content\":{\"headline\":\"Gift %d\",\"button\":\"Take it\","
            "\"image\":\"/img/gift-%d.webp\",\"link\":\"/gifts/%d\"}}]}",
            SHOP_POPUPS - i, i == SHOP_POPUPS - 1 ? 0 : i % SHOP_AUDIENCES, i % 7, i, i, i, i, i,
            i);
    }
}

void shop_make(cairn__buffer *bundle_out, cairn_bundle_key *key_out) {
    world *w = NULL;
    (void)world_open((void **)&w);
    put(w, CAIRN__DEFINITION_SETTINGS, "settings",
        "{\"zones\":[\"Asia/Shanghai\"],\"caps\":[{\"at_most\":64,\"per\":\"day\"}],"
        "\"groups\":{\"promo\":{\"caps\":[{\"at_most\":64,\"per\":\"day\"}]}}}");
    put_audiences(w);
    put_popups(w);
    *key_out = signed_bundle_key();
    (void)signed_bundle_make(w->catalog, bundle_out);
    (void)world_close((void **)&w);
}
