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

sigset_t only(int signal) {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, signal);
  return set;
}

// It comes to the thread that wrote, and to no other.
bool is_pending(int signal) {
  sigset_t pending;
  ::sigpending(&pending);
  return ::sigismember(&pending, signal) == 1;
}

// As the parent wanted: nohup, and shells for what runs in the background.
bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

void set_handler(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

StopSignals::StopSignals() : heeds_pipe_(!is_ignored(SIGPIPE)) {
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
  const sigset_t pipe = only(SIGPIPE);
  if (heeds_pipe_) ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  waiting_ = std::thread([this] { wait_for_signals(); });
  waiting_thread = waiting_.native_handle();
  for (const int signal : kAwaited) {
    if (::sigismember(&awaited_, signal) == 1) set_handler(signal, pass_on);
  }
}

StopSignals::~StopSignals() {
  // One that asks to save, and comes too late, is no reason to die.
  for (const int signal : kAwaited) {
    if (::sigismember(&awaited_, signal) == 1) {
      set_handler(signal, signal == SIGUSR1 ? SIG_IGN : SIG_DFL);
    }
  }
  const std::uint64_t over = 1;
  [[maybe_unused]] const ssize_t written = ::write(end_, &over, sizeof over);
  waiting_.join();
  ::close(end_);
  ::close(signals_);
  const sigset_t pipe = only(SIGPIPE);
  const timespec at_once{};
  if (heeds_pipe_) ::sigtimedwait(&pipe, nullptr, &at_once);  // it was told
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int StopSignals::received() const {
  const bool nobody_reads = heeds_pipe_ && received_ == 0 && is_pending(SIGPIPE);
  return nobody_reads ? SIGPIPE : received_.load();
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
