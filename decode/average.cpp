#include "decode/average.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "autograd/base/text_file.h"
#include "autograd/parameter_file.h"
#include "decode/trained_model.h"

namespace heddle {

namespace {

namespace fs = std::filesystem;

nlohmann::json model_of(const TrainedModel& model) {
  return nlohmann::json::parse(model.config_text()).value("model", nlohmann::json());
}

void check_same_model(const TrainedModel& a, const TrainedModel& b) {
  const auto same = [](const ParameterStore::Entry& x, const ParameterStore::Entry& y) {
    return x.name == y.name && x.shape == y.shape;
  };
  check<FileError>(a.store().dtype() == b.store().dtype() &&
                       std::ranges::equal(a.store().entries(), b.store().entries(), same),
                   "cannot average ", a.folder().string(), " and ", b.folder().string(),
                   ": their parameters differ; give checkpoints of one run");
  check<FileError>(model_of(a) == model_of(b), "cannot average ", a.folder().string(), " and ",
                   b.folder().string(),
                   ": their model sections differ; give checkpoints of one run");
}

// Its files in one text.
std::string tokenizer_of(const TrainedModel& model, const fs::path& scratch) {
  fs::create_directories(scratch);
  model.tokenizers().save(scratch);
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(scratch)) files.push_back(entry.path());
  std::ranges::sort(files);
  std::string text;
  for (const fs::path& file : files) text += file.filename().string() + "\n" + read_text(file);
  fs::remove_all(scratch);
  return text;
}

template <class T>
void add(const ParameterStore& store, std::vector<double>& sums) {
  const T* const values = static_cast<const T*>(store.slab());
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += static_cast<double>(values[i]);
}

// Into the memory of the first one, which is not its file.
template <class T>
void write_mean(const ParameterStore& store, const std::vector<double>& sums, double count) {
  T* const values = static_cast<T*>(store.slab());
  for (std::size_t i = 0; i < sums.size(); ++i) values[i] = static_cast<T>(sums[i] / count);
}

void fill(const std::vector<fs::path>& models, const fs::path& folder) {
  const TrainedModel first(models.front());
  const std::string tokenizer = tokenizer_of(first, folder / "tokenizer");
  std::vector<double> sums(static_cast<std::size_t>(first.store().elements()));
  dispatch(first.store().dtype(), "average", [&](auto zero) {
    using T = decltype(zero);
    add<T>(first.store(), sums);
    for (std::size_t i = 1; i < models.size(); ++i) {
      const TrainedModel other(models[i]);
      check_same_model(first, other);
      check<FileError>(tokenizer == tokenizer_of(other, folder / "tokenizer"), "cannot average ",
                       first.folder().string(), " and ", other.folder().string(),
                       ": their tokenizers differ; give checkpoints of one run");
      add<T>(other.store(), sums);
    }
    write_mean<T>(first.store(), sums, static_cast<double>(models.size()));
  });
  save_parameters(folder / kModelFile, first.store());
  first.tokenizers().save(folder);
  write_text(folder / kConfigFile, first.config_text());
}

}  // namespace

void average_models(const std::vector<fs::path>& models, const fs::path& output) {
  check(!models.empty(), "average_models: no models");
  check<FileError>(!fs::exists(output), output.string(), ": is there already; give a new folder");
  fs::path temporary = output.has_filename() ? output : output.parent_path();
  temporary += ".tmp." + std::to_string(::getpid());
  std::error_code error;
  fs::create_directory(temporary, error);
  check<FileError>(!error, "cannot make ", temporary.string(), ": ", error.message());
  try {
    fill(models, temporary);
    fs::rename(temporary, output);
  } catch (...) {
    fs::remove_all(temporary, error);
    throw;
  }
}

}  // namespace heddle
