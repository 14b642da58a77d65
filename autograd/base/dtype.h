// The element types of a tensor, and the step from the runtime type to a template.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <type_traits>

#include "autograd/base/check.h"

namespace heddle {

enum class DType : std::uint8_t { kFloat32, kFloat64, kInt32, kUInt8 };

constexpr std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
    case DType::kInt32:
      return 4;
    case DType::kFloat64:
      return 8;
    case DType::kUInt8:
      return 1;
  }
  return 0;
}

constexpr const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return "float32";
    case DType::kFloat64:
      return "float64";
    case DType::kInt32:
      return "int32";
    case DType::kUInt8:
      return "uint8";
  }
  return "unknown";
}

constexpr bool is_floating(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64;
}

std::ostream& operator<<(std::ostream& out, DType dtype);

/// dtype_of<float> is DType::kFloat32, and so on.
template <class T>
inline constexpr DType dtype_of = [] {
  if constexpr (std::is_same_v<T, float>) return DType::kFloat32;
  if constexpr (std::is_same_v<T, double>) return DType::kFloat64;
  if constexpr (std::is_same_v<T, std::int32_t>) return DType::kInt32;
  if constexpr (std::is_same_v<T, std::uint8_t>) return DType::kUInt8;
}();

/// Calls body(T{}) with T = float or double, as `dtype` says; throws for any other type, naming
/// `op`.
template <class Body>
decltype(auto) dispatch(DType dtype, const char* op, const Body& body) {
  check(is_floating(dtype), op, ": needs float32 or float64, not ", dtype);
  return dtype == DType::kFloat32 ? body(float{}) : body(double{});
}

}  // namespace heddle
