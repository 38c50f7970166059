// The head of an RPM package file: who it is, and where its files begin.
//
// Implements: RPM package file format version 3/4 (rpm docs, "Package format"): lead, signature
// header, header; tags NAME, VERSION, RELEASE, EPOCH, ARCH, SOURCERPM. Signatures are not checked
// here: rpm does that where packages are fetched.
#pragma once

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/reference/imaset/draft.h"

namespace bootgate::gatekeeper::reference {

// What of a file holds its head at most.
inline constexpr size_t kMaxRpmHead = size_t{64} << 20;  // bytes

struct RpmHead {
  Package package;      // version "epoch:version-release", without an epoch of 0; "rpm:x86_64"
  bool source = false;  // a source package: nothing of it is installed
  size_t bytes = 0;     // of the head; the compressed cpio archive follows
};

// `file`: at least the head. kOutOfRange where it ends inside, kInvalidArgument with the place
// where it is none.
absl::StatusOr<RpmHead> ReadRpmHead(ByteView file);

}  // namespace bootgate::gatekeeper::reference
