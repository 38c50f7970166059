// An IMA list judged as in the gatekeeper, against a mapped reference set: the judging alone, of a
// list that is parsed; then all of it, from the bytes over the replay to the verdict.
#include "common/base/status_macros.h"
#include "common/ima/list.h"
#include "tests/bench/bench.h"
#include "tests/bench/ima_judging.h"

namespace bootgate::bench {

absl::Status RunImaJudge(const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const Bytes bytes, Load(arguments[0]));
  BG_ASSIGN_OR_RETURN(auto set, gatekeeper::reference::ImaSet::Open(arguments[1]));
  BG_ASSIGN_OR_RETURN(const crypto::Digest quoted, ReadRegister(arguments[2]));
  const ImaJudging judging(std::move(set));
  const ima::List list = ima::List::Parse(bytes);
  const ima::MatchQuery query{.start = crypto::Digest(), .quoted = quoted};
  BG_RETURN_IF_ERROR(Repeat("judge", arguments[3], [&] { return judging.Judge(list); }));
  return Repeat("imajudge", arguments[3], [&] { return judging.Check(bytes, query); });
}

}  // namespace bootgate::bench
