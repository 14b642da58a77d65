#include "tests/support/models.h"

#include "autograd/base/random.h"

namespace heddle::testing {

namespace {

void randomise(ParameterStore& store, std::uint64_t seed) {
  dispatch(store.dtype(), "test model", [&](auto zero) {
    auto* const values = static_cast<decltype(zero)*>(store.slab());
    const RandomStream random = random_stream({.seed = seed}, 9);
    for (std::int64_t i = 0; i < store.elements(); ++i) {
      values[i] += static_cast<decltype(zero)>(
          0.1 * normal_pair(random(0, static_cast<std::uint64_t>(i)))[0]);
    }
  });
}

}  // namespace

TestModel::TestModel(const std::string& model, DType dtype, const Vocabularies& vocabularies,
                     std::uint64_t seed)
    : document(ConfigDocument::parse("{\"model\": " + model + "}", "test.json")),
      store(dtype),
      transformer(Scope(store), document.root().object("model", "The model."), vocabularies) {
  document.finish(ConfigDocument::IdleKeys::kAccept);
  store.allocate();
  store.initialise(seed);
  randomise(store, seed);
}

std::string json_object(const std::string& a, const std::string& b) {
  return "{" + a + (a.empty() || b.empty() ? "" : ", ") + b + "}";
}

Sentences::Sentences(const std::vector<std::int32_t>& lengths, const Vocabulary& vocabulary,
                     std::uint64_t seed) {
  const RandomStream random = random_stream({.seed = seed}, 0);
  const auto choices = static_cast<std::uint32_t>(vocabulary.classes() - 1);
  for (const std::int32_t length : lengths) {
    std::vector<std::int32_t> sentence;
    for (std::int32_t i = 1; i < length; ++i) {
      const std::uint32_t bits = random(0, ids.size() + sentence.size())[0];
      sentence.push_back(1 + static_cast<std::int32_t>(bits % choices));
    }
    sentence.push_back(Vocabulary::kEnd);
    append(sentence);
  }
}

std::vector<std::int32_t> Sentences::sentence(std::size_t i) const {
  const auto first = ids.begin() + sequences[i].begin;
  return {first, first + sequences[i].length};
}

void Sentences::append(const std::vector<std::int32_t>& sentence) {
  sequences.push_back(
      {static_cast<std::int32_t>(ids.size()), static_cast<std::int32_t>(sentence.size())});
  ids.insert(ids.end(), sentence.begin(), sentence.end());
}

Sentences Sentences::shifted(const Vocabulary& vocabulary) const {
  Sentences result;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    std::vector<std::int32_t> input = sentence(i);
    input.pop_back();
    input.insert(input.begin(), vocabulary.start());
    result.append(input);
  }
  return result;
}

std::vector<double> doubles(const Tensor& tensor) {
  const double* const values = tensor.as<double>();
  return {values, values + tensor.elements()};
}

}  // namespace heddle::testing
