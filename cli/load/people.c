#include "cli/load/people.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"

enum { MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS };

/* --- what there is -------------------------------------------------------------------------- */

typedef enum {
    START, /* app_start */
    LIST,
    SEARCH,
    ITEM,
    FAVORITE,
    CART,
    VIEW_CART,
    CHECKOUT,
    PURCHASE,
    REVIEW,
    END, /* app_end: the next event begins a session */
    STEPS
} step;

static const char *const step_names[STEPS] = {
    "app_start", "view_list",      "search",   "view_item", "add_favorite", "add_cart",
    "view_cart", "begin_checkout", "purchase", "review",    "app_end",
};

/* A persona is how heavy each step weighs after each other step. Rows sum to anything. */
enum { PERSONAS = 4 };

static const uint8_t weights[PERSONAS][STEPS][STEPS] = {
    /* S  L   Q   I   F   C   V   O   P  R   E */
    { /* looks around, buys seldom */
      { 0, 50, 12, 20, 0, 0, 2, 0, 0, 0, 16 },
      { 0, 20, 8, 44, 0, 0, 1, 0, 0, 0, 27 },
      { 0, 6, 22, 48, 0, 0, 0, 0, 0, 0, 24 },
      { 0, 24, 6, 30, 5, 5, 1, 0, 0, 0, 29 },
      { 0, 30, 5, 40, 0, 5, 0, 0, 0, 0, 20 },
      { 0, 15, 5, 30, 0, 0, 30, 4, 0, 0, 16 },
      { 0, 20, 0, 25, 0, 0, 0, 20, 0, 0, 35 },
      { 0, 5, 0, 5, 0, 0, 15, 0, 40, 0, 35 },
      { 0, 15, 0, 10, 0, 0, 0, 0, 0, 5, 70 },
      { 0, 10, 0, 10, 0, 0, 0, 0, 0, 0, 80 },
      { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 } },
    { /* knows what to buy */
      { 0, 10, 50, 25, 0, 0, 10, 0, 0, 0, 5 },
      { 0, 10, 15, 65, 0, 0, 0, 0, 0, 0, 10 },
      { 0, 2, 15, 75, 0, 0, 0, 0, 0, 0, 8 },
      { 0, 5, 5, 15, 5, 55, 0, 5, 0, 0, 10 },
      { 0, 10, 5, 45, 0, 30, 0, 0, 0, 0, 10 },
      { 0, 2, 8, 10, 0, 0, 45, 30, 0, 0, 5 },
      { 0, 2, 3, 10, 0, 0, 0, 75, 0, 0, 10 },
      { 0, 0, 0, 2, 0, 0, 5, 0, 85, 0, 8 },
      { 0, 5, 5, 5, 0, 0, 0, 0, 0, 25, 60 },
      { 0, 5, 5, 10, 0, 0, 0, 0, 0, 0, 80 },
      { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 } },
    { /* collects carts and waits for a bargain */
      { 0, 35, 15, 15, 0, 0, 25, 0, 0, 0, 10 },
      { 0, 15, 10, 55, 0, 0, 5, 0, 0, 0, 15 },
      { 0, 5, 20, 60, 0, 0, 0, 0, 0, 0, 15 },
      { 0, 10, 5, 25, 15, 30, 0, 0, 0, 0, 15 },
      { 0, 20, 5, 45, 0, 15, 0, 0, 0, 0, 15 },
      { 0, 15, 10, 35, 0, 0, 25, 2, 0, 0, 13 },
      { 0, 15, 5, 25, 0, 0, 0, 15, 0, 0, 40 },
      { 0, 2, 0, 3, 0, 0, 25, 0, 35, 0, 35 },
      { 0, 10, 5, 10, 0, 0, 0, 0, 0, 15, 60 },
      { 0, 10, 5, 15, 0, 0, 0, 0, 0, 0, 70 },
      { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 } },
    { /* comes for the reviews and the company */
      { 0, 40, 10, 35, 0, 0, 0, 0, 0, 5, 10 },
      { 0, 20, 5, 55, 0, 0, 0, 0, 0, 5, 15 },
      { 0, 10, 15, 60, 0, 0, 0, 0, 0, 0, 15 },
      { 0, 20, 5, 35, 15, 5, 0, 0, 0, 10, 10 },
      { 0, 25, 5, 40, 0, 5, 0, 0, 0, 10, 15 },
      { 0, 20, 5, 25, 0, 0, 20, 15, 0, 0, 15 },
      { 0, 15, 0, 20, 0, 0, 0, 35, 0, 0, 30 },
      { 0, 5, 0, 5, 0, 0, 10, 0, 55, 0, 25 },
      { 0, 10, 0, 15, 0, 0, 0, 0, 0, 40, 35 },
      { 0, 25, 0, 35, 0, 0, 0, 0, 0, 0, 40 },
      { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 } },
};

