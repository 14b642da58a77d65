#include "tests/support/house_rules.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>

#include "tests/support/source_scan.h"

namespace heddle::testing {

namespace {

struct Floor {
  std::string_view folder;
  int height;
};

// The longest folder that fits a path counts. Siblings have the same height.
constexpr Floor kFloors[] = {
    {"autograd/base/", 0}, {"autograd/kernels/", 1},
    {"autograd/", 2},      {"autograd/ops/", 3},
    {"configs/", 4},       {"layers/", 5},
    {"optim/", 5},         {"data/", 5},
    {"decode/", 6},        {"train/", 7},
    {"cli/", 8},
};

// Beside the house: free to include any floor, held to the limits of size.
constexpr std::array<std::string_view, 3> kOutbuildings = {"tests/", "benchmarks/", "docs/"};

// Macros that the platform forces on us, each with the only file that may define it.
constexpr std::pair<std::string_view, std::string_view> kMacros[] = {
    {"autograd/base/arena.cpp", "HEDDLE_ADDRESS_SANITIZER"},
};

std::optional<Floor> floor_of(std::string_view path) {
  std::optional<Floor> best;
  for (const Floor& floor : kFloors) {
    const bool longer = !best || floor.folder.size() > best->folder.size();
    if (path.starts_with(floor.folder) && longer) best = floor;
  }
  return best;
}

bool is_outbuilding(std::string_view path) {
  return std::ranges::any_of(kOutbuildings, [&](auto folder) { return path.starts_with(folder); });
}

bool is_header(std::string_view path) {
  return path.ends_with(".h");
}

std::string place(const std::string& path, int line) {
  return path + ":" + std::to_string(line) + ": ";
}

/// What is wrong with including `included`, which exists, from a file on `floor`.
std::string wrong_direction(const Floor& floor, std::string_view included) {
  const std::optional<Floor> other = floor_of(included);
  if (!other) return " is no part of the house";
  if (other->height > floor.height) return " is on a higher floor";
  if (other->height == floor.height && other->folder != floor.folder) return " is a sibling's";
  return "";
}

Violations includes_of_file(const SourceTree& tree, const std::string& path,
                            const std::string& text) {
  Violations violations;
  const std::optional<Floor> floor = floor_of(path);
  if (!floor && !is_outbuilding(path)) violations.push_back(path + ": is on no floor");
  for (const Include& include : includes_of(tokens_of(text))) {
    const std::string what = place(path, include.line) + "include " + include.path;
    if (!include.quoted) {
      if (tree.contains(include.path)) violations.push_back(what + " belongs in quotes");
    } else if (!tree.contains(include.path)) {
      violations.push_back(what + " is no whole path to a source");
    } else if (floor) {
      const std::string wrong = wrong_direction(*floor, include.path);
      if (!wrong.empty()) violations.push_back(what + wrong);
    }
  }
  return violations;
}

/// Depth-first search that names the path from a header back to itself.
class CycleSearch {
 public:
  explicit CycleSearch(const SourceTree& tree) : tree_(tree) {}

  Violations run() {
    for (const auto& [path, text] : tree_) {
      if (is_header(path)) visit(path);
    }
    return std::move(violations_);
  }

 private:
  void visit(const std::string& path) {
    const auto open = std::ranges::find(trail_, path);
    if (open != trail_.end()) {
      std::string circle;
      for (auto step = open; step != trail_.end(); ++step) circle += *step + " -> ";
      violations_.push_back("headers include each other: " + circle + path);
      return;
    }
    if (!done_.insert(path).second) return;
    trail_.push_back(path);
    for (const Include& include : includes_of(tokens_of(tree_.at(path)))) {
      if (tree_.contains(include.path) && is_header(include.path)) visit(include.path);
    }
    trail_.pop_back();
  }

