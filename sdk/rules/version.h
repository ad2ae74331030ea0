/* version.h: the order of versions (version_compare): Semantic Versioning 2.0.0, section 11. */
#ifndef CAIRN_RULES_VERSION_H
#define CAIRN_RULES_VERSION_H

#include "rules/value.h"

/** -1, 0 or 1 as version a is before, equal to or after version b; null when either is not
 * MAJOR.MINOR.PATCH[-pre.release][+build] as SemVer 2.0.0 says. Numbers may have any number of
 * digits; the build does not count. Linear in the texts. */
cairn__rule_value cairn__rule_version_compare(const cairn__rule_value *a,
                                              const cairn__rule_value *b);

#endif
