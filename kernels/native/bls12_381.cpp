// The kernels of bls12_381, for the layer that the build names.
#include "curve_kernels.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

native::CurveKernels bls12_381_kernels() { return curve_kernels<params::Bls12381>(); }

}  // namespace proofgrid
