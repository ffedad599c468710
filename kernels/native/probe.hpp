// How fast this core multiplies, measured: what the limits in proofgrid/bench are made of.
#pragma once

namespace proofgrid::native {

struct Rates {
  double cycles_per_second;
  double mul64_per_second;     // 64 x 64 -> 128 bit
  double vpmadd52_per_second;  // of 512 bits; 0 where the CPU or the operating system has none
};

// Cost: about 40 ms of one thread.
Rates probe();

}  // namespace proofgrid::native
