// The rules of the house hold for the sources of this checkout, and each rule sees what breaks it.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/house_rules.h"
#include "tests/support/places.h"
#include "tests/support/source_scan.h"

namespace heddle::testing {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

bool is_source(const fs::path& path) {
  return path.extension() == ".h" || path.extension() == ".cpp";
}

bool is_build_file(const fs::path& path) {
  return path.filename() == "CMakeLists.txt" || path.extension() == ".cmake";
}

/// All files that are `wanted` below the root, without hidden folders, builds and runs.
SourceTree files_below(const fs::path& root, bool (*wanted)(const fs::path&)) {
  SourceTree tree;
  for (auto entry = fs::recursive_directory_iterator(root); entry != end(entry); ++entry) {
    const std::string name = entry->path().filename().string();
    const bool outside = name.starts_with('.') || name.starts_with("build") || name == "runs";
    if (entry->is_directory() && outside) entry.disable_recursion_pending();
    if (!entry->is_regular_file() || !wanted(entry->path())) continue;
    tree[fs::relative(entry->path(), root).generic_string()] = read(entry->path());
  }
  return tree;
}

void expect_none(const Violations& violations) {
  for (const std::string& violation : violations) FAIL_CHECK(violation);
}

std::vector<std::string> names_of(const std::string& source) {
  std::vector<std::string> names;
  for (const Function& function : functions_of(tokens_of(source))) names.push_back(function.name);
  return names;
}

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

using Names = std::vector<std::string>;

TEST_CASE("architecture: this checkout keeps the rules") {
  const fs::path root = source_folder();
  const SourceTree tree = files_below(root, is_source);
  REQUIRE(tree.contains("autograd/base/check.h"));
  REQUIRE(tree.contains("tests/architecture_test.cpp"));
  expect_none(check_includes(tree));
  expect_none(check_cycles(tree));
  expect_none(check_sizes(tree));
  expect_none(check_habits(tree));
  const SourceTree build_files = files_below(root, is_build_file);
  REQUIRE(build_files.contains("autograd/kernels/CMakeLists.txt"));
  for (const auto& [path, text] : build_files) expect_none(check_build_file(path, text));
}

TEST_CASE("architecture: an include goes down or stays, by its whole path") {
  const auto from = [](const std::string& path, const std::string& include) {
    return check_includes({{path, "\n#include " + include + "\n"},
                           {"autograd/base/check.h", ""},
                           {"autograd/kernels/gemm.h", ""},
                           {"autograd/tape.h", ""},
                           {"autograd/ops/linear.h", ""},
                           {"optim/adam.h", ""},
                           {"optim/clip.h", ""},
                           {"tests/support/throws.h", ""}});
  };
  CHECK(from("autograd/tape.cpp", "\"autograd/tape.h\"").empty());
  CHECK(from("autograd/tape.cpp", "\"autograd/kernels/gemm.h\"").empty());
  CHECK(from("optim/adam.cpp", "\"optim/clip.h\"").empty());
  CHECK(from("optim/adam.cpp", "\"autograd/ops/linear.h\"").empty());
  CHECK(from("train/comm/mpi.cpp", "\"optim/adam.h\"").empty());
  CHECK(from("tests/optim/adam_test.cpp", "\"tests/support/throws.h\"").empty());
  CHECK(from("autograd/tape.cpp", "<vector>").empty());

  CHECK(from("autograd/kernels/gemm.cpp", "\"autograd/tape.h\"") ==
        Violations{"autograd/kernels/gemm.cpp:2: include autograd/tape.h is on a higher floor"});
  CHECK(from("autograd/tape.cpp", "\"autograd/ops/linear.h\"") ==
        Violations{"autograd/tape.cpp:2: include autograd/ops/linear.h is on a higher floor"});
  CHECK(from("layers/stack.h", "\"optim/adam.h\"") ==
        Violations{"layers/stack.h:2: include optim/adam.h is a sibling's"});
  CHECK(from("autograd/tape.cpp", "\"tape.h\"") ==
        Violations{"autograd/tape.cpp:2: include tape.h is no whole path to a source"});
  CHECK(from("autograd/tape.cpp", "<autograd/tape.h>") ==
        Violations{"autograd/tape.cpp:2: include autograd/tape.h belongs in quotes"});
  CHECK(from("autograd/tape.cpp", "\"tests/support/throws.h\"") ==
        Violations{"autograd/tape.cpp:2: include tests/support/throws.h is no part of the house"});
  CHECK(from("attic/box.cpp", "<vector>") == Violations{"attic/box.cpp: is on no floor"});
}

TEST_CASE("architecture: headers in a circle are found, diamonds are none") {
  const auto include = [](const std::string& path) { return "#include \"" + path + "\"\n"; };
  const SourceTree diamond = {{"a.h", include("b.h") + include("c.h")},
                              {"b.h", include("d.h")},
                              {"c.h", include("d.h")},
                              {"d.h", ""}};
  CHECK(check_cycles(diamond).empty());
  SourceTree circle = diamond;
  circle["d.h"] = include("b.h");
  CHECK(check_cycles(circle) == Violations{"headers include each other: b.h -> d.h -> b.h"});
  circle["d.h"] = "// " + include("b.h") + "/*\n" + include("b.h") + "*/";
  CHECK(check_cycles(circle).empty());
}

TEST_CASE("architecture: long files and long functions are found") {
  CHECK(check_sizes({{"a.cpp", repeated("\n", 400)}}).empty());
  CHECK(check_sizes({{"a.cpp", repeated("\n", 400) + "x"}}) == Violations{"a.cpp: 401 lines"});

  const auto function = [](int lines) {
    return "namespace n {\nstruct S {\n  int f(int x) {\n" + repeated("    ++x;\n", lines - 2) +
           "  }\n};\n}\n";
  };
  CHECK(check_sizes({{"a.cpp", function(80)}}).empty());
  CHECK(check_sizes({{"a.cpp", function(81)}}) == Violations{"a.cpp:3: f has 81 lines"});
  // A namespace, a class and a table may be longer.
  CHECK(check_sizes({{"a.cpp", "namespace {\nclass C {\n" + repeated("int x;\n", 100) + "};\n}\n"}})
            .empty());
  CHECK(check_sizes({{"a.cpp", "const int k[] = {\n" + repeated("1,\n", 100) + "};\n"}}).empty());
}

TEST_CASE("architecture: habits") {
  const auto in = [](const std::string& path, const std::string& text) {
    return check_habits({{path, text}}).size();
  };
  CHECK(in("autograd/a.h", "#pragma once\n") == 0);
  CHECK(in("autograd/a.h", "") == 1);
  CHECK(in("autograd/a.cpp", "using namespace std;") == 1);
  CHECK(in("tests/a_test.cpp", "using namespace std;") == 0);
  CHECK(in("autograd/a.cpp", "// using namespace std;\nconst char* x = \"using namespace\";") == 0);
  CHECK(in("autograd/a.cpp", "#  define X 1\n") == 1);
  CHECK(in("autograd/base/arena.cpp", "#define HEDDLE_ADDRESS_SANITIZER 1\n") == 0);
  CHECK(in("autograd/base/arena.cpp", "#define OTHER 1\n") == 1);
  CHECK(in("autograd/a.cpp", "#if defined(X)\n#endif\n") == 0);
  CHECK(in("layers/a.h", "#pragma once\n#include <nlohmann/json.hpp>\n") == 1);
  CHECK(in("configs/a.h", "#pragma once\n#include <nlohmann/json.hpp>\n") == 0);
  CHECK(in("layers/a.cpp", "#include <nlohmann/json.hpp>\n") == 0);
  const std::string setter = "void f() { omp_set_num_threads(1); }";
  CHECK(in("autograd/a.cpp", setter) == 0);
  CHECK(check_habits({{"autograd/a.cpp", setter}, {"autograd/b.cpp", setter}}).size() == 1);

  CHECK(check_build_file("a", "    a.cpp\n    b.cpp\n" + repeated("x", 110) + "\n").empty());
  CHECK(check_build_file("a", "\n" + repeated("x", 111)) == Violations{"a:2: 111 columns"});
  CHECK(check_build_file("a", "  a.cpp b.cpp") == Violations{"a:1: two sources"});
  CHECK(check_build_file("a", "add_compile_options(-O3 -ffast-math)\n").size() == 1);
}

TEST_CASE("architecture: comments, literals and raw strings hide braces") {
  CHECK(names_of("void f() { /* } */ // }\n  g('}', \"}\\\"}\"); }\nvoid h() {}") ==
        Names{"f", "h"});
  CHECK(names_of("void f() { g(R\"(})\", u8R\"x( )\" } )x\"); }\nvoid h() {}") == Names{"f", "h"});
  CHECK(names_of("void f() { g(1'000'000, '\\'', 0x1p-3'); }\nvoid h() {}").front() == "f");
  CHECK(names_of("#define X {\nvoid f() {}\n#if A \\\n  || { \nvoid h() {}") == Names{"f", "h"});
  CHECK(includes_of(tokens_of("auto x = R\"(\n#include \"a.h\"\n)\";")).empty());
  const std::vector<Include> includes = includes_of(tokens_of("//\n# include \"a/b.h\"  // c.h\n"));
  REQUIRE(includes.size() == 1);
  CHECK(includes[0].line == 2);
}

TEST_CASE("architecture: what a function is") {
  CHECK(names_of("template <class T = int> [[nodiscard]] T f(T x = {}) { return x; }") ==
        Names{"f"});
  CHECK(
      names_of("class X : Y {\n public:\n  X() : a_{1}, b_(2) { f({}); }\n  ~X() {}\n int a_{};\n};"
               "void X::g() const noexcept {}") == Names{"X", "~X", "X::g"});
  CHECK(names_of("bool operator==(A a, B b) { return true; } X& X::operator=(X x) { return x; }") ==
        Names{"operator==", "X::operator="});
  CHECK(names_of("const auto f = [](int x) { return x; };\nint g = 3;") == Names{"f"});
  CHECK(names_of("extern \"C\" { void f() {} }\nextern \"C\" void g() {}") == Names{"f", "g"});
  CHECK(names_of("enum class E : int { kA };\nstruct alignas(64) S { union { int x; }; } s{};")
            .empty());
  CHECK(names_of("TEST_CASE(\"a: b\") { if (x) { y(); } }") == Names{"TEST_CASE(\"a: b\")"});
  CHECK(names_of("int f() try { return 1; } catch (...) { return 2; }") == Names{"f", "catch"});
  const std::vector<Function> one = functions_of(tokens_of("\n\nint\nf()\n{\n}\n"));
  REQUIRE(one.size() == 1);
  CHECK(one[0].line == 3);
  CHECK(one[0].lines == 4);
}

}  // namespace
}  // namespace heddle::testing
