#include "gatekeeper/appraisal/ima/entry_checks.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/ima/fields.h"
#include "common/ima/replay.h"
#include "gatekeeper/claims/bounded_findings.h"

namespace bootgate::gatekeeper::appraisal::ima_list {
namespace {

constexpr uint32_t kImaRegister = 10;
constexpr size_t kMaxPath = 200;  // bytes of a path in a sentence

class EntryChecks {
 public:
  EntryChecks(const EntryChecksInput& input, Notes& notes) : input_(input), notes_(notes) {}

  void Run() {
    for (size_t i = 0; i < input_.count; ++i) Check(i);
    std::vector<Finding> closing;
    for (const auto& [severity, bound] : bounds_) bound.Close(severity, &closing);
    for (const Finding& finding : closing) notes_.Add(finding.code, finding.severity, finding.text);
    if (foreign_ == 0) return;
    notes_.NotChecked(absl::StrCat(foreign_, " IMA entries of other registers than PCR 10"),
                      "PCR 10 does not vouch for them; they were not used");
  }

 private:
  void Check(size_t i) {
    const ima::Entry entry = input_.entries[i];
    if (entry.register_index != kImaRegister) {
      ++foreign_;
      return;
    }
    if (entry.violation) {
      ReportViolation(entry, i);
      return;
    }
    if (!ima::ListedDigestHolds(entry)) ReportListedDigest(entry, i);
    if (entry.template_kind == ima::Template::kIma) ReportLegacy(i);
    if (entry.template_kind == ima::Template::kOther) ReportUnknownTemplate(entry, i);
    if (entry.HoldsBuffer() && ima::BufferDigestHolds(entry) == false) ReportNoRecord(entry, i);
  }

  uint64_t NumberOf(size_t entry) const { return input_.first_entry + entry; }

  // nullptr: there were enough of this kind.
  Finding* Add(Reason code, Severity severity, size_t entry, std::string text) {
    if (!bounds_[severity].Take(code)) return nullptr;
    Finding& finding = notes_.Add(code, severity, std::move(text));
    finding.register_index = kImaRegister;
    finding.event = static_cast<uint32_t>(NumberOf(entry));
    return &finding;
  }

  // The path of a violation is free text that nobody authenticates.
  void ReportViolation(const ima::Entry& entry, size_t number) {
    const bool tolerated = input_.tolerance.violation && input_.tolerance.violation(entry.path);
    Add(Reason::kImaViolation, tolerated ? Severity::kWarning : Severity::kFail, number,
        absl::StrCat("IMA entry ", NumberOf(number),
                     " is a violation: a file was written while it was measured, so what ran is "
                     "unknown. The list names ",
                     Printable(entry.path, kMaxPath), ", without proof",
                     tolerated ? "; the reference's rules put up with it." : "."));
  }

  void ReportListedDigest(const ima::Entry& entry, size_t number) {
    Finding* const finding =
        Add(Reason::kImaTemplateHash, Severity::kFail, number,
            absl::StrCat("The hash listed for IMA entry ", NumberOf(number), " (",
                         Printable(entry.path, kMaxPath), ") is not the hash of its content."));
    if (finding == nullptr) return;
    finding->expected =
        ima::ExtendDigest(entry, crypto::HashAlg::kSha1, ima::ExtendRule::kBankHash).hex();
    finding->actual = ToHex(entry.listed_digest);
  }

  void ReportLegacy(size_t number) {
    if (legacy_reported_ || input_.legacy_reported || input_.tolerance.legacy_template) return;
    legacy_reported_ = true;
    Add(Reason::kImaTemplateLegacy, Severity::kFail, number,
        absl::StrCat("IMA entry ", NumberOf(number),
                     " uses the old template, with cut names and SHA-1 digests."));
  }

  void ReportUnknownTemplate(const ima::Entry& entry, size_t number) {
    Add(Reason::kImaTemplate, Severity::kFail, number,
        absl::StrCat("IMA entry ", NumberOf(number), " has the template ",
                     Printable(entry.template_name, 64), ", which we cannot read."));
  }

  void ReportNoRecord(const ima::Entry& entry, size_t number) {
    Add(Reason::kImaTemplate, Severity::kFail, number,
        absl::StrCat("IMA entry ", NumberOf(number), " (", Printable(entry.path, kMaxPath),
                     ") is sent as a record of the kernel, and its digest is not that of its data: "
                     "it is another kind of entry."));
  }

  const EntryChecksInput& input_;
  Notes& notes_;
  std::map<Severity, BoundedFindings> bounds_;
  bool legacy_reported_ = false;
  size_t foreign_ = 0;  // entries of other registers
};

}  // namespace

void CheckEntries(const EntryChecksInput& input, Notes& notes) { EntryChecks(input, notes).Run(); }

}  // namespace bootgate::gatekeeper::appraisal::ima_list
