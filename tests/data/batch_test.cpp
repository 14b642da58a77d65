// Batches hold what they say, every pair once an epoch, and the same again behind any cursor.
#include "data/batch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/data/corpus_samples.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/throws.h"

namespace heddle::testing {
namespace {

using TokenIds = std::vector<std::int32_t>;

bool same(const Batch& a, const Batch& b) {
  const auto equal = [](const std::vector<Sequence>& x, const std::vector<Sequence>& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](auto one, auto other) {
      return one.begin == other.begin && one.length == other.length;
    });
  };
  return a.pairs.source_ids == b.pairs.source_ids && a.pairs.target_input == b.pairs.target_input &&
         a.pairs.target_output == b.pairs.target_output && equal(a.pairs.source, b.pairs.source) &&
         equal(a.pairs.target, b.pairs.target) && a.lines == b.lines && a.after == b.after;
}

std::vector<Batch> batches_of(const PairSet& pairs, const BatchOptions& options, std::size_t count,
                              const Cursor& from = {}) {
  BatchStream stream(pairs, options, from);
  std::vector<Batch> batches(count);
  for (Batch& batch : batches) stream.next(batch);
  return batches;
}

/// All batches of the epochs before `end`.
std::vector<Batch> epochs_of(const PairSet& pairs, const BatchOptions& options, std::int64_t end) {
  BatchStream stream(pairs, options);
  std::vector<Batch> batches;
  do {
    stream.next(batches.emplace_back());
  } while (batches.back().after.epoch < end);
  return batches;
}

TEST_CASE("batch: packed ids of three pairs") {
  const CorpusSample sample("1 2\n3\n4 5 6\n", "7\n8 9\n10\n");
  const TokenCache cache = sample.open().cache;
  const BatchOptions options{.shuffle = false};
  const Batch batch = batches_of(PairSet(cache), options, 1).front();
  CHECK(batch.pairs.source_ids == TokenIds{3, 4, 0, 5, 0, 6, 7, 8, 0});
  CHECK(batch.pairs.target_input == TokenIds{99, 9, 99, 10, 11, 99, 12});
  CHECK(batch.pairs.target_output == TokenIds{9, 0, 10, 11, 0, 12, 0});
  CHECK(batch.pairs.target_tokens() == 7);
  CHECK(batch.lines == std::vector<std::int64_t>{1, 2, 3});
  CHECK(batch.after == Cursor{1, 0});
  REQUIRE(batch.pairs.source.size() == 3);
  CHECK(batch.pairs.source[2].begin == 5);
  CHECK(batch.pairs.source[2].length == 4);
  CHECK_NOTHROW(check_sequences("source", batch.pairs.source, 9));
  CHECK_NOTHROW(check_sequences("target", batch.pairs.target, 7));
}

TEST_CASE("batch: an epoch is every pair once, and no two epochs are alike") {
  const CorpusSample sample(700);
  const TokenCache cache = sample.open().cache;
  const PairSet all(cache);
  const BatchOptions options{.batch_tokens = 100, .max_source_tokens = 90, .seed = 3};
  std::set<std::vector<std::int64_t>> orders;
  std::vector<std::int64_t> order;
  for (const Batch& batch : epochs_of(all, options, 4)) {
    order.insert(order.end(), batch.lines.begin(), batch.lines.end());
    CHECK_NOTHROW(check_sequences("source", batch.pairs.source, batch.pairs.source_tokens()));
    CHECK_NOTHROW(check_sequences("target", batch.pairs.target, batch.pairs.target_tokens()));
    if (batch.after.position > 0) {
      CHECK(batch.after.position == std::ssize(order));
      continue;
    }
    CHECK(order.size() == 700);
    orders.insert(order);
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < order.size(); ++i) CHECK(order[i] == static_cast<int>(i) + 1);
    order.clear();
  }
  CHECK(orders.size() == 4);
}

TEST_CASE("batch: as many pairs as both limits allow, at least one") {
  const CorpusSample sample(700);
  const TokenCache cache = sample.open().cache;
  constexpr int kMany = 100'000;
  const std::pair<int, int> limits[] = {
      {100, kMany}, {kMany, 60}, {50, 50}, {1, 1}, {kMany, kMany}};
  for (const auto& limit : limits) {
    const int batch_tokens = limit.first, source_tokens = limit.second;
    CAPTURE(batch_tokens);
    CAPTURE(source_tokens);
    const BatchOptions options{.batch_tokens = batch_tokens, .max_source_tokens = source_tokens};
    const std::vector<Batch> batches = epochs_of(PairSet(cache), options, 1);
    for (std::size_t i = 0; i < batches.size(); ++i) {
      const PackedPairs& pairs = batches[i].pairs;
      REQUIRE(!pairs.target.empty());
      if (pairs.target.size() > 1) {
        CHECK(pairs.target_tokens() <= batch_tokens);
        CHECK(pairs.source_tokens() <= source_tokens);
      }
      if (i + 1 == batches.size()) break;
      const PackedPairs& next = batches[i + 1].pairs;
      const bool room = pairs.target_tokens() + next.target[0].length <= batch_tokens &&
                        pairs.source_tokens() + next.source[0].length <= source_tokens;
      CHECK_FALSE(room);
    }
  }
}

