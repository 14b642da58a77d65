#include "cli/scaled_down.h"

#include <doctest/doctest.h>

#include "configs/config.h"

using namespace heddle;

namespace {

/// The same JSON, in one layout.
std::string plain(const std::string& text) {
  const ConfigDocument document = ConfigDocument::parse(text, "test.json");
  document.root().pass_over("model");
  return document.resolved();
}

}  // namespace

TEST_CASE("a scaled-down model is small and has the structure of the large one") {
  CHECK(plain(scaled_down(R"({"model": {"d_model": 512, "heads": 8, "kv_heads": 2, "d_ff": 2048,
      "layers": 6, "max_positions": 512, "norm_order": "pre", "dropout": 0.1, "gated": true,
      "encoder": {"layers": 12, "d_model": 256}, "decoder": {"layers": 1, "kv_heads": 1,
      "block": [{"type": "self_attention", "heads": 1}, {"type": "feed_forward", "d_ff": 99}]}}})")) ==
        plain(R"({"model": {"d_model": 16, "heads": 4, "kv_heads": 2, "d_ff": 6,
      "layers": 2, "max_positions": 16, "norm_order": "pre", "dropout": 0.1, "gated": true,
      "encoder": {"layers": 2, "d_model": 8}, "decoder": {"layers": 1, "kv_heads": 1,
      "block": [{"type": "self_attention", "heads": 1}, {"type": "feed_forward", "d_ff": 6}]}}})"));
  CHECK(plain(scaled_down(R"({"model": {"d_model": 6, "heads": 3, "kv_heads": "heads"}})")) ==
        plain(R"({"model": {"d_model": 8, "heads": 2, "kv_heads": "heads"}})"));
  // Heads that are not shared stay so, also where they are inherited.
  CHECK(plain(scaled_down(R"({"model": {"heads": 8, "kv_heads": 8, "encoder": {"kv_heads": 4},
                              "decoder": {"heads": 16, "kv_heads": 16}}})")) ==
        plain(R"({"model": {"heads": 4, "kv_heads": 4, "encoder": {"kv_heads": 2},
                              "decoder": {"heads": 4, "kv_heads": 4}}})"));
  CHECK(longest_sentence(R"({"model": {"max_positions": 7, "encoder": {"max_positions": 3}}})") ==
        3);
  CHECK(longest_sentence(R"({"model": {}})") == 1000);
}
