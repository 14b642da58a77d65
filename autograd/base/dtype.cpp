#include "autograd/base/dtype.h"

#include <ostream>

namespace heddle {

std::ostream& operator<<(std::ostream& out, DType dtype) {
  return out << name_of(dtype);
}

}  // namespace heddle