typedef struct {
    const char *id;
    const char *names[2]; /* Chinese, English */
    const char *categories[2];
    double price;
} shop_item;

static const shop_item items[] = {
    { "tent-2", { "双人帐篷", "Two-person tent" }, { "营帐", "Shelter" }, 329.0 },
    { "tarp-3", { "三米天幕", "Three-metre tarp" }, { "营帐", "Shelter" }, 119.0 },
    { "bag-38", { "三十八升背包", "38-litre backpack" }, { "背包", "Packs" }, 159.9 },
    { "bag-20", { "日行背包", "Day pack" }, { "背包", "Packs" }, 79.5 },
    { "pot-1", { "钛合金单人锅", "Titanium pot" }, { "炊具", "Kitchen" }, 49.0 },
    { "stove", { "酒精炉", "Spirit stove" }, { "炊具", "Kitchen" }, 39.9 },
    { "cup", { "搪瓷杯", "Enamel cup" }, { "炊具", "Kitchen" }, 12.5 },
    { "lamp", { "营地灯", "Camp lantern" }, { "照明", "Light" }, 34.0 },
    { "head", { "头灯", "Head torch" }, { "照明", "Light" }, 29.0 },
    { "compass", { "指南针", "Compass" }, { "照明", "Light" }, 24.0 },
    { "sock", { "羊毛袜", "Wool socks" }, { "穿着", "Wear" }, 15.9 },
    { "shell", { "冲锋衣", "Rain shell" }, { "穿着", "Wear" }, 189.0 },
    { "cap", { "遮阳帽", "Sun cap" }, { "穿着", "Wear" }, 22.0 },
    { "down", { "羽绒背心", "Down vest" }, { "穿着", "Wear" }, 139.0 },
    { "tea", { "高山乌龙茶", "Mountain oolong" }, { "食物", "Food" }, 18.0 },
    { "bar", { "坚果能量棒", "Nut bar" }, { "食物", "Food" }, 2.9 },
};
enum { ITEMS = sizeof items / sizeof *items };

static const char *const cities[2][8] = {
    { "上海", "北京", "广州", "深圳", "杭州", "成都", "武汉", "西安" },
    { "London", "Berlin", "Singapore", "New York", "Paris", "Toronto", "Sydney", "Oslo" },
};
static const char *const family[2][8] = {
    { "王", "李", "张", "刘", "陈", "杨", "赵", "黄" },
    { "Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gwen", "Hugo" },
};
static const char *const searches[2][6] = {
    { "轻量 帐篷", "防水 外套", "露营 灯", "徒步 背包", "咖啡", "礼物" },
    { "light tent", "rain jacket", "camp light", "hiking pack", "coffee", "gift" },
};
static const char *const channels[2][6] = {
    { "抖音", "微信", "小红书", "百度", "直接访问", "短信" },
    { "search", "newsletter", "instagram", "partner", "direct", "podcast" },
};
static const char *const platforms[] = { "web", "ios", "android", "miniprogram" };
static const char *const levels[] = { "bronze", "silver", "gold" };

/* --- dice ------------------------------------------------------------------------------------ */

static uint32_t below(cairn__load_device *device, uint32_t count) {
    device->dice += 0x9E3779B97F4A7C15u;
    return (uint32_t)(((cairn__mix(device->dice) >> 32) * count) >> 32);
}

