#include "cli/evaluation.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unordered_map>

#include "train/version.h"

namespace heddle {

namespace {

// sacreBLEU's own signatures end in its version; what computed these numbers is this program.
std::string with_implementation(const std::string& signature) {
  return signature + "|impl:heddle-" + version();
}

// A rate has its counts in parentheses, the group among them.
std::string line_of(const Score& score, const std::string* group) {
  std::string_view name = group == nullptr ? std::string_view() : std::string_view(*group);
  if (group != nullptr && name.empty()) name = "without a group";
  const std::string_view space = group == nullptr ? "" : " ";
  const std::string signature = with_implementation(score.signature);
  if (is_rate(score.metric)) {
    const std::string_view counts(score.detail.data(), score.detail.size() - 1);
    return fmt::format("{} {:.1f} % {}{}{}) {}\n", score.label, score.value, counts, space, name,
                       signature);
  }
  return fmt::format("{} {:.2f}{}{}{}{} {}\n", score.label, score.value, space, name,
                     score.detail.empty() ? "" : " ", score.detail, signature);
}

std::string key_of(const Score& score) {
  std::string key = score.label;
  for (char& c : key) {
    if (c == ' ') c = '_';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return key;
}

nlohmann::ordered_json values_of(const LineGroup& group) {
  nlohmann::ordered_json json = {{"lines", group.lines.size()}};
  for (const Score& score : group.scores) json[key_of(score)] = score.value;
  return json;
}

}  // namespace

std::string Evaluation::text() const {
  std::string text;
  for (std::size_t s = 0; s < groups.front().scores.size(); ++s) {
    for (const LineGroup& group : groups) {
      text += line_of(group.scores[s], &group == groups.data() ? nullptr : &group.name);
    }
  }
  if (!loss || loss->tokens == 0) return text;
  const std::string left_out =
      loss->left_out == 0 ? "" : fmt::format(", {} lines left out", loss->left_out);
  fmt::format_to(std::back_inserter(text),
                 "loss {:.4f} per token, perplexity {:.3f} ({} tokens{})\n", loss->per_token(),
                 std::exp(loss->per_token()), loss->tokens, left_out);
  return text;
}

std::string Evaluation::json() const {
  nlohmann::ordered_json json = values_of(groups.front());
  for (const Score& score : groups.front().scores) {
    json["signatures"][key_of(score)] = with_implementation(score.signature);
  }
  for (std::size_t g = 1; g < groups.size(); ++g) {
    json["groups"][groups[g].name] = values_of(groups[g]);
  }
  if (loss && loss->tokens > 0) {
    json["loss"] = loss->per_token();
    json["perplexity"] = std::exp(loss->per_token());
    json["target_tokens"] = loss->tokens;
    json["left_out"] = loss->left_out;
  }
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::vector<LineGroup> grouped(std::size_t lines, const std::vector<std::string>& groups) {
  std::vector<LineGroup> result(1);
  std::unordered_map<std::string_view, std::size_t> indices;
  result.front().lines.resize(lines);
  std::iota(result.front().lines.begin(), result.front().lines.end(), 0);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto [place, is_new] = indices.try_emplace(groups[i], result.size());
    if (is_new) result.push_back({.name = groups[i]});
    result[place->second].lines.push_back(i);
  }
  return result;
}

}  // namespace heddle
