// x -> x^e for x in Fp12, x not 0, with e = (q^12 - 1) / r for the bn family and 3 (q^12 - 1) / r for bls12.
//
//   (q^12 - 1) / r = (q^6 - 1)(q^2 + 1)  (q^4 - q^2 + 1) / r
//                    easy part           hard part, in the cyclotomic subgroup: inverse = conjugate, squaring 9 s
//
// Sources of the hard part: bn: Scott, Benger, Charlemagne, Dominguez Perez, Kachisa, eprint 2008/490, section 5;
// bls12: Hayashida, Hayasaka, Teruya, eprint 2020/875, section 4.
#pragma once

#include "proofgrid/tower.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

// Fq12 is Fp12<C> or has its interface.
template <class C, class Fq12 = Fp12<C>>
class FinalExponentiation {
 public:
  // One inversion, and 3 (bn) or 5 (bls12) powers of the seed.
  static Fq12 apply(const Fq12& x) {
    const Fq12 y = easy_part(x);
    if constexpr (C::is_bn) {
      return hard_part_bn(y);
    } else {
      return hard_part_bls12(y);
    }
  }

  // x^seed in the cyclotomic subgroup, by the non-adjacent form: 63 squarings, about 21 (bn254) or 5 (bls12_381)
  // multiplications.
  static Fq12 power_of_seed(const Fq12& x) {
    const Fq12 inverse = x.conjugate();
    // Non-adjacent form of s: digit i is bit i of (3s)/2 minus bit i of s/2 (Reitwiesner, 1960).
    const limbs::uint128_t half = C::seed_abs / 2, triple = half + C::seed_abs;
    Fq12 result = Fq12::one();
    bool started = false;
    for (size_t i = 66; i-- > 0;) {
      if (started) result = result.cyclotomic_square();
      const int digit = static_cast<int>(triple >> i & 1) - static_cast<int>(half >> i & 1);
      if (digit == 0) continue;
      const Fq12& factor = digit > 0 ? x : inverse;
      result = started ? result * factor : factor;
      started = true;
    }
    return C::seed_negative ? result.conjugate() : result;
  }

 private:
  static Fq12 easy_part(const Fq12& x) {
    const Fq12 y = x.conjugate() * x.inverse();
    return y.frobenius().frobenius() * y;
  }

  // With z the seed: y0 y1^2 y2^6 y3^12 y4^18 y5^30 y6^36 by the addition chain of section 5: 13 multiplications.
  static Fq12 hard_part_bn(const Fq12& x) {
    const Fq12 xz = power_of_seed(x), xz2 = power_of_seed(xz), xz3 = power_of_seed(xz2);
    const Fq12 x_q = x.frobenius(), x_q2 = x_q.frobenius(), x_q3 = x_q2.frobenius();
    const Fq12 xz2_q = xz2.frobenius();
    const Fq12 y0 = x_q * x_q2 * x_q3;
    const Fq12 y1 = x.conjugate();
    const Fq12 y2 = xz2_q.frobenius();
    const Fq12 y3 = xz.frobenius().conjugate();
    const Fq12 y4 = (xz * xz2_q).conjugate();
    const Fq12 y5 = xz2.conjugate();
    const Fq12 y6 = (xz3 * xz3.frobenius()).conjugate();

    Fq12 t0 = y6.cyclotomic_square() * y4 * y5;
    Fq12 t1 = y3 * y5 * t0;
    t0 = t0 * y2;
    t1 = (t1.cyclotomic_square() * t0).cyclotomic_square();
    t0 = (t1 * y1).cyclotomic_square();
    return t0 * (t1 * y0);
  }

  // 3 (q^4 - q^2 + 1) / r = (z - 1)^2 (z + q) (z^2 + q^2 - 1) + 3.
  static Fq12 hard_part_bls12(const Fq12& x) {
    Fq12 t = power_of_seed(x) * x.conjugate();
    t = power_of_seed(t) * t.conjugate();
    t = power_of_seed(t) * t.frobenius();
    t = power_of_seed(power_of_seed(t)) * t.frobenius().frobenius() * t.conjugate();
    return t * x.cyclotomic_square() * x;
  }
};

template <class C, class Fq12>
Fq12 final_exponentiation(const Fq12& x) {
  return FinalExponentiation<C, Fq12>::apply(x);
}

}  // namespace proofgrid
