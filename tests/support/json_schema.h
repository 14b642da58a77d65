// The part of JSON Schema that Heddle's own schema uses.
#pragma once

#include <string>

namespace heddle::testing {

/// What is wrong with `value` by `schema`, both JSON texts: "/model/heads: 0 breaks minimum"; empty
/// where it is valid. Comments are ignored. Throws for a keyword that it does not understand.
std::string schema_violation(const std::string& schema, const std::string& value);

}  // namespace heddle::testing
