// A run waits for what may pass, and for nothing else.
#include "train/insist.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "autograd/base/check.h"
#include "decode/seal.h"
#include "tests/support/temporary_folder.h"

namespace heddle::testing {
namespace {

/// How often a write is tried that fails once.
int tries_of(const std::function<void()>& fails) {
  int tries = 0;
  const InsistOptions options{
      .seconds = 60, .say = [](const auto&) {}, .stop = [] { return false; }};
  try {
    insist(options, [&] {
      if (++tries == 1) fails();
    });
  } catch (const FileError&) {
    return tries;
  }
  return tries;
}

TEST_CASE("insist: what time can mend is told apart by the system's code") {
  for (const int code : {ENOSPC, EDQUOT, EFBIG, EIO, EACCES, EPERM, EROFS, ESTALE, ENOTCONN,
                         ETIMEDOUT, EHOSTDOWN, ENOTEMPTY, ENOLCK, EMFILE}) {
    CAPTURE(code);
    CHECK(may_pass(code));
  }
  for (const int code : {0, EISDIR, ENOTDIR, ENAMETOOLONG, ENOENT, EEXIST, EINVAL, ELOOP, ENOSYS,
                         EOPNOTSUPP, EBADF, EFAULT}) {
    CAPTURE(code);
    CHECK_FALSE(may_pass(code));
  }
}

TEST_CASE("insist: what may pass is tried again, all else fails at once") {
  const auto of_system = [](int code) {
    return [=] { fail_with_code(code, "cannot write file"); };
  };
  const auto of_library = [](int code) {
    return [=] {
      throw std::filesystem::filesystem_error("remove", "file",
                                              std::error_code(code, std::generic_category()));
    };
  };
  CHECK(tries_of(of_system(ENOSPC)) == 2);
  CHECK(tries_of(of_library(EIO)) == 2);
  CHECK(tries_of(of_system(EISDIR)) == 1);
  CHECK(tries_of(of_library(ENOTDIR)) == 1);
  CHECK(tries_of([] { fail<FileError>("no code"); }) == 1);
  CHECK(tries_of([] { fail<Damaged>("is damaged"); }) == 1);
}

TEST_CASE("insist: errors of files carry the system's code") {
  const auto code_of = [](const std::function<void()>& fails) {
    try {
      fails();
    } catch (const FileError& error) {
      return error.code();
    }
    return 0;
  };
  CHECK(code_of([] { fail_with_code(EROFS, "cannot write ", 7); }) == EROFS);
  CHECK(code_of([] { fail<FileError>("is damaged"); }) == 0);
  CHECK(failure([] { fail_with_code(ENOSPC, "cannot write ", "a"); }) ==
        "cannot write a: No space left on device");
}

TEST_CASE("insist: the last failure is thrown when time is up or the user stops") {
  int tries = 0;
  const auto full = [&] { fail_with_code(ENOSPC, "cannot write ", ++tries); };
  std::string said;
  InsistOptions options{.seconds = 0,
                        .say = [&](const std::string& line) { said += line; },
                        .stop = [] { return false; }};
  CHECK(failure([&] { insist(options, full); }) == "cannot write 1: No space left on device");
  options.seconds = 600;
  options.stop = [&] { return !said.empty(); };
  CHECK(failure([&] { insist(options, full); }) == "cannot write 3: No space left on device");
  CHECK(said ==
        "cannot write 2: No space left on device; the run waits and tries again for 10 min 00 s");
}

}  // namespace
}  // namespace heddle::testing
