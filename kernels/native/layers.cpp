// The layers of this module, the fastest first, and what each asks of the CPU.
#include "kernels.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace proofgrid {

// Each namespace is filled by bn254.cpp and bls12_381.cpp, compiled for that layer (proofgrid/layer.hpp).
namespace layer_portable {
native::CurveKernels bn254_kernels();
native::CurveKernels bls12_381_kernels();
}  // namespace layer_portable

#if defined(PROOFGRID_HAS_X86)
namespace layer_adx {
native::CurveKernels bn254_kernels();
native::CurveKernels bls12_381_kernels();
}  // namespace layer_adx

namespace layer_ifma {
native::CurveKernels bn254_kernels();
native::CurveKernels bls12_381_kernels();
}  // namespace layer_ifma
#endif

namespace native {
namespace {

bool always() { return true; }

const Layer& portable() {
  static const Layer layer{"portable", always, layer_portable::bn254_kernels(), layer_portable::bls12_381_kernels()};
  return layer;
}

#if defined(PROOFGRID_HAS_X86)
// Intel SDM, volume 2A, CPUID leaf 7: EBX bit 8 is BMI2 (mulx), bit 19 is ADX (adcx, adox). AVX2 and FMA are what
// PROOFGRID_QUAD_BEGIN turns on; the compiler's own test also asks whether the system saves their registers.
bool has_adx() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx >> 8 & 1) && (ebx >> 19 & 1) &&
         __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

// What PROOFGRID_IFMA_BEGIN turns on, by name; the compiler's own test also asks whether the system saves the registers.
bool has_ifma() {
  return has_adx() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512vbmi") &&
         __builtin_cpu_supports("avx512vbmi2") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

const Layer& ifma() {
  static const Layer layer{"ifma", has_ifma, layer_ifma::bn254_kernels(), layer_ifma::bls12_381_kernels()};
  return layer;
}

const Layer& adx() {
  static const Layer layer{"adx", has_adx, layer_adx::bn254_kernels(), layer_adx::bls12_381_kernels()};
  return layer;
}
#endif

}  // namespace

const std::vector<const Layer*>& layers() {
  static const std::vector<const Layer*> all{
#if defined(PROOFGRID_HAS_X86)
      &ifma(),
      &adx(),
#endif
      &portable(),
  };
  return all;
}

}  // namespace native
}  // namespace proofgrid
