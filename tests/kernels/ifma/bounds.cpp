// A little arithmetic near the bounds that VERIFY checks: it ends well, and in an abort once a header is broken.
#include "proofgrid/ifma/fp2.hpp"

PROOFGRID_IFMA_BEGIN
using namespace proofgrid;

template <class L>
[[gnu::noinline]] static L largest(unsigned magnitude) {
  const auto number = L::C::multiple(magnitude);
  L x = L::zero();
  for (size_t i = 0; i < L::limbs; ++i) x.limb[i] = ifma::all(number.limb[i]);
  x.limb[0] = ifma::all(number.limb[0] - 1);
  return x.bound(magnitude);
}

int main() {
  using P = params::Bn254Fq;
  using L = ifma::Lanes<P>;
  using L2 = ifma::Lanes2<P>;
  const L nine = largest<L>(9), zero = L::zero();
  L x = nine * nine;
  for (int i = 0; i < 1000; ++i) {
    const L product = x * (x + x + x);
    x = L::subtract<3>(product, i % 2 == 0 ? x : zero) * L::one();
  }
  L::subtract<9>(zero, nine) * L::one();
  const L2 imaginary{zero, largest<L>(6)};
  (imaginary * imaginary).square();
  L2{largest<L>(6), largest<L>(6)}.square();
  std::puts("within bounds");
}
PROOFGRID_IFMA_END
