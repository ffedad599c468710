// Sums of elements and their opposites without a carry: eight signed words of 32 bits each, brought back below p eight rows at a
// time.
#pragma once

#include <immintrin.h>

#include "proofgrid/elements.hpp"
#include "proofgrid/ifma/field.hpp"
#include "proofgrid/ifma/transpose.hpp"

namespace proofgrid::inline PROOFGRID_LAYER::ifma::sparse_detail {

// Outside the vectors' target: see inverse.hpp.
template <class F>
[[gnu::noinline]] F multiply(const std::byte* a, const std::byte* b) {
  return F::load_mont(a) * F::load_mont(b);
}

}  // namespace proofgrid

PROOFGRID_IFMA_BEGIN
namespace proofgrid::inline PROOFGRID_LAYER::ifma {

namespace sparse_detail {

PROOFGRID_INLINE __m256i load(const void* source) { return _mm256_loadu_si256(static_cast<const __m256i*>(source)); }
PROOFGRID_INLINE Word spread(__m256i x) { return _mm512_cvtepu32_epi64(x); }
PROOFGRID_INLINE bool is_equal(__m256i a, __m256i b) { return _mm256_cmpeq_epi64_mask(a, b) == 0xf; }
// As numbers of four words: the highest word that differs decides.
PROOFGRID_INLINE bool is_below(__m256i a, __m256i b) {
  return _mm256_cmplt_epu64_mask(a, b) > _mm256_cmpgt_epu64_mask(a, b);
}
PROOFGRID_INLINE Mask all_if(bool condition) { return static_cast<Mask>(-static_cast<int>(condition)); }

// A row's sum so far: plain, values of coefficients, which have the factor R^2, and products, which have R = 2^256.
struct RowSum {
  Word plain, values, products;
  bool has_values, has_products;

  PROOFGRID_INLINE static RowSum zero() {
    const Word none = _mm512_setzero_si512();
    return {none, none, none, false, false};
  }
};

}  // namespace sparse_detail

// Rows of spread sums, each of at most 2^31 elements, on their way to canonical ones.
template <class P>
class RowBatch {
  using L = Lanes<P>;
  using F = Fp<P>;
  static_assert(P::limbs == 4);

 public:
  PROOFGRID_INLINE void add(const sparse_detail::RowSum& sum, F* target) {
    plain_[count_] = sum.plain, values_[count_] = sum.values, products_[count_] = sum.products;
    targets_[count_++] = target;
    has_values_ |= sum.has_values, has_products_ |= sum.has_products;
    if (count_ == lanes) finish();
  }

  // Writes what was added to its targets. Two multiplications for eight rows if any has products.
  [[gnu::noinline]] void finish() {
    const L plain = collect(plain_), sixteen = L::broadcast(typename L::Number{{16}});  // x 16 / 2^260 = x / 2^256
    L total;
    if (has_values_) {
      total = (plain + (collect(products_) + collect(values_) * sixteen) * sixteen).template canonical<5>();
    } else if (has_products_) {
      total = (plain + collect(products_) * sixteen).template canonical<5>();
    } else {
      total = plain.template canonical<2>();
    }
    Word words[P::limbs];
    total.to_words(words);
    alignas(64) std::byte rows[lanes][F::bytes];
    store_rows(rows, words);
    for (size_t i = 0; i < count_; ++i) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(targets_[i]), sparse_detail::load(rows[i]));
    }
    count_ = 0, has_values_ = has_products_ = false;
  }

 private:
  // The rows' values mod p, of magnitude 2.
  static L collect(const Word (&rows)[lanes]) {
    Word part[lanes];
    for (size_t i = 0; i < lanes; ++i) part[i] = rows[i];
    transpose_8x8(part);
    carry(part);
    // The quotient by p from the top word, whose unit is 2^224: never too large and too small by one at most. What the words below
    // add to it is less than 2^-29, what doubles lose at a quotient of 2^31 less than 2^-21.
    static constexpr double reciprocal = 1 / (static_cast<double>(P::modulus[3]) * 0x1p-32);
    const __m512d estimate = _mm512_fmadd_pd(_mm512_cvtepi64_pd(part[7]), _mm512_set1_pd(reciprocal), _mm512_set1_pd(-0x1p-20));
    const Word quotient = _mm512_cvtpd_epi64(_mm512_roundscale_pd(estimate, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC));
    for (size_t k = 0; k < lanes; ++k) {
      const Word p = all(P::modulus[k / 2] >> (32 * (k % 2)) & 0xffffffff);
      part[k] = _mm512_sub_epi64(part[k], _mm512_mullo_epi64(quotient, p));
    }
    carry(part);
    Word words[P::limbs];
    for (size_t j = 0; j < P::limbs; ++j) {
      words[j] = _mm512_add_epi64(part[2 * j], _mm512_slli_epi64(part[2 * j + 1], 32));
    }
    return L::template from_words<2>(words);
  }
  // Words below 2^32 but for the last, which takes the sign.
  PROOFGRID_INLINE static void carry(Word (&part)[lanes]) {
    for (size_t k = 0; k + 1 < lanes; ++k) {
      part[k + 1] = _mm512_add_epi64(part[k + 1], _mm512_srai_epi64(part[k], 32));
      part[k] = _mm512_and_si512(part[k], all(0xffffffff));
    }
  }

  alignas(64) Word plain_[lanes] = {}, values_[lanes] = {}, products_[lanes] = {};
  F* targets_[lanes];
  size_t count_ = 0;
  bool has_values_ = false, has_products_ = false;
};

}  // namespace proofgrid
PROOFGRID_IFMA_END
