#include "autograd/base/sequences.h"

#include "autograd/base/check.h"

namespace heddle {

std::vector<Sequence> packed(std::span<const std::int32_t> lengths) {
  std::vector<Sequence> sequences;
  sequences.reserve(lengths.size());
  std::int32_t begin = 0;
  for (const std::int32_t length : lengths) {
    sequences.push_back({begin, length});
    begin += length;
  }
  return sequences;
}

std::int64_t total_length(Sequences sequences) {
  return sequences.empty() ? 0 : std::int64_t{sequences.back().begin} + sequences.back().length;
}

void check_sequences(const char* op, Sequences sequences, std::int64_t rows) {
  check(!sequences.empty(), op, ": the batch holds no sentence");
  std::int64_t expected = 0;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const Sequence& s = sequences[i];
    check(s.length >= 1, op, ": sentence ", i, " is empty");
    check(s.begin == expected, op, ": sentence ", i, " begins at row ", s.begin, ", not at row ",
          expected);
    expected += s.length;
  }
  check(expected == rows, op, ": the sentences hold ", expected, " tokens, the tensor ", rows,
        " rows");
}

}  // namespace heddle
