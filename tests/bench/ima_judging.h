// What the rows on IMA lists have in common: a list judged as the gatekeeper judges one, against a
// reference that names one set.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/ima/replay.h"
#include "gatekeeper/reference/judge_entries.h"

namespace bootgate::bench {

class ImaJudging {
 public:
  explicit ImaJudging(std::shared_ptr<const gatekeeper::reference::ImaSet> set);
  // A set of the lines of sha256sum.
  static absl::StatusOr<ImaJudging> FromSums(absl::string_view file);

  const gatekeeper::reference::ImaSet& set() const { return *sets_.front(); }
  absl::Time at() const { return at_; }

  // Parsed, replayed to the quoted register, every entry judged; an error where there is a finding.
  absl::Status Check(ByteView bytes, const ima::MatchQuery& query) const;
  absl::Status Judge(const ima::List& list) const;

 private:
  std::vector<std::shared_ptr<const gatekeeper::reference::ImaSet>> sets_;
  gatekeeper::reference::ImaReference reference_;
  gatekeeper::reference::SigningKeys keys_;
  gatekeeper::reference::RulesOfSets of_sets_;
  absl::Time at_;
};

// A SHA-256 register in hexadecimal.
absl::StatusOr<crypto::Digest> ReadRegister(absl::string_view hex);

}  // namespace bootgate::bench
