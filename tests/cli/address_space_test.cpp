// A limit on the address space (ulimit -v), as batch systems set it: the program works or says what
// is missing; it never waits for memory that cannot come.
#include <doctest/doctest.h>

#include <string>

#include "tests/support/documents.h"
#include "tests/support/program.h"
#include "tests/support/sanitized.h"

using heddle::testing::contains;
using heddle::testing::heddle_run;
using heddle::testing::kSanitized;
using heddle::testing::Outcome;

namespace {

/// Waiting would burn time of the processor, which is limited, too.
Outcome version_within(const std::string& kilobytes, const std::string& threads) {
  return heddle_run("--version", threads + " && ulimit -t 60 && ulimit -v " + kilobytes);
}

}  // namespace

TEST_CASE("cli: a short address space is one sentence, or enough") {
  if (kSanitized) return;  // a sanitizer takes terabytes of it
  for (const char* threads : {"true", "export OMP_NUM_THREADS=1"}) {
    for (const char* kilobytes : {"120000", "150000", "250000", "350000", "500000", "1000000"}) {
      CAPTURE(kilobytes);
      CAPTURE(threads);
      const Outcome outcome = version_within(kilobytes, threads);
      CAPTURE(outcome.err);
      // 127: not even the libraries fit, as the system's loader says.
      const bool refused = outcome.code == 7 && contains(outcome.err, "raise ulimit -v");
      CHECK((outcome.code == 0 || refused || outcome.code == 127));
    }
  }
  CHECK(version_within("150000", "true").code != 0);
  CHECK(version_within("4000000", "export OMP_NUM_THREADS=1").code == 0);
}
