// A checkpoint: the files below with kBetween between them, opened as a model, which translates a
// line, and as a run that goes on. A part that is "-" is a file that is missing. The state is
// sealed here, as somebody would who means harm; it has no seal where it cannot have one.
#include "train/checkpoint.h"

#include <algorithm>

#include "autograd/base/text_file.h"
#include "decode/trained_model.h"
#include "tests/fuzz/support.h"

namespace heddle::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFiles[] = {kConfigFile, "tokenizer",    kStateFile,
                                  kModelFile,  kOptimizerFile, kAverageFile};
constexpr std::string_view kMissing = "-";

// Larger models are opened, but a translation with them would cost the fuzzer its speed.
constexpr std::int64_t kMostParameters = 20'000;

void write_files(std::string_view input) {
  const auto parts = parts_of(input, std::size(kFiles));
  for (std::size_t i = 0; i < std::size(kFiles); ++i) {
    const fs::path path = folder() / kFiles[i];
    if (i < parts.size() && parts[i] != kMissing) {
      write(path, parts[i]);
    } else {
      fs::remove(path);
    }
  }
}

/// Writing takes a state of our own for granted: a depth that the stack holds, for example.
void seal() {
  const std::string state =
      fs::exists(folder() / kStateFile) ? read_text(folder() / kStateFile) : "";
  if (std::ranges::count(state, '[') + std::ranges::count(state, '{') > 100) return;
  fs::remove(folder() / kStateFile);
  try {
    write_sealed(folder(), state);
  } catch (const std::exception&) {
    write(folder() / kStateFile, state);
  }
}

void translate() {
  const TrainedModel model(folder());
  static_cast<void>(model.config_text());
  if (model.store().elements() > kMostParameters) return;
  TranslatorOptions options = model.translator_options(1);
  options.limit.factor = 1.0;
  options.limit.extra = 4;
  options.beam = std::min(options.beam, 2);
  options.longest_source = 8;
  const std::string lines[] = {"the cat sees a dog", "un deux"};
  Translator(model.transformer(), model.tokenizers(), options)(lines);
}

void resume() {
  const ConfigDocument config = ConfigDocument::read(folder() / kConfigFile);
  const Tokenizers tokenizers = Tokenizers::load(folder());
  const Settings settings(config.root());
  Learner learner(config.root(), settings,
                  {tokenizers.source().vocabulary(), tokenizers.target().vocabulary()});
  config.finish(ConfigDocument::IdleKeys::kAccept);
  load_checkpoint(folder(), learner, settings.train.ema_decay);
}

}  // namespace
}  // namespace heddle::fuzz

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

/// Changes one of the files, so that the others still fit together.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  using namespace heddle::fuzz;
  const std::string input(text_of(data, size));
  const auto parts = parts_of(input, std::size(kFiles));
  const std::string_view part = parts[seed % parts.size()];
  const auto begin = static_cast<std::size_t>(part.data() - input.data());
  const std::size_t behind = size - begin - part.size();
  if (size >= most) return LLVMFuzzerMutate(data, size, most);
  std::string changed(part);
  changed.resize(most - begin - behind);
  const std::size_t length = LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(changed.data()),
                                              part.size(), changed.size());
  changed.resize(length);
  const std::string whole = input.substr(0, begin) + changed + input.substr(size - behind);
  std::copy(whole.begin(), whole.end(), data);
  return whole.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle::fuzz;
  write_files(text_of(data, size));
  if (size % 4 != 0) seal();
  answered(translate);
  answered([] { heddle::read_state(folder() / heddle::kStateFile); });
  answered(resume);
  return 0;
}
