#include "autograd/base/text_file.h"

#include "autograd/base/atomic_file.h"
#include "autograd/base/check.h"
#include "autograd/base/mapped_file.h"

namespace heddle {

namespace {
// Tokenizers are the largest files that are read so; a sparse file may claim terabytes.
constexpr std::size_t kMostText = std::size_t{256} << 20;
}  // namespace

std::string read_text(const std::filesystem::path& path) {
  const MappedFile file(path, MapMode::kReadOnly);
  const auto bytes = file.bytes();
  check<FileError>(bytes.size() <= kMostText, path.string(), ": has ", bytes.size(),
                   " bytes, where at most ", kMostText, " make sense");
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write_text(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace heddle
