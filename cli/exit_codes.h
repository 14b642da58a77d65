#pragma once

namespace heddle {

/// What the program tells its caller. 0: done.
enum ExitCode : int {
  kInternal = 1,  // a bug of ours
  kUsage = 2,
  kConfig = 3,
  kData = 4,
  kFiles = 5,    // files and checkpoints
  kNumeric = 6,  // numbers that are not finite, gradients that are wrong
  kMemory = 7,   // there is not enough
};

}  // namespace heddle
