// Prime fields. An element of Fp<P> has two invisible properties, which every operation takes for granted and keeps:
//
//   form   Montgomery: the limbs hold x * R mod p, R = 2^(64 * limbs)  (Montgomery, Math. Comp. 44, 1985)
//   bound  fully reduced: 0 <= limbs < p. So equality is equality of limbs, and zero is all-zero limbs.
//
// Elements enter through from_canonical or load_mont and leave through to_canonical or store_mont; these are the only
// places where the form changes. load_mont believes its caller: is_canonical tells whether limbs lie below p.
// A default-constructed element is uninitialised, as an integer is.
//
// Cost, counted in multiplications (mul): * and square 1; from/to_canonical 1; inverse about 60; + - neg dbl
// less than a tenth each. Nothing here is constant time: conditional subtractions do not branch, inverse and pow do.
#pragma once

#include <cstring>

#include "proofgrid/inversion.hpp"
#include "proofgrid/layer.hpp"
#include "proofgrid/limbs.hpp"
#include "proofgrid/params.hpp"
#if defined(PROOFGRID_LAYER_ADX)
#include "proofgrid/field_adx.hpp"
#endif

namespace proofgrid::inline PROOFGRID_LAYER {

using std::size_t;
using std::uint64_t;

template <class P>
class Fp {
 public:
  using Params = P;
  static constexpr size_t limbs = P::limbs;
  static constexpr size_t bytes = 8 * limbs;
  // The "no carry" reduction below needs one spare bit (Acar, Botrel et al., gnark's field notes, 2020).
  static_assert(P::modulus[limbs - 1] < (~uint64_t{0} >> 1), "the modulus leaves no spare bit in its top limb");

  Fp() = default;

  static Fp zero() { return Fp(zero_limbs); }
  static Fp one() { return Fp(P::one_mont); }

  // x for canonical limbs x < p. 1 mul.
  static Fp from_canonical(const uint64_t* canonical) { return Fp(canonical) * Fp(P::radix_squared); }
  // x for a small integer. 1 mul.
  static Fp from_small(uint64_t value) {
    Fp x = zero();
    x.limb_[0] = value;
    return x * Fp(P::radix_squared);
  }
  // Writes canonical limbs. 1 mul.
  void to_canonical(uint64_t* canonical) const {
    uint64_t one[limbs] = {1};
    (*this * Fp(one)).store_mont(canonical);
  }

  // The element whose Montgomery limbs lie at `source`, at any alignment; the caller knows that they are below p.
  PROOFGRID_INLINE static Fp load_mont(const void* source) {
    Fp x;
    std::memcpy(x.limb_, source, bytes);
    return x;
  }
  void store_mont(void* target) const { std::memcpy(target, limb_, bytes); }
  static Fp constant_mont(const uint64_t (&montgomery)[limbs]) { return Fp(montgomery); }

  static bool is_canonical(const uint64_t* canonical) { return limbs::less<limbs>(canonical, P::modulus); }

  PROOFGRID_INLINE bool is_zero() const { return limbs::is_zero<limbs>(limb_); }
  PROOFGRID_INLINE bool operator==(const Fp& other) const { return limbs::equal<limbs>(limb_, other.limb_); }
  const uint64_t* data() const { return limb_; }

  PROOFGRID_INLINE friend Fp operator+(const Fp& a, const Fp& b) { return add(a, b); }
  PROOFGRID_INLINE friend Fp operator-(const Fp& a, const Fp& b) { return subtract(a, b); }
  PROOFGRID_INLINE friend Fp operator*(const Fp& a, const Fp& b) { return multiply(a, b); }
  PROOFGRID_INLINE Fp& operator+=(const Fp& other) { return *this = *this + other; }
  PROOFGRID_INLINE Fp& operator-=(const Fp& other) { return *this = *this - other; }
  PROOFGRID_INLINE Fp& operator*=(const Fp& other) { return *this = *this * other; }
  PROOFGRID_INLINE Fp operator-() const { return zero() - *this; }
  Fp neg() const { return -*this; }
  PROOFGRID_INLINE Fp dbl() const { return *this + *this; }
  Fp square() const { return *this * *this; }

