// What `heddle bench` found, as text for people and as JSON for programs.
#pragma once

#include <cstdint>
#include <string>

#include "cli/bench_shapes.h"
#include "train/update_timing.h"

namespace heddle {

/// A table of the families' shares and times.
std::string family_text(const std::vector<FamilyTime>& families);
/// A table of every operation's time in all lanes together.
std::string operation_text(const UpdateProfile& profile);

struct BenchReport {
  std::string shape;  // or the config file
  BenchSentences sentences;
  std::int64_t parameters = 0;
  int threads = 1;
  int lanes = 1;
  int updates = 0;  // that were timed
  UpdateTiming timing;

  /// A few aligned lines.
  std::string text() const;
  /// One object; its keys stay as they are.
  std::string json() const;
};

}  // namespace heddle
