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

constexpr int kAwaited[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};

// Threads that were there before, those of a BLAS for example, do not block the signals: they pass
// them on to the thread that waits.
std::atomic<pthread_t> waiting_thread;

void pass_on(int signal) {
  ::pthread_kill(waiting_thread, signal);
}

// As the parent wanted: nohup, and shells for what runs in the background.
bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

void set_handlers(const sigset_t& signals, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  for (const int signal : kAwaited) {
    if (::sigismember(&signals, signal) == 1) ::sigaction(signal, &action, nullptr);
  }
}

}  // namespace

StopSignals::StopSignals() {
  ::sigemptyset(&awaited_);
  for (const int signal : kAwaited) {
    if (!is_ignored(signal)) ::sigaddset(&awaited_, signal);
  }
  signals_ = ::signalfd(-1, &awaited_, SFD_CLOEXEC);
  end_ = ::eventfd(0, EFD_CLOEXEC);
  check(signals_ >= 0 && end_ >= 0,
        "cannot wait for signals: ", std::generic_category().message(errno));
  // Threads that begin from here on block them, too.
  ::pthread_sigmask(SIG_BLOCK, &awaited_, &before_);
  waiting_ = std::thread([this] { wait_for_signals(); });
  waiting_thread = waiting_.native_handle();
  set_handlers(awaited_, pass_on);
}

StopSignals::~StopSignals() {
  set_handlers(awaited_, SIG_DFL);
  const std::uint64_t over = 1;
  [[maybe_unused]] const ssize_t written = ::write(end_, &over, sizeof over);
  waiting_.join();
  ::close(end_);
  ::close(signals_);
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void StopSignals::wait_for_signals() {
  pollfd events[] = {{.fd = signals_, .events = POLLIN, .revents = 0},
                     {.fd = end_, .events = POLLIN, .revents = 0}};
  while (::poll(events, 2, -1) >= 0 || errno == EINTR) {
    if (events[1].revents != 0) return;
    signalfd_siginfo info{};
    if (events[0].revents == 0 || ::read(signals_, &info, sizeof info) != sizeof info) continue;
    const int signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGUSR1) {
      save_ = true;
      continue;
    }
    // Checkpoints appear by renaming: leaving at any moment breaks none.
    if (received_ != 0 && signal == SIGINT) ::_exit(128 + signal);
    int none = 0;
    received_.compare_exchange_strong(none, signal);
  }
}

}  // namespace heddle