TEST_CASE("batch: the same batches again, from the start and behind any of them") {
  const CorpusSample sample(300);
  const TokenCache cache = sample.open().cache;
  const PairSet train = HeldOut(cache, 20, 5).train;
  for (const bool sampling : {false, true}) {
    BatchOptions options{.batch_tokens = 150, .seed = 8};
    if (sampling) options.source_sampler = options.target_sampler = &sample.tokenizer;
    const std::vector<Batch> batches = epochs_of(train, options, 2);
    REQUIRE(batches.size() > 20);
    for (std::size_t i = 0; i + 3 < batches.size(); ++i) {
      const std::vector<Batch> again = batches_of(train, options, 3, batches[i].after);
      for (std::size_t k = 0; k < again.size(); ++k) CHECK(same(again[k], batches[i + 1 + k]));
    }
    CHECK(same(batches_of(train, options, 1)[0], batches[0]));
    options.seed = 9;
    CHECK_FALSE(same(batches_of(train, options, 1)[0], batches[0]));
  }
}

TEST_CASE("batch: a cursor that the corpus does not have") {
  const CorpusSample sample(10);
  const TokenCache cache = sample.open().cache;
  const PairSet all(cache);
  CHECK_NOTHROW(BatchStream(all, {}, {7, 9}));
  for (const Cursor& from : {Cursor{0, 10}, Cursor{0, -1}, Cursor{-1, 0}}) {
    CHECK_THROWS_AS(BatchStream(all, {}, from), DataError);
  }
  CHECK_MESSAGE_THROWN(BatchStream(all, {}, {2, 10}),
                       "cannot go on behind pair 10 of epoch 2: the corpus has 10 pairs; it is "
                       "not the one of that run");
  CHECK_MESSAGE_THROWN(BatchStream(all, {.batch_tokens = 0}), "batches of 0 tokens");
}

TEST_CASE("batch: a second pass through the same buffers allocates nothing") {
  const CorpusSample sample(2'000);
  const TokenCache cache = sample.open().cache;
  const PairSet train = HeldOut(cache, 100, 1).train;
  const BatchOptions options{.batch_tokens = 500};
  Batch batch;
  const auto pass = [&](BatchStream& stream) {
    do {
      stream.next(batch);
    } while (batch.after.epoch == 0);
  };
  BatchStream first(train, options), second(train, options);
  pass(first);
  second.next(batch);  // its own buffer for a pair grows
  const Cursor begin = batch.after;
  CHECK(begin.position > 10);
  const std::int64_t before = allocations();
  pass(second);
  CHECK(allocations() == before);
}

TEST_CASE("batch: sampling segments anew in each epoch, and gives way to the limits") {
  const CorpusSample sample("1 2 3\n4\n5 6\n", "1 2\n3\n4 5 6 7\n");
  const TokenCache cache = sample.open().cache;
  const PairSet all(cache);
  BatchOptions options{.shuffle = false};
  options.source_sampler = options.target_sampler = &sample.tokenizer;
  std::set<TokenIds> sources, targets;
  std::set<std::pair<bool, bool>> doubled;
  for (const Batch& batch : batches_of(all, options, 64)) {
    const auto pairs = batch.pairs;
    sources.insert(pairs.source_ids);
    targets.insert(pairs.target_output);
    doubled.emplace(pairs.source[1].length == 3, pairs.target[1].length == 3);
  }
  CHECK(sources.size() == 8);  // each of three lines doubled or not
  CHECK(targets.size() == 8);
  CHECK(doubled.size() == 4);  // the sides do not depend on each other
  CHECK(sources.contains(TokenIds{3, 3, 4, 4, 5, 5, 0, 6, 0, 7, 7, 8, 8, 0}));

  options.max_length = 6;
  options.max_source_tokens = 5;
  std::set<std::int32_t> source_lengths[3], target_lengths[3];
  BatchStream stream(all, options);
  for (Batch batch; batch.after.epoch < 64;) {
    stream.next(batch);
    for (std::size_t i = 0; i < batch.lines.size(); ++i) {
      const auto line = static_cast<std::size_t>(batch.lines[i] - 1);
      source_lengths[line].insert(batch.pairs.source[i].length);
      target_lengths[line].insert(batch.pairs.target[i].length);
    }
  }
  using Lengths = std::set<std::int32_t>;
  CHECK(source_lengths[0] == Lengths{4});  // 7 would be too long
  CHECK(source_lengths[1] == Lengths{2, 3});
  CHECK(source_lengths[2] == Lengths{3, 5});
  CHECK(target_lengths[0] == Lengths{3, 5});
  CHECK(target_lengths[2] == Lengths{5});

  options = {.shuffle = false, .source_sampler = &sample.tokenizer};
  for (const Batch& batch : batches_of(all, options, 10)) {
    CHECK(batch.pairs.target_output == TokenIds{3, 4, 0, 5, 0, 6, 7, 8, 9, 0});
  }
}

TEST_CASE("batch: after a failed read the stream is where it was") {
  const CorpusSample sample(50);
  const TokenCache cache = sample.open().cache;
  BatchOptions options{.batch_tokens = 60};
  options.source_sampler = &sample.tokenizer;
  const std::string text = read_bytes(sample.corpus.source.file);
  BatchStream stream(PairSet(cache), options);
  const std::vector<Batch> expected = batches_of(PairSet(cache), options, 2);
  Batch batch;
  stream.next(batch);
  write_bytes(sample.corpus.source.file, "");
  CHECK(contains(failure([&] { stream.next(batch); }), " changed after it was tokenised"));
  write_bytes(sample.corpus.source.file, text);
  stream.next(batch);
  CHECK(same(batch, expected[1]));
}

}  // namespace
}  // namespace heddle::testing
