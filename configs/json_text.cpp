#include "configs/json_text.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "autograd/base/check.h"
#include "autograd/base/counting_iterator.h"
#include "autograd/base/text_file.h"
#include "configs/config.h"

namespace heddle {

namespace {

constexpr std::size_t kMaxDepth = 64;
// What a text costs beyond its bytes: each value is remembered with the keys that lead to it, and
// compared with its neighbours and with the errors that were found before.
constexpr std::size_t kMaxValues = 10'000;
constexpr std::size_t kMaxPointer = 1000;  // bytes

// A position that only moves forward and knows its line and column.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {
    if (text.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
  }
  std::size_t at() const { return at_; }
  TextPlace place() const { return place_; }

  void move_to(std::size_t end) {
    for (; at_ < std::min(end, text_.size()); ++at_) {
      const auto byte = static_cast<unsigned char>(text_[at_]);
      if (byte == '\n') {
        ++place_.line;
        place_.column = 1;
      } else if ((byte & 0xC0) != 0x80) {  // the first byte of a character
        ++place_.column;
      }
    }
  }

  // To where the next token begins.
  void skip_blanks() {
    for (;;) {
      const std::string_view rest = text_.substr(at_);
      if (rest.starts_with("//")) {
        move_to(at_ + std::min(rest.find('\n'), rest.size()));
      } else if (rest.starts_with("/*")) {
        const std::size_t end = rest.find("*/", 2);
        if (end == rest.npos) return;  // never closed: this is where it began
        move_to(at_ + end + 2);
      } else {
        const std::size_t blanks = std::min(rest.find_first_not_of(" \t\r\n,:"), rest.size());
        if (blanks == 0) return;
        move_to(at_ + blanks);
      }
    }
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  TextPlace place_;
};

// Receives the tokens and builds the document.
class Reader {
 public:
  Reader(std::string_view text, const std::string& name, const std::size_t* count)
      : text_(text), name_(name), count_(count), cursor_(text) {}

