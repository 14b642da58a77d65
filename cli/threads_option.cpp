#include "cli/threads_option.h"

#include "autograd/base/parallel.h"
#include "cli/standard_error.h"

namespace heddle {

int threads_of(const std::string& word) {
  const auto threads =
      static_cast<int>(number_of("--threads", word, std::int64_t{1}, kMostThreads));
  const int processors = available_threads();
  if (threads > processors) {
    print_to_stderr(
        "warning: --threads {} is more than the {} {} that this process may use; the threads will "
        "wait for each other\n",
        threads, processors, processors == 1 ? "processor" : "processors");
  }
  return threads;
}

}  // namespace heddle
