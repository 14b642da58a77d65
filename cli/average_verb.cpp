// heddle average: several checkpoints become one model.
#include <fmt/core.h>

#include <algorithm>
#include <memory>

#include "cli/numbers.h"
#include "cli/standard_error.h"
#include "cli/verbs.h"
#include "data/shell_quote.h"
#include "decode/average.h"
#include "decode/trained_model.h"
#include "train/checkpoint.h"
#include "train/resolved.h"
#include "train/run_folder.h"
#include "train/selection.h"

namespace heddle {

namespace {

constexpr const char* kAboutAverage =
    R"(Example: heddle average runs/toy --last 3 --output averaged

Writes a model whose weights are the mean of those of several checkpoints: of the last or the
best ones of a run, or of the folders that are given. The mean of the last checkpoints often translates better than each.)";

struct AverageArguments {
  std::vector<std::string> models;
  std::string output;
  int last = 0, best = 0;  // 0: the models themselves
};

namespace fs = std::filesystem;

void check_run(const fs::path& run) {
  check<FileError>(fs::exists(run / kConfigFile) && fs::is_directory(run / "checkpoints"),
                   run.string(), ": is no folder of a run");
}

/// The last checkpoints of a run. One that is kept only as the best of long ago is none of them.
std::vector<fs::path> last_of(const fs::path& run, int last) {
  check_run(run);
  const std::int64_t kept = std::stoll(resolved_part(run / kConfigFile, "/train/keep_last"));
  const auto newest = find_last(run);
  const std::int64_t update = newest ? *checkpoint_update(*newest) : 0;
  std::vector<fs::path> checkpoints =
      last_checkpoints(run, update, std::min<std::int64_t>(last, kept));
  check<FileError>(std::ssize(checkpoints) == last, run.string(), ": of its last checkpoints ",
                   checkpoints.size(), " are there, not ", last,
                   "; train.keep_last says how many a run keeps");
  return checkpoints;
}

std::vector<fs::path> best_of(const fs::path& run, int best) {
  check_run(run);
  const auto newest = find_last(run);
  const RunState state = newest ? read_state(*newest / kStateFile) : RunState();
  check<FileError>(std::ssize(state.best) >= best, run.string(), ": of its best checkpoints ",
                   state.best.size(), " are there, not ", best,
                   "; train.keep_best says how many a run keeps");
  return best_checkpoints(run, state, best);
}

std::vector<fs::path> chosen(const AverageArguments& arguments) {
  const std::vector<fs::path> models(arguments.models.begin(), arguments.models.end());
  if (arguments.last > 0 || arguments.best > 0) {
    if (models.size() != 1) {
      throw CLI::ValidationError(arguments.last > 0 ? "--last" : "--best",
                                 "takes the checkpoints of one run");
    }
    return arguments.last > 0 ? last_of(models.front(), arguments.last)
                              : best_of(models.front(), arguments.best);
  }
  if (models.size() == 1) {
    throw CLI::ValidationError(
        "MODEL", "one model is its own mean: give several, or a run and --last N or --best N");
  }
  std::vector<fs::path> checkpoints;
  for (const fs::path& model : models) {
    const fs::path checkpoint = fs::canonical(find_checkpoint(model));
    check<FileError>(std::ranges::count(checkpoints, checkpoint) == 0, model.string(),
                     ": is given twice: ", checkpoint.string());
    checkpoints.push_back(checkpoint);
  }
  return checkpoints;
}

void run_average(const AverageArguments& arguments) {
  const std::vector<fs::path> checkpoints = chosen(arguments);
  average_models(checkpoints, arguments.output);
  for (const fs::path& checkpoint : checkpoints) fmt::print("{}\n", checkpoint.string());
  print_to_stderr("the mean of {} checkpoints; translate with: heddle translate {}\n",
                  checkpoints.size(), shell_path(arguments.output));
}

}  // namespace

void add_average(CLI::App& app) {
  const auto arguments = std::make_shared<AverageArguments>();
  CLI::App* verb = app.add_subcommand("average", kAboutAverage);
  verb->add_option("MODEL", arguments->models, "folders of checkpoints, or of one run")->required();
  CLI::Option* last =
      add_number(*verb, "--last", arguments->last, 1, 1000000, "the last checkpoints of the run");
  add_number(*verb, "--best", arguments->best, 1, 1000000, "those of its best validations")
      ->excludes(last);
  verb->add_option("--output", arguments->output, "the new folder of the model")
      ->required()
      ->check([](const std::string& path) {
        return path.empty() ? std::string("is no name of a folder") : std::string();
      });
  verb->callback([=] { run_average(*arguments); });
}

}  // namespace heddle
