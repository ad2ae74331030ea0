/* People who do not exist but behave as if: each has a language, a city, a habit of buying and one
 * to three devices; each device goes through sessions of a shop, logs in, and sets a profile.
 * The same seed gives the same people and the same events. Pure but for memory. */
#ifndef CAIRN_CLI_LOAD_PEOPLE_H
#define CAIRN_CLI_LOAD_PEOPLE_H

#include "model/event.h"

#define CAIRN__PEOPLE_MAX 10000000u
#define CAIRN__PEOPLE_DEVICES_MAX 3u /* of one person */
#define CAIRN__PEOPLE_PROPERTIES_MAX 12u

/* One device: where it stands in its sequence of events. */
typedef struct {
    uint64_t dice;
    uint64_t seq; /* of its latest event */
    int64_t clock_ms;
    uint32_t person;
    uint32_t session;
    uint8_t platform;
    uint8_t at; /* what it did last */
    uint8_t item;
    uint8_t channel; /* by which this session began */
    uint8_t cart;    /* things in it */
    bool logged_in;
    bool profile_due;
} cairn__load_device;

typedef struct {
    uint64_t seed;
    cairn__load_device *devices; /* owned */
    size_t device_count;
    int64_t until_ms; /* no event is later */
} cairn__people;

/* An event and what it is made of; valid until the struct is used again. */
typedef struct {
    cairn__event event;
    cairn_property properties[CAIRN__PEOPLE_PROPERTIES_MAX];
    cairn_id id;
    char login[24];
    char order[32];
} cairn__load_event;

/* False: no memory. The devices' clocks begin between from_ms and until_ms. */
bool cairn__people_open(cairn__people *people, size_t count, uint64_t seed, int64_t from_ms,
                        int64_t until_ms);
void cairn__people_close(cairn__people *people);

/* The 16 bytes that name the device. */
void cairn__people_device_id(const cairn__people *people, size_t device, uint8_t *to);
/* "web", "ios", "android" or "miniprogram". */
const char *cairn__people_platform(const cairn__people *people, size_t device);
/* What device `number` does next. */
void cairn__people_next(cairn__people *people, size_t number, cairn__load_event *to);

#endif
