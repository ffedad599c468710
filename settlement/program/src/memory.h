// Comparing and copying by words. Sizes are multiples of 8 and pointers aligned to 8 bytes.
#pragma once
#include "types.h"

static int equal32(const void *left, const void *right) {
  const word *a = left, *b = right;
  return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

static inline void copy_words(void *to, const void *from, u64 size) {
  for (u64 i = 0; i < size / 8; i++) ((word *)to)[i] = ((const word *)from)[i];
}

static inline int is_zero(const void *bytes, u64 size) {
  u64 any = 0;
  for (u64 i = 0; i < size / 8; i++) any |= ((const word *)bytes)[i];
  return any == 0;
}
