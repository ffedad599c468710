// e(i G1, j G2) = e(G1, G2)^(i j) for every i and j, and e(G1, G2) has order r: bilinear and not degenerate, proven.
#pragma once

#include <vector>

#include "groups.hpp"
#include "proofgrid/pairing.hpp"

namespace toy {

template <class C>
void every_pairing(uint64_t stride) {
  using Value = std::vector<uint64_t>;
  using T1 = Table<proofgrid::G1<C>>;
  using T2 = Table<proofgrid::G2<C>>;
  const uint64_t r = T1::order;
  Run run(1, nullptr);
  const auto product = [&](const std::vector<std::pair<uint64_t, uint64_t>>& logs) {
    std::vector<uint64_t> g1, g2;
    for (const auto& [i, j] : logs) {
      g1.insert(g1.end(), T1::canonical(i), T1::canonical(i) + 2);
      g2.insert(g2.end(), T2::canonical(j), T2::canonical(j) + 4);
    }
    Value out(12);
    proofgrid::pairing_product<C>(bytes(g1.data()), bytes(g2.data()), logs.size(), out.data(), run);
    return out;
  };
  std::vector<Value> powers;  // of e(G1, G2), by multiplication in the tower
  uint64_t unit[12] = {1};
  powers.emplace_back(unit, unit + 12);
  const Value generator = product({{1, 1}});
  const auto load = [](const Value& value) {
    const auto at = [&](int i) { return proofgrid::Fp2<typename C::Fq>::from_canonical(&value[2 * i]); };
    return proofgrid::Fp12<C>{{at(0), at(1), at(2)}, {at(3), at(4), at(5)}};
  };
  for (uint64_t i = 1; i <= r; ++i) {
    Value next(12);
    (load(powers.back()) * load(generator)).to_canonical(next.data());
    expect((next == powers[0]) == (i == r), C::name, "e(G1, G2)^i = 1 only for i = r", {i});
    powers.push_back(next);
  }
  for (uint64_t i = 0; i < r; ++i) {
    for (uint64_t j = 0; j < r; ++j) {
      if (i % stride && j % stride) continue;
      expect(product({{i, j}}) == powers[i * j % r], C::name, "e(i G1, j G2) = e(G1, G2)^(i j)", {i, j});
    }
  }
  uint64_t state = 9;
  for (uint64_t k = 0; k < 200; ++k) {
    std::vector<std::pair<uint64_t, uint64_t>> logs;
    uint64_t sum = 0;
    for (uint64_t n = draw(state) % 6; n > 0; --n) {
      logs.emplace_back(draw(state) % r, draw(state) % r);
      sum += logs.back().first * logs.back().second;
    }
    expect(product(logs) == powers[sum % r], C::name, "product of drawn pairs", {k, logs.size()});
  }
}

}  // namespace toy
