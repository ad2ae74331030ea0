/* network.h: is an address in a network (in_network)? IPv4 and IPv6, as text. */
#ifndef CAIRN_RULES_NETWORK_H
#define CAIRN_RULES_NETWORK_H

#include "rules/value.h"

/** true or false; null when `address` is no address, or `network` is neither an address nor
 * "address/bits". IPv4 has four decimal numbers without leading zeros; IPv6 is as RFC 4291 section
 * 2.2 says, without a zone ("%eth0"). Bits of the network's address beyond its own do not count. An
 * IPv4 address is in no IPv6 network and the other way round. */
cairn__rule_value cairn__rule_in_network(const cairn__rule_value *address,
                                         const cairn__rule_value *network);

#endif
