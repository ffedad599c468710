// A layer is one way to multiply. Every kernel is compiled once per layer, in a namespace of the layer's name, and
// the layer is chosen once, at run time, above the kernels: nothing inside a loop asks what the CPU can do.
//
//   portable  C++ with unsigned __int128; every 64-bit target
//   adx       x86-64 with mulx, adcx, adox (Intel Broadwell, AMD Zen and later), as inline assembly
//
// A layer must not raise the compiler's target for a whole translation unit (-mbmi2, -mavx512ifma): inline functions
// of the standard library would be emitted with those instructions and could be picked by the linker for every layer.
// Assembly and __attribute__((target)) on the layer's own functions are safe.
#pragma once

#if defined(PROOFGRID_LAYER_ADX)
#if !defined(__x86_64__)
#error "the adx layer is for x86-64"
#endif
#define PROOFGRID_LAYER layer_adx
#else
#define PROOFGRID_LAYER layer_portable
#endif

// For operations of a few instructions: in a large translation unit the compiler's budget for inlining runs out, and a
// call costs more than they do.
#define PROOFGRID_INLINE [[gnu::always_inline]] inline
