// Prints products, sums and differences of elements whose limbs (the Montgomery form itself) lie at the corners of their
// range, one a line: "field operation a b... result". test_native_corners.py knows what they must be.
#include <cstdio>
#include <vector>

#include "proofgrid/fp2.hpp"
#include "proofgrid/lazy.hpp"

using namespace proofgrid;

template <class F>
void print(const F& x) {
  uint64_t words[F::bytes / 8];
  x.store_mont(words);
  std::putchar(' ');
  for (size_t i = F::bytes / 8; i-- > 0;) std::printf("%016lx", static_cast<unsigned long>(words[i]));
}

// 0, 1, p - 1, p - 2, (p - 1) / 2, the largest below p with all low limbs full, and each limb full by itself.
template <class P>
std::vector<Fp<P>> corners() {
  using F = Fp<P>;
  std::vector<F> all;
  const auto add = [&](const uint64_t* words) {
    if (F::is_canonical(words)) all.push_back(F::load_mont(words));
  };
  uint64_t words[P::limbs] = {};
  add(words);
  words[0] = 1;
  add(words);
  std::memcpy(words, P::modulus, sizeof words);
  for (int i = 0; i < 2; ++i) {
    --words[0];
    add(words);
  }
  for (size_t i = 0; i < P::limbs; ++i) {
    words[i] = P::modulus[i] >> 1 | (i + 1 < P::limbs ? P::modulus[i + 1] << 63 : 0);
  }
  add(words);
  std::memset(words, 0xff, sizeof words);
  words[P::limbs - 1] = P::modulus[P::limbs - 1] - 1;
  add(words);
  for (size_t i = 0; i + 1 < P::limbs; ++i) {
    std::memset(words, 0, sizeof words);
    words[i] = ~uint64_t{0};
    add(words);
  }
  return all;
}

template <class F>
void line(const char* operation, const F& a, const F& b, const F& result) {
  std::printf("%s %s", F::Params::name, operation);
  print(a), print(b), print(result);
  std::putchar('\n');
}

template <class F>
void both(const F& a, const F& b) {
  line("add", a, b, a + b);
  line("sub", a, b, a - b);
  line("mul", a, b, a * b);
}

template <class P>
void field() {
  const auto all = corners<P>();
  for (const auto& a : all) {
    for (const auto& b : all) both(a, b);
    line("mul", a, a, a.square());
    line("inv", a, a, a.inverse());
  }
}

// Inverses where the division steps of inversion.hpp run long, short or through words of zeros and ones: powers of two
// and their opposites, and drawn limbs of every length.
template <class P>
void inverses() {
  using F = Fp<P>;
  uint64_t state = 3, words[P::limbs];
  const auto invert = [&] {
    if (!F::is_canonical(words)) return;
    const F a = F::load_mont(words);
    for (const F& x : {a, -a}) line("inv", x, x, x.inverse());
  };
  for (unsigned bit = 0; bit < P::bits; ++bit) {
    std::memset(words, 0, sizeof words);
    words[bit / 64] = uint64_t{1} << bit % 64;
    invert();
  }
  for (unsigned bits = 1; bits <= P::bits; ++bits) {
    for (int i = 0; i < 4; ++i) {
      for (size_t j = 0; j < P::limbs; ++j) {
        words[j] = 0;
        for (int half = 0; half < 2; ++half) {
          state = state * 6364136223846793005u + 1442695040888963407u;
          words[j] = words[j] << 32 | state >> 32;
        }
        if (64 * j >= bits) words[j] = 0;
        if (64 * j < bits && bits < 64 * (j + 1)) words[j] >>= 64 * (j + 1) - bits;
      }
      invert();
    }
  }
}

// Products by prepared factors, of words that need not lie below the modulus where the layer's lazy values do not.
template <class P>
void factors() {
  using F = Fp<P>;
  using L = Lazy<F>;
  auto all = corners<P>();
  if constexpr (!std::is_same_v<Twiddle<F>, F>) {
    for (unsigned mask = 1; mask < 16; ++mask) {  // up to 2^256 - 1: every word empty or full
      uint64_t words[P::limbs];
      for (size_t i = 0; i < P::limbs; ++i) words[i] = mask >> i & 1 ? ~uint64_t{0} : 0;
      all.push_back(F::load_mont(words));
    }
  }
  for (const auto& b : corners<P>()) {
    const auto twiddle = L::twiddle(b);
    for (const auto& a : all) {
      F result;
      L::product(a, twiddle).store_reduced(result);
      line("mul", a, b, result);
    }
  }
}

template <class P>
void extension() {
  auto all = corners<P>();
  all.resize(6);
  for (const auto& a0 : all) {
    for (const auto& a1 : all) {
      for (const auto& b0 : all) {
        for (const auto& b1 : all) both(Fp2<P>{a0, a1}, Fp2<P>{b0, b1});
      }
      line("mul", Fp2<P>{a0, a1}, Fp2<P>{a0, a1}, Fp2<P>{a0, a1}.square());
    }
  }
}

int main() {
  field<params::Bn254Fq>();
  inverses<params::Bn254Fq>();
  field<params::Bn254Fr>();
  inverses<params::Bn254Fr>();
  factors<params::Bn254Fr>();
  field<params::Bls12381Fq>();
  inverses<params::Bls12381Fq>();
  field<params::Bls12381Fr>();
  inverses<params::Bls12381Fr>();
  factors<params::Bls12381Fr>();
  extension<params::Bn254Fq>();
  extension<params::Bls12381Fq>();
}
