#include "autograd/base/text_file.h"

#include "autograd/base/atomic_file.h"
#include "autograd/base/mapped_file.h"

namespace heddle {

std::string read_text(const std::filesystem::path& path) {
  const MappedFile file(path, MapMode::kReadOnly);
  const auto bytes = file.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write_text(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace heddle
