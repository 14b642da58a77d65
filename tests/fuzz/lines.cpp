// A corpus, plain or gzip: its lines, which stand where they are said to stand; and the bytes as
// UTF-8, by two ways that have to agree. Then the same bytes again, compressed here.
#include <zlib.h>

#include "data/line_reader.h"
#include "data/utf8.h"
#include "tests/fuzz/support.h"

namespace heddle::fuzz {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

/// Reads what it can; returns the text that the lines and their ends make up.
std::string read_lines(const std::filesystem::path& path) {
  std::string text;
  LineReader reader(path);
  std::string_view line;
  while (reader.next(line)) {
    // What may stand between two lines, and in front of the first one.
    const std::size_t longest = reader.number() == 1 ? kByteOrderMark.size() : kLineEnd.size();
    require(reader.begin() >= text.size() && reader.begin() <= text.size() + longest,
            "a line begins behind the one before and its end");
    require(line.find('\n') == line.npos, "a line holds no end of a line");
    text.resize(reader.begin(), '\n');
    text += line;
    if (line.size() < 100) answered([&] { check_utf8(path, reader.number(), line); });
  }
  return text;
}

void check_code_points(std::string_view text) {
  bool valid = true;
  std::size_t bytes = 0;
  for (const CodePoint& c : CodePoints(text)) {
    require(!c.bytes.empty(), "a code point has bytes");
    bytes += c.bytes.size();
    valid = valid && c.valid;
  }
  require(bytes == text.size(), "the code points are the text");
  require(valid == !first_invalid_byte(text), "two ways to check UTF-8 agree");
  require(!first_invalid_byte(with_replacements(text)), "a repaired text is UTF-8");
}

std::string gzipped(std::string_view text) {
  z_stream stream{};
  if (::deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) ::abort();
  std::string bytes(::deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  if (::deflate(&stream, Z_FINISH) != Z_STREAM_END) ::abort();
  bytes.resize(stream.total_out);
  ::deflateEnd(&stream);
  return bytes;
}

}  // namespace
}  // namespace heddle::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace heddle::fuzz;
  const std::string_view input = text_of(data, size);
  check_code_points(input);
  const auto path = folder() / "text";
  write(path, input);
  std::string plain;
  const bool read = answered([&] { plain = read_lines(path); });
  if (!read || input.starts_with("\x1f\x8b")) return 0;
  write(path, gzipped(input));
  require(read_lines(path) == plain, "compressed, the lines are the same");
  return 0;
}
