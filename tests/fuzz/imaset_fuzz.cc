// Any bytes as a reference set, as a Keylime policy, as the head of an RPM package: refused or
// answered, never more; what is accepted is written and read again as the same.
#include <cstddef>
#include <cstdint>

#include "gatekeeper/reference/imaset/ima_set.h"
#include "gatekeeper/reference/imaset/keylime.h"
#include "gatekeeper/reference/imaset/write.h"
#include "gatekeeper/reference/sources/rpm_header.h"
#include "gatekeeper/reference/sources/sums.h"
#include "tests/fuzz/require.h"

namespace {

using bootgate::AsText;
using bootgate::Bytes;
using bootgate::ByteView;
using bootgate::fuzz::Require;
namespace reference = bootgate::gatekeeper::reference;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

bool LiesInside(ByteView part, ByteView whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

// Every item that is told is found where it is told to be, if its slot is a true one; whatever the
// slots say, the answer lies inside the file.
void CheckAnswers(const reference::ImaSet& set, const reference::SetItem& item) {
  const reference::SetQuery query = {.path = item.path, .digest = item.digest, .alg = item.alg};
  for (const reference::SetFound& found : {set.Find(query, kNow), set.FindDigest(query, kNow)}) {
    const reference::SetTerms terms = set.TermsOf(found);
    Require((found.answer == reference::SetAnswer::kUnlisted) ==
            (found.terms == reference::SetFound::kNoTerms));
    if (terms.package.has_value()) {
      Require(LiesInside(bootgate::AsBytes(terms.package->name), set.file()));
    }
  }
  for (const reference::SetVariant& variant : set.VariantsOf(item.path)) {
    Require(LiesInside(variant.digest, set.file()));
    Require(variant.digest.size() == reference::SizeOf(variant.alg));
  }
}

// A set's own bytes are its draft's, once they come from the writer.
void CheckDraft(const reference::SetDraft& draft) {
  const absl::StatusOr<Bytes> first = reference::WriteSet(draft);
  if (!first.ok()) return;
  const auto set = reference::ImaSet::FromBytes(*first);
  Require(set.ok());
  for (const reference::SetItem& item : draft.items) {
    const reference::SetQuery query = {
        .path = item.path,
        .digest = item.digest,
        .alg = item.alg,
        .kinds = static_cast<reference::SetKinds>(1u << static_cast<unsigned>(item.kind))};
    Require((*set)->Find(query, kNow).answer >= reference::SetAnswer::kNotYetValid);
    Require((*set)->FindDigest(query, kNow).answer >= reference::SetAnswer::kNotYetValid);
  }
  const absl::StatusOr<Bytes> second = reference::WriteSet((*set)->ToDraft());
  Require(second.ok() && *second == *first);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView input(data, size);
  if (const auto set = reference::ImaSet::FromBytes(bootgate::ToBytes(input)); set.ok()) {
    const reference::SetDraft draft = (*set)->ToDraft();
    for (const reference::SetItem& item : draft.items) CheckAnswers(**set, item);
    CheckDraft(draft);
  }
  if (const auto import = reference::ImportKeylime(AsText(input), {}); import.ok()) {
    CheckDraft(import->draft);
  }
  reference::SetDraft sums;
  if (reference::AddSums(AsText(input), &sums).ok()) CheckDraft(sums);
  const auto head = reference::ReadRpmHead(input);
  if (head.ok()) Require(head->bytes <= size);
  return 0;
}
