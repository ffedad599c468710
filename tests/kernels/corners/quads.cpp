// Prints what quad.hpp and ntt_quad.hpp make of operands at the corners of their range, a case a line: "field operation
// numbers", in hexadecimal. test_native_corners.py knows what they must be. Then it compares 2^18 drawn products, or
// 2^(its argument), with field.hpp's and fails if one differs.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "proofgrid/ntt_quad.hpp"

using namespace proofgrid;

PROOFGRID_QUAD_BEGIN

namespace {

struct Number {  // of five limbs
  uint64_t limb[5];
};

uint64_t draw() {
  static uint64_t state = 1;
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return state;
}

// The value modulo 2^260 of limbs that may be above 2^52.
void print(const uint64_t* limb) {
  uint64_t normal[5], carry = 0;
  for (int i = 0; i < 5; ++i) {
    const uint64_t sum = limb[i] + carry;
    normal[i] = sum & quad::limb_mask, carry = sum >> 52;
  }
  std::putchar(' ');
  for (int i = 5; i-- > 0;) std::printf("%013lx", static_cast<unsigned long>(normal[i]));
}

quad::Quad lanes(const Number* x) {
  quad::Quad q;
  for (int i = 0; i < 5; ++i) {
    q.limb[i] = _mm256_set_epi64x(static_cast<long long>(x[3].limb[i]), static_cast<long long>(x[2].limb[i]),
                                  static_cast<long long>(x[1].limb[i]), static_cast<long long>(x[0].limb[i]));
  }
  return q;
}

Number lane(const quad::Quad& q, int index) {
  Number x;
  for (int i = 0; i < 5; ++i) {
    alignas(32) uint64_t words[4];
    _mm256_store_si256(reinterpret_cast<__m256i*>(words), q.limb[i]);
    x.limb[i] = words[index];
  }
  return x;
}

// Numbers with every limb empty, full or 1 and a top limb up to the largest that a product takes; and neighbours of k p.
template <class P>
std::vector<Number> operands() {
  const uint64_t top = (P::modulus[3] >> 16) * (quad::radix_bound<P> / 3) / 100 - 1;
  std::vector<Number> all;
  for (int code = 0; code < 243; ++code) {
    Number x;
    for (int i = 0, rest = code; i < 5; ++i, rest /= 3) {
      x.limb[i] = rest % 3 == 0 ? 0 : rest % 3 == 1 ? 1 : i == 4 ? top : quad::limb_mask;
    }
    all.push_back(x);
  }
  for (unsigned k = 1; k < 9; ++k) {
    for (int offset = -1; offset < 2; ++offset) {
      Number x;
      for (int i = 0; i < 5; ++i) x.limb[i] = quad::multiples<P>.of[k][i];
      x.limb[0] += static_cast<uint64_t>(offset);
      all.push_back(x);
    }
  }
  while (all.size() % 4) all.push_back(all.back());
  return all;
}

template <class P>
std::vector<Fp<P>> factors() {
  using F = Fp<P>;
  std::vector<F> all = {F::zero(), F::one(), -F::one(), F::one().dbl(), F::from_small(~uint64_t{0})};
  uint64_t words[4] = {~uint64_t{0}, ~uint64_t{0}, ~uint64_t{0}, P::modulus[3] - 1};
  all.push_back(F::from_canonical(words));
  for (int i = 0; i < 4; ++i) all.push_back(F::from_small(draw()) * F::from_small(draw()).inverse());
  return all;
}

template <class P>
[[gnu::noinline]] void products() {
  const auto all = operands<P>();
  const auto ws = factors<P>();
  for (size_t f = 0; f < ws.size(); ++f) {
    const adx::Factor t[2] = {adx::make_factor(ws[f]), adx::make_factor(ws[(f + 1) % ws.size()])};
    const quad::Factors w = quad::same_factor(t[0]), u = quad::same_factor(t[1]);
    for (size_t i = 0; i < all.size(); i += 4) {
      using R = quad::Residue<P, quad::radix_bound<P> / 3>;
      const R a{lanes(&all[i])}, b{lanes(&all[(i + 36) % all.size()])};
      const auto single = a * w;
      const auto pair = quad::multiply(a, w, b, u);
      for (int l = 0; l < 4; ++l) {
        for (int which = 0; which < 3; ++which) {
          std::printf("%s product", P::name);
          uint64_t limb[5];
          quad::split(limb, t[which == 2].factor);
          print(limb), print(lane(which == 2 ? b.value : a.value, l).limb);
          print(lane(which == 0 ? single.value : which == 1 ? pair.first.value : pair.second.value, l).limb);
          std::putchar('\n');
        }
      }
    }
  }
}

// k p and its neighbours, as the limbs of a difference may lie, brought below 2.01 p.
template <class P>
[[gnu::noinline]] void lowerings() {
  constexpr unsigned bound = quad::radix_bound<P> / 2;
  for (unsigned k = 0; k < std::min(bound / 100, quad::Multiples<P>::count); ++k) {
    for (int spread = 0; spread < 2; ++spread) {
      Number x[4];
      for (int l = 0; l < 4; ++l) {
        for (int i = 0; i < 5; ++i) x[l].limb[i] = spread ? quad::multiples<P>.spread[k][i] : quad::multiples<P>.of[k][i];
        if (l == 1 && k) x[l].limb[0] -= 1;
        if (l == 2) x[l].limb[0] += 1;
        if (l == 3) x[l].limb[4] += 1;
      }
      const quad::Residue<P, bound> a{lanes(x)};
      const auto b = quad::normal(quad::lowered<201>(a).value);
      for (int l = 0; l < 4; ++l) {
        std::printf("%s lowered", P::name);
        print(x[l].limb), print(lane(b, l).limb);
        std::putchar('\n');
      }
    }
  }
}

template <class P>
void print_element(const Fp<P>& x) {
  uint64_t limb[5];
  quad::split(limb, x.data());
  print(limb);
}

// Every pass over blocks of 16 elements whose words are empty, full, near a multiple of p or drawn.
template <class P, bool last>
[[gnu::noinline]] void passes() {
  using F = Fp<P>;
  constexpr size_t n = 64;
  std::vector<adx::Factor> t;
  while (t.size() < 16) {
    for (const F& w : factors<P>()) t.push_back(adx::make_factor(w));
  }
  t[0] = adx::make_factor(F::one());  // as in every table
  for (int round = 0; round < 24; ++round) {
    std::vector<F> x(n);
    for (size_t i = 0; i < n; ++i) {
      uint64_t words[4];
      const uint64_t kind = round < 4 ? static_cast<uint64_t>(round) : draw() % 6;
      for (size_t j = 0; j < 4; ++j) {
        const uint64_t kinds[] = {0, ~uint64_t{0}, P::modulus[j], 0 - (draw() & 1), draw(), draw()};
        words[j] = kinds[kind];
      }
      if (kind == 2) words[0] += draw() % 3 - 1;
      x[i] = F::load_mont(words);
    }
    for (size_t k : {size_t{0}, size_t{1}, size_t{3}}) {
      for (int pass = 0; pass < 6; ++pass) {
        if (pass == 4 && last) continue;
        auto y = x;
        if (pass == 0) quad::forward_columns<last>(y.data(), n / 4, 0, n / 4, t.data(), k);
        if (pass == 1) quad::backward_columns<last>(y.data(), n / 4, 0, n / 4, t.data(), k);
        if (pass == 2) quad::forward_blocks<last>(y.data(), t.data(), k, k + 4);
        if (pass == 3) quad::backward_blocks<last>(y.data(), t.data(), k, k + 4);
        if (pass == 4) quad::forward_halves(y.data(), n / 2, t[k]);
        if (pass == 5) quad::backward_halves<last>(y.data(), n / 2, t[k]);
        const bool blocks = pass == 2 || pass == 3, halves = pass > 3;
        for (size_t j = 0; j < 16; ++j) {
          const size_t block = blocks ? k + j / 4 : k;
          if (blocks && j % 4) continue;
          const size_t start = blocks ? 4 * (j / 4) : j, step = blocks ? 1 : halves ? n / 2 : n / 4;
          std::printf("%s %s%d%s", P::name, pass % 2 ? "backward" : "forward", halves ? 2 : 4, last ? "last" : "");
          const size_t used[3] = {block, 2 * block, 2 * block + 1};
          for (size_t f = 0; f < (halves ? 1 : 3); ++f) {
            uint64_t limb[5];
            quad::split(limb, t[used[f]].factor);
            print(limb);
          }
          for (const auto* array : {&x, &y}) {
            for (size_t i = 0; i < (halves ? 2 : 4); ++i) print_element((*array)[start + i * step]);
          }
          std::putchar('\n');
        }
      }
    }
  }
}

// How many of `count` drawn products differ from those of field.hpp.
template <class P>
[[gnu::noinline]] size_t drawn(size_t count) {
  using F = Fp<P>;
  size_t wrong = 0;
  for (size_t i = 0; i < count; i += 64) {
    const F w = F::from_small(draw()) * F::from_small(draw()) * F::from_small(draw());
    const quad::Factors factors = quad::same_factor(adx::make_factor(w));
    for (int j = 0; j < 16; ++j) {
      F x[4], y[4];
      for (F& value : x) {
        const uint64_t words[4] = {draw(), draw(), draw(), draw()};
        value = F::load_mont(words);
      }
      quad::write<true>(y, 1, quad::read(x, 1) * factors);
      for (int l = 0; l < 4; ++l) {
        Lazy<F>::reduced(x[l]).store_reduced(x[l]);
        wrong += !(y[l] == x[l] * w);
      }
    }
  }
  return wrong;
}

template <class P>
void field() {
  products<P>();
  lowerings<P>();
  passes<P, false>();
  passes<P, true>();
}

}  // namespace

PROOFGRID_QUAD_END

int main(int argc, char** argv) {
  const quad::TowardsZero rounding;
  field<params::Bn254Fr>();
  field<params::Bls12381Fr>();
  const size_t count = size_t{1} << (argc > 1 ? std::atoi(argv[1]) : 18);
  return drawn<params::Bn254Fr>(count) + drawn<params::Bls12381Fr>(count) != 0;
}
