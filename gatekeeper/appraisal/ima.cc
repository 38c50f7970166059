#include "gatekeeper/appraisal/ima.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "gatekeeper/appraisal/ima/boot_aggregate.h"
#include "gatekeeper/appraisal/notes.h"

namespace bootgate::gatekeeper::appraisal {
namespace {

using crypto::Digest;
using crypto::HashAlg;
using registers::RegisterBank;

constexpr uint32_t kImaRegister = 10;
constexpr char kFactsNote[] = "appraisal/ima-facts";  // ImaProgress::notes

class ImaAppraiser : private Notes {
 public:
  ImaAppraiser(const tpm2::QuotedPcrs& quoted, const ImaInput& input, ImaAppraisal* out)
      : Notes(out->findings, out->claims, out->coverage),
        quoted_(quoted),
        input_(input),
        entries_(out->list.entries()),
        out_(*out) {}

  void Run() {
    const std::vector<const RegisterBank*> banks = BanksWithRegister();
    if (banks.empty()) {
      NotChecked("IMA list", "PCR 10 was not quoted");
      return;
    }
    if (entries_.empty() && out_.list.defects().empty() && input_.before == nullptr) {
      AppraiseMissingList(banks);
      return;
    }
    FindMatches(banks);
    out_.out_of_step = input_.before != nullptr && (!ContinuesBefore(banks) || !TakeFacts());
    if (out_.out_of_step) return;
    ReportDefects();
    if (!out_.match) {
      out_.behind = !HasFailure();
      if (!out_.behind) AddClaim("imaReplayed", false);
      NotChecked("contents of the IMA list", "the list does not lead to the quoted PCR 10");
      return;
    }
    const Kept kept_from = {out_.findings.size(), out_.claims.size(),
                            out_.coverage.not_checked.size()};
    RepeatBefore();
    CheckEntries();
    Keep(kept_from);
    NoteFacts();
    NoteCoverage();
    AddClaim("imaReplayed", !HasFailure() && out_.progress.entries > 0);
  }

 private:
  // Where what is kept for later evidence begins among what was found.
  struct Kept {
    size_t findings, claims, not_checked;
  };

  uint64_t FirstEntry() const { return input_.before != nullptr ? input_.before->entries : 0; }

  // Anything else than one more piece of the same list, in the same banks, hashed in the same way.
  bool ContinuesBefore(const std::vector<const RegisterBank*>& banks) const {
    if (!out_.match || HasFailure()) return false;
    return out_.progress.registers.size() == banks.size() &&
           banks.size() == input_.before->registers.size();
  }

  void RepeatBefore() {
    if (input_.before == nullptr) return;
    const ImaProgress& before = *input_.before;
    out_.findings.insert(out_.findings.end(), before.findings.begin(), before.findings.end());
    out_.claims.insert(out_.claims.end(), before.claims.begin(), before.claims.end());
    auto& not_checked = out_.coverage.not_checked;
    not_checked.insert(not_checked.end(), before.not_checked.begin(), before.not_checked.end());
    out_.progress.notes = before.notes;
  }

  // What the entries themselves gave; what hangs on this quote or on the unquoted tail is found
  // anew each time.
  void Keep(const Kept& from) {
    const auto copy = [](const auto& all, size_t first, auto& out) {
      out.assign(all.begin() + static_cast<ptrdiff_t>(first), all.end());
    };
    copy(out_.findings, from.findings, out_.progress.findings);
    copy(out_.claims, from.claims, out_.progress.claims);
    copy(out_.coverage.not_checked, from.not_checked, out_.progress.not_checked);
    out_.progress.entries = FirstEntry() + out_.match->entries;
  }

  Finding& Add(Reason code, Severity severity, std::string text) {
    Finding& finding = Notes::Add(code, severity, std::move(text));
    finding.register_index = kImaRegister;
    return finding;
  }

  // Number of an entry since boot, as the host's own list counts.
  uint32_t NumberOf(size_t entry) const { return static_cast<uint32_t>(FirstEntry() + entry); }

  std::vector<const RegisterBank*> BanksWithRegister() const {
    std::vector<const RegisterBank*> banks;
    for (const RegisterBank& bank : quoted_.banks()) {
      if (bank.Has(kImaRegister)) banks.push_back(&bank);
    }
    return banks;
  }

  void AppraiseMissingList(const std::vector<const RegisterBank*>& banks) {
    for (const RegisterBank* bank : banks) {
      if (bank->Get(kImaRegister)->IsZero()) continue;
      Finding& finding = Add(Reason::kImaMissing, Severity::kFail,
                             absl::StrCat("There is no IMA list although PCR 10 (",
                                          crypto::Name(bank->alg()), ") was extended."));
      finding.actual = bank->Get(kImaRegister)->hex();
      AddClaim("imaReplayed", false);
      break;
    }
    NotChecked("IMA list", "there is none");
  }

  // Every quoted bank must be met after the same number of entries: the kernel extends them
  // together.
  void FindMatches(const std::vector<const RegisterBank*>& banks) {
    for (const RegisterBank* bank : banks) {
      const std::optional<Digest> start = StartOf(bank->alg());
      if (!start) continue;  // a bank that was not followed so far: ContinuesBefore sees it
      const auto match = ima::FindMatch(out_.list, {.start = *start,
                                                    .quoted = *bank->Get(kImaRegister),
                                                    .register_index = kImaRegister,
                                                    .at_hand = input_.known_templates});
      if (match)
        NoteMatch(*bank, *match);
      else
        unmatched_.push_back(bank);
    }
    if (!out_.match) return;
    for (const RegisterBank* bank : unmatched_) {
      Add(Reason::kLogBankDivergence, Severity::kFail,
          absl::StrCat("The IMA list leads to PCR 10 in another bank, but not in bank ",
                       crypto::Name(bank->alg()), "."));
    }
  }

