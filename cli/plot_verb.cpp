// heddle plot: the learning curves of runs.
#include <fmt/core.h>

#include <filesystem>
#include <memory>

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
as far as it is. With --svg it is an image with a white background, for documents.)";

struct PlotArguments {
  std::vector<fs::path> runs;
  std::string output;
  bool svg = false;
};

void run_plot(const PlotArguments& arguments) {
  fs::path path = arguments.output;
  const bool svg = arguments.svg || path.extension() == ".svg";
  if (path.empty()) {
    path = arguments.runs.size() == 1 ? arguments.runs.front() : fs::path();
    path /= svg ? "curves.svg" : "curves.html";
  }
  const std::vector<RunHistory> histories = read_histories(arguments.runs);
  Output output(path.string());
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
  verb->add_flag("--svg", arguments->svg, "an SVG image, as for an output whose name ends in .svg");
  verb->callback([=] { run_plot(*arguments); });
}

}  // namespace heddle
