// NTTs over toy scalar fields: linear maps, so all unit vectors with all shifts prove them for every input.
#pragma once

#include <vector>

#include "fields.hpp"
#include "proofgrid/ntt.hpp"

namespace toy {

template <class P>
void every_ntt() {
  using F = proofgrid::Fp<P>;
  const uint64_t p = P::modulus[0];
  proofgrid::Run run(1, nullptr);
  for (unsigned log_n = 0; log_n <= P::two_adicity; ++log_n) {
    const size_t n = size_t{1} << log_n;
    const uint64_t root = integer(proofgrid::root_of_unity<F>(log_n));
    for (uint64_t shift = 1; shift < p; ++shift) {
      for (size_t j = 0; j < n; ++j) {
        std::vector<uint64_t> unit(n), values(n), back(n);
        unit[j] = 1;
        const auto transform = [&](const std::vector<uint64_t>& in, std::vector<uint64_t>& out, bool inverse) {
          const auto* source = reinterpret_cast<const std::byte*>(in.data());
          proofgrid::ntt(source, reinterpret_cast<F*>(out.data()), log_n, inverse, element<P>(shift), run);
        };
        transform(unit, values, false);
        uint64_t point = shift;  // shift * w^i
        for (size_t i = 0; i < n; ++i, point = point * root % p) {
          uint64_t power = 1;
          for (size_t k = 0; k < j; ++k) power = power * point % p;
          expect(values[i] == power, P::name, "ntt of a unit vector (log n, shift, j, i)", {log_n, shift, j, i});
        }
        transform(values, back, true);
        expect(back == unit, P::name, "inverse ntt (log n, shift, j)", {log_n, shift, j});
      }
    }
  }
}

}  // namespace toy
