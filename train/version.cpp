#include "train/version.h"

#include <link.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

#include "autograd/kernels/gemm.h"
#include "autograd/kernels/simd.h"

namespace heddle {

namespace {

std::string in_hexadecimal(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4U];
    text += kDigits[static_cast<unsigned char>(byte) & 15U];
  }
  return text;
}

/// The build id among the notes of a program (man 5 elf: each has its sizes, a name and its bytes);
/// empty where there is none.
std::string_view build_id_in(std::string_view notes) {
  const auto aligned = [](std::size_t size) { return (size + 3) / 4 * 4; };
  for (ElfW(Nhdr) header; notes.size() >= sizeof header;) {
    std::memcpy(&header, notes.data(), sizeof header);
    notes.remove_prefix(sizeof header);
    const std::string_view name = notes.substr(0, header.n_namesz);
    notes.remove_prefix(std::min(notes.size(), aligned(header.n_namesz)));
    const std::string_view bytes = notes.substr(0, header.n_descsz);
    notes.remove_prefix(std::min(notes.size(), aligned(header.n_descsz)));
    if (header.n_type == NT_GNU_BUILD_ID && name == std::string_view("GNU", 4)) return bytes;
  }
  return {};
}

int find_build_id(dl_phdr_info* object, std::size_t, void* found) {
  for (const ElfW(Phdr) & part : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
    if (part.p_type != PT_NOTE) continue;
    const auto* const notes = reinterpret_cast<const char*>(object->dlpi_addr + part.p_vaddr);
    auto& id = *static_cast<std::string_view*>(found);
    if (id.empty()) id = build_id_in({notes, part.p_memsz});
  }
  return 1;  // the program itself comes first, its libraries are of no interest
}

/// What the linker made of all that the program consists of: another one where the code, the
/// compiler or its options are others. Empty where the linker was told to leave it out.
std::string build_id() {
  std::string_view id;
  ::dl_iterate_phdr(find_build_id, &id);
  return in_hexadecimal(id.substr(0, 8));
}

}  // namespace

const char* version() {
  return HEDDLE_VERSION;
}

std::string version_text() {
#ifdef __clang__
  const std::string compiler = __VERSION__;  // begins with its name
#else
  const std::string compiler = "GCC " __VERSION__;
#endif
  const std::string one_dnn = kernels::one_dnn_version();
  const std::string id = build_id();
  return std::string("heddle ") + version() + (id.empty() ? "" : ", build " + id) + "\n" +
         compiler + ", vectors of " + std::to_string(8 * kernels::kVectorBytes) +
         " bits, OpenBLAS " + kernels::blas_core_name() +
         (one_dnn.empty() ? "" : ", oneDNN " + one_dnn);
}

}  // namespace heddle
