// The constants of transforms over 2^k-th roots of unity, as multiples ready for Sums::multiply.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "proofgrid/field.hpp"
#include "proofgrid/ifma/ntt_sums.hpp"
#include "proofgrid/ntt.hpp"

namespace proofgrid::inline PROOFGRID_LAYER::ifma {

template <class P>
using Constant = typename Sums<P>::Constant;

// The five multiples of w. 10 mul.
template <class P>
Constant<P> multiples_of(Fp<P> w) {
  static const Fp<P> radix = [] {
    uint64_t words[P::limbs] = {uint64_t{1} << limb_bits};
    return Fp<P>::from_canonical(words);
  }();
  Constant<P> r;
  for (size_t i = 0; i < Constants<P>::limbs; ++i) {
    w = w * radix;
    uint64_t words[P::limbs];
    w.to_canonical(words);
    const auto number = Constants<P>::from_words(words);
    for (size_t j = 0; j < Constants<P>::limbs; ++j) r.limb[i][j] = number.limb[j];
  }
  return r;
}

// The primitive 2^log_order-th root that one direction steps by.
template <class P>
Fp<P> direction_root(unsigned log_order, bool inverse) {
  const Fp<P> root = root_of_unity<Fp<P>>(log_order);
  return inverse ? root.inverse() : root;
}

// T[i] for i < 2^log_size, at least one: the bit-reversed twiddles of ntt.hpp for one direction. 200 bytes each; they
// are as many as half the side of the square that a transform becomes (2^9 for n = 2^20: 100 KB), and are kept.
template <class P>
std::shared_ptr<const std::vector<Constant<P>>> block_twiddles(unsigned log_size, bool inverse) {
  static std::mutex mutex;
  static std::shared_ptr<const std::vector<Constant<P>>> cache[2];
  std::lock_guard lock(mutex);
  auto& kept = cache[inverse];
  if (kept && kept->size() >> log_size) return kept;
  std::vector<Fp<P>> powers{Fp<P>::one()};
  for (unsigned j = 0; j < log_size; ++j) {
    const Fp<P> root = direction_root<P>(j + 2, inverse);
    for (size_t i = 0; i < size_t{1} << j; ++i) powers.push_back(powers[i] * root);
  }
  auto table = std::make_shared<std::vector<Constant<P>>>();
  table->reserve(powers.size());
  for (const Fp<P>& w : powers) table->push_back(multiples_of<P>(w));
  return kept = table;
}

// D[h + j] = the (2 j + 1)st power of the primitive 4h-th root, for j < h, h a power of two below 2^log_size: the twiddle of
// place j where two transforms of h values over odd roots become one. D[0] is unused. Kept, 200 bytes each.
template <class P>
std::shared_ptr<const std::vector<Constant<P>>> odd_twiddles(unsigned log_size) {
  static std::mutex mutex;
  static std::shared_ptr<const std::vector<Constant<P>>> kept;
  std::lock_guard lock(mutex);
  if (kept && kept->size() >> log_size) return kept;
  auto table = std::make_shared<std::vector<Constant<P>>>(1);
  table->reserve(size_t{1} << log_size);
  for (unsigned log_h = 0; log_h < log_size; ++log_h) {
    const Fp<P> root = root_of_unity<Fp<P>>(log_h + 2), step = root.square();
    Fp<P> w = root;
    for (size_t j = 0; j < size_t{1} << log_h; ++j, w *= step) table->push_back(multiples_of<P>(w));
  }
  return kept = table;
}

// first * ratio^i for i < count.
template <class P>
std::vector<Constant<P>> geometric(const Fp<P>& first, const Fp<P>& ratio, size_t count) {
  std::vector<Constant<P>> r;
  r.reserve(count);
  Fp<P> w = first;
  for (size_t i = 0; i < count; ++i, w *= ratio) r.push_back(multiples_of<P>(w));
  return r;
}

}  // namespace proofgrid
