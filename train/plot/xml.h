// Text in XML.
#pragma once

#include <string>
#include <string_view>

namespace heddle {

/// The text as the content of an element or the value of an attribute. What XML cannot hold
/// (control characters, what is no UTF-8) becomes U+FFFD.
std::string xml_escaped(std::string_view text);

}  // namespace heddle
