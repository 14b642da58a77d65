#include "train/progress.h"

#include <doctest/doctest.h>

#include <limits>
#include <sstream>

using namespace heddle;

TEST_CASE("progress: durations are short") {
  CHECK(duration(0.2) == "0 s");
  CHECK(duration(59.4) == "59 s");
  CHECK(duration(59.6) == "1 min 00 s");
  CHECK(duration(245) == "4 min 05 s");
  CHECK(duration(3720) == "1 h 02 min");
  CHECK(duration(360000) == "100 h 00 min");
  CHECK(duration(-3) == "0 s");
  CHECK(duration(std::numeric_limits<double>::infinity()) == "unknown");
}

TEST_CASE("progress: plain lines where there is no terminal") {
  std::ostringstream out;
  Progress progress(out, false);
  progress.show({50, 200, 4.25, 21034.4, 0.001, 245});
  progress.say("validation: loss 4.1");
  CHECK(out.str() ==
        "update 50/200  training loss 4.2500  21034 tokens/s  learning rate 1.00e-03  4 min 05 s "
        "left\n"
        "validation: loss 4.1\n");
}

TEST_CASE("progress: a bar on a terminal makes room for lines and ends with one") {
  std::ostringstream out;
  Progress progress(out, true);
  progress.set_smoothed(true);
  progress.show({50, 200, 4.25, 21034.4, 0.001, 245});
  progress.say("validation: loss 4.1");
  progress.show({200, 200, 4.0, 21034.4, 0.001, 0});
  CHECK(out.str() ==
        "\r\x1b[K[=====               ] update 50/200  training loss, smoothed 4.2500  21034 "
        "tokens/s  "
        "learning rate 1.00e-03  4 min 05 s left"
        "\r\x1b[Kvalidation: loss 4.1\n"
        "\r\x1b[K[====================] update 200/200  training loss, smoothed 4.0000  21034 "
        "tokens/s  learning rate 1.00e-03  0 s left\n");
}
