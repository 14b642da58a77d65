// heddle plot: the learning curves of runs.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>

#include "cli/text_streams.h"
#include "cli/verbs.h"
#include "train/plot/page.h"
#include "train/run_history.h"

namespace heddle {

namespace {

namespace fs = std::filesystem;

constexpr const char* kAboutPlot = R"(Example: heddle plot runs/toy

Draws the learning curves of a run, or of several over each other, and prints the file's name.

The file is one page of HTML that needs no other and no network; while a run trains, the page shows it
as far as it is. With --svg it is an image with a white background, for documents. The name of
--output decides: .html or .svg.)";

struct PlotArguments {
  std::vector<fs::path> runs;
  std::string output;
  bool svg = false;
};

/// The name of the output decides; where it has none, as a pipe, --svg does.
bool wants_svg(const PlotArguments& arguments) {
  const fs::path path = arguments.output;
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (ending == ".svg") return true;
  if (ending == ".html" || ending == ".htm") {
    if (!arguments.svg) return false;
    throw CLI::ValidationError("--svg", "writes an image, but --output " + arguments.output +
                                            " is the name of a page; end it in .svg");
  }
  std::error_code error;
  const bool no_file = path.native().starts_with("/dev/") ||  // which may lead to a regular file
                       (fs::exists(path, error) && !fs::is_regular_file(path, error));
  if (path.empty() || no_file) return arguments.svg;
  throw CLI::ValidationError("--output", arguments.output +
                                             " has no ending that names a format; end it in .html "
                                             "for a page or in .svg for an image");
}

void run_plot(const PlotArguments& arguments) {
  fs::path path = arguments.output;
  const bool svg = wants_svg(arguments);
  if (path.empty()) {
    path = arguments.runs.size() == 1 ? arguments.runs.front() : fs::path();
    path /= svg ? "curves.svg" : "curves.html";
  }
  InputFiles inputs;
  for (const fs::path& run : arguments.runs) inputs.add_history("RUN", run);
  const std::vector<RunHistory> histories = read_histories(arguments.runs);
  Output output("--output", path, inputs);
  output.write(svg ? svg_image(histories) : html_page(histories));
  output.finish();
  fmt::print("{}\n", path.string());
}

}  // namespace

void add_plot(CLI::App& app) {
  const auto arguments = std::make_shared<PlotArguments>();
  CLI::App* verb = app.add_subcommand("plot", kAboutPlot);
  verb->add_option("RUN", arguments->runs, "folders of runs")->required();
  verb->add_option("--output", arguments->output,
                   "the file to write; by default curves.html in the folder of the run, of several "
                   "runs in the current folder")
      ->check([](const std::string& path) {
        return path.empty() ? std::string("is no name of a file") : std::string();
      });
  verb->add_flag("--svg", arguments->svg,
                 "an SVG image: curves.svg instead of curves.html; with --output its name decides");
  verb->callback([=] { run_plot(*arguments); });
}

}  // namespace heddle
