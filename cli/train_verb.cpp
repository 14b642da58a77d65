// heddle train: a config in, a run folder out.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <system_error>

#include "autograd/base/parallel.h"
#include "cli/bench_report.h"
#include "cli/stop_signals.h"
#include "cli/text_streams.h"
#include "cli/threads_option.h"
#include "cli/verbs.h"
#include "data/shell_quote.h"
#include "decode/trained_model.h"
#include "train/training.h"
#include "train/update_timing.h"

namespace heddle {

namespace {

constexpr const char* kAboutTrain = R"(Example: heddle train configs/toy.json --run runs/toy

Trains the model of a config.

Reports go to stderr and to metrics.jsonl in the run's folder; checkpoints are complete models for
heddle translate. Ctrl-C saves and stops; the same command with --resume goes on.)";

struct TrainArguments {
  std::string config, run;
  std::vector<std::string> overrides;
  std::string trace;
  bool resume = false, force = false, dry_run = false, profile = false;
  int threads = available_threads();
};

/// Whether it can be read only once.
bool is_pipe(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) &&
         !std::filesystem::is_directory(status);
}

TrainingRequest request_of(const TrainArguments& arguments) {
  if (arguments.run.empty() && is_pipe(arguments.config)) {
    throw CLI::ValidationError("--run",
                               "is required: a config that comes through a pipe gives the "
                               "run no name");
  }
  TrainingRequest request;
  request.config = arguments.config;
  request.overrides = arguments.overrides;
  request.run = arguments.run.empty() ? std::filesystem::path("runs") / request.config.stem()
                                      : std::filesystem::path(arguments.run);
  request.open = arguments.resume  ? RunFolder::Open::kContinue
                 : arguments.force ? RunFolder::Open::kForce
                                   : RunFolder::Open::kNew;
  request.threads = arguments.threads;
  return request;
}

/// What continues this run.
std::string resume_command(const TrainArguments& arguments, const std::filesystem::path& run) {
  // A pipe cannot be read again; what came through it is in the run's own config.
  if (is_pipe(arguments.config)) {
    return "heddle train " + shell_path(run / kConfigFile) + " --run " + shell_path(run) +
           " --resume";
  }
  std::string command =
      "heddle train " + shell_path(arguments.config) + " --run " + shell_path(run);
  for (const std::string& set : arguments.overrides) command += " --set " + shell_quoted(set);
  return command + " --resume";
}

/// What the training reads.
InputFiles inputs_of(const TrainArguments& arguments, const Settings& settings) {
  const DataConfig& data = settings.data;
  InputFiles inputs;
  inputs.add("CONFIG", arguments.config);
  for (const std::optional<TextFiles>& text : {data.train, data.valid}) {
    if (!text) continue;
    inputs.add("the config", text->source);
    inputs.add("the config", text->target);
  }
  inputs.add("the config", data.valid_references.value_or(""));
  return inputs;
}

/// --force throws away the run in the folder, but never the model that the new one begins with.
void check_keeps_model(const TrainArguments& arguments, const Settings& settings,
                       const std::filesystem::path& run) {
  if (!arguments.force || !settings.train.init_from) return;
  const auto model = std::filesystem::canonical(find_checkpoint(*settings.train.init_from));
  const auto old = std::filesystem::weakly_canonical(run);
  const bool inside =
      std::mismatch(old.begin(), old.end(), model.begin(), model.end()).first == old.end();
  if (!inside) return;
  throw CLI::ValidationError("--force", "would throw away " + model.string() +
                                            ", which train.init_from names; give another folder "
                                            "with --run");
}

/// What --profile and --trace ask for.
class Profiling {
 public:
  Profiling(const TrainArguments& arguments, TrainingRequest& request) : arguments_(arguments) {
    if (!arguments.profile && arguments.trace.empty()) return;
    if (!arguments.trace.empty()) profile_.most_events = 100'000;
    request.profile = &profile_;
  }

