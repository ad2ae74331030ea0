/* assert.h: traps on our own bugs, in every build. Outside data never reaches it. */
#ifndef CAIRN_BASE_ASSERT_H
#define CAIRN_BASE_ASSERT_H

#define CAIRN_ASSERT(condition) ((condition) ? (void)0 : __builtin_trap())

#endif
