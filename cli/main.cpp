// heddle: arguments in, exit code out. Every failure is one sentence on stderr.
#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "autograd/base/nearest.h"
#include "autograd/base/out_of_memory.h"
#include "cli/standard_error.h"
#include "cli/verbs.h"
#include "configs/config.h"
#include "data/utf8.h"
#include "train/version.h"

namespace heddle {

namespace {

constexpr const char* kAbout = R"(Example: heddle train configs/toy.json

Heddle trains encoder-decoder Transformers on CPUs from one JSON file.)";

int complain(ExitCode code, std::string_view sentence) {
  print_to_stderr("heddle: {}\n", visible(sentence));
  return code;
}

/// The known name that is nearest to an argument that nothing expected.
std::string hint(const CLI::App& app, const std::string& argument) {
  std::vector<std::string> names;
  const bool option = argument.starts_with("-");
  if (option) {
    for (const CLI::Option* o : app.get_options()) names.push_back("--" + o->get_single_name());
  } else {
    for (const CLI::App* verb : app.get_subcommands({})) names.push_back(verb->get_name());
  }
  const std::string name = argument.substr(0, argument.find('='));
  return suggestion(name, std::vector<std::string_view>(names.begin(), names.end()));
}

/// What is wrong with the command line, in one sentence.
std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* verb = &app;
  for (const CLI::App* chosen : app.get_subcommands()) verb = chosen;
  const bool no_verb = verb == &app;
  const std::string help = no_verb ? "heddle --help" : "heddle " + verb->get_name() + " --help";
  const std::vector<std::string> extras = no_verb ? app.remaining(true) : verb->remaining();
  if (extras.empty()) {
    return fmt::format("{}; see {}", no_verb ? "no verb is given" : error.what(), help);
  }
  const std::string near = hint(*verb, extras[0]);
  return fmt::format("there is no {} {}{} {}",
                     extras[0].starts_with("-") ? "option"
                     : no_verb                  ? "verb"
                                                : "argument",
                     extras[0], near.empty() ? "; see" : near + " See", help);
}

/// Lists verbs by what they do; their descriptions begin with an example.
class VerbFormatter : public CLI::Formatter {
  std::string make_subcommand(const CLI::App* verb) const override {
    const std::string about = verb->get_description();
    const std::size_t begin = about.find("\n\n") + 2;
    return fmt::format("  {:<12} {}\n", verb->get_name(),
                       about.substr(begin, about.find('\n', begin) - begin));
  }
};

/// What was asked for, where that is known, and what to lower.
std::string memory_error(const CLI::App& app, std::size_t bytes) {
  std::string sentence = "not enough memory";
  if (bytes > 0) {
    const double size = static_cast<double>(bytes);
    const bool large = size >= 1e9;
    sentence += fmt::format(": another {:.1f} {} could not be had", size * (large ? 1e-9 : 1e-6),
                            large ? "GB" : "MB");
  }
  const auto is = [&](const char* verb) { return app.got_subcommand(verb); };
  if (is("train")) {
    return sentence +
           "; lower train.lanes, train.lane_tokens or data.max_length, or make the model smaller";
  }
  if (is("bench")) return sentence + "; lower --lanes, --length or train.lane_tokens";
  if (is("translate") || is("evaluate")) return sentence + "; lower --threads or --beam";
  if (is("score")) return sentence + "; lower --threads";
  if (is("gradcheck")) return sentence + "; lower --vocabulary or --threads";
  return sentence;
}

/// Results that did not arrive are no success.
void check_output_arrived() {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  const std::string reason = errno == 0 ? "" : ": " + std::generic_category().message(errno);
  fail<FileError>("cannot write to standard output", reason);
}

/// The exit code of the verb, or of --help and --version, which print too.
int run_verb(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::RuntimeError& stop) {  // a verb that has said why
    return stop.get_exit_code();
  }
  return 0;
}

/// Whether fmt::print() threw this error because standard output cannot be written.
bool is_of_output(const std::system_error& error) {
  return std::string_view(error.what()).starts_with("cannot write to file");
}

int run(int argc, char** argv) {
  CLI::App app(kAbout, "heddle");
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text, "version, compiler, matrix library");
  const auto formatter = std::make_shared<VerbFormatter>();
  formatter->label("SUBCOMMAND", "VERB");
  formatter->label("Subcommands", "Verbs (heddle VERB --help tells more)");
  app.formatter(formatter);
  app.failure_message([](const CLI::App*, const CLI::Error&) { return std::string(); });
  add_train(app);
  add_translate(app);
  add_evaluate(app);
  add_score(app);
  add_average(app);
  add_bench(app);
  add_inspect(app);
  add_plot(app);
  add_config(app);
  add_gradcheck(app);
  try {
    const int code = run_verb(app, argc, argv);
    check_output_arrived();
    return code;
  } catch (const CLI::ParseError& error) {
    return complain(kUsage, usage_error(app, error));
  } catch (const ConfigError& error) {  // a line for each error, with its place
    print_to_stderr("{}\n", visible(error.what()));
    return kConfig;
  } catch (const DataError& error) {
    return complain(kData, error.what());
  } catch (const FileError& error) {
    return complain(kFiles, error.what());
  } catch (const NumericError& error) {
    return complain(kNumeric, error.what());
  } catch (const std::filesystem::filesystem_error& error) {
    return complain(kFiles, error.path1().string() + ": " + error.code().message());
  } catch (const std::system_error& error) {
    if (!is_of_output(error)) return complain(kInternal, error.what());
    return complain(kFiles, "cannot write to standard output: " + error.code().message());
  } catch (const OutOfMemory& error) {
    return complain(kMemory, memory_error(app, error.bytes()));
  } catch (const std::bad_alloc&) {
    return complain(kMemory, memory_error(app, 0));
  } catch (const std::exception& error) {
    return complain(kInternal, error.what());
  }
}

}  // namespace

}  // namespace heddle

int main(int argc, char** argv) {
  // A file that may not grow is an error of writing, as a full disk is, and no reason to die.
  ::signal(SIGXFSZ, SIG_IGN);
  // Else the first file would take the place of a standard stream that somebody has closed. Writing
  // to one that is opened for reading still fails.
  int descriptor = ::open("/dev/null", O_RDONLY);
  while (descriptor >= 0 && descriptor <= STDERR_FILENO) descriptor = ::open("/dev/null", O_RDONLY);
  if (descriptor >= 0) ::close(descriptor);
  return heddle::run(argc, argv);
}
