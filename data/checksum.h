// Checksums that tell damage, not malice: XXH3 with 64 bits, of the library xxHash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace heddle {

/// 64 bits that any change of the bytes is all but sure to change; `begun` is a seed. That of a
/// whole file, begun with 0, is what `xxhsum -H3` prints.
std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t begun = 0);

/// That of a file, which is read for it and not mapped: a disk that cannot read is a FileError.
std::uint64_t checksum_of_file(const std::filesystem::path& path);

}  // namespace heddle
