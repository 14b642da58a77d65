// Lines of plain and compressed files, and what is said of files that cannot be read.
#include "data/line_reader.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <thread>

#include "tests/data/corpus_samples.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/throws.h"

namespace heddle::testing {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

/// All lines; checks that each one's place is where it stands in `text`.
Lines lines_of(const fs::path& path, const std::string* text = nullptr) {
  LineReader reader(path);
  Lines lines;
  std::string_view line;
  while (reader.next(line)) {
    lines.emplace_back(line);
    CHECK(reader.number() == static_cast<std::int64_t>(lines.size()));
    if (text != nullptr) CHECK(text->substr(reader.begin(), line.size()) == line);
  }
  CHECK_FALSE(reader.next(line));
  return lines;
}

TEST_CASE("line_reader: only \\n ends a line, plain as compressed") {
  const TemporaryFolder folder;
  const fs::path path = folder / "text";
  const std::string odd = std::string("a\0b", 3) + "\xe2\x80\xa8" + "c\xc2\x85" + "d\re\v\f";
  const std::pair<std::string, Lines> cases[] = {
      {"", {}},
      {"\n", {""}},
      {"\n\n", {"", ""}},
      {"a", {"a"}},
      {"a\n", {"a"}},
      {"a\nb", {"a", "b"}},
      {"a\n\nb\n", {"a", "", "b"}},
      {"a\r\n\r\nb\r", {"a", "", "b"}},
      {"\x1f", {"\x1f"}},
      {odd + "\nx", {odd, "x"}},
  };
  for (const auto& one : cases) {
    const std::string& text = one.first;
    const Lines& lines = one.second;
    CAPTURE(text);
    write_bytes(path, text);
    CHECK(lines_of(path, &text) == lines);
    write_bytes(path, gzipped(text));
    CHECK(lines_of(path, &text) == lines);
  }
}

TEST_CASE("line_reader: UTF-16 and UTF-32 are refused, with that guess") {
  const TemporaryFolder folder;
  const fs::path path = folder / "text";
  const auto encoded = [](std::u32string_view text, std::size_t bytes, bool little) {
    std::string result;
    for (const char32_t c : text) {
      for (std::size_t i = 0; i < bytes; ++i) {
        result += static_cast<char>(c >> 8 * (little ? i : bytes - 1 - i));
      }
    }
    return result;
  };
  for (const std::u32string text :
       {U"The cats are small.\nÄpfel\n", U"Кошки маленькие\r\nи быстрые\n",
        U"小さな猫\n大きな 犬\n猫\n", U"one line, without an end"}) {
    for (const std::u32string mark : {U"", U"\uFEFF"}) {
      for (const bool little : {true, false}) {
        const std::string name = little ? "LE" : "BE";
        write_bytes(path, encoded(mark + text, 2, little));
        CHECK_MESSAGE_THROWN(lines_of(path), path.string() + ": looks like UTF-16" + name +
                                                 ", not UTF-8; convert it, for example with iconv");
        write_bytes(path, encoded(mark + text, 4, little));
        if (!mark.empty() || text[0] < 0x100)
          CHECK_MESSAGE_THROWN(lines_of(path), ": looks like UTF-32" + name);
      }
    }
  }
  using namespace std::string_literals;
  for (const std::string& text : {"a\0b\nc\0d\n"s, "\0\n\n"s, "\0a\nb\n"s, "a \0\nb \nc"s}) {
    write_bytes(path, text);
    CHECK(lines_of(path, &text).size() >= 2);
  }
}

TEST_CASE("line_reader: a byte order mark before the first line is left out") {
  const TemporaryFolder folder;
  const std::string mark = "\xEF\xBB\xBF";
  const std::pair<std::string, Lines> cases[] = {
      {mark + "a\n" + mark + "b", {"a", mark + "b"}},
      {mark + mark + "a", {mark + "a"}},
      {mark, {""}},
      {mark + "\r\n", {""}},
      {"\xEF\xBB", {"\xEF\xBB"}},
  };
  for (const auto& [text, lines] : cases) {
    write_bytes(folder / "text", text);
    CHECK(lines_of(folder / "text", &text) == lines);
    write_bytes(folder / "text", gzipped(text));
    CHECK(lines_of(folder / "text", &text) == lines);
  }
}

TEST_CASE("line_reader: lines that end in \\r\\n are counted") {
  const TemporaryFolder folder;
  write_bytes(folder / "text", "a\r\nb\nc\r\r\n\rd");
  LineReader reader(folder / "text");
  Lines lines;
  for (std::string_view line; reader.next(line);) lines.emplace_back(line);
  CHECK(lines == Lines{"a", "b", "c\r", "\rd"});
  CHECK(reader.crlf_lines() == 2);
}

TEST_CASE("line_reader: lines across buffers of any size, and members one after the other") {
  const TemporaryFolder folder;
  std::string text;
  Lines lines;
  for (int i = 0; i < 3'000; ++i) {
    const std::size_t length = i == 1'500 ? 1'000'000 : static_cast<std::size_t>(i * i % 777);
    lines.emplace_back(length, static_cast<char>('a' + i % 26));
    text.append(lines.back()).append("\n");
  }
  write_bytes(folder / "plain", text);
  CHECK(lines_of(folder / "plain", &text) == lines);
  const std::string members = gzipped(text.substr(0, 400'001)) + gzipped("") +
                              gzipped(text.substr(400'001)) + std::string(700, '\0');
  write_bytes(folder / "members", members);
  CHECK(lines_of(folder / "members", &text) == lines);
}

TEST_CASE("line_reader: a pipe that gives byte after byte") {
  const TemporaryFolder folder;
  const fs::path path = folder / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const std::string bytes = gzipped("one\ntwo\n");
  std::thread writer([&] {
    std::ofstream pipe(path, std::ios::binary);
    for (const char byte : bytes) pipe << byte << std::flush;
  });
  const Lines lines = lines_of(path);
  writer.join();
  CHECK(lines == Lines{"one", "two"});
}

TEST_CASE("line_reader: files that cannot be read") {
  const TemporaryFolder folder;
  const auto message = [&](const char* name) { return failure([&] { lines_of(folder / name); }); };
  const auto expected = [&](const char* name, const char* what) {
    return "cannot read " + (folder / name).string() + ": " + what;
  };
  CHECK(message("none") == expected("none", "No such file or directory"));
  fs::create_directory(folder / "folder");
  CHECK(message("folder") == expected("folder", "it is a directory"));
  write_bytes(folder / "file", "a\n");
  CHECK(message("file/below") == expected("file/below", "Not a directory"));
}

TEST_CASE("line_reader: compressed data cut short anywhere") {
  const TemporaryFolder folder;
  const fs::path path = folder / "text.gz";
  const std::string bytes = gzipped("one\ntwo\nthree\n");
  for (std::size_t length = 2; length < bytes.size(); ++length) {
    CAPTURE(length);
    write_bytes(path, bytes.substr(0, length));
    CHECK_MESSAGE_THROWN((lines_of(path), 0), "text.gz: the compressed data end too early after");
  }
  // All the text is there, only the check sum behind it is not.
  write_bytes(path, bytes.substr(0, bytes.size() - 1));
  CHECK(failure([&] { lines_of(path); }) ==
        "cannot read " + path.string() +
            ": the compressed data end too early after line 3; copy the file again");
}

TEST_CASE("line_reader: damaged compressed data") {
  const TemporaryFolder folder;
  const fs::path path = folder / "text.gz";
  const std::string bytes = gzipped("one\ntwo\nthree\n");
  std::string damaged = bytes;
  damaged[bytes.size() - 6] ^= 1;  // the check sum
  write_bytes(path, damaged);
  const std::string expected = "cannot read " + path.string() +
                               ": the compressed data are damaged after line 3; copy the file "
                               "again";
  CHECK(failure([&] { lines_of(path); }) == expected);
  write_bytes(path, bytes + "not gzip");
  CHECK(failure([&] { lines_of(path); }) == expected);
}

TEST_CASE("line_reader: a line without an end") {
  const TemporaryFolder folder;
  const fs::path path = folder / "binary";
  write_bytes(path, "a\n" + std::string(LineReader::kLongestLine + 1, 'x'));
  CHECK_MESSAGE_THROWN((lines_of(path), 0), path.string() + ":2: a line of more than 64 MiB; is");
  write_bytes(path, "a\n" + std::string(LineReader::kLongestLine, 'x') + "\n");
  CHECK(lines_of(path).size() == 2);
}

}  // namespace
}  // namespace heddle::testing
