#include "train/plot/axis.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace heddle;

namespace {

std::vector<std::string> labels(const Axis& axis) {
  std::vector<std::string> texts;
  for (const double tick : axis.ticks()) texts.push_back(tick_label(tick, axis.step));
  return texts;
}

using Labels = std::vector<std::string>;

}  // namespace

TEST_CASE("plot axis: a step is 1, 2 or 5 times a power of ten, the least that is enough") {
  CHECK(tick_step(10.0, 10) == 1.0);
  CHECK(tick_step(10.0, 9) == 2.0);
  CHECK(tick_step(10.0, 5) == 2.0);
  CHECK(tick_step(10.0, 4) == 5.0);
  CHECK(tick_step(10.0, 1) == 10.0);
  CHECK(tick_step(0.3, 3) == doctest::Approx(0.1));
  CHECK(tick_step(6000.0, 5) == 2000.0);
  for (double span = 1e-9; span < 1e9; span *= 1.7) {
    CAPTURE(span);
    for (const int most : {3, 5, 8}) {
      const double step = tick_step(span, most);
      const double mantissa = step / std::pow(10.0, std::floor(std::log10(step) + 1e-9));
      CHECK(std::abs(mantissa - std::round(mantissa)) < 1e-9);
      CHECK((std::round(mantissa) == 1 || std::round(mantissa) == 2 || std::round(mantissa) == 5));
      CHECK(span / step <= most * (1 + 1e-5));
      CHECK(span / step > most / 2.6);  // none that is far too large
    }
  }
}

TEST_CASE("plot axis: values lie between its ends, which are ticks") {
  CHECK(labels(value_axis(1.4, 8.9, 8)) == Labels{"1", "2", "3", "4", "5", "6", "7", "8", "9"});
  CHECK(labels(value_axis(0.0, 0.001, 5)) ==
        Labels{"0", "0.0002", "0.0004", "0.0006", "0.0008", "0.001"});
  CHECK(labels(value_axis(0.0, 12345.0, 5)) == Labels{"0", "5k", "10k", "15k"});
  CHECK(labels(value_axis(-1.0, 1.0, 4)) == Labels{"-1", "-0.5", "0", "0.5", "1"});
  CHECK(labels(value_axis(0.0, 1e-4, 5)) == Labels{"0", "2e-5", "4e-5", "6e-5", "8e-5", "1.0e-4"});
  CHECK(labels(value_axis(97.31, 97.36, 5)) ==
        Labels{"97.31", "97.32", "97.33", "97.34", "97.35", "97.36"});
  for (const double high : {1e-8, 0.3, 2.0, 7777.0, 3e9}) {
    const Axis axis = value_axis(high / 3, high, 6);
    CAPTURE(high);
    CHECK(axis.low <= high / 3 * (1 + 1e-12));
    CHECK(axis.high >= high * (1 - 1e-12));
    CHECK(axis.ticks().front() == doctest::Approx(axis.low));
    CHECK(axis.ticks().back() == doctest::Approx(axis.high));
    CHECK(axis.ticks().size() <= 9);
  }
}

TEST_CASE("plot axis: values that are all the same have room around them") {
  for (const double value : {0.0, 5.0, -3.0, 1e-20, 2.5e-265, 1e20, 0.1}) {
    CAPTURE(value);
    const Axis axis = value_axis(value, value, 5);
    CHECK(axis.low <= value);
    CHECK(axis.high > value);
    CHECK(axis.low < axis.high);
    CHECK(axis.ticks().size() >= 2);
    CHECK(axis.ticks().size() <= 8);
  }
  CHECK(value_axis(0.1 + 0.2, 0.3, 5).high > 0.4);  // differs by rounding only
}

TEST_CASE("plot axis: updates begin at 0, end with the run and are whole") {
  CHECK(labels(update_axis(20000, 8)) == Labels{"0", "5k", "10k", "15k", "20k"});
  CHECK(labels(update_axis(12, 8)) == Labels{"0", "2", "4", "6", "8", "10", "12"});
  CHECK(labels(update_axis(3, 8)) == Labels{"0", "1", "2", "3"});
  CHECK(labels(update_axis(1, 8)) == Labels{"0", "1"});
  CHECK(labels(update_axis(0, 8)) == Labels{"0", "1"});
  CHECK(labels(update_axis(2500, 5)) == Labels{"0", "500", "1k", "1.5k", "2k", "2.5k"});
  CHECK(labels(update_axis(1000000, 5)) == Labels{"0", "200k", "400k", "600k", "800k", "1M"});
  CHECK(update_axis(20100, 8).high == 20100.0);
}

TEST_CASE("plot axis: how values are written") {
  CHECK(value_label(8.951761493) == "8.952");
  CHECK(value_label(0.000125) == "0.000125");
  CHECK(value_label(0.00005) == "5e-5");
  CHECK(value_label(11747.03) == "11747");
  CHECK(value_label(1234567.0) == "1234567");
  CHECK(value_label(2.5208341013142364e-265) == "2.521e-265");
  CHECK(value_label(3e20) == "3e20");
  CHECK(value_label(0.0) == "0");
  CHECK(value_label(-2.5) == "-2.5");
  CHECK(decimal(12.34, 1) == "12.3");
  CHECK(decimal(12.04, 1) == "12");
  CHECK(decimal(100.0, 0) == "100");
  CHECK(decimal(-0.01, 1) == "0");
}
