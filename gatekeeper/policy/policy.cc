#include "gatekeeper/policy/policy.h"

#include <algorithm>
#include <utility>

#include "common/crypto/hash.h"
#include "gatekeeper/policy/ast.h"
#include "gatekeeper/policy/parser.h"
#include "gatekeeper/policy/reads.h"

namespace bootgate::gatekeeper::policy {

std::optional<Policy> Policy::Read(absl::string_view text, ParseError* error) {
  auto parsed = Parse(text);
  if (auto* problem = std::get_if<ParseError>(&parsed)) {
    *error = std::move(*problem);
    return std::nullopt;
  }
  auto& good = std::get<ParsedPolicy>(parsed);
  Policy policy;
  policy.text_ = std::string(text);
  policy.id_ = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(text)).hex();
  policy.warnings_ = std::move(good.warnings);
  policy.configuration_ = std::move(good.configuration);
  policy.program_ = std::make_shared<const Program>(std::move(good.program));
  ReadTypes reads = TypesRead(*policy.program_);
  policy.reads_all_ = reads.all;
  policy.reads_ = std::move(reads.types);
  return policy;
}

bool Policy::Reads(absl::string_view claim_type) const {
  return reads_all_ || std::binary_search(reads_.begin(), reads_.end(), claim_type);
}

}  // namespace bootgate::gatekeeper::policy
