// How an IMA list is judged beside what the reference lists: the "rules" of its "ima" object.
//
//   sets              ids (hex SHA-256) of reference sets that entries are looked up in
//   excludes          paths that are not judged, beside those that sets leave out; they are
//                     counted in the coverage
//   unverified        paths that may have any digest. Everywhere else the digest is part of what
//                     is allowed; this word is the only way around it
//   by_digest         paths for which a set counts by the digest alone: containers, overlays, memfd
//   digests           "sha256:hex" that are good under any path; "verity:sha256:hex" for fs-verity
//   violations        paths that may have a violation: what ran is then unknown, and the path in a
//                     violation is nobody's word
//   algorithms        of digests; others are IMA_DIGEST_ALG. Without this key: strong ones
//   outdated          "fail" or "warn": what an entry counts whose window in a set has closed
//   kexec             hosts may start kernels by kexec: further boot_aggregates, each the right one
//   legacy_template   entries of the template "ima" are read: names cut, SHA-1 alone
//   signatures        "ignore"; "accept": a good signature is as good as a listing, but for a file
//                     that is outdated; "require": and every file must have one
//   keys              PEM: certificates or public keys whose file signatures count, beside those
//                     that sets bring along
//   trusted_keyrings  keyrings whose measured certificates count beside `keys`
//   keyrings          {keyring: [hex SHA-256 of a certificate]}: which keys may be loaded into it;
//                     another one is IMA_KEYRING, and signs nothing
//
// Path rules are regular expressions that must match the whole path (path_patterns.h).
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/crypto/pem_key.h"
#include "gatekeeper/reference/imaset/digest_alg.h"
#include "gatekeeper/reference/path_patterns.h"

namespace bootgate::gatekeeper::reference {

inline constexpr size_t kMaxSetsNamed = 64;
inline constexpr size_t kMaxSigningKeys = 256;
inline constexpr size_t kMaxRuleDigests = 100'000;

enum class OutdatedRule { kFail, kWarn };
enum class SignatureRule { kIgnore, kAccept, kRequire };

// Not MD5, not SHA-1, not what is shorter than 256 bits.
std::set<DigestAlg> StrongAlgorithms();

struct ImaRules {
  std::vector<std::string> sets;
  PathPatterns excludes, unverified, by_digest, violations;
  std::set<std::string> digests;
  std::set<DigestAlg> algorithms = StrongAlgorithms();
  OutdatedRule outdated = OutdatedRule::kFail;
  bool kexec = false;
  bool legacy_template = false;
  SignatureRule signatures = SignatureRule::kIgnore;
  std::vector<std::string> key_texts;  // PEM, as written
  std::vector<crypto::PemKey> keys;    // of key_texts
  std::set<std::string> trusted_keyrings;
  std::map<std::string, std::set<std::string>> keyrings;
};

// The JSON object; keys that say the default are left out: "{}" for ImaRules().
std::string ToJson(const ImaRules& rules);
// REFERENCE_PARSE with the place, "ima.rules.excludes: ...". No unknown key, no empty set id.
absl::StatusOr<ImaRules> ImaRulesFromJson(absl::string_view json);

}  // namespace bootgate::gatekeeper::reference
