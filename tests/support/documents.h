// Code in documents is code of tests: every ```cpp block of a document stands in a test, word for
// word, so that it compiles and runs.
#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/places.h"

namespace heddle::testing {

inline std::string contents(const std::string& path) {
  std::ifstream file(source_folder() + "/" + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Checks that `document` has `blocks` blocks of C++ and that each of them is a part of `test`.
inline void check_shown_code(const std::string& document, const std::string& test, int blocks) {
  const std::string fence = "```cpp\n";
  const std::string text = contents(document), code = contents(test);
  int found = 0;
  for (auto at = text.find(fence); at != std::string::npos; at = text.find(fence, at + 1)) {
    const std::size_t begin = at + fence.size();
    const std::string block = text.substr(begin, text.find("```", begin) - begin);
    CHECK_MESSAGE(code.find(block) != std::string::npos, block);
    ++found;
  }
  CHECK(found == blocks);
}

}  // namespace heddle::testing
