// Every operation that a header of autograd/ops declares has cases in the table: a small one, whose
// values and gradients are checked, and a large one, for the benchmark.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <set>

#include "tests/support/documents.h"
#include "tests/support/op_cases.h"
#include "tests/support/places.h"
#include "tests/support/source_scan.h"

namespace heddle::testing {
namespace {

using Names = std::set<std::string>;

// Exempt from cases, and from large cases, each with the reason.
const std::map<std::string, std::string> kWithoutCase{
    {"stop_gradient", "its gradient is meant to differ from that of its value; see tape_test"}};
const std::map<std::string, std::string> kWithoutLargeCase{
    {"stop_gradient", "a view"},
    {"reshape", "a view"},
    {"sinusoidal_positions", "computed once for a model"}};

/// The functions that take `Context& context` first.
Names operations_of(std::string_view header) {
  Names names;
  const std::vector<Token> tokens = tokens_of(header);
  for (std::size_t i = 0; i + 4 < tokens.size(); ++i) {
    const bool takes_context = tokens[i + 1].text == "(" && tokens[i + 2].text == "Context" &&
                               tokens[i + 3].text == "&" && tokens[i + 4].text == "context";
    if (tokens[i].kind == TokenKind::kWord && takes_context) names.insert(tokens[i].text);
  }
  return names;
}

Names operations_of_the_menu() {
  Names all;
  const std::filesystem::path root = source_folder();
  for (const auto& entry : std::filesystem::directory_iterator(root / "autograd/ops")) {
    if (entry.path().extension() != ".h") continue;
    all.merge(operations_of(contents("autograd/ops/" + entry.path().filename().string())));
  }
  return all;
}

/// Operations without a case of the size; those that the list excuses are left out.
Names missing(const Names& operations, const std::vector<OpCase>& cases, bool large,
              const std::map<std::string, std::string>& excused) {
  Names result = operations;
  for (const OpCase& op_case : cases) {
    if (op_case.large == large) result.erase(op_case.op);
  }
  for (const auto& entry : excused) result.erase(entry.first);
  return result;
}

void expect_none(const Names& names, const std::string& what) {
  for (const std::string& name : names) FAIL_CHECK(name << what);
}

TEST_CASE("menu: every operation has a case whose gradient is checked, and a large one") {
  const Names menu = operations_of_the_menu();
  CHECK(menu.size() >= 45);
  for (const char* name : {"add", "attention", "cross_entropy", "embed", "linear", "residual_norm",
                           "dropout", "logsumexp", "gather", "rotary", "gated"}) {
    CHECK_MESSAGE(menu.contains(name), name);
  }
  const std::vector<OpCase> cases = op_cases();
  expect_none(missing(menu, cases, false, kWithoutCase), " has no small case in op_cases()");
  expect_none(missing(menu, cases, true, kWithoutLargeCase), " has no large case in op_cases()");
  for (const OpCase& op_case : cases) CHECK_MESSAGE(menu.contains(op_case.op), op_case.op);
  for (const auto& list : {kWithoutCase, kWithoutLargeCase}) {
    for (const auto& entry : list) CHECK_MESSAGE(menu.contains(entry.first), entry.first);
  }
}

TEST_CASE("menu: what counts as an operation") {
  CHECK(operations_of("Tensor add(Context& context, const Tensor& a);\n"
                      "ResidualNorm\n residual_norm(  Context&\n  context,\n const Tensor& x);") ==
        Names{"add", "residual_norm"});
  CHECK(
      operations_of("Tensor f(const Tensor& x, Context& context);\nstruct Context;\n"
                    "// Tensor g(Context& context);\n/* Tensor h(Context& context); */\n"
                    "const char* k = \"Tensor i(Context& context)\";\nTensor j(Contexts& context);")
          .empty());
  CHECK(operations_of("Tensor add(Context& context").contains("add"));
  CHECK(operations_of("").empty());
}

TEST_CASE("menu: an operation without a case is found") {
  std::vector<OpCase> cases(3);
  cases[0].op = "add";
  cases[1].op = "mul";
  cases[1].large = true;
  cases[2].op = "exp";
  CHECK(missing({"add", "mul", "exp"}, cases, false, {}) == Names{"mul"});
  CHECK(missing({"add", "mul", "exp"}, cases, true, {{"exp", "reason"}}) == Names{"add"});
}

}  // namespace
}  // namespace heddle::testing
