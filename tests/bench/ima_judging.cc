#include "tests/bench/ima_judging.h"

#include <utility>

#include "absl/time/clock.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/reference/imaset/write.h"
#include "gatekeeper/reference/sources/sums.h"
#include "tests/bench/bench.h"

namespace bootgate::bench {

using gatekeeper::reference::ImaSet;

ImaJudging::ImaJudging(std::shared_ptr<const ImaSet> set)
    : sets_{std::move(set)},
      keys_({}),
      of_sets_(gatekeeper::reference::RulesThatComeWith(sets_)),
      at_(absl::Now()) {
  reference_.present = true;
  reference_.rules.sets = {sets_.front()->id()};
}

absl::StatusOr<ImaJudging> ImaJudging::FromSums(absl::string_view file) {
  BG_ASSIGN_OR_RETURN(const Bytes text, Load(file));
  gatekeeper::reference::SetDraft draft;
  BG_RETURN_IF_ERROR(gatekeeper::reference::AddSums(AsText(text), &draft));
  BG_ASSIGN_OR_RETURN(Bytes bytes, gatekeeper::reference::WriteSet(draft));
  BG_ASSIGN_OR_RETURN(std::shared_ptr<const ImaSet> set, ImaSet::FromBytes(std::move(bytes)));
  return ImaJudging(std::move(set));
}

absl::Status ImaJudging::Check(ByteView bytes, const ima::MatchQuery& query) const {
  const ima::List list = ima::List::Parse(bytes);
  if (!list.defects().empty()) return absl::DataLossError(list.defects().front().text);
  ima::MatchQuery whole = query;
  whole.at_least = list.entries().size();
  if (!ima::FindMatch(list, whole).has_value()) return absl::DataLossError("PCR 10 is not met");
  return Judge(list);
}

absl::Status ImaJudging::Judge(const ima::List& list) const {
  const gatekeeper::reference::JudgedEntries judged = gatekeeper::reference::JudgeEntries(
      {.reference = reference_, .sets = sets_, .keys = keys_, .at = at_, .of_sets = &of_sets_},
      list, list.entries().size());
  return judged.findings.empty() ? absl::OkStatus()
                                 : absl::DataLossError(judged.findings.front().text);
}

absl::StatusOr<crypto::Digest> ReadRegister(absl::string_view hex) {
  BG_ASSIGN_OR_RETURN(const Bytes value, FromHex(hex));
  return crypto::Digest::From(crypto::HashAlg::kSha256, value);
}

}  // namespace bootgate::bench
