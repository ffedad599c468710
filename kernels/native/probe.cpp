// Rates of this core's multipliers. Each loop is a few milliseconds of one instruction and the best of several is
// kept, so what else the machine does costs attempts, not accuracy.
#include "probe.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace proofgrid::native {
namespace {

constexpr int kAttempts = 7;

// The most `per_call` operations per second that `loop()` reaches.
template <class Loop>
double best_rate(double per_call, const Loop& loop) {
  using Clock = std::chrono::steady_clock;
  double best = 0;
  for (int attempt = 0; attempt <= kAttempts; ++attempt) {  // the first one wakes the unit and the clock
    const auto start = Clock::now();
    loop();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (attempt > 0 && seconds > 0) best = std::max(best, per_call / seconds);
  }
  return best;
}

// A chain of additions of one register to another has one cycle of latency each (Fog, instruction tables); one with a
// constant could be folded when it is renamed.
double cycles_per_second() {
  constexpr std::size_t kRounds = 200'000;
  return best_rate(32.0 * kRounds, [] {
    std::uint64_t sum = 1, step = 3;
    for (std::size_t i = 0; i < kRounds; ++i) {
#if defined(__x86_64__)
      asm volatile(".rept 32\n\tadd %1, %0\n\t.endr" : "+r"(sum) : "r"(step) : "cc");
#else
      for (int k = 0; k < 32; ++k) asm volatile("" : "+r"(sum += step));
#endif
    }
  });
}

// 64 x 64 -> 128 bit products, none waiting for another.
double mul64_per_second() {
  constexpr std::size_t kRounds = 200'000;
  std::uint64_t factor = 0x9e3779b97f4a7c15;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("bmi2")) {
    return best_rate(32.0 * kRounds, [factor] {
      for (std::size_t i = 0; i < kRounds; ++i) {
        asm volatile(".rept 32\n\tmulx %0, %%rax, %%rcx\n\t.endr" : : "r"(factor), "d"(factor) : "rax", "rcx");
      }
    });
  }
#endif
  return best_rate(8.0 * kRounds, [&factor] {
    for (std::size_t i = 0; i < kRounds; ++i) {
      for (int k = 0; k < 8; ++k) {
        asm volatile("" : "+r"(factor));
        const auto product = static_cast<unsigned __int128>(factor) * factor;
        asm volatile("" : : "r"(static_cast<std::uint64_t>(product)), "r"(static_cast<std::uint64_t>(product >> 64)));
      }
    }
  });
}

#if defined(__x86_64__)
// Twelve chains: two units of latency four would need eight.
__attribute__((target("avx512f,avx512ifma"))) void vpmadd52_loop(std::size_t rounds) {
  __m512i sums[12];
  for (int k = 0; k < 12; ++k) sums[k] = _mm512_set1_epi64(k + 1);
  __m512i a = _mm512_set1_epi64(0xf123456789abc), b = _mm512_set1_epi64(0x3fedcba987654);
  for (std::size_t i = 0; i < rounds; ++i) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma GCC unroll 12
    for (int k = 0; k < 12; ++k) {
      sums[k] = k % 2 == 0 ? _mm512_madd52lo_epu64(sums[k], a, b) : _mm512_madd52hi_epu64(sums[k], a, b);
    }
  }
  for (int k = 0; k < 12; ++k) asm volatile("" : : "v"(sums[k]));
}
#endif

double vpmadd52_per_second() {
#if defined(__x86_64__)
  constexpr std::size_t kRounds = 400'000;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512ifma")) return best_rate(12.0 * kRounds, [] { vpmadd52_loop(kRounds); });
#endif
  return 0;
}

}  // namespace

Rates probe() { return {cycles_per_second(), mul64_per_second(), vpmadd52_per_second()}; }

}  // namespace proofgrid::native
