// Checks whose failure is one sentence.
//
// check(condition, parts...) throws heddle::Error with the parts written one after the other. The
// parts are formatted only on failure, so a check costs a comparison. A message says what is wrong,
// where (operation and shapes, file and byte) and, where it helps, what to do.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace heddle {

/// The base of every error that a user of the library can cause or meet.
class Error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A file is missing, damaged or cannot be written.
class FileError : public Error {
 public:
  using Error::Error;
  FileError(const std::string& message, int code) : Error(message), code_(code) {}

  /// The system's number (errno) for what went wrong; 0 where the system reported no error, as with
  /// a damaged file.
  int code() const { return code_; }

 private:
  int code_ = 0;
};

/// Text, a corpus or a vocabulary is not what training or translation needs.
class DataError : public Error {
  using Error::Error;
};

/// A loss, a gradient or an activation is not a finite number.
class NumericError : public Error {
  using Error::Error;
};

/// One part of a message, borrowed from the caller: a text, a number, or anything with operator<<
/// for a stream. It is written as a stream would write it. (No stream is needed in this header,
/// which every file includes.)
class MessagePart {
 public:
  MessagePart(const char* text) : MessagePart(std::string_view(text)) {}
  MessagePart(std::string_view text) : text_(text) {}
  template <class T>
  MessagePart(const T& value) {
    if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      text_ = value;
    } else if constexpr (std::is_same_v<T, char>) {
      text_ = {&value, 1};
    } else if constexpr (std::is_floating_point_v<T>) {
      kind_ = Kind::kReal;
      real_ = value;
    } else if constexpr (std::is_integral_v<T> && std::is_unsigned_v<T>) {
      kind_ = Kind::kUnsigned;
      unsigned_ = value;
    } else if constexpr (std::is_integral_v<T>) {
      kind_ = Kind::kSigned;
      signed_ = value;
    } else {
      kind_ = Kind::kObject;
      object_ = &value;
      write_ = [](std::ostream& out, const void* object) { out << *static_cast<const T*>(object); };
    }
  }

  void append_to(std::string& message) const;

 private:
  enum class Kind : std::uint8_t { kText, kReal, kUnsigned, kSigned, kObject };

  Kind kind_ = Kind::kText;
  std::string_view text_;
  union {
    double real_;
    std::uint64_t unsigned_;
    std::int64_t signed_;
    const void* object_ = nullptr;
  };
  void (*write_)(std::ostream&, const void*) = nullptr;
};

/// What the system calls an error: "No space left on device".
std::string reason_of(int code);

/// The parts one after the other.
std::string message_of(std::initializer_list<MessagePart> parts);

/// Throws `E` with the message made of all parts.
template <class E = Error, class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void fail(const Parts&... parts) {
  throw E(message_of({MessagePart(parts)...}));
}

/// Throws `E` with the message made of all parts unless `condition` holds.
template <class E = Error, class... Parts>
void check(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]] {
    fail<E>(parts...);
  }
}

/// Throws FileError with the parts, the system's text for `code`, and the code itself.
template <class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void fail_with_code(int code, const Parts&... parts) {
  throw FileError(message_of({MessagePart(parts)..., ": ", reason_of(code)}), code);
}

}  // namespace heddle
