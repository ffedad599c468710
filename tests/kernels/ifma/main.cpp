// "toys": the ifma layer over toy fields, on every pair. "spread": Fp12 in the lanes. The name of a field: the calculator of corners.hpp.
#include <string_view>

#include "corners.hpp"
#include "spread.hpp"
#include "toy_params.hpp"
#include "toys.hpp"

using namespace proofgrid::params;
using proofgrid::ifma::Lanes, proofgrid::ifma::Lanes2;

static void toys() {
  toy::every_pair_of_lanes<ToyBn19Fq>();
  toy::every_pair_of_lanes<ToyBn103Fq>();
  toy::every_pair_of_lanes<toy::TwoLimbs<ToyBn19Fq>>();
  toy::every_pair_of_lanes<toy::TwoLimbs<ToyBn103Fr>>();
  toy::every_lane<ToyBn19Fq>();
  toy::every_lane<ToyBn103Fq>();
  toy::every_lane<ToyBls7207Fq>();
  toy::every_lane<toy::TwoLimbs<ToyBn103Fr>>();
  toy::every_pair_of_lanes2<ToyBn19Fq>();
  toy::every_pair_of_lanes2<toy::TwoLimbs<ToyBn19Fq>>();
  toy::rows_and_words<4>();
  toy::rows_and_words<6>();
  toy::rows_and_words<8>();
  toy::rows_and_words<12>();
  toy::transposes();
  std::printf("%llu checks\n", static_cast<unsigned long long>(toy::checks));
}

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "toys") toys();
  if (what == "spread") {
    spread::drawn_elements<Bn254>(200);
    spread::drawn_elements<Bls12381>(100);
    spread::drawn_lines<Bn254>(12);
    spread::drawn_lines<Bls12381>(12);
    std::printf("%llu checks\n", static_cast<unsigned long long>(toy::checks));
  }
  if (what == "bn254.Fq") corners::calculate<Lanes<Bn254Fq>>();
  if (what == "bn254.Fr") corners::calculate<Lanes<Bn254Fr>>();
  if (what == "bls12_381.Fq") corners::calculate<Lanes<Bls12381Fq>>();
  if (what == "bls12_381.Fr") corners::calculate<Lanes<Bls12381Fr>>();
  if (what == "bn254.Fq2") corners::calculate<Lanes2<Bn254Fq>>();
  if (what == "bls12_381.Fq2") corners::calculate<Lanes2<Bls12381Fq>>();
}
