#include "decode/average.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "autograd/base/atomic_folder.h"
#include "autograd/base/text_file.h"
#include "autograd/parameter_file.h"

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
  check<FileError>(a.tokenizers().equal(b.tokenizers()), "cannot average ", a.folder().string(),
                   " and ", b.folder().string(),
                   ": their tokenizers differ; give checkpoints of one run");
}

template <class T>
void add(const ParameterStore& store, std::vector<double>& sums) {
  const T* const values = static_cast<const T*>(store.slab());
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += static_cast<double>(values[i]);
}

// Into the slab of the first one, which is not its file.
template <class T>
void write_mean(const ParameterStore& store, const std::vector<double>& sums, double count) {
  T* const values = static_cast<T*>(store.slab());
  for (std::size_t i = 0; i < sums.size(); ++i) values[i] = static_cast<T>(sums[i] / count);
}

const fs::path& first_of(const std::vector<fs::path>& models) {
  check(!models.empty(), "AverageModel: no models");
  return models.front();
}

}  // namespace

AverageModel::AverageModel(const std::vector<fs::path>& models) : model_(first_of(models)) {
  std::vector<double> sums(static_cast<std::size_t>(model_.store().elements()));
  dispatch(model_.store().dtype(), "average", [&](auto zero) {
    using T = decltype(zero);
    add<T>(model_.store(), sums);
    for (std::size_t i = 1; i < models.size(); ++i) {
      const TrainedModel other(models[i]);
      check_same_model(model_, other);
      add<T>(other.store(), sums);
    }
    write_mean<T>(model_.store(), sums, static_cast<double>(models.size()));
  });
}

void AverageModel::save(const fs::path& folder) const {
  save_parameters(folder / kModelFile, model_.store());
  model_.tokenizers().save(folder);
  write_text(folder / kConfigFile, model_.config_text());
}

void average_models(const std::vector<fs::path>& models, const fs::path& output) {
  check<FileError>(!fs::exists(output), output.string(), ": is there already; give a new folder");
  write_folder(
      output.has_filename() ? output : output.parent_path(),
      [&](const fs::path& folder) { AverageModel(models).save(folder); }, Existing::kKeep);
}

}  // namespace heddle
