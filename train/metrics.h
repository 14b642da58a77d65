// metrics.jsonl: one JSON object per line, for each report, validation and trouble of a run, in
// order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace heddle {

struct Measurement {
  std::string_view name;
  std::variant<std::int64_t, double, std::string, std::span<const std::int64_t>> value;
};

class MetricsFile {
 public:
  /// Opens the file to add to it; what was written after `update` is cut off (resuming), where that
  /// is not `validated` its validation, too, and a last line that is not complete. Throws
  /// FileError.
  MetricsFile(const std::filesystem::path& path, std::int64_t update, bool validated = true);
  ~MetricsFile();
  MetricsFile(const MetricsFile&) = delete;
  MetricsFile& operator=(const MetricsFile&) = delete;

  /// Adds a line, with "update" first. Numbers that are not finite become null. Throws FileError;
  /// then nothing was added.
  void append(std::int64_t update, const std::vector<Measurement>& metrics);
  /// Puts all lines on the disk, as far as it says the truth.
  void flush();

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::int64_t bytes_ = 0;  // of whole lines
};

}  // namespace heddle
