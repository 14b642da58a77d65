// A small model with the structure of a large one.
#pragma once

#include <cstdint>
#include <string>

namespace heddle {

/// The model of the config `resolved`, alone, in which every size is small (d_model 8, d_ff 6, at
/// most two layers and four heads), and everything else as it was: norms, positions, activations,
/// tying, blocks, shared heads, differences between encoder and decoder.
std::string scaled_down(const std::string& resolved);

/// Tokens, at most 1000, that a sentence may have in every part of the model.
std::int32_t longest_sentence(const std::string& resolved);

}  // namespace heddle
