#include "layers/positions.h"

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <vector>

#include "autograd/kernels/embedding.h"
#include "layers/initialisation.h"

namespace heddle {

namespace {

constexpr Named<PositionKind> kKinds[] = {{"sinusoidal", PositionKind::kSinusoidal},
                                          {"learned", PositionKind::kLearned},
                                          {"rotary", PositionKind::kRotary}};
constexpr std::int64_t kFirstRows = 256;

}  // namespace

// Each table is twice as long as the one before. Tensors of a running step may still look at an
// older one, so all are kept: together they are shorter than two of the last.
struct SinusoidTable::Rows {
  struct Table {
    std::int64_t length;
    std::vector<std::byte> bytes;
  };
  std::mutex mutex;
  std::vector<std::unique_ptr<Table>> tables;
};

SinusoidTable::SinusoidTable(std::int64_t d_model, DType dtype)
    : d_model_(d_model), dtype_(dtype), rows_(std::make_unique<Rows>()) {}

SinusoidTable::~SinusoidTable() = default;

Tensor SinusoidTable::operator()(Context& context, std::int64_t length) const {
  const std::lock_guard lock(rows_->mutex);
  auto& tables = rows_->tables;
  if (tables.empty() || tables.back()->length < length) {
    std::int64_t longer = tables.empty() ? kFirstRows : 2 * tables.back()->length;
    while (longer < length) longer *= 2;
    auto table = std::make_unique<Rows::Table>();
    table->length = longer;
    table->bytes.resize(static_cast<std::size_t>(longer * d_model_) * size_of(dtype_));
    dispatch(dtype_, "positions", [&](auto zero) {
      using T = decltype(zero);
      kernels::sinusoidal_positions<T>(longer, d_model_, reinterpret_cast<T*>(table->bytes.data()));
    });
    tables.push_back(std::move(table));
  }
  Rows::Table& last = *tables.back();
  return context.view(last.bytes.data(), {last.length, d_model_}, dtype_);
}

PositionKind position_kind(const Config& config) {
  return config.choice("positions", "sinusoidal", kKinds,
                       "How the model knows the order of tokens.");
}

Positions::Positions(const Scope& scope, const Config& config, std::int64_t d_model) {
  const PositionKind kind = position_kind(config);
  const auto rows = config.integer("max_positions", 512, {1, 1 << 24},
                                   "Tokens of the longest sentence, where positions are learned.");
  if (kind != PositionKind::kLearned) {
    config.idle("max_positions", "it is for the positions \"learned\"");
  }
  if (kind == PositionKind::kSinusoidal) {
    if (d_model % 2 != 0) config.error("d_model", "sinusoidal positions need an even d_model");
    sinusoids_ = std::make_shared<SinusoidTable>(d_model, scope.store().dtype());
  }
  if (kind == PositionKind::kLearned) {
    learned_ = scope.declare("weight", {rows, d_model}, Initialisation(config).table(d_model));
  }
}

Tensor Positions::operator()(Context& context, std::int64_t length) const {
  if (sinusoids_ != nullptr) return (*sinusoids_)(context, length);
  return learned_ ? context.use(*learned_) : Tensor{};
}

}  // namespace heddle
