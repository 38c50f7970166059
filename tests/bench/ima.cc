// An IMA list from its bytes to a verdict: parsed, template digests, replay to the quoted PCR 10,
// every entry judged by a reference set. A whole list of which nothing is known, and what a known
// host's list has grown by.
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/ima/list.h"
#include "common/ima/replay.h"
#include "gatekeeper/reference/known_answers.h"
#include "tests/bench/bench.h"
#include "tests/bench/ima_judging.h"

namespace bootgate::bench {
namespace {

using gatekeeper::reference::KnownAnswers;
using gatekeeper::reference::SetAnswer;

// The bytes of the entries from this number on.
absl::StatusOr<ByteView> EntriesFrom(ByteView bytes, absl::string_view number) {
  const ima::List list = ima::List::Parse(bytes);
  size_t from = 0;
  if (!absl::SimpleAtoi(number, &from) || from >= list.entries().size()) {
    return absl::InvalidArgumentError(absl::StrCat("the list has no entry ", number));
  }
  return bytes.subspan(list.entries().RecordAt(from).offset);
}

// Another host had these entries before: makes them known and returns their names.
Bytes MakeKnown(ByteView entries, ima::KnownDigests& known) {
  Bytes names;
  const ima::List list = ima::List::Parse(entries);
  for (size_t i = 0; i < list.entries().size(); ++i) {
    const ima::Record record = list.entries().RecordAt(i);
    known.Add(record);
    const crypto::Digest name = ima::RecordName(record.bytes);
    names.insert(names.end(), name.view().begin(), name.view().end());
  }
  return names;
}

absl::Status CheckKnown(ByteView names, KnownAnswers& answers, const ima::MatchQuery& query) {
  std::vector<ima::KnownDigests::Place> places(names.size() / ima::KnownDigests::kNameBytes);
  query.known->FindNames(names, places);
  ima::MatchQuery whole = query;
  whole.at_least = places.size();
  if (!ima::FindMatch(places, whole).has_value()) return absl::DataLossError("PCR 10 is not met");
  for (const ima::KnownDigests::Place place : places) {
    if (answers.Of(place) != SetAnswer::kListed) {
      return absl::DataLossError("a known entry is not listed");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunIma(const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const Bytes list, Load(arguments[0]));
  BG_ASSIGN_OR_RETURN(const ImaJudging judging, ImaJudging::FromSums(arguments[1]));
  BG_ASSIGN_OR_RETURN(const crypto::Digest quoted, ReadRegister(arguments[2]));
  const ima::MatchQuery query{.start = crypto::Digest(), .quoted = quoted};
  return Repeat("ima", arguments[3], [&] { return judging.Check(list, query); });
}

// As first seen in the fleet; then as another host's entries were before it, each sent as its name.
absl::Status RunIncrement(const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const Bytes list, Load(arguments[0]));
  BG_ASSIGN_OR_RETURN(const ImaJudging judging, ImaJudging::FromSums(arguments[1]));
  BG_ASSIGN_OR_RETURN(const ByteView grown, EntriesFrom(list, arguments[2]));
  ima::MatchQuery query;
  BG_ASSIGN_OR_RETURN(query.start, ReadRegister(arguments[3]));
  BG_ASSIGN_OR_RETURN(query.quoted, ReadRegister(arguments[4]));
  const absl::string_view count = arguments[5];
  BG_RETURN_IF_ERROR(Repeat("incr-cold", count, [&] { return judging.Check(grown, query); }));
  ima::KnownDigests known;
  query.known = &known;
  const Bytes names = MakeKnown(grown, known);
  KnownAnswers answers(judging.set(), known, judging.at());
  return Repeat("incr", count, [&] { return CheckKnown(names, answers, query); });
}

}  // namespace bootgate::bench
