// Checks whose failure is one sentence.
//
// check(condition, parts...) throws heddle::Error with the parts written one after the other. The
// parts are formatted only on failure, so a check costs a comparison. A message says what is wrong,
// where (operation and shapes, file and byte) and, where it helps, what to do.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace heddle {

/// The base of every error that a user of the library can cause or meet.
class Error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A file is missing, damaged or cannot be written.
class FileError : public Error {
  using Error::Error;
};

/// Text, a corpus or a vocabulary is not what training or translation needs.
class DataError : public Error {
  using Error::Error;
};

/// A loss, a gradient or an activation is not a finite number.
class NumericError : public Error {
  using Error::Error;
};

/// Throws `E` with the message made of all parts.
template <class E = Error, class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void fail(const Parts&... parts) {
  std::ostringstream message;
  (message << ... << parts);
  throw E(message.str());
}

/// Throws `E` with the message made of all parts unless `condition` holds.
template <class E = Error, class... Parts>
void check(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]] {
    fail<E>(parts...);
  }
}

}  // namespace heddle
