// heddle config: what a config means with all its defaults, and the schema that editors use.
#include <fmt/core.h>

#include <memory>

#include "cli/verbs.h"
#include "configs/schema.h"
#include "train/learner.h"

namespace heddle {

namespace {

constexpr const char* kAboutConfig = R"(Example: heddle config configs/tiny.json --set model.heads=8

Checks a config and prints it with every default filled in.)";

struct ConfigArguments {
  std::string file;
  std::vector<std::string> overrides;
  bool schema = false;
};

void read_all(const Config& root) {
  read_whole_config(root);
}

void run_config(const ConfigArguments& arguments) {
  if (arguments.schema) {
    fmt::print("{}", schema_of("A config of Heddle", read_all));
    return;
  }
  const ConfigDocument document = ConfigDocument::read(arguments.file, arguments.overrides);
  read_all(document.root());
  document.finish();
  fmt::print("{}", document.resolved());
}

}  // namespace

void add_config(CLI::App& app) {
  const auto arguments = std::make_shared<ConfigArguments>();
  CLI::App* verb = app.add_subcommand("config", kAboutConfig);
  CLI::Option* file = verb->add_option("CONFIG", arguments->file, "a JSON file");
  verb->add_option("--set", arguments->overrides, "KEY=VALUE: replaces one value, as model.heads=8")
      ->allow_extra_args(false);
  verb->add_flag("--schema", arguments->schema, "print the JSON Schema of all configs instead");
  verb->callback([=] {
    if (!arguments->schema && file->count() == 0) throw CLI::RequiredError("CONFIG");
    run_config(*arguments);
  });
}

}  // namespace heddle
