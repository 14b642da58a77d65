// A safetensors file, opened, and every tensor of it touched.
#include "autograd/safetensors.h"

#include "tests/fuzz/support.h"

namespace heddle::fuzz {
namespace {

void read_all(const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  std::size_t covered = 0;
  unsigned sum = 0;
  for (const SafetensorsEntry& entry : file.entries()) {
    require(file.find(entry.name) == &entry, "an entry is found by its name");
    require(entry.shape.elements() >= 0, "a shape holds no negative number of elements");
    for (const std::byte byte : file.bytes(entry)) sum += static_cast<unsigned>(byte);
    covered += file.bytes(entry).size();
    answered([&] { static_cast<void>(file.dtype(entry)); });
  }
  require(covered == file.data().size(), "the tensors are the data");
  for (const std::byte byte : file.data()) sum -= static_cast<unsigned>(byte);
  require(sum == 0, "the tensors do not overlap");
}

}  // namespace
}  // namespace heddle::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle::fuzz;
  const auto path = folder() / "model.safetensors";
  write(path, text_of(data, size));
  answered([&] { read_all(path); });
  return 0;
}
