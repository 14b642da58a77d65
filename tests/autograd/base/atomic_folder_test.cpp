// Folders and links are there whole or not at all.
#include "autograd/base/atomic_folder.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

#include "autograd/base/atomic_file.h"
#include "tests/support/temporary_folder.h"

namespace heddle::testing {
namespace {

namespace fs = std::filesystem;

std::function<void(const fs::path&)> with(const std::string& bytes) {
  return [=](const fs::path& folder) {
    CHECK(fs::is_empty(folder));
    write_bytes(folder / "a", bytes);
  };
}

TEST_CASE("atomic folder: is new, is replaced whole, or stays as it was") {
  const TemporaryFolder folder;
  const fs::path path = folder / "model";
  write_folder(path, with("one"));
  write_bytes(path / "b", "of before");
  write_folder(path, with("two"));
  CHECK(read_bytes(path / "a") == "two");
  CHECK_FALSE(fs::exists(path / "b"));
  const auto fails = [&](const fs::path& temporary) {
    CHECK(temporary == temporary_name(path));
    CHECK(read_bytes(path / "a") == "two");
    write_bytes(temporary / "a", "half");
    throw std::runtime_error("no room");
  };
  CHECK_THROWS_WITH(write_folder(path, fails), "no room");
  CHECK_THROWS_WITH(
      write_folder(folder / "other", [](const fs::path&) { throw std::runtime_error("no room"); }),
      "no room");
  CHECK(read_bytes(path / "a") == "two");
  CHECK(folder.files() == 1);
  const fs::path nowhere = folder / "missing" / "model";
  CHECK(failure([&] { write_folder(nowhere, with("x")); }) ==
        "cannot make " + temporary_name(nowhere).string() + ": No such file or directory");
}

TEST_CASE("atomic folder: one that is there may be kept") {
  const TemporaryFolder folder;
  const fs::path path = folder / "model";
  write_folder(path, with("one"), Existing::kKeep);
  const std::string there = path.string() + ": is there already; give a new folder";
  CHECK(failure([&] { write_folder(path, with("two"), Existing::kKeep); }) == there);
  CHECK(read_bytes(path / "a") == "one");
  remove_folder(path);
  fs::create_directory(path);  // an empty one is somebody's, too
  CHECK(failure([&] { write_folder(path, with("two"), Existing::kKeep); }) == there);
  CHECK(folder.files() == 1);
}

TEST_CASE("atomic folder: removing") {
  const TemporaryFolder folder;
  const fs::path path = folder / "model";
  CHECK(failure([&] { remove_folder(path); }) ==
        "cannot remove " + path.string() + ": No such file or directory");
  write_folder(path, with("one"));
  remove_folder(path);
  CHECK(folder.files() == 0);
}

TEST_CASE("atomic folder: links always point to something") {
  const TemporaryFolder folder;
  const fs::path link = folder / "last";
  CHECK(replace_link(link, "one"));
  CHECK(fs::read_symlink(link) == "one");
  CHECK(replace_link(link, "two"));
  CHECK(fs::read_symlink(link) == "two");
  CHECK(folder.files() == 1);
}

TEST_CASE("atomic folder: where no link can be made, none is left, and that is no error") {
  const TemporaryFolder folder;
  const fs::path link = folder / "last";
  const MakeLink refused = [](const char*, const char*) {
    errno = EPERM;
    return -1;
  };
  CHECK_FALSE(replace_link(link, "one", refused));
  CHECK(folder.files() == 0);
  CHECK(replace_link(link, "one"));
  CHECK_FALSE(replace_link(link, "two", refused));
  CHECK(folder.files() == 0);
  fs::create_directories(link / "of a copy");  // the caller's to take away
  CHECK(failure([&] { replace_link(link, "one"); }) ==
        "cannot remove " + link.string() + ": Directory not empty");
  CHECK(fs::exists(link / "of a copy"));
}

TEST_CASE("atomic folder: what killed processes left goes, and nothing else") {
  const TemporaryFolder folder;
  CHECK(temporary_name("a/b") == "a/b.tmp." + std::to_string(::getpid()));
  for (const char* name : {"a.tmp.1", "step-000500.tmp.4194304", "last.old.tmp.77"}) {
    CHECK(is_temporary_name(folder / name));
    fs::create_directory(folder / name);
    write_bytes(folder / name / "file", "x");
  }
  write_bytes(folder / "config.json.tmp.12", "{");
  for (const char* name : {"a.tmp.", "a.tmp.x", "a.tmp.1x", "a.tmp", "tmp.1", ".tmp.1", "a"}) {
    CHECK_FALSE(is_temporary_name(folder / name));
    write_bytes(folder / name, "x");
  }
  remove_temporaries(folder.path(), "last");
  remove_temporaries(folder.path(), "con");
  CHECK(folder.files() == 10);
  CHECK_FALSE(fs::exists(folder / "last.old.tmp.77"));
  remove_temporaries(folder.path());
  CHECK(folder.files() == 7);
  remove_temporaries(folder / "missing");
}

}  // namespace
}  // namespace heddle::testing
