// An IMA list from its bytes to a verdict: parsed, template digests, replay to the quoted PCR 10,
// every entry judged by a reference set. A whole list of which nothing is known, and what a known
// host's list has grown by.
#include <algorithm>
#include <array>

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

// In pieces, so that what was looked up is still at hand when it is replayed and judged.
absl::Status CheckKnown(ByteView names, const ima::KnownDigests& known, KnownAnswers& answers,
                        const ima::MatchQuery& query) {
  constexpr size_t kPiece = 256;  // entries
  constexpr size_t kPieceBytes = kPiece * ima::KnownDigests::kNameBytes;
  std::array<ima::KnownDigests::Place, kPiece> room;
  crypto::Digest value = query.start;
  for (size_t at = 0; at < names.size(); at += kPieceBytes) {
    const ByteView piece = names.subspan(at, std::min(kPieceBytes, names.size() - at));
    const auto places = std::span(room).first(piece.size() / ima::KnownDigests::kNameBytes);
    known.FindNames(piece, places);
    const std::optional<crypto::Digest> after = ima::Replay(known, places, value);
    if (!after.has_value()) return absl::DataLossError("an entry is not known");
    value = *after;
    for (const ima::KnownDigests::Place place : places) {
      if (answers.Of(place) != SetAnswer::kListed) {
        return absl::DataLossError("a known entry is not listed");
      }
    }
  }
  return value == query.quoted ? absl::OkStatus() : absl::DataLossError("PCR 10 is not met");
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
  ima::KnownDigests known({.banks = {crypto::HashAlg::kSha256}});  // as the gatekeeper keeps them
  const Bytes names = MakeKnown(grown, known);
  KnownAnswers answers(judging.set(), known, judging.at());
  return Repeat("incr", count, [&] { return CheckKnown(names, known, answers, query); });
}

}  // namespace bootgate::bench
