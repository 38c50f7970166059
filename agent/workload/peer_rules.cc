#include "agent/workload/peer_rules.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/descriptor.h"
#include "common/base/hex.h"
#include "common/base/reason.h"

namespace bootgate::agent::workload {
namespace {

// How the kernel shows users and groups that have no number in our namespace
// (/proc/sys/kernel/overflowuid).
constexpr uint32_t kOverflow = 65534;
constexpr size_t kNameBuffer = size_t{64} << 10;  // bytes, for getpwnam_r and getgrnam_r
constexpr size_t kMaxGroups = 65536;              // NGROUPS_MAX

std::optional<uint32_t> UserNamed(const std::string& name) {
  std::vector<char> buffer(kNameBuffer);
  passwd row = {};
  passwd* found = nullptr;
  if (getpwnam_r(name.c_str(), &row, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return std::nullopt;
  return row.pw_uid;
}

std::optional<uint32_t> GroupNamed(const std::string& name) {
  std::vector<char> buffer(kNameBuffer);
  group row = {};
  group* found = nullptr;
  if (getgrnam_r(name.c_str(), &row, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return std::nullopt;
  return row.gr_gid;
}

// -1 is "no id" to the kernel.
std::optional<uint32_t> Number(const std::string& text) {
  uint32_t number = 0;
  const bool digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || !absl::SimpleAtoi(text, &number) || number == ~uint32_t{0}) return std::nullopt;
  return number;
}

absl::Status Bad(const std::string& entry, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("'", Printable(entry, 64), "': ", why));
}

absl::StatusOr<std::vector<gid_t>> GroupsOfSocket(int fd) {
  std::vector<gid_t> groups(64);
  for (;;) {
    socklen_t size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) {
      groups.resize(size / sizeof(gid_t));
      return groups;
    }
    if (errno != ERANGE || size / sizeof(gid_t) > kMaxGroups)
      return SystemError("ask for groups", "of a connection", errno);
    groups.resize(size / sizeof(gid_t));
  }
}

}  // namespace

absl::StatusOr<Peer> PeerOfSocket(int fd) {
  ucred credentials = {};
  socklen_t size = sizeof(credentials);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return SystemError("ask for the user", "of a connection", errno);
  absl::StatusOr<std::vector<gid_t>> groups = GroupsOfSocket(fd);
  if (!groups.ok()) return groups.status();
  return Peer{.uid = credentials.uid,
              .gid = credentials.gid,
              .groups = *std::move(groups),
              .pid = credentials.pid};
}

std::optional<gid_t> GroupNumber(const std::string& name_or_number) {
  const std::optional<uint32_t> number = Number(name_or_number);
  return number.has_value() ? number : GroupNamed(name_or_number);
}

absl::StatusOr<PeerRules> PeerRules::Parse(const std::vector<std::string>& allow) {
  PeerRules rules;
  rules.users_ = {0, geteuid()};
  for (const std::string& entry : allow) {
    const std::vector<std::string> parts = absl::StrSplit(entry, absl::MaxSplits(':', 1));
    const bool is_user = parts[0] == "user" || parts[0] == "uid";
    if (parts.size() != 2 || (!is_user && parts[0] != "group" && parts[0] != "gid") ||
        parts[1].empty()) {
      return Bad(entry, "is none of user:NAME, uid:NUMBER, group:NAME, gid:NUMBER");
    }
    std::optional<uint32_t> id = is_user ? Number(parts[1]) : GroupNumber(parts[1]);
    if (!id.has_value() && is_user) id = UserNamed(parts[1]);
    if (!id.has_value())
      return Bad(entry, is_user ? "no such user on this host" : "no such group on this host");
    if (*id == kOverflow) {
      return Bad(entry, "stands for everybody of another user namespace; give the program a user");
    }
    if (is_user) {
      rules.users_.insert(*id);
    } else {
      rules.groups_.insert(*id);
    }
  }
  return rules;
}

absl::Status PeerRules::Check(const Peer& peer) const {
  const auto in_group = [this](gid_t gid) { return groups_.contains(gid); };
  if (users_.contains(peer.uid) || in_group(peer.gid) || std::ranges::any_of(peer.groups, in_group))
    return absl::OkStatus();
  return NotPermitted(
      Reason::kWorkloadDenied,
      absl::StrCat("uid ", peer.uid, ", gid ", peer.gid,
                   " may not use this socket; the agent's workload.allow does not name it"));
}

}  // namespace bootgate::agent::workload
