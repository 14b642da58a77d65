// A pass over a corpus: what is kept, what is refused and in which words, and what is held out.
#include "data/corpus.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/data/corpus_samples.h"
#include "tests/support/throws.h"

namespace heddle::testing {
namespace {

namespace fs = std::filesystem;

/// The message of the DataError that opening throws.
std::string data_error(const CorpusSample& sample) {
  try {
    sample.open();
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("corpus: pairs as ids and as text, with their lines") {
  const CorpusSample sample("1 2 3\n\n4\n", "5\n6\n7 200\n");
  const TokenCache cache = sample.open().cache;
  REQUIRE(cache.pairs() == 2);
  TokenPair pair;
  cache.read(0, pair);
  CHECK(pair.line == 1);
  CHECK(pair.source == std::vector<std::int32_t>{3, 4, 5});
  CHECK(pair.target == std::vector<std::int32_t>{7});
  cache.read(1, pair);
  CHECK(pair.line == 3);
  CHECK(pair.source == std::vector<std::int32_t>{6});
  CHECK(pair.target == std::vector<std::int32_t>{9, Vocabulary::kUnknown});
  TextPair text;
  cache.read(1, text);
  CHECK(text.source == "4");
  CHECK(text.target == "7 200");
  CHECK_MESSAGE_THROWN(cache.read(2, pair), "pair 2 of 2");
  CHECK_MESSAGE_THROWN(cache.read(-1, pair), "pair -1 of 2");
}

TEST_CASE("corpus: what is left out is counted by its reason") {
  CorpusSample sample("1\r\n\n1\n1 2 3\n1 2\n1 2 3 4\n1\n", "1\n1\n \n1\n1 2 3 4\r\n1\n9 9 9\n");
  sample.corpus.limits = {
      .max_length = 4, .max_source_tokens = 3, .reach_factor = 1.5, .reach_extra = 0};
  const OpenedCorpus opened = sample.open();
  CorpusReport expected{.pairs = 7,
                        .kept = 2,
                        .empty = 2,
                        .too_long = 2,
                        .source_too_long = 1,
                        .source_crlf = 1,
                        .target_crlf = 1,
                        .unreachable = 1,
                        .source_tokens = 4,
                        .target_tokens = 6,
                        .found = {}};
  expected.found = opened.cache.report().found;
  CHECK(opened.cache.report() == expected);
  CHECK(opened.cache.report().message() ==
        "7 pairs, 2 kept; left out: 2 with an empty side, 2 with a side longer than max_length, 1 "
        "with a source longer than max_source_tokens; source lines ending in \\r\\n: 1; target "
        "lines ending in \\r\\n: 1");
  CHECK(sample.open().cache.report() == expected);  // also out of the cache
}

TEST_CASE("corpus: a corpus of one line") {
  const CorpusSample sample("1", "2");
  CHECK(sample.open().cache.report().message() == "1 pair, 1 kept");
}

TEST_CASE("corpus: files of different length") {
  const auto message = [](const CorpusSample& sample, const char* shorter, const char* at,
                          const char* longer, const char* lines) {
    return (sample.folder / shorter).string() + " ends at line " + at + ", but " +
           (sample.folder / longer).string() + " has " + lines +
           " lines; line n of one must translate line n of the other";
  };
  const CorpusSample target_short("1\n2\n3\n4\n", "1\n2");
  CHECK(data_error(target_short) == message(target_short, "a.fr", "2", "a.en", "4"));
  const CorpusSample source_empty("", "1\n");
  CHECK(data_error(source_empty) == message(source_empty, "a.en", "0", "a.fr", "1"));
  // Beyond the first block.
  const CorpusSample longer(CorpusSample::lines(20'001, 1), CorpusSample::lines(20'000, 1));
  CHECK(data_error(longer) == message(longer, "a.fr", "20000", "a.en", "20001"));
  CHECK(longer.folder.files() == 2);
}

TEST_CASE("corpus: text that is no UTF-8, wherever it is") {
  for (const char* bad : {"\xff", "\x80", "a\xc3", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf",
                          "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80",
                          "\xe2\x82", "\xe2\x82x", "\xf0\x9f\x98", "\xf0\x9f\x98x", "\xc3\xc3"}) {
    CAPTURE(bad);
    const CorpusSample sample("1\n" + std::string(bad) + "\n1\n", "1\n1\n1\n");
    CHECK(data_error(sample) == sample.corpus.source.file.string() +
                                    ":2: no valid UTF-8; convert the file, for example with iconv");
  }
  for (const char* good :
       {"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CAPTURE(good);
    CHECK(data_error(CorpusSample(good, "1")) == "");
  }
  // The first of two is named, with one thread as with several, before a difference in length.
  std::string lines = CorpusSample::lines(9'000, 3);
  const CorpusSample two(lines + "1\n1\n", lines + "\xff\n\xff\n1\n");
  for (const int threads : {1, 3}) {
    CHECK_MESSAGE_THROWN(two.open(threads), two.corpus.target.file.string() + ":9001: no valid");
  }
}

TEST_CASE("corpus: nothing to learn from") {
  const CorpusSample empty("", "");
  const auto files = [](const CorpusSample& sample) {
    return sample.corpus.source.file.string() + ", " + sample.corpus.target.file.string();
  };
  CHECK(data_error(empty) == files(empty) + ": the files are empty");
  CorpusSample long_lines("\n1 2 3\n", "1\n1 2 3\n");
  long_lines.corpus.limits.max_length = 3;
  CHECK(data_error(long_lines) ==
        files(long_lines) +
            ": nothing is left to learn from (2 pairs, 0 kept; left out: 1 with an empty side, 1 "
            "with a side longer than max_length; max_length is 3)");
  CHECK(long_lines.folder.files() == 2);
}

TEST_CASE("corpus: files that cannot be read or written") {
  CorpusSample sample(10);
  const fs::path none = sample.folder / "none", folder = sample.folder / "folder";
  fs::create_directory(folder);
  const auto opening = [&] { return failure([&] { sample.open(); }); };
  sample.corpus.target.file = none;
  CHECK(opening() == "cannot read " + none.string() + ": No such file or directory");
  sample.corpus.target.file = folder;
  CHECK(opening() == "cannot read " + folder.string() + ": it is a directory");
  sample.corpus.target.file = "/dev/null";
  CHECK(opening() ==
        "cannot read /dev/null: it is not a regular file, and a run reads its text several times; "
        "copy it into a file first");
  const std::string compressed = gzipped("1\n2\n");
  write_bytes(none, compressed.substr(0, compressed.size() - 9));
  sample.corpus.target.file = none;
  CHECK(contains(opening(), "none: the compressed data end too early after line"));
  CHECK(sample.folder.files() == 4);

  CHECK_MESSAGE_THROWN(open_corpus(CorpusSample(2).corpus, none / "cache", 1), "cannot");
  const CorpusSample good(2);
  CHECK_MESSAGE_THROWN(open_corpus(good.corpus, good.folder / "a/b", 1),
                       "cannot write " + (good.folder / "a/b").string() + ": No such file");
}

TEST_CASE("corpus: compressed and plain files give the same pairs and texts") {
  CorpusSample plain(500), mixed(500), compressed(500);
  for (CorpusSample* sample : {&mixed, &compressed}) {
    const fs::path& target = sample->corpus.target.file;
    write_bytes(target, gzipped(read_bytes(target)));
  }
  write_bytes(compressed.corpus.source.file, gzipped(read_bytes(plain.corpus.source.file)));
  const TokenCache expected = plain.open().cache;
  TokenPair pair, expected_pair;
  TextPair text, expected_text;
  for (CorpusSample* sample : {&mixed, &compressed}) {
    const TokenCache cache = sample->open().cache;
    REQUIRE(cache.pairs() == 500);
    CHECK(cache.content() == expected.content());
    for (std::int64_t i = 0; i < cache.pairs(); ++i) {
      expected.read(i, expected_pair);
      cache.read(i, pair);
      CHECK(pair.line == expected_pair.line);
      CHECK(pair.source == expected_pair.source);
      CHECK(pair.target == expected_pair.target);
      expected.read(i, expected_text);
      cache.read(i, text);
      CHECK(text.source == expected_text.source);
      CHECK(text.target == expected_text.target);
    }
  }
}

TEST_CASE("corpus: the number of threads does not show") {
  const CorpusSample sample(20'000);
  std::set<std::string> caches;
  for (const int threads : {1, 2, 5}) {
    sample.open(threads);
    caches.insert(read_bytes(sample.folder / "cache"));
    fs::remove(sample.folder / "cache");
  }
  CHECK(caches.size() == 1);
  CHECK(caches.begin()->size() > 20'000 * sizeof(RecordHeader));
}

TEST_CASE("corpus: a pass reports its progress and can be stopped") {
  const CorpusSample sample(20'000);
  std::vector<std::int64_t> calls;
  const auto stop = [&](std::int64_t pairs) {
    calls.push_back(pairs);
    check(calls.size() < 2, "stopped");
  };
  CHECK_MESSAGE_THROWN(open_corpus(sample.corpus, sample.folder / "cache", 1, stop), "stopped");
  CHECK(calls.size() == 2);
  CHECK(calls[0] > 0);
  CHECK(calls[1] > calls[0]);
  CHECK(sample.folder.files() == 2);
}

TEST_CASE("corpus: what is held out is not trained on, and nothing is lost") {
  const CorpusSample sample(1'000);
  const TokenCache cache = sample.open().cache;
  const auto numbers = [](const PairSet& set) {
    std::set<std::int64_t> all;
    for (std::int64_t i = 0; i < set.size(); ++i) all.insert(set[i]);
    return all;
  };
  std::set<std::set<std::int64_t>> choices;
  for (const std::uint64_t seed : {std::uint64_t{1}, std::uint64_t{2}}) {
    const HeldOut parts(cache, 300, seed);
    std::set<std::int64_t> train = numbers(parts.train);
    const std::set<std::int64_t> valid = numbers(parts.valid);
    CHECK(train.size() == 700);
    CHECK(valid.size() == 300);
    train.insert(valid.begin(), valid.end());
    CHECK(train == numbers(PairSet(cache)));
    CHECK(numbers(HeldOut(cache, 300, seed).valid) == valid);
    choices.insert(valid);
  }
  CHECK(choices.size() == 2);
  CHECK(HeldOut(cache, 999, 1).train.size() == 1);
  CHECK_MESSAGE_THROWN(HeldOut(cache, 1'000, 1),
                       "cannot hold out 1000 pairs for validation: the corpus has 1000 that can be "
                       "used; lower hold_out");
}

}  // namespace
}  // namespace heddle::testing
