// One token: claims put together, the key asked for on disk, the ES256 signature.
#include <string>

#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "gatekeeper/token/issuer.h"
#include "pki/authority.h"
#include "tests/bench/bench.h"

namespace bootgate::bench {
namespace {

namespace token = gatekeeper::token;

absl::Status IssueFrom(const std::string& folder, const Arguments& arguments) {
  const absl::Time now = SystemClock().Now();
  const pki::AuthorityFiles files{folder + "/ca"};
  BG_RETURN_IF_ERROR(pki::Authority::Create(
      files, {.cluster_id = "bench", .trust_domain = "bootgate.example"}, now));
  BG_ASSIGN_OR_RETURN(const auto authority, pki::Authority::Open(files, now));
  BG_ASSIGN_OR_RETURN(const auto keys, token::KeyRing::Open({.folder = folder + "/token-keys"},
                                                            authority, SystemClock()));
  token::Issuer issuer("https://tokens.bootgate.example", *keys);
  const std::string policy(2000, 'p');
  const std::vector<gatekeeper::Claim> none,
      outgoing = {{.type = "secureBootEnabled", .value = true},
                  {.type = "level", .value = int64_t{3}}};
  return Repeat("token", arguments[0], [&]() -> absl::Status {
    BG_ASSIGN_OR_RETURN(const token::Plan plan, issuer.PlanToken({.now = now,
                                                                  .policy_text = policy,
                                                                  .policy_signer_json = "",
                                                                  .rp_data = {},
                                                                  .request_key_json = "",
                                                                  .other_keys_json = "",
                                                                  .outgoing = outgoing,
                                                                  .properties = none}));
    return issuer.Issue(plan).status();
  });
}

}  // namespace

absl::Status RunToken(const Arguments& arguments) {
  return InTemporaryFolder([&](const std::string& folder) { return IssueFrom(folder, arguments); });
}

}  // namespace bootgate::bench
