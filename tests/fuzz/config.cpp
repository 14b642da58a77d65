// A config, and after kBetween overrides as --set takes them, one in a line: read by everything
// that reads configs. What is accepted resolves to a config that resolves to itself.
#include "autograd/base/check.h"
#include "tests/fuzz/support.h"
#include "train/learner.h"

namespace heddle::fuzz {
namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string resolved(std::string_view text, const std::vector<std::string>& overrides) {
  const ConfigDocument document = ConfigDocument::parse(text, "/folder/config.json", overrides);
  read_whole_config(document.root());
  document.finish();
  return document.resolved();
}

}  // namespace
}  // namespace heddle::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle::fuzz;
  const auto parts = parts_of(text_of(data, size), 2);
  std::string once;
  const bool good = answered([&] {
    once = resolved(parts[0], lines_of(parts.size() > 1 ? parts[1] : std::string_view()));
  });
  if (good) require(resolved(once, {}) == once, "a resolved config resolves to itself");
  return 0;
}
