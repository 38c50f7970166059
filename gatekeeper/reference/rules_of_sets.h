// What reference sets say beside digests: paths and keyrings that they leave out, keys that sign
// files; and which keys count in the end.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/crypto/pem_key.h"
#include "gatekeeper/reference/file_signature.h"
#include "gatekeeper/reference/imaset/ima_set.h"
#include "gatekeeper/reference/reference.h"

namespace bootgate::gatekeeper::reference {

// Of all sets together. A set's keys count where the rules' `signatures` is accept or require.
struct RulesOfSets {
  std::vector<const Excludes*> excludes;  // borrow the sets
  std::set<std::string> ignored_keyrings;
  std::vector<crypto::PemKey> keys;
  std::vector<std::string> unusable;  // a sentence for each pattern or key that is none
};
RulesOfSets RulesThatComeWith(const std::vector<std::shared_ptr<const ImaSet>>& sets);

// The keys that count: those of the rules and of the sets, and the certificates that the kernel has
// measured into a trusted keyring, unless that keyring has a list and they are not in it.
SigningKeys KeysThatCount(const ImaRules& rules, const std::vector<MeasuredKey>& measured,
                          const RulesOfSets& of_sets = {});

// How rules name a certificate: the hex SHA-256 of its DER form.
std::string CertificateId(ByteView der);

}  // namespace bootgate::gatekeeper::reference
