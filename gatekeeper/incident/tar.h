// The plainest tar there is: POSIX ustar, regular files alone, the same bytes for the same members.
//
// Implements: IEEE Std 1003.1-2017, pax, "ustar Interchange Format". The reader takes what the
// writer writes and nothing else: no links, devices, folders, extended headers, no compression, no
// name that leads anywhere. So any tar opens our archives, and ours opens no surprise.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"

namespace bootgate::gatekeeper::incident {

inline constexpr size_t kMaxArchive = size_t{1} << 30;  // bytes
inline constexpr size_t kMaxMembers = 4096;
inline constexpr size_t kMaxMemberName = 99;  // bytes; of a-z A-Z 0-9 . _ - in parts between '/'

using Members = std::map<std::string, Bytes>;

bool IsMemberName(absl::string_view name);

// Members in the order of their names. kInvalidArgument for a name that is none, kResourceExhausted
// for more than the bounds allow.
absl::StatusOr<Bytes> WriteTar(const Members& members);

// kInvalidArgument with ARCHIVE names the member, or the offset, and what is wrong.
absl::StatusOr<Members> ReadTar(ByteView archive);

}  // namespace bootgate::gatekeeper::incident
