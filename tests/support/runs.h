// What tests of whole runs share: a small corpus, a config for it, and training in a folder.
#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"
#include "train/training.h"

namespace heddle::testing {

/// Sentences of 1 to 7 words out of eight, and the same sentences backwards.
inline void write_reversals(const std::filesystem::path& source,
                            const std::filesystem::path& target, int pairs, unsigned seed) {
  static constexpr const char* kWords[] = {"un",   "deux", "trois", "quatre",
                                           "cinq", "six",  "sept",  "huit"};
  std::string sources, targets;
  unsigned state = seed;
  const auto next = [&](unsigned bound) {
    state = state * 1664525U + 1013904223U;
    return (state >> 16) % bound;
  };
  for (int i = 0; i < pairs; ++i) {
    std::string forwards, backwards;
    for (unsigned n = 1 + next(7); n > 0; --n) {
      const std::string word = kWords[next(8)];
      forwards.append(forwards.empty() ? "" : " ").append(word);
      backwards.insert(0, backwards.empty() ? word : word + " ");
    }
    sources.append(forwards).append("\n");
    targets.append(backwards).append("\n");
  }
  write_bytes(source, sources);
  write_bytes(target, targets);
}

/// A folder with a corpus and the config "run.json" of a small model for it.
class SmallRun {
 public:
  explicit SmallRun(int pairs = 300) {
    write_reversals(folder_ / "train.src", folder_ / "train.tgt", pairs, 1);
    write_reversals(folder_ / "valid.src", folder_ / "valid.tgt", 40, 2);
    write_bytes(folder_ / "run.json", R"({
      "model": {"d_model": 16, "heads": 2, "d_ff": 24, "layers": 1, "dropout": 0.1},
      "data": {"train": {"source": "train.src", "target": "train.tgt"},
               "valid": {"source": "valid.src", "target": "valid.tgt"},
               "tokenizer": {"type": "word"}, "max_length": 32},
      "optimizer": {"type": "adam"},
      "schedule": {"type": "inverse_sqrt", "learning_rate": 0.01, "warmup": 10},
      "train": {"batch_tokens": 200, "steps": 12, "lanes": 2, "report_every": 4,
                "validate_every": 6, "checkpoint_every": 4, "sample_translations": 1}
    })");
  }

  struct Options {
    std::string run = "run";
    std::vector<std::string> set = {};
    RunFolder::Open open = RunFolder::Open::kNew;
    int threads = 2;
    std::function<bool()> stop = [] { return false; };
    std::function<bool()> save = [] { return false; };
    std::function<bool()> hurry = [] { return false; };
  };

  /// Trains; what was shown is in said().
  Trainer::End train(const Options& options) {
    Progress progress(said_, false);
    return training(options, progress).run();
  }
  Training training(const Options& options, Progress& progress) {
    TrainingRequest request;
    request.config = folder_ / "run.json";
    request.overrides = options.set;
    request.run = folder_ / options.run.c_str();
    request.open = options.open;
    request.threads = options.threads;
    return {
        request, progress, {.stop = options.stop, .save = options.save, .hurry = options.hurry}};
  }

  std::filesystem::path operator/(const char* name) const { return folder_ / name; }
  const TemporaryFolder& folder() const { return folder_; }
  std::string said() const { return said_.str(); }
  std::string bytes(const std::string& file) const { return read_bytes(folder_ / file.c_str()); }

 private:
  TemporaryFolder folder_;
  std::ostringstream said_;
};

/// One that was trained for a few updates, the same for all tests.
inline const SmallRun& trained() {
  static SmallRun small;
  if (!std::filesystem::exists(small / "run")) small.train({});
  return small;
}

/// The checkpoints and links of a run.
inline std::set<std::string> checkpoint_names(const SmallRun& small, const std::string& run) {
  std::set<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(small / (run + "/checkpoints").c_str())) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

/// A condition that holds from its `count`-th evaluation on.
inline std::function<bool()> after(int count) {
  return [count]() mutable { return --count < 0; };
}

}  // namespace heddle::testing