  const SourceTree& tree_;
  std::set<std::string> done_;
  std::vector<std::string> trail_;
  Violations violations_;
};

bool macro_allowed(const std::string& path, const std::string& definition) {
  return std::ranges::any_of(kMacros, [&](const auto& macro) {
    return path == macro.first && definition.find(macro.second) != std::string::npos;
  });
}

bool calls(const std::vector<Token>& tokens, std::string_view function) {
  return std::ranges::any_of(tokens, [&](const Token& token) {
    return token.kind == TokenKind::kWord && token.text == function;
  });
}

/// The habits that can be judged file by file.
Violations habits_of_file(const std::string& path, const std::vector<Token>& tokens) {
  Violations violations;
  const bool header = is_header(path);
  bool once = false;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    const bool directive = token.kind == TokenKind::kDirective;
    if (directive && token.text == "#pragma once") once = true;
    const bool macro =
        directive && token.text.find("define") == token.text.find_first_not_of("# \t");
    if (macro && !is_outbuilding(path) && !macro_allowed(path, token.text)) {
      violations.push_back(place(path, token.line) + "macro: " + token.text);
    }
    const bool using_namespace = token.kind == TokenKind::kWord && token.text == "using" &&
                                 i + 1 < tokens.size() && tokens[i + 1].text == "namespace";
    if (using_namespace && (header || !is_outbuilding(path))) {
      violations.push_back(place(path, token.line) + "using namespace");
    }
  }
  if (header && !once) violations.push_back(path + ": has no #pragma once");
  for (const Include& include : includes_of(tokens)) {
    const bool json = include.path == "nlohmann/json.hpp";
    if (json && header && !path.starts_with("configs/")) {
      violations.push_back(place(path, include.line) + "nlohmann/json.hpp in a header");
    }
  }
  return violations;
}

void append(Violations& all, const Violations& more) {
  all.insert(all.end(), more.begin(), more.end());
}

}  // namespace

Violations check_includes(const SourceTree& tree) {
  Violations violations;
  for (const auto& [path, text] : tree) append(violations, includes_of_file(tree, path, text));
  return violations;
}

Violations check_cycles(const SourceTree& tree) {
  return CycleSearch(tree).run();
}

Violations check_sizes(const SourceTree& tree) {
  Violations violations;
  for (const auto& [path, text] : tree) {
    const int lines = lines_of(text);
    if (lines > kMaxFileLines) {
      violations.push_back(path + ": " + std::to_string(lines) + " lines");
    }
    for (const Function& function : functions_of(tokens_of(text))) {
      if (function.lines <= kMaxFunctionLines) continue;
      violations.push_back(place(path, function.line) + function.name + " has " +
                           std::to_string(function.lines) + " lines");
    }
  }
  return violations;
}

Violations check_habits(const SourceTree& tree) {
  Violations violations;
  Violations thread_setters;
  for (const auto& [path, text] : tree) {
    const std::vector<Token> tokens = tokens_of(text);
    append(violations, habits_of_file(path, tokens));
    if (is_outbuilding(path)) continue;
    if (calls(tokens, "omp_set_num_threads")) thread_setters.push_back(path);
  }
  for (std::size_t i = 1; i < thread_setters.size(); ++i) {
    violations.push_back(thread_setters[i] + ": omp_set_num_threads, as in " + thread_setters[0]);
  }
  return violations;
}

Violations check_build_file(const std::string& path, const std::string& text) {
  Violations violations;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    const auto report = [&](const std::string& what) {
      violations.push_back(place(path, number) + what);
    };
    if (line.size() > kMaxBuildFileColumns) report(std::to_string(line.size()) + " columns");
    const std::size_t source = line.find(".cpp ");
    if (source != std::string::npos && line.find(".cpp", source + 1) != std::string::npos) {
      report("two sources");
    }
    for (const std::string_view flag : {"-ffast-math", "-ffinite-math-only", "-Ofast"}) {
      if (line.find(flag) != std::string::npos) report(std::string(flag));
    }
  }
  return violations;
}

}  // namespace heddle::testing
