// One host certificate: everything between the request and the signed DER, the key already
// imported.
#include <string>

#include "common/base/status_macros.h"
#include "pki/authority.h"
#include "tests/bench/bench.h"

namespace bootgate::bench {
namespace {

absl::Status IssueFrom(const std::string& folder, const Arguments& arguments) {
  const absl::Time now = absl::Now();
  BG_RETURN_IF_ERROR(pki::Authority::Create(
      {folder}, {.cluster_id = "bench", .trust_domain = "bootgate.example"}, now));
  BG_ASSIGN_OR_RETURN(const auto authority, pki::Authority::Open({folder}, now));
  BG_ASSIGN_OR_RETURN(const auto key, crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
  const crypto::PublicKey subject = key.Public();
  return Repeat("issue", arguments[0], [&] {
    return authority
        .IssueHost({.serial_hex = pki::NewSerialHex(),
                    .host_id = "h-00112233445566778899aabbccddeeff",
                    .verdict_id = "v-0123456789abcdef0123456789abcdef",
                    .policy_id = std::string(64, 'a'),
                    .claims_digest_hex = std::string(64, 'b'),
                    .not_before = now,
                    .not_after = now + absl::Hours(1)},
                   subject)
        .status();
  });
}

}  // namespace

absl::Status RunIssue(const Arguments& arguments) {
  return InTemporaryFolder([&](const std::string& folder) { return IssueFrom(folder, arguments); });
}

}  // namespace bootgate::bench
