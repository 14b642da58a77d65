#include "autograd/base/cpu_quota.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

namespace heddle {

namespace {

namespace fs = std::filesystem;

/// The first line of a file; empty where there is none.
std::string first_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

std::optional<double> quotient(double quota, double period) {
  if (!(quota > 0.0) || !(period > 0.0)) return std::nullopt;  // -1: none
  return quota / period;
}

/// "50000 100000", or "max 100000" for none.
std::optional<double> quota_of_version_2(const fs::path& group) {
  std::istringstream line(first_line(group / "cpu.max"));
  double quota = 0.0, period = 0.0;
  if (!(line >> quota >> period)) return std::nullopt;
  return quotient(quota, period);
}

std::optional<double> quota_of_version_1(const fs::path& group) {
  std::istringstream quota_line(first_line(group / "cpu.cfs_quota_us"));
  std::istringstream period_line(first_line(group / "cpu.cfs_period_us"));
  double quota = 0.0, period = 0.0;
  if (!(quota_line >> quota) || !(period_line >> period)) return std::nullopt;
  return quotient(quota, period);
}

/// The least quota of the group `path` below `root` and of all groups around it. Inside a container
/// the path may be that of the host: then the groups that are not there have no quota, and that of
/// the container is the root.
std::optional<double> least_quota(const fs::path& root, const std::string& path,
                                  std::optional<double> (*quota_of)(const fs::path&)) {
  std::optional<double> least;
  fs::path inside = fs::path("/" + path).lexically_normal().relative_path();
  for (bool at_root = false; !at_root; inside = inside.parent_path()) {
    at_root = inside.empty();
    const std::optional<double> quota = quota_of(root / inside);
    if (quota) least = std::min(least.value_or(*quota), *quota);
  }
  return least;
}

bool lists(const std::string& controllers, const std::string& name) {
  std::istringstream stream(controllers);
  for (std::string controller; std::getline(stream, controller, ',');) {
    if (controller == name) return true;
  }
  return false;
}

}  // namespace

std::optional<double> cpu_quota(const fs::path& root, const fs::path& self) {
  std::optional<double> least;
  std::ifstream groups(self);
  for (std::string line; std::getline(groups, line);) {  // "0::/path" or "4:cpu,cpuacct:/path"
    const std::size_t first = line.find(':');
    const std::size_t second = first == line.npos ? first : line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    std::optional<double> quota;
    if (controllers.empty()) {
      quota = least_quota(root, path, quota_of_version_2);
    } else if (lists(controllers, "cpu")) {
      std::error_code unreadable;
      const bool joint = fs::exists(root / controllers, unreadable);  // "cpu" is a link to it
      quota = least_quota(root / (joint ? controllers : "cpu"), path, quota_of_version_1);
    }
    if (quota) least = std::min(least.value_or(*quota), *quota);
  }
  return least;
}

int threads_within(std::optional<double> quota, int processors) {
  if (!quota || *quota >= processors) return processors;
  return std::max(1, static_cast<int>(std::ceil(*quota)));
}

}  // namespace heddle
