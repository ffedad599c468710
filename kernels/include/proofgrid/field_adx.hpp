// Field arithmetic with mulx, adcx and adox: two carry chains, one on CF and one on OF, run beside each other
// (Ozturk, Guilford, Gopal, Feghali: New instructions supporting large integer arithmetic, Intel, 2012).
// Same contract as field.hpp. mul: 2 * limbs^2 + limbs multiplications of 64 bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "proofgrid/layer.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {
namespace adx {

using std::size_t;
using std::uint64_t;

template <size_t N>
inline constexpr bool supports = N == 4 || N == 6;

// How the assembly names word j of a and of b: as operands of their own, which the compiler addresses best, or through a
// pointer, where there would be more than the 30 operands that it allows.
#define PG_NAMED_A(j) "%[a" #j "]"
#define PG_NAMED_B(j) "%[b" #j "]"
#define PG_POINTED_A(j) "8*" #j "(%[a])"
#define PG_POINTED_B(j) "8*" #j "(%[b])"

// One row: t += a * b_i, the carry out of the top in `top`. CF carries high halves, OF low halves.
#define PG_ROW_HEAD(A, B, i)                     \
  "movq " B(i) ", %%rdx\n\t"                     \
  "xorl %k[zero], %k[zero]\n\t"                  \
  "mulxq " A(0) ", %[lo], %[top]\n\t"            \
  "adoxq %[lo], %[t0]\n\t"
#define PG_ROW_STEP(A, j)                        \
  "adcxq %[top], %[t" #j "]\n\t"                 \
  "mulxq " A(j) ", %[lo], %[top]\n\t"            \
  "adoxq %[lo], %[t" #j "]\n\t"
#define PG_ROW_TAIL                              \
  "adcxq %[zero], %[top]\n\t"                    \
  "adoxq %[zero], %[top]\n\t"

// The first row meets t = 0, so one chain of adc is enough.
#define PG_FIRST_HEAD(A, B)                      \
  "movq " B(0) ", %%rdx\n\t"                     \
  "mulxq " A(0) ", %[t0], %[t1]\n\t"             \
  "mulxq " A(1) ", %[lo], %[t2]\n\t"             \
  "addq %[lo], %[t1]\n\t"
#define PG_FIRST_STEP(A, j, next)                \
  "mulxq " A(j) ", %[lo], %[" next "]\n\t"       \
  "adcq %[lo], %[t" #j "]\n\t"
#define PG_FIRST_TAIL "adcq $0, %[top]\n\t"

// A second row beside the first: word c of a times word d of b, its carry joins `top`.
#define PG_SECOND_HEAD(A, B, d, c)               \
  "movq " B(d) ", %%rdx\n\t"                     \
  "xorl %k[zero], %k[zero]\n\t"                  \
  "mulxq " A(c) ", %[lo], %[hi]\n\t"             \
  "adoxq %[lo], %[t0]\n\t"
#define PG_SECOND_STEP(A, j, c)                  \
  "adcxq %[hi], %[t" #j "]\n\t"                  \
  "mulxq " A(c) ", %[lo], %[hi]\n\t"             \
  "adoxq %[lo], %[t" #j "]\n\t"
#define PG_SECOND_TAIL                           \
  "adcxq %[hi], %[top]\n\t"                      \
  "adoxq %[zero], %[top]\n\t"

// One reduction: t = (t + m * p) / 2^64 with m = -t0 / p mod 2^64, then the row's carry enters at the top.
#define PG_REDUCE_HEAD                           \
  "movq %[t0], %%rdx\n\t"                        \
  "imulq %[inverse], %%rdx\n\t"                  \
  "xorl %k[zero], %k[zero]\n\t"                  \
  "mulxq %[p0], %[lo], %[hi]\n\t"                \
  "adcxq %[t0], %[lo]\n\t"                       \
  "movq %[hi], %[t0]\n\t"
#define PG_REDUCE_STEP(below, j)                 \
  "adcxq %[t" #j "], %[t" #below "]\n\t"         \
  "mulxq %[p" #j "], %[lo], %[t" #j "]\n\t"      \
  "adoxq %[lo], %[t" #below "]\n\t"
#define PG_REDUCE_TAIL(last)                     \
  "adcxq %[zero], %[t" #last "]\n\t"             \
  "adoxq %[top], %[t" #last "]\n\t"

#define PG_FIRST4(A, B) PG_FIRST_HEAD(A, B) PG_FIRST_STEP(A, 2, "t3") PG_FIRST_STEP(A, 3, "top") PG_FIRST_TAIL
#define PG_ROW4(A, B, i) PG_ROW_HEAD(A, B, i) PG_ROW_STEP(A, 1) PG_ROW_STEP(A, 2) PG_ROW_STEP(A, 3) PG_ROW_TAIL
#define PG_SECOND4(A, B, d) \
  PG_SECOND_HEAD(A, B, d, 4) PG_SECOND_STEP(A, 1, 5) PG_SECOND_STEP(A, 2, 6) PG_SECOND_STEP(A, 3, 7) PG_SECOND_TAIL
#define PG_REDUCE4 PG_REDUCE_HEAD PG_REDUCE_STEP(0, 1) PG_REDUCE_STEP(1, 2) PG_REDUCE_STEP(2, 3) PG_REDUCE_TAIL(3)

#define PG_FIRST6(A, B)                                                                                             \
  PG_FIRST_HEAD(A, B) PG_FIRST_STEP(A, 2, "t3") PG_FIRST_STEP(A, 3, "t4") PG_FIRST_STEP(A, 4, "t5") \
  PG_FIRST_STEP(A, 5, "top") PG_FIRST_TAIL
#define PG_ROW6(A, B, i)                                                                                             \
  PG_ROW_HEAD(A, B, i) PG_ROW_STEP(A, 1) PG_ROW_STEP(A, 2) PG_ROW_STEP(A, 3) PG_ROW_STEP(A, 4) PG_ROW_STEP(A, 5) \
  PG_ROW_TAIL
#define PG_SECOND6(A, B, d)                                                                           \
  PG_SECOND_HEAD(A, B, d, 6) PG_SECOND_STEP(A, 1, 7) PG_SECOND_STEP(A, 2, 8) PG_SECOND_STEP(A, 3, 9) \
  PG_SECOND_STEP(A, 4, 10) PG_SECOND_STEP(A, 5, 11) PG_SECOND_TAIL
#define PG_REDUCE6                                                                                   \
  PG_REDUCE_HEAD PG_REDUCE_STEP(0, 1) PG_REDUCE_STEP(1, 2) PG_REDUCE_STEP(2, 3) PG_REDUCE_STEP(3, 4) \
  PG_REDUCE_STEP(4, 5) PG_REDUCE_TAIL(5)

#define PG_IN4(name, x) [name##0] "m"(x[0]), [name##1] "m"(x[1]), [name##2] "m"(x[2]), [name##3] "m"(x[3])
#define PG_IN6(name, x) PG_IN4(name, x), [name##4] "m"(x[4]), [name##5] "m"(x[5])
#define PG_IN8(name, x) PG_IN6(name, x), [name##6] "m"(x[6]), [name##7] "m"(x[7])
#define PG_OUT4                                                                                                \
  [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [top] "=&r"(top), [lo] "=&r"(lo), [hi] "=&r"(hi), \
      [zero] "=&r"(zero)
#define PG_OUT6 PG_OUT4, [t4] "=&r"(t4), [t5] "=&r"(t5)

// What a pointer operand reads, for the compiler's knowledge.
template <size_t N>
const uint64_t (&array(const uint64_t* words))[N] {
  return *reinterpret_cast<const uint64_t(*)[N]>(words);
}

// r = t mod p for t < 2p.
template <class P>
[[gnu::always_inline]] inline void reduce_once4(uint64_t* r, uint64_t t0, uint64_t t1, uint64_t t2, uint64_t t3) {
  uint64_t s0 = t0, s1 = t1, s2 = t2, s3 = t3;
  asm("subq %[p0], %[s0]\n\t"
      "sbbq %[p1], %[s1]\n\t"
      "sbbq %[p2], %[s2]\n\t"
      "sbbq %[p3], %[s3]\n\t"
      "cmovcq %[t0], %[s0]\n\t"
      "cmovcq %[t1], %[s1]\n\t"
      "cmovcq %[t2], %[s2]\n\t"
      "cmovcq %[t3], %[s3]\n\t"
      : [s0] "+&r"(s0), [s1] "+&r"(s1), [s2] "+&r"(s2), [s3] "+&r"(s3)
      : [t0] "r"(t0), [t1] "r"(t1), [t2] "r"(t2), [t3] "r"(t3), PG_IN4(p, P::modulus)
      : "cc");
  r[0] = s0, r[1] = s1, r[2] = s2, r[3] = s3;
}

template <class P>
[[gnu::always_inline]] inline void reduce_once6(uint64_t* r, uint64_t t0, uint64_t t1, uint64_t t2, uint64_t t3,
                                                uint64_t t4, uint64_t t5) {
  uint64_t s0 = t0, s1 = t1, s2 = t2, s3 = t3, s4 = t4, s5 = t5;
  asm("subq %[p0], %[s0]\n\t"
      "sbbq %[p1], %[s1]\n\t"
      "sbbq %[p2], %[s2]\n\t"
      "sbbq %[p3], %[s3]\n\t"
      "sbbq %[p4], %[s4]\n\t"
      "sbbq %[p5], %[s5]\n\t"
      "cmovcq %[t0], %[s0]\n\t"
      "cmovcq %[t1], %[s1]\n\t"
      "cmovcq %[t2], %[s2]\n\t"
      "cmovcq %[t3], %[s3]\n\t"
      "cmovcq %[t4], %[s4]\n\t"
      "cmovcq %[t5], %[s5]\n\t"
      : [s0] "+&r"(s0), [s1] "+&r"(s1), [s2] "+&r"(s2), [s3] "+&r"(s3), [s4] "+&r"(s4), [s5] "+&r"(s5)
      : [t0] "rm"(t0), [t1] "rm"(t1), [t2] "rm"(t2), [t3] "rm"(t3), [t4] "rm"(t4), [t5] "rm"(t5),
        PG_IN6(p, P::modulus)
      : "cc");
  r[0] = s0, r[1] = s1, r[2] = s2, r[3] = s3, r[4] = s4, r[5] = s5;
}

template <class P>
[[gnu::always_inline]] inline void mul4(uint64_t* r, const uint64_t* a, const uint64_t* b) {
  uint64_t t0, t1, t2, t3, top, lo, hi, zero;
  asm(PG_FIRST4(PG_NAMED_A, PG_NAMED_B) PG_REDUCE4 PG_ROW4(PG_NAMED_A, PG_NAMED_B, 1) PG_REDUCE4  //
          PG_ROW4(PG_NAMED_A, PG_NAMED_B, 2) PG_REDUCE4 PG_ROW4(PG_NAMED_A, PG_NAMED_B, 3) PG_REDUCE4
      : PG_OUT4
      : PG_IN4(a, a), PG_IN4(b, b), PG_IN4(p, P::modulus), [inverse] "m"(P::minus_inverse)
      : "rdx", "cc");
  reduce_once4<P>(r, t0, t1, t2, t3);
}

// The functions that are not inlined take 13 registers: elsewhere the compiler may not have that many to give.
template <class P>
[[gnu::noinline]] void mul6(uint64_t* r, const uint64_t* a, const uint64_t* b) {
  uint64_t t0, t1, t2, t3, t4, t5, top, lo, hi, zero;
  asm(PG_FIRST6(PG_NAMED_A, PG_NAMED_B) PG_REDUCE6 PG_ROW6(PG_NAMED_A, PG_NAMED_B, 1) PG_REDUCE6          //
          PG_ROW6(PG_NAMED_A, PG_NAMED_B, 2) PG_REDUCE6 PG_ROW6(PG_NAMED_A, PG_NAMED_B, 3) PG_REDUCE6 //
              PG_ROW6(PG_NAMED_A, PG_NAMED_B, 4) PG_REDUCE6 PG_ROW6(PG_NAMED_A, PG_NAMED_B, 5) PG_REDUCE6
      : PG_OUT6
      : PG_IN6(a, a), PG_IN6(b, b), PG_IN6(p, P::modulus), [inverse] "m"(P::minus_inverse)
      : "rdx", "cc");
  reduce_once6<P>(r, t0, t1, t2, t3, t4, t5);
}

template <class P>
[[gnu::always_inline]] inline void mul(uint64_t* r, const uint64_t* a, const uint64_t* b) {
  if constexpr (P::limbs == 4) {
    mul4<P>(r, a, b);
  } else {
    mul6<P>(r, a, b);
  }
}

// Is there room for a sum of two products before its reduction? While it runs, t < 3p must fit its limbs.
template <class P>
inline constexpr bool sums_two_products = supports<P::limbs>&& P::modulus[P::limbs - 1] < ~uint64_t{0} / 3 - 1;

template <class P>
[[gnu::noinline]] void mul_sum4(uint64_t* r, const uint64_t* a, const uint64_t* b) {
  uint64_t t0, t1, t2, t3, top, lo, hi, zero;
  asm(PG_FIRST4(PG_NAMED_A, PG_NAMED_B) PG_SECOND4(PG_NAMED_A, PG_NAMED_B, 4) PG_REDUCE4              //
          PG_ROW4(PG_NAMED_A, PG_NAMED_B, 1) PG_SECOND4(PG_NAMED_A, PG_NAMED_B, 5) PG_REDUCE4     //
              PG_ROW4(PG_NAMED_A, PG_NAMED_B, 2) PG_SECOND4(PG_NAMED_A, PG_NAMED_B, 6) PG_REDUCE4 //
          PG_ROW4(PG_NAMED_A, PG_NAMED_B, 3) PG_SECOND4(PG_NAMED_A, PG_NAMED_B, 7) PG_REDUCE4
      : PG_OUT4
      : PG_IN8(a, a), PG_IN8(b, b), PG_IN4(p, P::modulus), [inverse] "m"(P::minus_inverse)
      : "rdx", "cc");
  reduce_once4<P>(r, t0, t1, t2, t3);
}

template <class P>
[[gnu::noinline]] void mul_sum6(uint64_t* r, const uint64_t* a, const uint64_t* b) {
  uint64_t t0, t1, t2, t3, t4, t5, top, lo, hi, zero;
  asm(PG_FIRST6(PG_POINTED_A, PG_POINTED_B) PG_SECOND6(PG_POINTED_A, PG_POINTED_B, 6) PG_REDUCE6               //
          PG_ROW6(PG_POINTED_A, PG_POINTED_B, 1) PG_SECOND6(PG_POINTED_A, PG_POINTED_B, 7) PG_REDUCE6      //
              PG_ROW6(PG_POINTED_A, PG_POINTED_B, 2) PG_SECOND6(PG_POINTED_A, PG_POINTED_B, 8) PG_REDUCE6  //
          PG_ROW6(PG_POINTED_A, PG_POINTED_B, 3) PG_SECOND6(PG_POINTED_A, PG_POINTED_B, 9) PG_REDUCE6      //
              PG_ROW6(PG_POINTED_A, PG_POINTED_B, 4) PG_SECOND6(PG_POINTED_A, PG_POINTED_B, 10) PG_REDUCE6 //
          PG_ROW6(PG_POINTED_A, PG_POINTED_B, 5) PG_SECOND6(PG_POINTED_A, PG_POINTED_B, 11) PG_REDUCE6
      : PG_OUT6
      : [a] "r"(a), [b] "r"(b), "m"(array<12>(a)), "m"(array<12>(b)), PG_IN6(p, P::modulus),
        [inverse] "m"(P::minus_inverse)
      : "rdx", "cc");
  reduce_once6<P>(r, t0, t1, t2, t3, t4, t5);
}

// r = a[0] * b[0] + a[1] * b[1] for two consecutive elements each; one reduction (Longa, eprint 2022/367). 1.5 mul.
template <class P>
[[gnu::always_inline]] inline void mul_sum(uint64_t* r, const uint64_t* a, const uint64_t* b) {
  static_assert(sums_two_products<P>);
  if constexpr (P::limbs == 4) {
    mul_sum4<P>(r, a, b);
  } else {
    mul_sum6<P>(r, a, b);
  }
}

template <class P>
[[gnu::always_inline]] inline void add(uint64_t* r, const uint64_t* a, const uint64_t* b) {
  uint64_t t0 = a[0], t1 = a[1], t2 = a[2], t3 = a[3];
  if constexpr (P::limbs == 4) {
    asm("addq %[b0], %[t0]\n\t"
        "adcq %[b1], %[t1]\n\t"
        "adcq %[b2], %[t2]\n\t"
        "adcq %[b3], %[t3]\n\t"
        : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3)
        : PG_IN4(b, b)
        : "cc");
    reduce_once4<P>(r, t0, t1, t2, t3);
  } else {
    uint64_t t4 = a[4], t5 = a[5];
    asm("addq %[b0], %[t0]\n\t"
        "adcq %[b1], %[t1]\n\t"
        "adcq %[b2], %[t2]\n\t"
        "adcq %[b3], %[t3]\n\t"
        "adcq %[b4], %[t4]\n\t"
        "adcq %[b5], %[t5]\n\t"
        : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3), [t4] "+&r"(t4), [t5] "+&r"(t5)
        : PG_IN6(b, b)
        : "cc");
    reduce_once6<P>(r, t0, t1, t2, t3, t4, t5);
  }
}

