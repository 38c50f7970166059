// A reference set while it is made or changed: plain values in any order. WriteSet (write.h) turns
// it into the one file form that its content has.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes_view.h"
#include "gatekeeper/reference/imaset/digest_alg.h"

namespace bootgate::gatekeeper::reference {

// What a digest is of.
//   kFile      a file's content
//   kFsVerity  a file's fs-verity digest (ima-ngv2, "verity:sha256:...")
//   kBuffer    a buffer that the kernel measured (ima-buf); its path is the event's name
//   kKeyring   a key loaded into the keyring that the path names (".ima")
enum class DigestKind : uint8_t { kFile = 1, kFsVerity = 2, kBuffer = 3, kKeyring = 4 };
absl::string_view NameOf(DigestKind kind);  // "file", "fs-verity", "buffer", "keyring"

// When a digest is good: seconds since 1970 UTC, both ends included; 0 leaves that end open.
struct Window {
  int64_t not_before = 0, not_after = 0;
  bool open() const { return not_after == 0; }
  friend bool operator==(const Window&, const Window&) = default;
};

struct Package {
  std::string name;
  std::string version;
  std::string origin;  // how versions compare and where it is from: "deb:amd64", "rpm:x86_64"
  friend bool operator==(const Package&, const Package&) = default;
  friend auto operator<=>(const Package&, const Package&) = default;
};

// One digest that a path may have.
struct SetItem {
  std::string path;  // any bytes but NUL
  DigestKind kind = DigestKind::kFile;
  DigestAlg alg = DigestAlg::kSha256;
  Bytes digest;
  Window window;
  std::optional<Package> package;
  std::optional<Package> replaced_by;  // the newer package, where it is known
};

// What a set says beside digests. Patterns are RE2 and are searched for anywhere in a path, so they
// carry their own anchors.
struct SetRules {
  std::vector<std::string> excludes;           // patterns of paths that are not judged
  std::vector<std::string> ignored_keyrings;   // names of keyrings whose keys are not judged
  std::vector<std::string> verification_keys;  // PEM: keys whose file signatures count
  friend bool operator==(const SetRules&, const SetRules&) = default;
};

struct SetDraft {
  std::string name, origin, created;  // chosen by the operator; may be empty
  std::vector<SetItem> items;
  SetRules rules;
};

}  // namespace bootgate::gatekeeper::reference
