// Runs the program `heddle` from outside.
#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <string>

#include "tests/support/temporary_folder.h"

namespace heddle::testing {

struct Outcome {
  int code;
  std::string out, err;
};

/// Runs `heddle` with these arguments, as the shell reads them.
inline Outcome heddle_run(const std::string& arguments) {
  const TemporaryFolder folder;
  const auto err = folder / "err", out = folder / "out";
  const std::string command = std::string("cd ") + HEDDLE_SOURCE_DIR + " && " + HEDDLE_BINARY +
                              " " + arguments + " >" + out.string() + " 2>" + err.string();
  const int status = std::system(command.c_str());
  REQUIRE(WIFEXITED(status));
  return {WEXITSTATUS(status), read_bytes(out), read_bytes(err)};
}

}  // namespace heddle::testing
