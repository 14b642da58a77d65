// metrics.jsonl: one JSON object per line, for each report and validation of a run, in order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace heddle {

struct Measurement {
  std::string_view name;
  std::variant<std::int64_t, double, std::string> value;
};

class MetricsFile {
 public:
  /// Opens the file to add to it; what was written after `update` is cut off (resuming), as is a
  /// last line that is not complete. Throws FileError.
  MetricsFile(const std::filesystem::path& path, std::int64_t update);
  ~MetricsFile();
  MetricsFile(const MetricsFile&) = delete;
  MetricsFile& operator=(const MetricsFile&) = delete;

  /// Adds a line, with "update" first. Numbers that are not finite become null.
  void append(std::int64_t update, const std::vector<Measurement>& metrics);

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace heddle