  const ImaRegister* Before(HashAlg alg) const {
    if (input_.before == nullptr) return nullptr;
    for (const ImaRegister& reg : input_.before->registers) {
      if (reg.value.alg() == alg) return &reg;
    }
    return nullptr;
  }

  std::optional<Digest> StartOf(HashAlg alg) const {
    if (input_.before == nullptr) return Digest(alg);
    const ImaRegister* const before = Before(alg);
    if (before == nullptr) return std::nullopt;
    return before->value;
  }

  void NoteMatch(const RegisterBank& bank, const ima::Match& match) {
    if (!out_.match) {
      out_.match = match;
      matched_alg_ = bank.alg();
    } else if (out_.match->entries != match.entries) {
      Add(Reason::kLogBankDivergence, Severity::kFail,
          absl::StrCat("PCR 10 is met after ", out_.match->entries, " entries in bank ",
                       crypto::Name(matched_alg_), " and after ", match.entries, " in bank ",
                       crypto::Name(bank.alg()), "."));
      out_.match->entries = std::min(out_.match->entries, match.entries);
    }
    const ImaRegister* const before = Before(bank.alg());
    const bool padded = match.rule == ima::ExtendRule::kPaddedSha1;
    // Without entries both ways of extending lead to the same.
    const bool is_padded = padded || (before != nullptr && before->padded_sha1);
    if (before != nullptr && match.entries > 0 && padded != before->padded_sha1) return;
    out_.progress.registers.push_back({.value = match.value, .padded_sha1 = is_padded});
    if (is_padded && bank.alg() != HashAlg::kSha1) {
      NotChecked(absl::StrCat("IMA entries beyond SHA-1 (", crypto::Name(bank.alg()), ")"),
                 "the kernel extended this bank with padded SHA-1 digests");
    }
  }

  // Malformed where the quote vouches for it is the host's fault; past that, or in a tail that
  // nobody bound, it proves nothing.
  bool IsVouchedFor(const ima::Defect& defect) const {
    const size_t entry = defect.entry ? *defect.entry : entries_.size();
    return entry < (out_.match ? out_.match->entries : input_.bound_entries);
  }

  void ReportDefects() {
    for (const ima::Defect& defect : out_.list.defects()) {
      const bool counts = IsVouchedFor(defect);
      Finding& finding =
          Add(defect.reason, counts ? Severity::kFail : Severity::kWarning,
              absl::StrCat("IMA list: ", defect.text,
                           counts ? "." : " (past the part that the quote vouches for)."));
      if (defect.entry) finding.event = NumberOf(*defect.entry);
    }
  }

  void CheckEntries() {
    const bool legacy = Found(Reason::kImaTemplateLegacy) && HasFailure();
    ima_list::EntryChecks checks(
        {.first_entry = FirstEntry(), .tolerance = input_.tolerance, .legacy_reported = legacy},
        *this);
    ima_list::AggregateCheck aggregates(
        {.first_entry = FirstEntry(),
         .kexec_allowed = input_.tolerance.kexec,
         .bank = [this](HashAlg alg) { return FoundByKernel(alg); }},
        *this);
    for (size_t i = 0; i < out_.match->entries; ++i) {
      const ima::Entry entry = entries_[i];
      checks.Check(entry);
      aggregates.Check(entry);
      if (entry.register_index == kImaRegister) ima_list::AddEntry(entry, facts_);
    }
    checks.Finish();
    aggregates.Finish();
  }

  const RegisterBank* FoundByKernel(HashAlg alg) const {
    for (const RegisterBank& bank : input_.at_kernel_start) {
      if (bank.alg() == alg) return &bank;
    }
    return quoted_.Bank(alg);
  }

  // What earlier entries of this boot have said beside files. False when it was not kept.
  bool TakeFacts() {
    if (input_.before == nullptr) return true;
    const auto note = input_.before->notes.find(kFactsNote);
    if (note == input_.before->notes.end()) return false;
    std::optional<ima_list::Facts> facts = ima_list::Decode(note->second);
    if (!facts.has_value()) return false;
    facts_ = *std::move(facts);
    return true;
  }

  // Only entries that the quote vouches for: what follows teaches nothing, no key either.
  void NoteFacts() {
    out_.progress.notes[kFactsNote] = ima_list::Encode(facts_);
    out_.keys = ima_list::KeysOf(facts_);
    ima_list::AddClaims(facts_, *this);
  }

  void NoteCoverage() {
    const size_t used = out_.match->entries;
    Checked(absl::StrCat("IMA list replay to quoted PCR 10, ", used,
                         used == 1 ? " entry" : " entries"));
    if (input_.before != nullptr) {
      Checked(absl::StrCat("the first ", FirstEntry(),
                           " entries of the IMA list, boot_aggregate among them, when earlier "
                           "evidence of this boot was judged under the same policy and reference"));
    }
    if (used < entries_.size()) {
      NotChecked(absl::StrCat(entries_.size() - used, " IMA entries past the quoted state"),
                 "the quote does not vouch for them; they were not used");
    }
  }

  const tpm2::QuotedPcrs& quoted_;
  const ImaInput& input_;
  const ima::Entries& entries_;
  ImaAppraisal& out_;
  std::vector<const RegisterBank*> unmatched_;
  HashAlg matched_alg_ = HashAlg::kSha256;
  ima_list::Facts facts_;
};

}  // namespace

ImaAppraisal AppraiseIma(const tpm2::QuotedPcrs& quoted, const ImaInput& input) {
  ImaAppraisal out;
  out.list = ima::List::Parse(input.list);
  ImaAppraiser(quoted, input, &out).Run();
  return out;
}

}  // namespace bootgate::gatekeeper::appraisal