template <class P>
[[gnu::always_inline]] inline void sub(uint64_t* r, const uint64_t* a, const uint64_t* b) {
  uint64_t t0 = a[0], t1 = a[1], t2 = a[2], t3 = a[3], mask;
  if constexpr (P::limbs == 4) {
    asm("subq %[b0], %[t0]\n\t"
        "sbbq %[b1], %[t1]\n\t"
        "sbbq %[b2], %[t2]\n\t"
        "sbbq %[b3], %[t3]\n\t"
        "sbbq %[mask], %[mask]\n\t"
        : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3), [mask] "=&r"(mask)
        : PG_IN4(b, b)
        : "cc");
    uint64_t p0 = P::modulus[0] & mask, p1 = P::modulus[1] & mask, p2 = P::modulus[2] & mask, p3 = P::modulus[3] & mask;
    asm("addq %[p0], %[t0]\n\t"
        "adcq %[p1], %[t1]\n\t"
        "adcq %[p2], %[t2]\n\t"
        "adcq %[p3], %[t3]\n\t"
        : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3)
        : [p0] "r"(p0), [p1] "r"(p1), [p2] "r"(p2), [p3] "r"(p3)
        : "cc");
    r[0] = t0, r[1] = t1, r[2] = t2, r[3] = t3;
  } else {
    uint64_t t4 = a[4], t5 = a[5];
    asm("subq %[b0], %[t0]\n\t"
        "sbbq %[b1], %[t1]\n\t"
        "sbbq %[b2], %[t2]\n\t"
        "sbbq %[b3], %[t3]\n\t"
        "sbbq %[b4], %[t4]\n\t"
        "sbbq %[b5], %[t5]\n\t"
        "sbbq %[mask], %[mask]\n\t"
        : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3), [t4] "+&r"(t4), [t5] "+&r"(t5),
          [mask] "=&r"(mask)
        : PG_IN6(b, b)
        : "cc");
    uint64_t p0 = P::modulus[0] & mask, p1 = P::modulus[1] & mask, p2 = P::modulus[2] & mask;
    uint64_t p3 = P::modulus[3] & mask, p4 = P::modulus[4] & mask, p5 = P::modulus[5] & mask;
    asm("addq %[p0], %[t0]\n\t"
        "adcq %[p1], %[t1]\n\t"
        "adcq %[p2], %[t2]\n\t"
        "adcq %[p3], %[t3]\n\t"
        "adcq %[p4], %[t4]\n\t"
        "adcq %[p5], %[t5]\n\t"
        : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3), [t4] "+&r"(t4), [t5] "+&r"(t5)
        : [p0] "rm"(p0), [p1] "rm"(p1), [p2] "rm"(p2), [p3] "rm"(p3), [p4] "rm"(p4), [p5] "rm"(p5)
        : "cc");
    r[0] = t0, r[1] = t1, r[2] = t2, r[3] = t3, r[4] = t4, r[5] = t5;
  }
}

}  // namespace adx
}  // namespace proofgrid
