#include "autograd/parameter_file.h"

#include <cstring>
#include <memory>

#include "autograd/base/check.h"

namespace heddle {

namespace {

void append(std::string& message, const char* what, const std::vector<std::string>& names) {
  if (names.empty()) return;
  message += (message.empty() ? "" : "; ") + std::string(what) + ' ';
  for (std::size_t i = 0; i < names.size(); ++i) message += (i == 0 ? "" : ", ") + names[i];
}

// Whether the data of the file is the slab, byte for byte.
bool is_slab(const SafetensorsFile& file, const ParameterStore& store) {
  const auto entries = file.entries();
  const auto address = reinterpret_cast<std::uintptr_t>(file.data().data());
  if (entries.size() != store.entries().size() || address % size_of(store.dtype()) != 0) {
    return false;
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const bool same = entries[i].name == store.entries()[i].name &&
                      entries[i].dtype == safetensors_dtype(store.dtype());
    if (!same) return false;
  }
  return true;
}

template <class From, class To>
void convert(std::span<const std::byte> bytes, To* values) {
  for (std::size_t i = 0; i < bytes.size() / sizeof(From); ++i) {
    From value;
    std::memcpy(&value, bytes.data() + i * sizeof(From), sizeof value);
    values[i] = static_cast<To>(value);
  }
}

template <class To>
void copy_values(const SafetensorsFile& file, const SafetensorsEntry& entry, To* values) {
  dispatch(file.dtype(entry), entry.name.c_str(),
           [&](auto zero) { convert<decltype(zero)>(file.bytes(entry), values); });
}

// All parameters that the file has.
void copy_all(const SafetensorsFile& file, ParameterStore& store) {
  dispatch(store.dtype(), "load_parameters", [&](auto zero) {
    auto* const slab = static_cast<decltype(zero)*>(store.slab());
    for (const ParameterStore::Entry& entry : store.entries()) {
      const SafetensorsEntry* const found = file.find(entry.name);
      if (found != nullptr) copy_values(file, *found, slab + entry.offset);
    }
  });
}

}  // namespace

void save_parameters(const std::filesystem::path& path, const ParameterStore& store,
                     const SafetensorsMetadata& metadata) {
  std::vector<TensorToWrite> tensors;
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(store.entries().size()); ++i) {
    const ParameterStore::Entry& entry = store.entry(i);
    tensors.push_back(
        {entry.name, safetensors_dtype(store.dtype()), entry.shape, store.data({&store, i, 1})});
  }
  write_safetensors(path, tensors, metadata);
}

std::string ParameterDifferences::message() const {
  std::string message;
  append(message, "missing", missing);
  append(message, "unexpected", unexpected);
  append(message, "of another kind", misshapen);
  return message;
}

ParameterDifferences differences(const SafetensorsFile& file, const ParameterStore& store) {
  ParameterDifferences result;
  for (const ParameterStore::Entry& entry : store.entries()) {
    const SafetensorsEntry* const found = file.find(entry.name);
    if (found == nullptr) {
      result.missing.push_back(entry.name);
    } else if (found->dtype != "F32" && found->dtype != "F64") {
      result.misshapen.push_back(entry.name + ": " + std::string(found->dtype) +
                                 " in the file, which is not F32 or F64");
    } else if (found->shape != entry.shape) {
      std::ostringstream text;
      text << entry.name << ": " << found->shape << " in the file, " << entry.shape
           << " in the model";
      result.misshapen.push_back(text.str());
    }
  }
  for (const SafetensorsEntry& entry : file.entries()) {
    if (!store.contains(entry.name)) result.unexpected.push_back(entry.name);
  }
  return result;
}

void load_parameters(const std::filesystem::path& path, ParameterStore& store) {
  auto file = std::make_shared<SafetensorsFile>(path, MapMode::kPrivate);
  const ParameterDifferences found = differences(*file, store);
  check<FileError>(found.none(), path.string(),
                   ": its parameters are not the model's: ", found.message());
  if (is_slab(*file, store)) {
    void* const slab = file->writable_data().data();
    return store.adopt(std::shared_ptr<void>(std::move(file), slab));
  }
  store.allocate();
  copy_all(*file, store);
}

ParameterDifferences load_matching_parameters(const std::filesystem::path& path,
                                              ParameterStore& store) {
  const SafetensorsFile file(path);
  ParameterDifferences found = differences(file, store);
  check<FileError>(found.misshapen.empty(), path.string(),
                   ": its parameters do not fit the model's: ", found.message());
  copy_all(file, store);
  return found;
}

}  // namespace heddle
