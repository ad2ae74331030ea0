/* settings.c: what a bundle says beside its definitions: how properties are kept, and what holds of
 * consent before the person has said anything. */
#include "base/bytes.h"
#include "client/client.h"

static const cairn__consent_default *default_of(const cairn__bundle *bundle, cairn_span region) {
    const cairn__consent_default *elsewhere = NULL;
    for (size_t i = 0; i < bundle->consent_default_count; i++) {
        const cairn__consent_default *one = &bundle->consent_defaults[i];
        if (one->region.len == 0) {
            elsewhere = one;
        } else if (cairn__span_equal(one->region, region)) {
            return one;
        }
    }
    return elsewhere;
}

/* What the application asks for stays asked for: a bundle may only be stricter. */
static void apply_consent(cairn_client *client, const cairn__consent_default *from) {
    const cairn_consent_options *own = &client->deciding.own_consent;
    const cairn__consent_start starts[] = { from->analytics, from->marketing,
                                            from->personalisation };
    uint32_t required = own->required;
    uint32_t denied = own->denied;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        required |= starts[i] == CAIRN__CONSENT_ASK ? 1u << i : 0;
        denied |= starts[i] == CAIRN__CONSENT_DENIED ? 1u << i : 0;
    }
    if (own->signal && from->honour_dnt) {
        denied = CAIRN_CONSENT_ALL;
    }
    client->consent.options.drop_before = own->drop_before || from->drop;
    cairn__consent_defaults(client, required, denied);
}

static void apply_privacy(cairn_client *client, const cairn__bundle *bundle) {
    cairn__arena_reset(&client->scratch);
    cairn_privacy_rule *rules =
        cairn__arena_alloc_zero(&client->scratch, bundle->privacy_count + 1, sizeof *rules);
    for (size_t i = 0; rules != NULL && i < bundle->privacy_count; i++) {
        const cairn__privacy_rule *from = &bundle->privacy[i];
        bool hashes = from->action == CAIRN__PRIVACY_HASH;
        rules[i].name = from->property;
        rules[i].event = from->event;
        rules[i].action = hashes ? CAIRN_PRIVACY_HASH : CAIRN_PRIVACY_DROP;
    }
    const cairn_privacy_options options = { .rules = rules, .count = bundle->privacy_count };
    if (rules != NULL) {
        (void)cairn__privacy_set(client, &options);
    }
}

void cairn__settings_apply(cairn_client *client) {
    const cairn__deciding *deciding = &client->deciding;
    const cairn__bundle *bundle = deciding->held.bundle;
    const cairn_span region = { deciding->region, deciding->region_bytes };
    const cairn__consent_default *consent = default_of(bundle, region);
    apply_privacy(client, bundle);
    if (consent != NULL) {
        apply_consent(client, consent);
    }
}
