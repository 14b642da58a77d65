// Whether a sanitizer looks on, which takes memory and time.
#pragma once

namespace heddle::testing {

inline constexpr bool kSanitized =
#if defined(__clang__)
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    true;
#else
    false;
#endif

}  // namespace heddle::testing
