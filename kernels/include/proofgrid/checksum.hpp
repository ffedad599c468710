// A checksum of memory against accidental damage (a bad disk, a cut file), as fast as memory is read. Not cryptographic.
//
//   n + sum over i of fold((x_i + k_i) * (y_i ^ k_i)) mod 2^64,  k_i = (i + 1) * 0x9e3779b97f4a7c15 mod 2^64
//
// over the n bytes as pairs (x_i, y_i) of little-endian 64-bit words, the last pair filled up with zeros; fold xors the two
// halves of the 128-bit product (the "mum" of Wang Yi's wyhash). Damage passes about one time in 2^64. A sum, so that
// threads may share it.
#pragma once

#include <cstring>
#include <vector>

#include "proofgrid/run.hpp"

namespace proofgrid {

namespace checksum_detail {

__extension__ typedef unsigned __int128 uint128_t;

inline std::uint64_t fold_pair(const std::byte* pair, std::size_t i) {
  std::uint64_t x, y;
  std::memcpy(&x, pair, 8);
  std::memcpy(&y, pair + 8, 8);
  const std::uint64_t k = (i + 1) * 0x9e3779b97f4a7c15;
  const uint128_t product = static_cast<uint128_t>(x + k) * (y ^ k);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace checksum_detail

inline std::uint64_t checksum(const std::byte* data, std::size_t n, Run& run) {
  using checksum_detail::fold_pair;
  const std::size_t pairs = n / 16;
  std::vector<std::uint64_t> sums(run.team.size());
  run.team.split(pairs, std::size_t{1} << 16, [&](std::size_t begin, std::size_t end, unsigned worker) {
    std::uint64_t sum = 0;
    for (std::size_t i = begin; i < end; ++i) sum += fold_pair(data + 16 * i, i);
    sums[worker] += sum;
  });
  std::uint64_t total = n;
  for (const std::uint64_t sum : sums) total += sum;
  if (n % 16 == 0) return total;
  std::byte last[16] = {};
  std::memcpy(last, data + 16 * pairs, n % 16);
  return total + fold_pair(last, pairs);
}

}  // namespace proofgrid
