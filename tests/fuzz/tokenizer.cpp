// A tokenizer's file, and after kBetween a text: what is loaded writes the bytes that it was read
// from, and cuts the text into ids of its vocabulary. The checksum of a subword model tells damage,
// not malice: here it is made to fit, as whoever means harm would.
#include "data/tokenizer.h"

#include "tests/fuzz/support.h"

namespace heddle::fuzz {
namespace {

constexpr std::string_view kSubword = "heddle tokenizer 1\nsubword\n";

std::string with_checksum(std::string_view bytes) {
  const std::size_t sample_end = bytes.find('\n', kSubword.size());
  const std::size_t model =
      sample_end == bytes.npos ? bytes.npos : bytes.find('\n', sample_end + 1);
  if (!bytes.starts_with(kSubword) || model == bytes.npos) return std::string(bytes);
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char byte : bytes.substr(model + 1)) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3;
  }
  std::ostringstream text;
  text << bytes.substr(0, sample_end) << "\nchecksum " << std::hex << hash << bytes.substr(model);
  return text.str();
}

void use(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<std::int32_t> ids, drawn;
  tokenizer.encode(text, ids);
  tokenizer.sample(text, 1, drawn);
  const Vocabulary vocabulary = tokenizer.vocabulary();
  for (const auto& some : {ids, drawn}) {
    for (const std::int32_t id : some) {
      require(id >= 1 && id < vocabulary.start(), "an id is one of a text");
    }
    tokenizer.decode(some);
  }
  // A model may choose any ids.
  for (std::int32_t& id : ids) id = (id * 7) % vocabulary.size;
  tokenizer.decode(ids);
}

}  // namespace
}  // namespace heddle::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle::fuzz;
  const auto parts = parts_of(text_of(data, size), 2);
  const std::string bytes = with_checksum(parts[0]);
  std::unique_ptr<heddle::Tokenizer> tokenizer;
  if (!answered([&] { tokenizer = heddle::load_tokenizer(bytes, "tokenizer"); })) return 0;
  answered([&] { use(*tokenizer, parts.size() > 1 ? parts[1] : "the cat sat"); });
  const std::string written = tokenizer->serialised();
  const auto again = heddle::load_tokenizer(written, "tokenizer");
  require(again->serialised() == written, "a tokenizer writes what it was read from");
  return 0;
}
