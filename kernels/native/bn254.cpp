// The kernels of bn254, for the layer that the build names.
#include "curve_kernels.hpp"

namespace proofgrid::inline PROOFGRID_LAYER {

native::CurveKernels bn254_kernels() { return curve_kernels<params::Bn254>(); }

}  // namespace proofgrid
