// The kernels' templates over toy curves, tried on every input that can be. Exits with 1 at the first failure.
#include "fields.hpp"
#include "groups.hpp"
#include "pairings.hpp"
#include "tower.hpp"
#include "transforms.hpp"

using namespace proofgrid::params;

template <class C>
void every_curve() {
  toy::every_element<typename C::Fq>();
  toy::every_element<typename C::Fr>();
  toy::every_ntt<typename C::Fr>();
  toy::drawn_tower_elements<C>(300);
  toy::every_point_of_the_subgroup<proofgrid::G1<C>>();
  toy::every_point_of_the_subgroup<proofgrid::G2<C>>();
  toy::every_point_of_the_curve<proofgrid::G1<C>>();
  toy::every_multiple<proofgrid::G1<C>>(C::Fr::modulus[0] / 100 + 1);
  toy::every_multiple<proofgrid::G2<C>>(C::Fr::modulus[0] / 50 + 1);
}

int main() {
  every_curve<ToyBn19>();
  toy::every_pair_of_elements<ToyBn19Fq>();
  toy::every_pair_of_fp2<ToyBn19Fq>();
  toy::every_pair_of_points<proofgrid::G1<ToyBn19>>();
  toy::every_pair_of_points<proofgrid::G2<ToyBn19>>();
  toy::every_point_of_the_curve<proofgrid::G2<ToyBn19>>();
  toy::every_pair_of_coordinates<proofgrid::G1<ToyBn19>>();
  toy::every_msm_of_two<proofgrid::G1<ToyBn19>>(0, 1);
  toy::every_msm_of_two<proofgrid::G2<ToyBn19>>(0, 2);
  toy::every_msm_of_two<proofgrid::G1<ToyBn19>>(2, 1);
  toy::every_msm_of_two<proofgrid::G1<ToyBn19>>(3, 2);
  toy::every_msm_of_two<proofgrid::G2<ToyBn19>>(2, 3);
  toy::every_pairing<ToyBn19>(1);

  every_curve<ToyBn103>();
  toy::every_pair_of_elements<ToyBn103Fq>();
  toy::every_pair_of_elements<ToyBn103Fr>();
  toy::every_pair_of_points<proofgrid::G1<ToyBn103>>();
  toy::every_pair_of_points<proofgrid::G2<ToyBn103>>();
  toy::every_point_of_the_curve<proofgrid::G2<ToyBn103>>();
  toy::every_pair_of_coordinates<proofgrid::G1<ToyBn103>>();
  toy::every_pairing<ToyBn103>(1);

  every_curve<ToyBls727>();
  toy::every_pair_of_coordinates<proofgrid::G1<ToyBls727>>();
  toy::every_point_of_the_curve<proofgrid::G2<ToyBls727>>(31);
  toy::crowded_msms<proofgrid::G1<ToyBls727>>();
  toy::crowded_msms<proofgrid::G2<ToyBls727>>();
  toy::every_pairing<ToyBls727>(8);

  every_curve<ToyBls7207>();
  toy::crowded_msms<proofgrid::G1<ToyBls7207>>();
  toy::every_pairing<ToyBls7207>(100);
  std::printf("%llu checks\n", static_cast<unsigned long long>(toy::checks));
}
