#include "cli/stop_signals.h"

#include <signal.h>
#include <unistd.h>

#include <initializer_list>

namespace heddle {

namespace {

// What a handler may touch.
volatile sig_atomic_t received_signal = 0;

void remember(int signal) {
  // Checkpoints appear by renaming: leaving at any moment breaks none.
  if (received_signal != 0) ::_exit(128 + signal);
  received_signal = signal;
}

void set_handlers(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
}

}  // namespace

StopSignals::StopSignals() {
  received_signal = 0;
  set_handlers(remember);
}

StopSignals::~StopSignals() {
  set_handlers(SIG_DFL);
}

int StopSignals::received() const {
  return received_signal;
}

}  // namespace heddle
