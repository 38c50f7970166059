// An IMA list from its bytes to a verdict: parsed, template digests, replay to the quoted PCR 10,
// every entry looked up in the allow list. A whole list of which nothing is known, and what a known
// host's list has grown by.
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/ima/allow_list.h"
#include "common/ima/known_listings.h"
#include "common/ima/list.h"
#include "common/ima/replay.h"
#include "tests/bench/bench.h"

namespace bootgate::bench {
namespace {

constexpr crypto::HashAlg kBank = crypto::HashAlg::kSha256;

absl::StatusOr<ima::AllowList> ReadAllowList(absl::string_view path) {
  BG_ASSIGN_OR_RETURN(const Bytes text, Load(path));
  return ima::AllowList::FromSha256Sums(AsText(text));
}

absl::StatusOr<crypto::Digest> ReadRegister(absl::string_view hex) {
  BG_ASSIGN_OR_RETURN(const Bytes value, FromHex(hex));
  return crypto::Digest::From(kBank, value);
}

// boot_aggregate needs no line: it belongs to the host.
absl::Status Check(ByteView bytes, const ima::AllowList& allow, const ima::MatchQuery& query) {
  const ima::List list = ima::List::Parse(bytes);
  if (!list.defects().empty()) return absl::DataLossError(list.defects().front().text);
  ima::MatchQuery whole = query;
  whole.at_least = list.entries().size();
  const std::optional<ima::Match> match = ima::FindMatch(list, whole);
  if (!match.has_value()) return absl::DataLossError("PCR 10 is not met");
  std::vector<ima::Listing> listings(list.entries().size());
  allow.FindAll(list.entries(), listings);
  for (size_t i = 0; i < match->entries; ++i) {
    if (listings[i] != ima::Listing::kListed && list.entries()[i].path != "boot_aggregate") {
      return absl::DataLossError(absl::StrCat("entry ", i, " is not listed"));
    }
  }
  return absl::OkStatus();
}

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

absl::Status CheckKnown(ByteView names, ima::KnownListings& listings,
                        const ima::MatchQuery& query) {
  std::vector<ima::KnownDigests::Place> places(names.size() / ima::KnownDigests::kNameBytes);
  query.known->FindNames(names, places);
  ima::MatchQuery whole = query;
  whole.at_least = places.size();
  if (!ima::FindMatch(places, whole).has_value()) return absl::DataLossError("PCR 10 is not met");
  for (const ima::KnownDigests::Place place : places) {
    if (listings.Of(place) != ima::Listing::kListed) {
      return absl::DataLossError("a known entry is not listed");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunIma(const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const Bytes list, Load(arguments[0]));
  BG_ASSIGN_OR_RETURN(const ima::AllowList allow, ReadAllowList(arguments[1]));
  BG_ASSIGN_OR_RETURN(const crypto::Digest quoted, ReadRegister(arguments[2]));
  return Repeat("ima", arguments[3], [&] {
    return Check(list, allow, {.start = crypto::Digest(kBank), .quoted = quoted});
  });
}

// As first seen in the fleet; then as another host's entries were before it, each sent as its name.
absl::Status RunIncrement(const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const Bytes list, Load(arguments[0]));
  BG_ASSIGN_OR_RETURN(const ima::AllowList allow, ReadAllowList(arguments[1]));
  BG_ASSIGN_OR_RETURN(const ByteView grown, EntriesFrom(list, arguments[2]));
  ima::MatchQuery query;
  BG_ASSIGN_OR_RETURN(query.start, ReadRegister(arguments[3]));
  BG_ASSIGN_OR_RETURN(query.quoted, ReadRegister(arguments[4]));
  const absl::string_view count = arguments[5];
  BG_RETURN_IF_ERROR(Repeat("incr-cold", count, [&] { return Check(grown, allow, query); }));
  ima::KnownDigests known;
  query.known = &known;
  const Bytes names = MakeKnown(grown, known);
  ima::KnownListings listings(allow, known);
  return Repeat("incr", count, [&] { return CheckKnown(names, listings, query); });
}

}  // namespace bootgate::bench
