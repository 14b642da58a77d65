// What holds for which parameter: the "groups" of an optimizer.
//
//   "groups": [{"match": "encoder.*", "freeze": true},
//              {"match": "*.gain", "learning_rate_factor": 0.5, "weight_decay": 0.01}]
//
// `*` stands for any text, dots included. A parameter belongs to the first group that matches its
// whole name. Weight decay pulls matrices to zero; biases and gains of norms (rank 1 and below) are
// spared unless their group says otherwise.
#pragma once

#include <string_view>
#include <vector>

#include "autograd/parameter.h"
#include "configs/config.h"

namespace heddle {

struct ParameterRule {
  double learning_rate_factor = 1.0;
  double weight_decay = 0.0;
  bool frozen = false;
};

/// Whether `pattern`, in which `*` stands for any text, is the whole name.
bool matches(std::string_view pattern, std::string_view name);

/// The rule of each parameter, in the order of the store. `weight_decay` holds where no group
/// gives another. Notes groups that match nothing.
std::vector<ParameterRule> read_groups(const Config& optimizer, const ParameterStore& store,
                                       double weight_decay);

}  // namespace heddle
