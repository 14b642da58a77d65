#include "tests/support/places.h"

namespace heddle::testing {

const std::string& program() {
  static const std::string path = HEDDLE_BINARY;
  return path;
}

const std::string& source_folder() {
  static const std::string path = HEDDLE_SOURCE_DIR;
  return path;
}

}  // namespace heddle::testing
