#include "gatekeeper/reference/entry_findings.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "gatekeeper/reference/file_digest.h"

namespace bootgate::gatekeeper::reference {
namespace {

constexpr size_t kMaxPath = 300;     // bytes of a path in a sentence
constexpr size_t kMaxPackage = 128;  // bytes of a package's name or version
constexpr size_t kMaxSaid = 8;       // digests named in a finding

std::string Subject(const ima::Entry& entry) {
  return absl::StrCat(entry.HoldsBuffer() ? "The kernel's record " : "",
                      Printable(entry.path, kMaxPath));
}

std::string NameOf(const ima::Entry& entry) {
  return absl::StrCat(entry.HoldsBuffer() ? "the kernel's record " : "",
                      Printable(entry.path, kMaxPath));
}

std::vector<std::string> ExpectedOf(const LookedUp& looked) {
  std::vector<std::string> out;
  if (looked.expected != nullptr) out.assign(looked.expected->begin(), looked.expected->end());
  if (looked.set == nullptr) return out;
  for (const SetVariant& variant : looked.set->VariantsOf(looked.entry.path)) {
    if (out.size() >= kMaxSaid) break;
    out.push_back(absl::StrCat(reference::NameOf(variant.alg), ":", ToHex(variant.digest)));
  }
  return out;
}

absl::string_view Said(SignatureAnswer answer) {
  switch (answer) {
    case SignatureAnswer::kNone:
      return " bears no signature.";
    case SignatureAnswer::kUnknownKey:
      return " is signed by none of the keys that count.";
    case SignatureAnswer::kUnreadable:
      return " bears a signature that cannot be read.";
    case SignatureAnswer::kBad:
    case SignatureAnswer::kGood:
      return " bears a signature that is not over its digest.";
  }
  __builtin_unreachable();
}

}  // namespace

Finding* EntryFindings::Add(Reason code, Severity severity, const ima::Entry& entry) {
  if (!bounds_[severity].Take(code)) return nullptr;
  Finding& finding = findings_.emplace_back();
  finding.code = code;
  finding.severity = severity;
  finding.register_index = kImaListRegister;
  finding.event = static_cast<uint32_t>(first_entry_ + entry.number);
  // As it is or not at all: a part of a path would be another path.
  std::string path = entry.HoldsBuffer() ? std::string() : Printable(entry.path, kMaxPath);
  if (path == entry.path) finding.path = std::move(path);
  return &finding;
}

void EntryFindings::AddUnlisted(const ima::Entry& entry, Severity severity) {
  Finding* const finding = Add(Reason::kImaUnlisted, severity, entry);
  if (finding == nullptr) return;
  finding->text = absl::StrCat(Subject(entry), " is not in the reference.");
  finding->actual = FileDigest(entry);
}

void EntryFindings::AddOtherDigest(const LookedUp& looked) {
  AddDigest(looked, " has other content than in the reference.");
}

void EntryFindings::AddNotYetValid(const LookedUp& looked) {
  AddDigest(looked, " has content that the reference lists for a later time.");
}

void EntryFindings::AddDigest(const LookedUp& looked, absl::string_view what) {
  Finding* const finding = Add(Reason::kImaDigest, Severity::kFail, looked.entry);
  if (finding == nullptr) return;
  finding->text = absl::StrCat(Subject(looked.entry), what);
  finding->expected = Printable(absl::StrJoin(ExpectedOf(looked), " or "));
  finding->actual = FileDigest(looked.entry);
}

void EntryFindings::AddOutdated(const LookedUp& looked, Severity severity) {
  Finding* const finding = Add(Reason::kImaOutdated, severity, looked.entry);
  if (finding == nullptr) return;
  const SetTerms terms = looked.set->TermsOf(looked.found);
  finding->text = absl::StrCat(Subject(looked.entry), " is outdated_package");
  if (terms.package)
    absl::StrAppend(&finding->text, ": ", Printable(terms.package->name, kMaxPackage), " ",
                    Printable(terms.package->version, kMaxPackage));
  if (terms.replaced_by) {
    finding->expected = Printable(terms.replaced_by->version, kMaxPackage);
    absl::StrAppend(&finding->text, " was replaced by ", finding->expected);
  }
  absl::StrAppend(
      &finding->text, ", and was good until ",
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(terms.window.not_after),
                       absl::UTCTimeZone()),
      ".");
  finding->actual = FileDigest(looked.entry);
}

void EntryFindings::AddAlgorithm(const ima::Entry& entry) {
  Finding* const finding = Add(Reason::kImaDigestAlg, Severity::kFail, entry);
  if (finding == nullptr) return;
  finding->text = absl::StrCat("The digest of ", NameOf(entry), " is of the algorithm ",
                               Printable(entry.digest_name, 32), ", which is not allowed.");
  finding->actual = FileDigest(entry);
}

void EntryFindings::AddUnknownRecord(const ima::Entry& entry) {
  Finding* const finding = Add(Reason::kImaDigestAlg, Severity::kFail, entry);
  if (finding == nullptr) return;
  finding->text = absl::StrCat(Subject(entry), " has a digest that cannot be computed here: ",
                               "whether it is a record of the kernel cannot be told.");
  finding->actual = FileDigest(entry);
}

void EntryFindings::AddKeyring(const ima::Entry& entry, std::string certificate) {
  Finding* const finding = Add(Reason::kImaKeyring, Severity::kFail, entry);
  if (finding == nullptr) return;
  finding->text = absl::StrCat("A key was loaded into ", Printable(entry.path, 64),
                               " that is not in that keyring's list.");
  finding->actual = std::move(certificate);
}

void EntryFindings::AddSignature(const ima::Entry& entry, SignatureAnswer answer) {
  Finding* const finding = Add(Reason::kImaSignature, Severity::kFail, entry);
  if (finding == nullptr) return;
  finding->text = absl::StrCat(Subject(entry), Said(answer));
  finding->actual = FileDigest(entry);
}

void EntryFindings::AddTooManySignatures(size_t most) {
  if (std::exchange(limit_said_, true)) return;
  Finding& finding = findings_.emplace_back();
  finding.code = Reason::kImaLimit;
  finding.severity = Severity::kFail;
  finding.text = absl::StrCat("More than ", most, " file signatures would have to be checked.");
}

std::vector<Finding> EntryFindings::Finish() {
  std::ranges::stable_sort(findings_, {},
                           [](const Finding& finding) { return finding.event.value_or(0); });
  for (const auto& [severity, bound] : bounds_) bound.Close(severity, &findings_);
  return std::move(findings_);
}

}  // namespace bootgate::gatekeeper::reference