  JsonText take() {
    if (!repeated_.empty()) throw ConfigError(repeated_);
    return std::move(result_);
  }

  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(std::int64_t value) { return add(value, true); }
  bool number_unsigned(std::uint64_t value) { return add(value, true); }
  bool number_float(double value, const std::string&) { return add(value, true); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(Json::binary_t&) { return false; }
  bool start_object(std::size_t) { return open(Json::object()); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& key) {
    cursor_.skip_blanks();
    Open& object = open_.back();
    object.key = pointer_to(object.pointer, key);
    check<ConfigError>(object.key.size() <= kMaxPointer, here(),
                       "the keys that lead here have more than ", kMaxPointer, " bytes");
    const auto [first, fresh] = result_.keys.emplace(object.key, cursor_.place());
    if (!fresh) {
      if (!repeated_.empty()) repeated_.append("\n");
      std::ostringstream message;
      message << here() << readable(object.key) << ": the key appears twice, first in line "
              << first->second.line;
      repeated_.append(message.str());
    }
    object.place = &(*object.value)[key];
    cursor_.move_to(*count_);
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) {
    cursor_.skip_blanks();
    throw ConfigError(here() + explanation(error.what()));
  }

 private:
  struct Open {
    Json* value;
    std::string pointer;
    TextPlace begin;
    std::string key;        // pointer to the value that comes next
    Json* place = nullptr;  // where it goes: of an object
  };

  std::string here() const {
    std::ostringstream place;
    place << name_ << ':' << cursor_.place().line << ':' << cursor_.place().column << ": ";
    return place.str();
  }

  // In clear words. The parser's message is `[json.exception...] ...: syntax error while ... -
  // why`.
  std::string explanation(const std::string& message) const {
    const bool ends = cursor_.at() >= text_.size();
    if (message.find("missing closing '*/'") != message.npos) return "a comment is never closed";
    if (message.find("missing closing quote") != message.npos && message.find("line") != 0) {
      if (text_.find('"', cursor_.at() + 1) == text_.npos) return "a text is never closed";
    }
    if (message.find("number overflow") != message.npos) {
      return "the number " + std::string(token()) + " is too large";
    }
    if (ends && open_.empty()) return "the file holds no config; it begins with {";
    if (ends) {
      std::ostringstream text;
      text << "the file ends too early: the " << (open_.back().value->is_object() ? "{" : "[")
           << " in line " << open_.back().begin.line << " is never closed";
      return text.str();
    }
    std::string why = message.substr(std::min(message.size(), message.rfind(" - ") + 3));
    why = why.substr(0, why.find("; last read"));
    return why;
  }

  std::string_view token() const {
    const std::string_view rest = text_.substr(cursor_.at());
    return rest.substr(0, rest.find_first_not_of("+-.0123456789eE"));
  }

  // The place of the value that comes next, in the container that is open.
  Json& next_value() {
    check<ConfigError>(++values_ <= kMaxValues, here(),
                       "is one value too many: a config holds at most ", kMaxValues);
    if (open_.empty()) return result_.root;
    Open& container = open_.back();
    if (container.value->is_object()) return *container.place;
    container.key = pointer_to(container.pointer, std::to_string(container.value->size()));
    container.value->push_back(nullptr);
    return container.value->back();
  }

  std::string pointer() const { return open_.empty() ? std::string() : open_.back().key; }

  template <class T>
  bool add(T&& value, bool number = false) {
    cursor_.skip_blanks();
    next_value() = std::forward<T>(value);
    result_.values.emplace(pointer(), cursor_.place());
    // Of a number the parser has read one character too many, unless the text ends with it.
    const bool beyond = number && std::string_view("+-.0123456789eE").find(text_[*count_ - 1]) ==
                                      std::string_view::npos;
    cursor_.move_to(beyond ? *count_ - 1 : *count_);
    return true;
  }

  bool open(Json container) {
    cursor_.skip_blanks();
    check<ConfigError>(open_.size() < kMaxDepth, here(), "nests deeper than ", kMaxDepth,
                       " objects and lists");
    Json& place = next_value();
    place = std::move(container);
    result_.values.emplace(pointer(), cursor_.place());
    open_.push_back({&place, pointer(), cursor_.place(), {}, nullptr});
    cursor_.move_to(*count_);
    return true;
  }

  bool close() {
    open_.pop_back();
    cursor_.move_to(*count_);
    return true;
  }

  std::string_view text_;
  const std::string& name_;
  const std::size_t* count_;
  Cursor cursor_;
  JsonText result_;
  std::vector<Open> open_;
  std::size_t values_ = 0;  // so far
  std::string repeated_;
};

// The parser takes a NUL for the end of the text and would ignore what follows it.
void refuse_nul(std::string_view text, const std::string& name) {
  const std::size_t at = text.find('\0');
  if (at == text.npos) return;
  Cursor cursor(text);
  cursor.move_to(at);
  const auto count = static_cast<std::size_t>(std::ranges::count(text, '\0'));
  const bool wide = 3 * count >= text.size();  // every second byte, or three of four
  fail<ConfigError>(name, ':', cursor.place().line, ':', cursor.place().column,
                    ": a NUL byte, which is no part of a text",
                    wide ? "; if the file is UTF-16, save it as UTF-8" : "");
}

}  // namespace

JsonText read_json_value(std::string_view text, const std::string& name) {
  check<ConfigError>(text.size() <= kMaxConfigBytes, name, ": is longer than a config may be, ",
                     kMaxConfigBytes, " bytes");
  refuse_nul(text, name);
  std::size_t count = 0;
  Reader reader(text, name, &count);
  std::size_t unused = 0;
  const CountingIterator begin(text.data(), &count);
  const CountingIterator end(text.data() + text.size(), &unused);
  Json::sax_parse(begin, end, &reader, Json::input_format_t::json, /*strict=*/true,
                  /*ignore_comments=*/true);
  return reader.take();
}

JsonText read_json_text(std::string_view text, const std::string& name) {
  JsonText result = read_json_value(text, name);
  const TextPlace place = result.values.at("");
  check<ConfigError>(result.root.is_object(), name, ':', place.line, ':', place.column,
                     ": a config is an object; it begins with {");
  return result;
}

std::string pointer_to(const std::string& path, std::string_view key) {
  std::string result = path + "/";
  for (const char c : key) {
    if (c == '~') {
      result.append("~0");
    } else if (c == '/') {
      result.append("~1");
    } else {
      result.push_back(c);
    }
  }
  return result;
}

std::vector<std::string> steps_of(const std::string& pointer) {
  std::vector<std::string> steps;
  for (std::size_t begin = 1; begin <= pointer.size();) {
    const std::size_t end = std::min(pointer.find('/', begin), pointer.size());
    std::string step = pointer.substr(begin, end - begin);
    for (std::size_t at = step.find('~'); at != step.npos; at = step.find('~', at + 1)) {
      step.replace(at, 2, step[at + 1] == '1' ? "/" : "~");
    }
    steps.push_back(std::move(step));
    begin = end + 1;
  }
  return steps;
}

std::string readable(const std::string& pointer) {
  std::string result;
  for (const std::string& step : steps_of(pointer)) {
    const bool index = !step.empty() && step.find_first_not_of("0123456789") == step.npos;
    if (index && !result.empty()) {
      result.append("[").append(step).append("]");
    } else {
      if (!result.empty()) result.append(".");
      result.append(step);
    }
  }
  return result;
}

}  // namespace heddle
