// When a cache is used again, when it is made anew, and that damaged ones are noticed.
#include "data/token_cache.h"

#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <random>

#include "data/token_cache_format.h"
#include "tests/data/corpus_samples.h"
#include "tests/support/throws.h"

namespace heddle::testing {
namespace {

namespace fs = std::filesystem;

/// All pairs and texts as one text.
std::string everything(const TokenCache& cache) {
  std::ostringstream all;
  TokenPair pair;
  TextPair text;
  for (std::int64_t i = 0; i < cache.pairs(); ++i) {
    cache.read(i, pair);
    cache.read(i, text);
    all << pair.line;
    for (const std::int32_t id : pair.source) all << " " << id;
    all << " |";
    for (const std::int32_t id : pair.target) all << " " << id;
    all << " " << text.source << " | " << text.target << "\n";
  }
  return all.str();
}

/// The cache of the sample if it is whole; makes none.
std::optional<TokenCache> reopened(const CorpusSample& sample) {
  return TokenCache::open(sample.folder / "cache", corpus_key(sample.corpus),
                          sample.corpus.source.file, sample.corpus.target.file);
}

TEST_CASE("token_cache: made once, and again when anything changed") {
  CorpusSample sample(100);
  CHECK_FALSE(sample.open().reused);
  CHECK(sample.open().reused);
  const std::uint64_t content = sample.open().cache.content();

  const auto made_anew = [&] { return !sample.open().reused && sample.open().reused; };
  SUBCASE("an id of the text") {
    std::string text = read_bytes(sample.corpus.target.file);
    text[0] = '3';
    write_bytes(sample.corpus.target.file, text);
    CHECK(made_anew());
    CHECK(sample.open().cache.content() != content);
  }
  SUBCASE("only the time") {
    const auto time = fs::last_write_time(sample.corpus.source.file);
    fs::last_write_time(sample.corpus.source.file, time + std::chrono::nanoseconds(1));
    CHECK(made_anew());
    CHECK(sample.open().cache.content() == content);
  }
  SUBCASE("only the place") {
    fs::copy_file(sample.corpus.source.file, sample.folder / "b.en");
    sample.corpus.source.file = sample.folder / "b.en";
    CHECK(made_anew());
    CHECK(sample.open().cache.content() == content);
  }
  SUBCASE("the tokenizer") {
    const NumberTokenizer other(50);
    sample.corpus.target.tokenizer = &other;
    CHECK(made_anew());
    CHECK(sample.open().cache.target_vocabulary().size == 50);
    CHECK(sample.open().cache.source_vocabulary().size == 100);
  }
  SUBCASE("a limit") {
    sample.corpus.limits.max_length = 5;
    CHECK(made_anew());
    CHECK(sample.open().cache.content() != content);
    sample.corpus.limits.max_source_tokens = 3;
    CHECK(made_anew());
    sample.corpus.limits.reach_extra = 3;
    CHECK(made_anew());
    sample.corpus.limits.reach_factor = 2.0;
    CHECK(made_anew());
  }
}

TEST_CASE("token_cache: ids of four bytes where two do not suffice") {
  CorpusSample sample("1 65533 65534 70000\n", "1\n");
  for (const std::int32_t size : {65'536, 65'537, 100'000}) {
    CAPTURE(size);
    const NumberTokenizer large(size);
    sample.corpus.source.tokenizer = &large;
    TokenPair pair;
    sample.open().cache.read(0, pair);
    const std::int32_t unknown = Vocabulary::kUnknown;
    CHECK(pair.source == std::vector<std::int32_t>{3, size > 65'536 ? 65'535 : unknown,
                                                   size > 65'537 ? 65'536 : unknown,
                                                   size > 70'002 ? 70'002 : unknown});
    CHECK(pair.target == std::vector<std::int32_t>{3});
  }
}

TEST_CASE("token_cache: a tokenizer that breaks its contract") {
  class Wrong final : public NumberTokenizer {
   public:
    explicit Wrong(std::int32_t id) : id_(id) {}
    void encode(std::string_view, std::vector<std::int32_t>& ids) const override {
      ids.push_back(id_);
    }

   private:
    std::int32_t id_;
  };
  CorpusSample sample(3);
  for (const std::int32_t id : {-1, 0, 99, 100}) {
    const Wrong wrong(id);
    sample.corpus.target.tokenizer = &wrong;
    CHECK_MESSAGE_THROWN(sample.open(), "a tokenizer of 100 ids gave " + std::to_string(id));
  }
}

TEST_CASE("token_cache: cut short anywhere, it is made anew") {
  const CorpusSample sample(40);
  const fs::path path = sample.folder / "cache";
  const std::string expected = everything(sample.open().cache);
  const std::string bytes = read_bytes(path);
  for (std::size_t length = bytes.size(); length-- > 0;) {
    CAPTURE(length);
    fs::resize_file(path, length);
    CHECK_FALSE(reopened(sample).has_value());
  }
  const OpenedCorpus opened = sample.open();
  CHECK_FALSE(opened.reused);
  CHECK(everything(opened.cache) == expected);
  CHECK(read_bytes(path) == bytes);
  write_bytes(path, bytes + "x");
  CHECK_FALSE(reopened(sample).has_value());
}

/// Changes one byte of a file.
void overwrite(const fs::path& path, std::size_t place, char byte) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(place));
  file.put(byte);
}

TEST_CASE("token_cache: random damage is made good or said, never passed on") {
  for (const bool compressed : {false, true}) {
    CorpusSample sample(40);
    if (compressed) {
      const fs::path& source = sample.corpus.source.file;
      write_bytes(source, gzipped(read_bytes(source)));
    }
    const fs::path path = sample.folder / "cache";
    sample.open();
    const std::string bytes = read_bytes(path);
    std::mt19937 random(1);
    int anew = 0, said = 0;
    for (int i = 0; i < 1'500; ++i) {
      const std::size_t place = random() % bytes.size();
      const auto change = static_cast<char>(1 + random() % 255);
      overwrite(path, place, static_cast<char>(bytes[place] ^ change));
      const std::optional<TokenCache> cache = reopened(sample);
      const std::string message = cache ? failure([&] { everything(*cache); }) : "";
      overwrite(path, place, bytes[place]);
      ++(cache ? said : anew);
      if (!cache) continue;
      CHECK(message.starts_with("token cache " + path.string() + " is damaged at pair "));
      CHECK(message.ends_with("; delete it and start again"));
    }
    CHECK(anew > 50);
    CHECK(said > 500);
  }
}

/// Makes the check sum of the footer right again, as malice would.
void forge(std::string& bytes) {
  CacheFooter footer;
  std::memcpy(&footer, bytes.data() + bytes.size() - sizeof footer, sizeof footer);
  const std::size_t end = bytes.size() - sizeof footer.checksum;
  const std::size_t begin = std::min<std::size_t>(end, footer.records_bytes);
  footer.checksum = checksum(std::as_bytes(std::span(bytes)).subspan(begin, end - begin));
  std::memcpy(bytes.data() + end, &footer.checksum, sizeof footer.checksum);
}

TEST_CASE("token_cache: forged numbers reach nothing outside the file") {
  const CorpusSample sample(40);
  const fs::path path = sample.folder / "cache";
  sample.open();
  const std::string bytes = read_bytes(path);
  const std::uint64_t most = ~std::uint64_t{0};
  int taken = 0;
  const std::size_t index_bytes = 3 * sizeof(std::uint64_t);  // of 40 pairs
  const std::size_t footer = bytes.size() - sizeof(CacheFooter);
  const std::size_t key = footer - corpus_key(sample.corpus).size();
  for (std::size_t place = key - index_bytes; place + 16 <= bytes.size(); place += 4) {
    if (place >= key && place < footer) continue;
    for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 31,
                                      std::uint64_t{1} << 40, most, most - 47, most / 2}) {
      CAPTURE(place);
      CAPTURE(value);
      std::string forged = bytes;
      std::memcpy(forged.data() + place, &value, sizeof value);
      forge(forged);
      write_bytes(path, forged);
      const std::optional<TokenCache> cache = reopened(sample);
      if (!cache) continue;
      ++taken;
      failure([&] { everything(*cache); });
    }
  }
  CHECK(taken > 20);  // the forgery works
}

