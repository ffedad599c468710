// A layer is one way to multiply. Every kernel is compiled once per layer, in a namespace of the layer's name, and
// the layer is chosen once, at run time, above the kernels: nothing inside a loop asks what the CPU can do.
//
//   portable  C++ with unsigned __int128; every 64-bit target
//   adx       x86-64 with mulx, adcx, adox (Intel Broadwell, AMD Zen and later), as inline assembly; transforms with AVX2 and
//             FMA, which the same CPUs have
//   ifma      adx for single elements, and AVX-512 IFMA for eight at a time (Intel Ice Lake, AMD Zen 4 and later): ifma/
//
// A layer must not raise the compiler's target for a whole translation unit (-mbmi2, -mavx512ifma): inline functions
// of the standard library would be emitted with those instructions and could be picked by the linker for every layer.
// Assembly and targets on the layer's own functions are safe. So a header of ifma/ includes what it needs first and then
// stands between PROOFGRID_IFMA_BEGIN and PROOFGRID_IFMA_END. Friends defined in a class template must be PROOFGRID_INLINE there:
// g++ 12 gives them no target of their own.
#pragma once

#if (defined(PROOFGRID_LAYER_ADX) || defined(PROOFGRID_LAYER_IFMA)) && !defined(__x86_64__)
#error "the adx and ifma layers are for x86-64"
#endif

#if defined(PROOFGRID_LAYER_IFMA)
#define PROOFGRID_LAYER layer_ifma
#define PROOFGRID_LAYER_ADX  // its single elements
#elif defined(PROOFGRID_LAYER_ADX)
#define PROOFGRID_LAYER layer_adx
#else
#define PROOFGRID_LAYER layer_portable
#endif

// For operations of a few instructions: in a large translation unit the compiler's budget for inlining runs out, and a
// call costs more than they do.
#define PROOFGRID_INLINE [[gnu::always_inline]] inline

// The instructions of ifma/; layers.cpp asks the CPU for the same before it offers the layer.
#define PROOFGRID_IFMA_TARGET "avx512f,avx512vl,avx512dq,avx512bw,avx512ifma,avx512vbmi,avx512vbmi2,bmi,bmi2,lzcnt"
#define PROOFGRID_PRAGMA_(text) _Pragma(#text)
#define PROOFGRID_PRAGMA(text) PROOFGRID_PRAGMA_(text)
#if defined(__clang__)
#define PROOFGRID_IFMA_BEGIN \
  PROOFGRID_PRAGMA(clang attribute push(__attribute__((target(PROOFGRID_IFMA_TARGET))), apply_to = function))
#define PROOFGRID_IFMA_END PROOFGRID_PRAGMA(clang attribute pop)
#else
#define PROOFGRID_IFMA_BEGIN \
  PROOFGRID_PRAGMA(GCC push_options) PROOFGRID_PRAGMA(GCC target(PROOFGRID_IFMA_TARGET))
#define PROOFGRID_IFMA_END PROOFGRID_PRAGMA(GCC pop_options)
#endif
