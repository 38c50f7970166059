#include "gatekeeper/reference/rules_of_sets.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/crypto/hash.h"

namespace bootgate::gatekeeper::reference {
namespace {

void AddExcludes(const ImaSet& set, RulesOfSets& out, auto unusable) {
  const absl::StatusOr<const Excludes*> excludes = set.CompiledExcludes();
  if (!excludes.ok()) {
    unusable(excludes.status());
  } else if (!(*excludes)->empty()) {
    out.excludes.push_back(*excludes);
  }
}

void AddKeys(const SetRules& rules, RulesOfSets& out, auto unusable) {
  for (const std::string& pem : rules.verification_keys) {
    absl::StatusOr<std::vector<crypto::PemKey>> keys = crypto::KeysFromPem(pem);
    if (!keys.ok()) {
      unusable(keys.status());
      continue;
    }
    for (crypto::PemKey& key : *keys) out.keys.push_back(std::move(key));
  }
}

}  // namespace

std::string CertificateId(ByteView der) {
  return crypto::Hash(crypto::HashAlg::kSha256, der).hex();
}

RulesOfSets RulesThatComeWith(const std::vector<std::shared_ptr<const ImaSet>>& sets) {
  RulesOfSets out;
  for (const std::shared_ptr<const ImaSet>& set : sets) {
    const auto unusable = [&](const absl::Status& status) {
      out.unusable.push_back(
          absl::StrCat("the set ", set->id(), ": ", Printable(status.message(), 300)));
    };
    AddExcludes(*set, out, unusable);
    const SetRules rules = set->rules();
    out.ignored_keyrings.insert(rules.ignored_keyrings.begin(), rules.ignored_keyrings.end());
    AddKeys(rules, out, unusable);
  }
  return out;
}

SigningKeys KeysThatCount(const ImaRules& rules, const std::vector<MeasuredKey>& measured,
                          const RulesOfSets& of_sets) {
  std::vector<crypto::PemKey> keys = rules.keys;
  for (const crypto::PemKey& key : of_sets.keys) {
    if (keys.size() < kMaxSigningKeys) keys.push_back(key);
  }
  for (const MeasuredKey& key : measured) {
    if (keys.size() >= kMaxSigningKeys) break;
    if (!rules.trusted_keyrings.contains(key.keyring)) continue;
    const auto listed = rules.keyrings.find(key.keyring);
    if (listed != rules.keyrings.end() && !listed->second.contains(CertificateId(key.certificate)))
      continue;
    absl::StatusOr<crypto::PemKey> read = crypto::KeyFromCertificate(key.certificate);
    if (read.ok()) keys.push_back(*std::move(read));
  }
  return SigningKeys(std::move(keys));
}

}  // namespace bootgate::gatekeeper::reference
