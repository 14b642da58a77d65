// The program from outside: runs it, with its output and exit code, or talks to it through pipes.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/places.h"
#include "tests/support/temporary_folder.h"

namespace heddle::testing {

struct Outcome {
  int code;
  std::string out, err;
};

/// Runs `heddle` with these arguments, as the shell reads them, in the source tree; before it the
/// shell does what `first` says.
inline Outcome heddle_run(const std::string& arguments, const std::string& first = "true") {
  const TemporaryFolder folder;
  const auto err = folder / "err", out = folder / "out";
  const std::string command = "cd " + source_folder() + " && " + first + " && " + program() + " " +
                              arguments + " >" + out.string() + " 2>" + err.string();
  const int status = std::system(command.c_str());
  REQUIRE(WIFEXITED(status));
  return {WEXITSTATUS(status), read_bytes(out), read_bytes(err)};
}

/// A failure: nothing on stdout, this sentence on stderr.
inline void check_failure(const std::string& arguments, int code, const std::string& sentence) {
  CAPTURE(arguments);
  const Outcome outcome = heddle_run(arguments);
  CHECK(outcome.code == code);
  CHECK(outcome.out == "");
  CHECK(outcome.err == sentence + "\n");
}

/// A running `heddle` with pipes to its standard input and from its standard output; its standard
/// error goes to a file.
class Process {
 public:
  Process(const std::vector<std::string>& arguments, const std::filesystem::path& err,
          sighandler_t on_closed_pipe = SIG_DFL, const std::string& program = testing::program()) {
    int in[2], out[2];
    REQUIRE(::pipe2(in, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::signal(SIGPIPE, on_closed_pipe);
      // Whatever runs the tests may ignore some: nohup does, and shells for what is in the
      // background.
      for (const int signal : {SIGHUP, SIGINT, SIGTERM}) ::signal(signal, SIG_DFL);
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT, 0666), STDERR_FILENO);
      std::vector<char*> argv = {const_cast<char*>("heddle")};
      for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
      argv.push_back(nullptr);
      ::execv(program.c_str(), argv.data());
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    to_ = in[1];
    from_ = out[0];
  }
  ~Process() {
    close_input();
    close_output();
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void write(const std::string& text) const {
    REQUIRE(::write(to_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void close_input() {
    if (to_ >= 0) ::close(to_);
    to_ = -1;
  }
  void close_output() {
    if (from_ >= 0) ::close(from_);
    from_ = -1;
  }
  /// The next line, with its end; what there is where the output ends, or pauses for a minute.
  std::string read_line() {
    std::size_t end = 0;
    while ((end = said_.find('\n')) == std::string::npos) {
      std::array<char, 1 << 12> bytes;
      pollfd ready{.fd = from_, .events = POLLIN, .revents = 0};
      if (::poll(&ready, 1, 60000) <= 0) return std::exchange(said_, "");
      const ssize_t count = ::read(from_, bytes.data(), bytes.size());
      if (count <= 0) return std::exchange(said_, "");
      said_.append(bytes.data(), static_cast<std::size_t>(count));
    }
    std::string line = said_.substr(0, end + 1);
    said_.erase(0, end + 1);
    return line;
  }
  /// The most memory that it has had, in bytes.
  std::size_t peak_bytes() const {
    std::istringstream status(read_bytes("/proc/" + std::to_string(pid_) + "/status"));
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) << 10;
    }
    return 0;
  }
  pid_t id() const { return pid_; }
  void send(int signal) const { REQUIRE(::kill(pid_, signal) == 0); }
  /// Waits for the end.
  int exit_code() {
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, 0) == pid_);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  int to_ = -1, from_ = -1;
  std::string said_;  // not read as lines yet
};

}  // namespace heddle::testing