  // a[0] * b[0] + a[1] * b[1]; 2 mul, or 1.5 where the layer reduces the sum but once.
  static Fp sum_of_products(const Fp (&a)[2], const Fp (&b)[2]) {
#if defined(PROOFGRID_LAYER_ADX)
    if constexpr (adx::sums_two_products<P>) {
      Fp r;
      adx::mul_sum<P>(r.limb_, a[0].limb_, b[0].limb_);
      return r;
    }
#endif
    return a[0] * b[0] + a[1] * b[1];
  }

  // this^exponent for an exponent of `words` little-endian 64-bit words; 0^0 = 1.
  Fp pow(const uint64_t* exponent, size_t words) const {
    Fp result = one();
    bool started = false;
    for (size_t i = 64 * words; i-- > 0;) {
      if (started) result = result.square();
      if (exponent[i / 64] >> (i % 64) & 1) {
        result = started ? result * *this : *this;
        started = true;
      }
    }
    return result;
  }

  // 1/x; inverse of zero is zero. The limbs hold x R, so R^2 / (x R) is what they must become. About 60 mul.
  Fp inverse() const {
    Fp r;
    inversion::invert<P>(r.limb_, limb_, P::radix_squared);
    return r;
  }

 private:
  explicit Fp(const uint64_t* montgomery) { std::memcpy(limb_, montgomery, bytes); }

  PROOFGRID_INLINE static Fp add(const Fp& a, const Fp& b) {
#if defined(PROOFGRID_LAYER_ADX)
    if constexpr (adx::supports<limbs>) {
      Fp r;
      adx::add<P>(r.limb_, a.limb_, b.limb_);
      return r;
    }
#endif
    Fp sum, r;
    limbs::add<limbs>(sum.limb_, a.limb_, b.limb_);  // below 2p: no carry
    reduce_once(r.limb_, sum.limb_);
    return r;
  }

  PROOFGRID_INLINE static Fp subtract(const Fp& a, const Fp& b) {
#if defined(PROOFGRID_LAYER_ADX)
    if constexpr (adx::supports<limbs>) {
      Fp r;
      adx::sub<P>(r.limb_, a.limb_, b.limb_);
      return r;
    }
#endif
    Fp r;
    const uint64_t mask = -limbs::sub<limbs>(r.limb_, a.limb_, b.limb_);
    uint64_t carry = 0;
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) r.limb_[i] = limbs::add_carry(r.limb_[i], P::modulus[i] & mask, carry);
    return r;
  }

  // Montgomery multiplication, operands scanned coarsely and integrated (Koc, Acar, Kaliski, IEEE Micro 16(3), 1996:
  // CIOS). With a spare bit in the modulus the running sum stays below 2p in `limbs` words.
  static Fp multiply(const Fp& a, const Fp& b) {
    uint64_t t[limbs];
#if defined(PROOFGRID_LAYER_ADX)
    if constexpr (adx::supports<limbs>) {
      Fp r;
      adx::mul<P>(r.limb_, a.limb_, b.limb_);
      return r;
    }
#endif
    std::memset(t, 0, sizeof t);
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) {
      uint64_t high_product = 0, high_reduction = 0;
      t[0] = limbs::mul_add(a.limb_[0], b.limb_[i], t[0], high_product);
      const uint64_t m = t[0] * P::minus_inverse;
      limbs::mul_add(m, P::modulus[0], t[0], high_reduction);
#pragma GCC unroll 8
      for (size_t j = 1; j < limbs; ++j) {
        t[j] = limbs::mul_add(a.limb_[j], b.limb_[i], t[j], high_product);
        t[j - 1] = limbs::mul_add(m, P::modulus[j], t[j], high_reduction);
      }
      t[limbs - 1] = high_product + high_reduction;
    }
    Fp r;
    reduce_once(r.limb_, t);
    return r;
  }

  // r = t mod p for t < 2p, without a branch.
  static void reduce_once(uint64_t* r, const uint64_t* t) {
    uint64_t reduced[limbs];
    const uint64_t mask = -limbs::sub<limbs>(reduced, t, P::modulus);
#pragma GCC unroll 8
    for (size_t i = 0; i < limbs; ++i) r[i] = (t[i] & mask) | (reduced[i] & ~mask);
  }

  static constexpr uint64_t zero_limbs[limbs] = {};
  uint64_t limb_[limbs];
};

}  // namespace proofgrid
