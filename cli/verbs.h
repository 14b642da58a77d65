// The verbs of the program, a file for each. A verb adds its subcommand to the command line and
// says what runs when it is chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

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

void add_average(CLI::App& app);
void add_bench(CLI::App& app);
void add_config(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_gradcheck(CLI::App& app);
void add_inspect(CLI::App& app);
void add_plot(CLI::App& app);
void add_score(CLI::App& app);
void add_train(CLI::App& app);
void add_translate(CLI::App& app);

}  // namespace heddle