TEST_CASE("token_cache: forged records reach nothing outside the file") {
  const CorpusSample sample(1);
  const fs::path path = sample.folder / "cache";
  sample.open();
  const std::string bytes = read_bytes(path);
  CacheFooter footer;
  std::memcpy(&footer, bytes.data() + bytes.size() - sizeof footer, sizeof footer);
  for (const std::uint32_t tokens : {0U, 1U, 5U, 1'000'000U, ~0U}) {
    for (const std::uint16_t& id : std::array<std::uint16_t, 5>{0, 1, 98, 99, 65'535}) {
      std::string forged = bytes;
      RecordHeader header;
      std::memcpy(&header, forged.data(), sizeof header);
      const bool fits = tokens == header.source_tokens;
      header.source_tokens = tokens;
      std::memcpy(forged.data(), &header, sizeof header);
      std::memcpy(forged.data() + sizeof header, &id, sizeof id);
      const auto body = std::as_bytes(std::span(forged)).subspan(4, footer.records_bytes - 4);
      const auto sum = static_cast<std::uint32_t>(checksum(body, 0));
      std::memcpy(forged.data(), &sum, sizeof sum);
      write_bytes(path, forged);
      const std::optional<TokenCache> cache = reopened(sample);
      REQUIRE(cache.has_value());
      CAPTURE(tokens);
      CAPTURE(id);
      const bool good = fits && id >= 1 && id <= 98;
      CHECK(failure([&] { everything(*cache); }).empty() == good);
    }
  }
}

TEST_CASE("token_cache: a text that changed under it") {
  const CorpusSample sample("1 2\n3 4\n", "5\n6\n");
  const TokenCache cache = sample.open().cache;
  write_bytes(sample.corpus.source.file, "1 2\n3 5\n");
  TextPair text;
  cache.read(0, text);
  CHECK(text.source == "1 2");
  CHECK(failure([&] { cache.read(1, text); }) ==
        "line 2 of " + sample.corpus.source.file.string() + " or " +
            sample.corpus.target.file.string() +
            " changed after it was tokenised; start the run anew");
  write_bytes(sample.corpus.source.file, "1");
  CHECK_FALSE(failure([&] { cache.read(1, text); }).empty());
}

/// Memory of this process that shows files, in KiB.
long resident_files() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssFile:")) return std::atol(line.c_str() + 8);
  }
  return 0;
}

TEST_CASE("token_cache: memory that was given back comes again") {
  std::string text;
  for (int i = 0; i < 5; ++i) text.append("1").append(std::size_t{4} << 20, ' ').append("\n");
  const CorpusSample sample(gzipped(text), CorpusSample::lines(5, 1));
  const TokenCache cache = sample.open().cache;
  const std::string before = everything(cache);
  const long resident = resident_files();
  cache.release();
  CHECK(resident_files() < resident - 18'000);
  CHECK((everything(cache) == before));
}

}  // namespace
}  // namespace heddle::testing