static bool chance(cairn__load_device *device, uint32_t percent) {
    return below(device, 100) < percent;
}

/* A person's own number, the same for all its devices. */
static uint64_t trait(const cairn__people *people, uint32_t person, uint64_t which) {
    return cairn__mix(people->seed * 0x2545F4914F6CDD1Du + (uint64_t)person * 8 + which);
}

static unsigned language_of(const cairn__people *people, uint32_t person) {
    return trait(people, person, 0) % 10 < 6 ? 0 : 1;
}

/* --- people ---------------------------------------------------------------------------------- */

bool cairn__people_open(cairn__people *people, size_t count, uint64_t seed, int64_t from_ms,
                        int64_t until_ms) {
    *people = (cairn__people){ .seed = seed, .until_ms = until_ms };
    people->devices = calloc(count * CAIRN__PEOPLE_DEVICES_MAX, sizeof *people->devices);
    if (people->devices == NULL) {
        return false;
    }
    for (size_t person = 0; person < count; person++) {
        uint64_t roll = trait(people, (uint32_t)person, 1) % 100;
        unsigned devices = roll < 60 ? 1 : roll < 90 ? 2 : 3;
        for (unsigned i = 0; i < devices; i++) {
            cairn__load_device *device = &people->devices[people->device_count++];
            device->dice = trait(people, (uint32_t)person, 4 + i);
            device->person = (uint32_t)person;
            device->platform = (uint8_t)below(device, 4);
            device->at = END;
            uint64_t span = (uint64_t)(until_ms - from_ms) + 1;
            device->clock_ms = from_ms + (int64_t)(cairn__mix(device->dice) % span);
        }
    }
    return true;
}

void cairn__people_close(cairn__people *people) {
    free(people->devices);
    people->devices = NULL;
}

void cairn__people_device_id(const cairn__people *people, size_t device, uint8_t *to) {
    uint64_t high = cairn__mix(people->seed ^ 0x6361697266u);
    cairn__store_u64(to, cairn__mix(high + device * 2));
    cairn__store_u64(to + 8, cairn__mix(high + device * 2 + 1));
}

const char *cairn__people_platform(const cairn__people *people, size_t device) {
    return platforms[people->devices[device].platform];
}

/* --- events ---------------------------------------------------------------------------------- */

static cairn_property *add(cairn__load_event *to, const char *name) {
    cairn_property *property = &to->properties[to->event.property_count++];
    property->name = cairn__span_of(name);
    return property;
}

static void add_text(cairn__load_event *to, const char *name, const char *text) {
    add(to, name)->value =
        (cairn_value){ .kind = CAIRN_VALUE_STRING, .as.string = cairn__span_of(text) };
}

static void add_number(cairn__load_event *to, const char *name, double number) {
    add(to, name)->value = (cairn_value){ .kind = CAIRN_VALUE_NUMBER, .as.number = number };
}

static void add_whole(cairn__load_event *to, const char *name, int64_t whole) {
    add(to, name)->value = (cairn_value){ .kind = CAIRN_VALUE_INTEGER, .as.integer = whole };
}

static step next_step(const cairn__people *people, cairn__load_device *device) {
    const uint8_t *row = weights[trait(people, device->person, 2) % PERSONAS][device->at];
    uint32_t total = 0;
    for (unsigned i = 0; i < STEPS; i++) {
        total += row[i];
    }
    uint32_t roll = below(device, total);
    unsigned to = 0;
    while (roll >= row[to]) {
        roll -= row[to++];
    }
    return (step)to;
}

/* Seconds between the events of a session, minutes to days between sessions. */
static void pass_time(const cairn__people *people, cairn__load_device *device) {
    int64_t gap = 300 + (int64_t)below(device, 20000);
    if (device->at == END) {
        gap = (int64_t)(1 + below(device, 48)) * (HOUR_MS / 2) + below(device, MINUTE_MS);
    }
    device->clock_ms += gap;
    if (device->clock_ms > people->until_ms) {
        device->clock_ms = people->until_ms;
    }
}

