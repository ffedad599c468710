// One way to fail: say what, and with which numbers, and stop.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>

namespace toy {

using std::size_t;
using std::uint64_t;

inline uint64_t checks = 0;

inline void expect(bool holds, const char* curve, const char* law, std::initializer_list<uint64_t> numbers) {
  ++checks;
  if (holds) return;
  std::printf("%s: %s fails at", curve, law);
  for (uint64_t number : numbers) std::printf(" %llu", static_cast<unsigned long long>(number));
  std::printf("\n");
  std::exit(1);
}

// A small generator for what is too many to try: the same numbers in every run.
inline uint64_t draw(uint64_t& state) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return state >> 33;
}

}  // namespace toy
