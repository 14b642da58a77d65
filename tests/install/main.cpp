// What a user of the installed library writes first. Exits with 0 where headers and library agree.
#include <iostream>

#include "autograd/base/arena.h"
#include "autograd/base/check.h"
#include "autograd/base/cpu.h"
#include "autograd/base/shape.h"

int main() try {
  heddle::require_supported_cpu();
  heddle::Arena arena;
  const heddle::Shape shape = heddle::broadcast("consumer", {2, 1, 4}, {3, 1});
  auto* values = arena.allocate<float>(shape.elements());
  values[shape.elements() - 1] = 1.0F;
  std::cout << "a tensor of shape " << shape << " needs " << arena.used() << " bytes\n";
  return shape == heddle::Shape{2, 3, 4} && arena.used() == 128 ? 0 : 1;
} catch (const heddle::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