static void put_login(const cairn__people *people, cairn__load_device *device,
                      cairn__load_event *to) {
    int bytes = snprintf(to->login, sizeof to->login, "u%" PRIx64 "-%" PRIu32,
                         people->seed & 0xffff, device->person + 1);
    to->id = (cairn_id){ CAIRN_STR("login"), cairn__span(to->login, (size_t)bytes) };
    to->event.kind = CAIRN__EVENT_LOGIN;
    to->event.ids = &to->id;
    to->event.id_count = 1;
    device->logged_in = true;
    device->profile_due = true;
}

static void put_profile(const cairn__people *people, cairn__load_device *device,
                        cairn__load_event *to) {
    unsigned language = language_of(people, device->person);
    uint64_t roll = trait(people, device->person, 3);
    to->event.kind = CAIRN__EVENT_PROFILE_SET;
    device->profile_due = false;
    add_text(to, "name", family[language][roll % 8]);
    add_text(to, "city", cities[language][roll / 8 % 8]);
    add_text(to, "language", language == 0 ? "zh" : "en");
    add_text(to, "level", levels[roll / 64 % 3]);
    add_whole(to, "age", 18 + (int64_t)(roll / 256 % 50));
}

static void put_item(cairn__load_device *device, unsigned language, cairn__load_event *to) {
    const shop_item *item = &items[device->item];
    add_text(to, "item_id", item->id);
    add_text(to, "item_name", item->names[language]);
    add_text(to, "category", item->categories[language]);
    add_number(to, "price", item->price);
}

static void put_purchase(cairn__load_device *device, cairn__load_event *to) {
    uint32_t count = device->cart == 0 ? 1 : device->cart;
    int bytes = snprintf(to->order, sizeof to->order, "o%08" PRIx32 "-%" PRIu64, device->person,
                         device->seq);
    add(to, "order_id")->value =
        (cairn_value){ .kind = CAIRN_VALUE_STRING,
                       .as.string = cairn__span(to->order, (size_t)bytes) };
    add_whole(to, "items", count);
    add_number(to, "amount", items[device->item].price * count);
    device->cart = 0;
}

static void put_shop(cairn__people *people, cairn__load_device *device, step what,
                     cairn__load_event *to) {
    unsigned language = language_of(people, device->person);
    uint64_t roll = trait(people, device->person, 3);
    to->event.kind = CAIRN__EVENT_TRACK;
    to->event.name = cairn__span_of(step_names[what]);
    if (what == ITEM) {
        device->item = (uint8_t)below(device, ITEMS);
    }
    device->cart = (uint8_t)(device->cart + (what == CART && device->cart < 9 ? 1 : 0));
    add_text(to, "platform", platforms[device->platform]);
    add_text(to, "channel", channels[language][device->channel]);
    add_text(to, "city", cities[language][roll / 8 % 8]);
    add_text(to, "language", language == 0 ? "zh" : "en");
    if (what == SEARCH) {
        add_text(to, "query", searches[language][below(device, 6)]);
        add_whole(to, "results", below(device, 40));
    } else if (what == PURCHASE) {
        put_purchase(device, to);
    } else if (what == REVIEW) {
        put_item(device, language, to);
        add_whole(to, "stars", 1 + (int64_t)below(device, 5));
    } else if (what >= ITEM && what <= CHECKOUT) {
        put_item(device, language, to);
        add_whole(to, "cart", device->cart);
    }
    device->at = (uint8_t)what;
}

void cairn__people_next(cairn__people *people, size_t number, cairn__load_event *to) {
    cairn__load_device *device = &people->devices[number];
    to->event = (cairn__event){ .properties = to->properties };
    pass_time(people, device);
    to->event.seq = ++device->seq;
    to->event.time_ms = device->clock_ms;
    step what = next_step(people, device);
    if (device->profile_due) {
        put_profile(people, device, to);
    } else if (!device->logged_in && (what == CHECKOUT || (what == LIST && chance(device, 15)))) {
        put_login(people, device, to);
    } else {
        device->session += what == START ? 1 : 0;
        device->channel = what == START ? (uint8_t)below(device, 6) : device->channel;
        put_shop(people, device, what, to);
    }
    to->event.session = device->session;
}
