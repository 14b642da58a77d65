#include "decode/seal.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "autograd/base/check.h"
#include "autograd/base/text_file.h"
#include "data/checksum.h"

namespace heddle {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view kOwnSum = ",\n  \"xxh3\": \"";

std::string hexadecimal(std::uint64_t number) {
  std::string digits(16, '0');
  for (std::size_t i = digits.size(); i-- > 0; number >>= 4)
    digits[i] = "0123456789abcdef"[number & 15];
  return digits;
}

std::string sum_of(std::string_view text) {
  return hexadecimal(checksum(std::as_bytes(std::span(text))));
}

Json sum_of_file(const fs::path& file) {
  return {{"bytes", fs::file_size(file)}, {"xxh3", hexadecimal(checksum_of_file(file))}};
}

/// The size first: a file that has grown without end is not read.
bool fits(const fs::path& file, const Json& sum) {
  return sum.is_object() && sum.contains("bytes") && sum.at("bytes") == fs::file_size(file) &&
         sum == sum_of_file(file);
}

[[noreturn]] void fail_damaged(const fs::path& file) {
  fail<Damaged>(file.string(), ": is damaged: it is not what was written; take another checkpoint");
}

/// Whether the last line fits to all before it.
bool own_sum_fits(std::string_view text) {
  const std::size_t body = text.rfind(kOwnSum);
  if (body == text.npos) return false;
  return text.substr(body + kOwnSum.size()) == sum_of(text.substr(0, body)) + "\"\n}\n";
}

}  // namespace

void write_sealed(const fs::path& folder, std::string_view object) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename() != kStateFile) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  Json json = Json::parse(object);
  json["files"] = Json::object();
  for (const fs::path& file : files) json["files"][file.filename().string()] = sum_of_file(file);
  std::string text = json.dump(2);
  text.resize(text.rfind("\n}"));
  text.append(kOwnSum).append(
      sum_of(std::string_view(text).substr(0, text.size() - kOwnSum.size())));
  write_text(folder / kStateFile, text + "\"\n}\n");
}

std::string read_sealed(const fs::path& file) {
  std::string text = read_text(file);
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("format")) fail_damaged(file);
  if (json.at("format") == kStateFormat && !own_sum_fits(text)) fail_damaged(file);
  return text;
}

void verify_files(const fs::path& folder, std::string_view except) {
  const fs::path state = folder / kStateFile;
  if (!fs::exists(state)) return;
  const Json json = Json::parse(read_sealed(state));
  if (json.at("format") != kStateFormat) return;
  if (!json.contains("files") || !json.at("files").is_object()) fail_damaged(state);
  for (const auto& [name, sum] : json.at("files").items()) {
    if (name == except) continue;
    const fs::path file = folder / name;
    if (fs::path(name).filename() != name) fail_damaged(state);  // it names files of others
    check<Damaged>(fs::exists(file), file.string(), ": is missing; take another checkpoint");
    if (!fits(file, sum)) fail_damaged(file);
  }
}

}  // namespace heddle