  void print(Progress& progress, const InputFiles& inputs) const {
    if (!arguments_.trace.empty()) {
      Output output("--trace", arguments_.trace, inputs);
      output.write(trace_text(profile_));
      output.finish();
    }
    if (!arguments_.profile || profile_.updates == 0) return;
    const int lanes = static_cast<int>(profile_.lanes.size());
    progress.say(family_text(family_times(profile_, std::min(lanes, arguments_.threads))) +
                 operation_text(profile_));
  }

 private:
  const TrainArguments& arguments_;
  UpdateProfile profile_;
};

void print(const Training::Estimate& e) {
  const double millions = 1e-6 * static_cast<double>(e.parameters);
  fmt::print("parameters      {:.2f} million, {:.1f} MB\n", millions,
             static_cast<double>(e.parameter_bytes) * 1e-6);
  fmt::print("memory          {:.0f} MB at most so far, all included\n",
             static_cast<double>(peak_resident_bytes()) * 1e-6);
  fmt::print("speed           {:.0f} target tokens/s, {:.0f} per update\n",
             e.speed.tokens_per_second, e.speed.tokens_per_update);
  fmt::print("an epoch        {} pairs, {:.0f} target tokens, {:.0f} updates, {}\n", e.pairs,
             e.tokens_per_epoch, e.tokens_per_epoch / e.speed.tokens_per_update,
             duration(e.tokens_per_epoch / e.speed.tokens_per_second));
}

void run_train(const TrainArguments& arguments) {
  StopSignals signals;
  Progress progress(std::cerr, ::isatty(STDERR_FILENO) == 1);
  TrainingRequest request = request_of(arguments);
  Profiling profiling(arguments, request);
  Training training(request, progress,
                    {.stop = [&] { return signals.received() != 0; },
                     .save = [&] { return signals.save_asked(); },
                     .hurry = [&] { return signals.received() != 0; }});
  const InputFiles inputs = inputs_of(arguments, training.settings());
  check_keeps_model(arguments, training.settings(), request.run);
  if (!arguments.trace.empty()) output_path("--trace", arguments.trace, inputs);  // before the work
  try {
    if (arguments.dry_run) return print(training.dry_run());
    const Trainer::End end = training.run();
    profiling.print(progress, inputs);
    if (end == Trainer::End::kFinished) {
      progress.say("done; translate with: heddle translate " + shell_path(request.run));
      return;
    }
    progress.say((end == Trainer::End::kStopped ? "saved; resume with: "
                                                : "resume from what was saved before with: ") +
                 resume_command(arguments, request.run));
  } catch (const Interrupted& stopped) {
    // Of --force the run that was there still is.
    const bool lost =
        is_pipe(arguments.config) && !std::filesystem::exists(request.run / kConfigFile);
    const bool nothing_new = arguments.dry_run || arguments.force || lost;
    const std::string goes_on = "; resume with: " + resume_command(arguments, request.run);
    progress.say(stopped.what() + (nothing_new ? "" : goes_on));
  }
  throw CLI::RuntimeError(128 + signals.received());
}

}  // namespace

void add_train(CLI::App& app) {
  const auto arguments = std::make_shared<TrainArguments>();
  CLI::App* verb = app.add_subcommand("train", kAboutTrain);
  verb->add_option("CONFIG", arguments->config, "a JSON file")->required();
  verb->add_option("--run", arguments->run,
                   "the run's folder, by default runs/ and the config's name");
  verb->add_option("--set", arguments->overrides, "KEY=VALUE: replaces one value, as train.steps=9")
      ->allow_extra_args(false);
  CLI::Option* resume =
      verb->add_flag("--resume", arguments->resume, "go on behind the last checkpoint");
  verb->add_flag("--force", arguments->force, "throw away a run that is in the folder")
      ->excludes(resume);
  verb->add_flag("--dry-run", arguments->dry_run,
                 "only print parameters, memory and speed; nothing is kept");
  verb->add_flag("--profile", arguments->profile, "in the end, where the time of updates went");
  verb->add_option("--trace", arguments->trace,
                   "a file for a trace of the first updates, for chrome://tracing or Perfetto");
  add_threads(*verb, arguments->threads);
  verb->callback([=] { run_train(*arguments); });
}

}  // namespace heddle
