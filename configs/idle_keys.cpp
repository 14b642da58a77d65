// Keys that are known, but can have no effect in this config.
#include <utility>

#include "configs/config_state.h"

namespace heddle {

void Config::note_idle(std::string_view key, const std::string& why) const {
  const State::Value found = state_->find(node_, key);
  if (found.json == nullptr || state_->schema != nullptr) return;
  State::Idle& idle = state_->idle[pointer_to(state_->nodes[found.node].pointer, key)];
  if (idle.readers++ == 0) idle.why = why;
}

void Config::note_unread(std::string_view key, const std::string& why) const {
  for (std::optional<std::size_t> at = node_; at; at = state_->nodes[*at].outer) {
    state_->unread.emplace(pointer_to(state_->nodes[*at].pointer, key), why);
  }
}

std::vector<Config::State::Found> Config::State::idle_keys() const {
  std::vector<Found> keys;
  for (const auto& [pointer, by] : idle) {
    const auto read = reads.find(pointer);
    const bool used = read != reads.end() && read->second > by.readers;
    if (used || standard.contains(pointer)) continue;
    Found found = found_at(pointer, /*at_key=*/true);
    found.message.append(": ").append(readable(pointer)).append(": has no effect: ").append(by.why);
    keys.push_back(std::move(found));
  }
  return keys;
}

}  // namespace heddle
