// The entries of an IMA list looked up in a reference set: fields read, path and digest asked for.
// The list is parsed before. Entries that are not listed, boot_aggregate among them, are counted on
// standard error.
#include <array>
#include <cstdio>

#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/ima/list.h"
#include "gatekeeper/reference/imaset/digest_alg.h"
#include "gatekeeper/reference/imaset/ima_set.h"
#include "tests/bench/bench.h"

namespace bootgate::bench {
namespace {

using gatekeeper::reference::ImaSet;
using gatekeeper::reference::SetAnswer;
using gatekeeper::reference::SetFound;
using gatekeeper::reference::SetQuery;

constexpr size_t kBatch = 512;  // entries asked for at once

SetQuery QueryOf(const ima::Entry& entry) {
  const auto alg = gatekeeper::reference::DigestAlgFromName(entry.digest_name);
  if (!alg.has_value() || entry.violation) return {.path = entry.path};
  return {.path = entry.path, .digest = entry.file_digest, .alg = *alg};
}

size_t CountUnlisted(const ima::Entries& entries, const ImaSet& set, absl::Time now) {
  std::array<SetQuery, kBatch> queries;
  std::array<SetFound, kBatch> found;
  size_t unlisted = 0;
  for (size_t start = 0; start < entries.size(); start += kBatch) {
    const size_t size = std::min(kBatch, entries.size() - start);
    for (size_t i = 0; i < size; ++i) queries[i] = QueryOf(entries[start + i]);
    set.FindAll(std::span(queries).first(size), now, std::span(found).first(size));
    for (size_t i = 0; i < size; ++i) unlisted += found[i].answer == SetAnswer::kListed ? 0 : 1;
  }
  return unlisted;
}

}  // namespace

absl::Status RunImaSet(const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const std::shared_ptr<const ImaSet> set, ImaSet::Open(arguments[0]));
  BG_ASSIGN_OR_RETURN(const Bytes bytes, Load(arguments[1]));
  const ima::List list = ima::List::Parse(bytes);
  const absl::Time now = absl::Now();
  const size_t expected = CountUnlisted(list.entries(), *set, now);
  std::fprintf(stderr, "set: %zu paths, %zu bytes; %zu of %zu entries are not listed\n",
               set->counts().paths, set->file().size(), expected, list.entries().size());
  return Repeat("imaset", arguments[2], [&] {
    return CountUnlisted(list.entries(), *set, now) == expected
               ? absl::OkStatus()
               : absl::InternalError("the answers changed");
  });
}

}  // namespace bootgate::bench
