/* inline.h: for functions of a line that hand a struct back. Clang at -Oz would rather call them,
 * and the call, with room for the result on the stack, is longer than the line. */
#ifndef CAIRN_BASE_INLINE_H
#define CAIRN_BASE_INLINE_H

#define CAIRN__INLINE static inline __attribute__((always_inline))

#endif
