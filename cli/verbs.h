// The verbs of the program, a file for each. A verb adds its subcommand to the command line and
// says what runs when it is chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/exit_codes.h"

namespace heddle {

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
