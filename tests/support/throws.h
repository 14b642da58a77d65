// CHECK_MESSAGE_THROWN(expression, "part"): the expression throws heddle::Error, and its message
// holds the part.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "autograd/base/check.h"

#define CHECK_MESSAGE_THROWN(expression, part)              \
  do {                                                      \
    std::string message_thrown_;                            \
    try {                                                   \
      static_cast<void>(expression);                        \
    } catch (const heddle::Error& error) {                  \
      message_thrown_ = error.what();                       \
    }                                                       \
    CAPTURE(message_thrown_);                               \
    CHECK(message_thrown_.find(part) != std::string::npos); \
  } while (false)
