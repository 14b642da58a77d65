#include "train/progress.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ostream>

#include "data/utf8.h"

namespace heddle {

namespace {

constexpr int kBarWidth = 20;
constexpr const char* kClearLine = "\r\x1b[K";

template <class... Values>
std::string formatted(const char* format, Values... values) {
  std::array<char, 256> text{};
  const int length = std::snprintf(text.data(), text.size(), format, values...);
  return {text.data(), static_cast<std::size_t>(std::clamp(length, 0, 255))};
}

std::string bar(double share) {
  const int full = static_cast<int>(std::clamp(share, 0.0, 1.0) * kBarWidth);
  std::string text = "[";
  text.append(static_cast<std::size_t>(full), '=');
  text.append(static_cast<std::size_t>(kBarWidth - full), ' ');
  return text + "] ";
}

std::string line_of(const ProgressReport& r, bool smoothed) {
  const long long update = r.update, updates = r.updates;
  return formatted("update %lld/%lld  %s %.4f  %.0f tokens/s  learning rate %.2e  %s left", update,
                   updates, training_loss_name(smoothed), r.loss, r.tokens_per_second,
                   r.learning_rate, duration(r.seconds_left).c_str());
}

}  // namespace

const char* training_loss_name(bool smoothed) {
  return smoothed ? "training loss, smoothed" : "training loss";
}

std::string duration(double seconds) {
  if (!std::isfinite(seconds)) return "unknown";
  const auto whole = static_cast<long long>(std::llround(std::max(seconds, 0.0)));
  if (whole >= 3600) return formatted("%lld h %02lld min", whole / 3600, whole % 3600 / 60);
  if (whole >= 60) return formatted("%lld min %02lld s", whole / 60, whole % 60);
  return formatted("%lld s", whole);
}

void Progress::show(const ProgressReport& report) {
  const std::string line = line_of(report, smoothed_);
  if (terminal_) {
    const double share = report.updates > 0 ? static_cast<double>(report.update) /
                                                  static_cast<double>(report.updates)
                                            : 0.0;
    out_ << kClearLine << bar(share) << line;
    bar_shown_ = true;
    if (report.update >= report.updates) {
      out_ << '\n';
      bar_shown_ = false;
    }
  } else {
    out_ << line << '\n';
  }
  out_.flush();
}

void Progress::say(const std::string& line) {
  if (bar_shown_) out_ << kClearLine;
  bar_shown_ = false;
  out_ << visible(line) << '\n';
  out_.flush();
}

}  // namespace heddle
