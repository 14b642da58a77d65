#include "autograd/base/check.h"

#include <cstdio>
#include <sstream>
#include <system_error>

namespace heddle {

void MessagePart::append_to(std::string& message) const {
  switch (kind_) {
    case Kind::kText:
      message += text_;
      break;
    case Kind::kReal: {
      char digits[32];
      const int length = std::snprintf(digits, sizeof digits, "%g", real_);
      message.append(digits, static_cast<std::size_t>(length));
      break;
    }
    case Kind::kUnsigned:
      message += std::to_string(unsigned_);
      break;
    case Kind::kSigned:
      message += std::to_string(signed_);
      break;
    case Kind::kObject: {
      std::ostringstream out;
      write_(out, object_);
      message += out.str();
      break;
    }
  }
}

std::string reason_of(int code) {
  return std::generic_category().message(code);
}

std::string message_of(std::initializer_list<MessagePart> parts) {
  std::string message;
  for (const MessagePart& part : parts) part.append_to(message);
  return message;
}

}  // namespace heddle
