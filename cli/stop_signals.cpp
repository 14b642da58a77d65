#include "cli/stop_signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "autograd/base/check.h"

namespace heddle {

namespace {

// As the parent wanted: nohup, and shells for what runs in the background.
bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

StopSignals::StopSignals() {
  ::sigemptyset(&awaited_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    if (!is_ignored(signal)) ::sigaddset(&awaited_, signal);
  }
  end_ = ::eventfd(0, EFD_CLOEXEC);
  check(end_ >= 0, "cannot wait for signals: ", std::generic_category().message(errno));
  // Threads that begin from here on block them, too.
  ::pthread_sigmask(SIG_BLOCK, &awaited_, &before_);
  waiting_ = std::thread([this] { wait_for_signals(); });
}

StopSignals::~StopSignals() {
  const std::uint64_t over = 1;
  [[maybe_unused]] const ssize_t written = ::write(end_, &over, sizeof over);
  waiting_.join();
  ::close(end_);
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void StopSignals::wait_for_signals() {
  const int signals = ::signalfd(-1, &awaited_, SFD_CLOEXEC);
  pollfd events[] = {{.fd = signals, .events = POLLIN, .revents = 0},
                     {.fd = end_, .events = POLLIN, .revents = 0}};
  while (::poll(events, 2, -1) >= 0 || errno == EINTR) {
    if (events[1].revents != 0) break;
    signalfd_siginfo info{};
    if (events[0].revents == 0 || ::read(signals, &info, sizeof info) != sizeof info) continue;
    const int signal = static_cast<int>(info.ssi_signo);
    // Checkpoints appear by renaming: leaving at any moment breaks none.
    if (received_ != 0 && signal == SIGINT) ::_exit(128 + signal);
    int none = 0;
    received_.compare_exchange_strong(none, signal);
  }
  ::close(signals);
}

}  // namespace heddle
