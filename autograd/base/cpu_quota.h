// How much processor time containers and services allow this process: the quota of its control
// group (cgroup) and of those around it, in version 2 (cpu.max) and in version 1
// (cpu.cfs_quota_us).
#pragma once

#include <filesystem>
#include <optional>

namespace heddle {

/// Processors' worth of time that the least quota allows, 1.5 for example; nothing where there is
/// none. `root` is where the cgroup file system is mounted, `self` lists the groups of the process;
/// what cannot be read there is no quota.
std::optional<double> cpu_quota(const std::filesystem::path& root = "/sys/fs/cgroup",
                                const std::filesystem::path& self = "/proc/self/cgroup");

/// As many threads as `processors` and the quota can keep busy: at least one, and a last one for
/// part of the time.
int threads_within(std::optional<double> quota, int processors);

}  // namespace heddle
