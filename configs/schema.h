// The JSON Schema of configs, for editors: made by the readers themselves.
//
// A reader is a function that reads a config as the real program does. It is run on an empty config
// several times; each time every choice takes another of its values, every flag and optional list
// its other state, and every list of items holds one item of each type, so that all keys are seen.
#pragma once

#include <functional>
#include <string>

#include "configs/config.h"

namespace heddle {

/// JSON Schema (draft 2020-12) of everything that `reader` reads, as text that ends in a newline.
std::string schema_of(const std::string& title, const std::function<void(const Config&)>& reader);

}  // namespace heddle
