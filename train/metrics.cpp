#include "train/metrics.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/base/check.h"

namespace heddle {

namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void fail_to_write(const std::filesystem::path& path, int error) {
  fail_with_code(error, "cannot write ", path.string());
}

// How many bytes hold complete lines of updates up to `update`.
std::int64_t bytes_to_keep(const std::filesystem::path& path, std::int64_t update, bool validated) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) fail_with_code(errno, "cannot read ", path.string());
  std::int64_t bytes = 0;
  for (std::string line; std::getline(file, line) && !file.eof();) {
    if (line.find('\0') != line.npos) break;  // what a crash may leave; the parser would stop there
    const Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object() || !object.contains("update")) break;
    const Json& number = object.at("update");
    if (!number.is_number_integer() || number.get<std::int64_t>() > update) break;
    if (!validated && number == update && object.value("kind", Json()) == "validation") break;
    bytes += std::ssize(line) + 1;
  }
  if (file.bad()) fail_with_code(EIO, "cannot read ", path.string());
  return bytes;
}

template <class T>
Json json_of(const T& value) {
  return value;
}
Json json_of(std::span<const std::int64_t> values) {
  return std::vector<std::int64_t>(values.begin(), values.end());
}

}  // namespace

MetricsFile::MetricsFile(const std::filesystem::path& path, std::int64_t update, bool validated)
    : path_(path) {
  if (std::filesystem::exists(path)) bytes_ = bytes_to_keep(path, update, validated);
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_to_write(path_, errno);
  if (::ftruncate(descriptor_, bytes_) == 0) return;
  const int error = errno;
  ::close(descriptor_);
  fail_to_write(path_, error);
}

MetricsFile::~MetricsFile() {
  ::close(descriptor_);
}

void MetricsFile::append(std::int64_t update, const std::vector<Measurement>& metrics) {
  Json object = {{"update", update}};
  for (const Measurement& metric : metrics) {
    std::visit([&](const auto& value) { object[std::string(metric.name)] = json_of(value); },
               metric.value);
  }
  const std::string line = object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  // One call, so that a line is there whole or not at all as far as the system is concerned.
  const ssize_t written = ::write(descriptor_, line.data(), line.size());
  if (written == std::ssize(line)) {
    bytes_ += written;
    return;
  }
  const int error = written < 0 ? errno : ENOSPC;
  // What arrived of it goes; where even that fails, the next start cuts it off.
  [[maybe_unused]] const int cut = ::ftruncate(descriptor_, bytes_);
  fail_to_write(path_, error);
}

void MetricsFile::flush() {
  if (::fsync(descriptor_) != 0 && errno != EINVAL) fail_to_write(path_, errno);
}

}  // namespace heddle
