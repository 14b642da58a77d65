#include "data/checksum.h"

#include <xxhash.h>

#include <memory>
#include <new>
#include <vector>

#include "data/corpus_file.h"

namespace heddle {

std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t begun) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), begun);
}

std::uint64_t checksum_of_file(const std::filesystem::path& path) {
  CorpusFile file(path);
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(),
                                                                       &XXH3_freeState);
  if (state == nullptr) throw std::bad_alloc();
  XXH3_64bits_reset(state.get());
  std::vector<char> block(std::size_t{1} << 20);
  while (const std::size_t bytes = file.read(block)) {
    XXH3_64bits_update(state.get(), block.data(), bytes);
  }
  return XXH3_64bits_digest(state.get());
}

}  // namespace heddle
