#include "optim/groups.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "autograd/base/nearest.h"

namespace heddle {

namespace {

struct Group {
  std::string pattern;
  double learning_rate_factor;
  std::optional<double> weight_decay;
  bool frozen;
};

Group read_group(const Config& config) {
  Group group{config.text("match", "", "The parameters: a name in which * stands for any text."),
              config.number("learning_rate_factor", 1.0, {.least = 0.0},
                            "What the learning rate is multiplied with."),
              std::nullopt,
              config.flag("freeze", false, "Whether the parameters stay as they are.")};
  if (!config.has("weight_decay")) {
    config.pass_over("weight_decay");  // known, though without a default: the optimizer's is it
    return group;
  }
  group.weight_decay = config.number("weight_decay", 0.0, {.least = 0.0},
                                     "Weight decay of these parameters, biases included.");
  return group;
}

// The nearest of all names and of all patterns with one * at a dot: "decoder.*", "*.bias".
std::string nearest_pattern(const std::string& pattern, const ParameterStore& store) {
  std::set<std::string> known;
  for (const ParameterStore::Entry& entry : store.entries()) {
    known.insert(entry.name);
    for (auto dot = entry.name.find('.'); dot != std::string::npos;
         dot = entry.name.find('.', dot + 1)) {
      known.insert(entry.name.substr(0, dot + 1).append("*"));
      known.insert(std::string("*").append(entry.name, dot));
    }
  }
  const std::vector<std::string_view> names(known.begin(), known.end());
  return suggestion(pattern, names);
}

}  // namespace

bool matches(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == pattern.npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  name.remove_prefix(star);
  pattern.remove_prefix(star + 1);
  // The earliest place of each part in the middle leaves most to those that follow.
  for (std::size_t next = pattern.find('*'); next != pattern.npos; next = pattern.find('*')) {
    const std::size_t at = name.find(pattern.substr(0, next));
    if (at == name.npos) return false;
    name.remove_prefix(at + next);
    pattern.remove_prefix(next + 1);
  }
  return name.ends_with(pattern);
}

std::vector<ParameterRule> read_groups(const Config& optimizer, const ParameterStore& store,
                                       double weight_decay) {
  const auto entries = store.entries();
  std::vector<ParameterRule> rules(entries.size());
  std::vector<bool> taken(entries.size(), false);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].shape.rank() > 1) rules[i].weight_decay = weight_decay;
  }
  for (const Config& config : optimizer.objects(
           "groups", "Parameters with settings of their own; the first match counts.")) {
    const Group group = read_group(config);
    std::size_t matched = 0, won = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (!matches(group.pattern, entries[i].name)) continue;
      ++matched;
      if (taken[i]) continue;
      ++won;
      taken[i] = true;
      rules[i].learning_rate_factor = group.learning_rate_factor;
      rules[i].weight_decay = group.weight_decay.value_or(rules[i].weight_decay);
      rules[i].frozen = group.frozen;
    }
    if (group.pattern.empty()) {
      config.error("match", "missing; say which parameters are meant, as in \"decoder.*\"");
    } else if (matched == 0) {
      config.error("match", '"', group.pattern, "\" matches no parameter",
                   nearest_pattern(group.pattern, store));
    } else if (won == 0) {
      config.error("match", "groups before this one have taken all that \"", group.pattern,
                   "\" matches; put it first");
    }
  }
  const bool all_frozen =
      !rules.empty() && std::ranges::all_of(rules, [](const auto& rule) { return rule.frozen; });
  if (all_frozen) optimizer.error("groups", "all parameters are frozen; nothing is left to train");
  return rules;
}

}  // namespace heddle
