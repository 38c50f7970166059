#include "gatekeeper/appraisal/ima/entry_checks.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/ima/fields.h"
#include "common/ima/replay.h"

namespace bootgate::gatekeeper::appraisal::ima_list {
namespace {

constexpr uint32_t kImaRegister = 10;
constexpr size_t kMaxPath = 200;  // bytes of a path in a sentence

}  // namespace

void EntryChecks::Finish() {
  std::vector<Finding> closing;
  for (const auto& [severity, bound] : bounds_) bound.Close(severity, &closing);
  for (const Finding& finding : closing) notes_.Add(finding.code, finding.severity, finding.text);
  if (foreign_ == 0) return;
  notes_.NotChecked(absl::StrCat(foreign_, " IMA entries of other registers than PCR 10"),
                    "PCR 10 does not vouch for them; they were not used");
}

void EntryChecks::Check(const ima::Entry& entry) {
  if (entry.register_index != kImaRegister) {
    ++foreign_;
    return;
  }
  if (entry.violation) {
    ++violations_;
    ReportViolation(entry);
    return;
  }
  if (!ima::ListedDigestHolds(entry)) ReportListedDigest(entry);
  if (entry.template_kind == ima::Template::kIma) ReportLegacy(entry);
  if (entry.template_kind == ima::Template::kOther) ReportUnknownTemplate(entry);
  if (entry.HoldsBuffer() && ima::BufferDigestHolds(entry) == false) ReportNoRecord(entry);
}

// nullptr: there were enough of this kind.
Finding* EntryChecks::Add(Reason code, Severity severity, const ima::Entry& entry,
                          std::string text) {
  if (!bounds_[severity].Take(code)) return nullptr;
  Finding& finding = notes_.Add(code, severity, std::move(text));
  finding.register_index = kImaRegister;
  finding.event = static_cast<uint32_t>(NumberOf(entry));
  return &finding;
}

// The path of a violation is free text that nobody authenticates.
void EntryChecks::ReportViolation(const ima::Entry& entry) {
  const bool tolerated = input_.tolerance.violation && input_.tolerance.violation(entry.path);
  Add(Reason::kImaViolation, tolerated ? Severity::kWarning : Severity::kFail, entry,
      absl::StrCat("IMA entry ", NumberOf(entry),
                   " is a violation: a file was written while it was measured, so what ran is "
                   "unknown. The list names ",
                   Printable(entry.path, kMaxPath), ", without proof",
                   tolerated ? "; the reference's rules put up with it." : "."));
}

void EntryChecks::ReportListedDigest(const ima::Entry& entry) {
  Finding* const finding =
      Add(Reason::kImaTemplateHash, Severity::kFail, entry,
          absl::StrCat("The hash listed for IMA entry ", NumberOf(entry), " (",
                       Printable(entry.path, kMaxPath), ") is not the hash of its content."));
  if (finding == nullptr) return;
  finding->expected =
      ima::ExtendDigest(entry, crypto::HashAlg::kSha1, ima::ExtendRule::kBankHash).hex();
  finding->actual = ToHex(entry.listed_digest);
}

void EntryChecks::ReportLegacy(const ima::Entry& entry) {
  if (legacy_reported_ || input_.legacy_reported || input_.tolerance.legacy_template) return;
  legacy_reported_ = true;
  Add(Reason::kImaTemplateLegacy, Severity::kFail, entry,
      absl::StrCat("IMA entry ", NumberOf(entry),
                   " uses the old template, with cut names and SHA-1 digests."));
}

void EntryChecks::ReportUnknownTemplate(const ima::Entry& entry) {
  Add(Reason::kImaTemplate, Severity::kFail, entry,
      absl::StrCat("IMA entry ", NumberOf(entry), " has the template ",
                   Printable(entry.template_name, 64), ", which we cannot read."));
}

void EntryChecks::ReportNoRecord(const ima::Entry& entry) {
  Add(Reason::kImaTemplate, Severity::kFail, entry,
      absl::StrCat("IMA entry ", NumberOf(entry), " (", Printable(entry.path, kMaxPath),
                   ") is sent as a record of the kernel, and its digest is not that of its data: "
                   "it is another kind of entry."));
}

}  // namespace bootgate::gatekeeper::appraisal::ima_list
