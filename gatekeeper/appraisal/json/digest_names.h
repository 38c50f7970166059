// How the policy language names digests.
//
// Implements: policy language specification, section 6.2.
#pragma once

#include <cstdlib>

#include "absl/strings/string_view.h"
#include "common/crypto/hash.h"

namespace bootgate::gatekeeper::appraisal::json {

inline absl::string_view DigestName(crypto::HashAlg alg) {
  switch (alg) {
    case crypto::HashAlg::kSha1:
      return "SHA1";
    case crypto::HashAlg::kSha256:
      return "SHA256";
    case crypto::HashAlg::kSha384:
      return "SHA384";
    case crypto::HashAlg::kSha512:
      return "SHA512";
    case crypto::HashAlg::kSm3_256:
      return "SM3_256";
  }
  std::abort();  // an enum value that is none: a bug of ours
}

}  // namespace bootgate::gatekeeper::appraisal::json
