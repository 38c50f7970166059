// Keylime's runtime policy as a draft, with nothing lost that a set can say.
//
// Reads: Keylime's runtime policy JSON, version 1 (keylime/ima/ima.py; docs "runtime_ima"):
// digests, excludes, keyrings, ima-buf, ima.ignored_keyrings, verification-keys. Digests may carry
// the name of their algorithm ("sha256:..."); a bare one is taken for the algorithm that its length
// says.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gatekeeper/reference/imaset/draft.h"

namespace bootgate::gatekeeper::reference {

inline constexpr size_t kMaxKeylimeBytes = size_t{256} << 20;

struct KeylimeOptions {
  // Bare digests of 32 bytes: SHA-256, or where the hosts' IMA hash is it, SM3.
  DigestAlg bare_32 = DigestAlg::kSha256;
};

struct KeylimeImport {
  SetDraft draft;
  std::vector<std::string> not_kept;  // sentences: what, how often, why
};

// REFERENCE_PARSE names the place: not JSON, not a runtime policy, a digest that is none.
absl::StatusOr<KeylimeImport> ImportKeylime(absl::string_view json, const KeylimeOptions& options);

}  // namespace bootgate::gatekeeper::reference
