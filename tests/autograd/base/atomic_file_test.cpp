// A file appears whole or not at all, and a mapping shows what it holds.
#include "autograd/base/atomic_file.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "autograd/base/mapped_file.h"
#include "tests/support/full_disk.h"
#include "tests/support/temporary_folder.h"

namespace heddle::testing {
namespace {

namespace fs = std::filesystem;

void write_file(const fs::path& path, const std::string& bytes) {
  AtomicFile file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

TEST_CASE("atomic_file: a failed write leaves the old file and nothing else") {
  const TemporaryFolder folder;
  const fs::path path = folder / "file";
  const std::string content(40'000, 'x');
  for (const char* old : {"", "the old file"}) {
    if (*old != '\0') write_bytes(path, old);
    const std::ptrdiff_t files = folder.files();
    const std::string message = [&] {
      const FullDisk disk(20'000);
      return failure([&] { write_file(path, content); });
    }();
    CHECK(message == "cannot write " + path.string() + ": File too large");
    CHECK(folder.files() == files);
    CHECK(read_bytes(path) == old);
  }
  write_file(path, content);
  CHECK(folder.files() == 1);
  CHECK(read_bytes(path) == content);
}

TEST_CASE("atomic_file: nothing is seen before the commit, and nothing stays without it") {
  const TemporaryFolder folder;
  const fs::path path = folder / "file";
  write_bytes(path, "old");
  {
    AtomicFile file(path);
    file.write("new", 3);
    CHECK(folder.files() == 2);
    CHECK(read_bytes(path) == "old");
  }
  CHECK(folder.files() == 1);
  CHECK(read_bytes(path) == "old");
}

TEST_CASE("atomic_file: places that cannot be written") {
  const TemporaryFolder folder;
  const fs::path none = folder / "none" / "file";
  CHECK(failure([&] { write_file(none, ""); }) ==
        "cannot write " + none.string() + ": No such file or directory");
  fs::create_directory(folder / "directory");
  CHECK(contains(failure([&] { write_file(folder / "directory", "x"); }), "directory: Is a dir"));
  CHECK(folder.files() == 1);
}

TEST_CASE("atomic_file: a temporary file left by a killed process is no obstacle") {
  const TemporaryFolder folder;
  const fs::path path = folder / "file";
  write_bytes(path.string() + ".tmp." + std::to_string(::getpid()), "half a file");
  write_file(path, "whole");
  CHECK(folder.files() == 1);
  CHECK(read_bytes(path) == "whole");
}

TEST_CASE("mapped_file: a file's bytes, private where written") {
  const TemporaryFolder folder;
  const fs::path path = folder / "file";
  write_file(path, "abc");
  MappedFile file(path, MapMode::kPrivate);
  REQUIRE(file.bytes().size() == 3);
  CHECK(file.bytes()[1] == std::byte{'b'});
  file.writable_bytes()[1] = std::byte{'B'};
  const MappedFile moved = std::move(file);
  CHECK(file.bytes().empty());  // NOLINT: what a moved-from file is, is part of its contract
  CHECK(moved.bytes()[1] == std::byte{'B'});
  CHECK(read_bytes(path) == "abc");
  write_file(path, "");
  CHECK(MappedFile(path, MapMode::kReadOnly).bytes().empty());
  CHECK(moved.bytes()[2] == std::byte{'c'});  // the renamed-away file stays mapped
}

}  // namespace
}  // namespace heddle::testing
