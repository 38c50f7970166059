#include "gatekeeper/cli/ima_set_judge.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/ima/fields.h"
#include "common/ima/template_digest.h"

namespace bootgate::gatekeeper::cli {
namespace {

using reference::SetAnswer;
using reference::SetKinds;

constexpr uint32_t kImaRegister = 10;
constexpr size_t kMaxPath = 300;  // bytes of a path in a sentence
constexpr size_t kMaxKnown = 4;   // digests that are named as expected

std::string Said(const reference::PackageView& package) {
  return Printable(absl::StrCat(package.name, " ", package.version));
}

std::string DigestOf(const ima::Entry& entry) {
  return absl::StrCat(Printable(entry.digest_name, 32), ":", ToHex(entry.file_digest));
}

std::string Day(int64_t seconds) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", absl::FromUnixSeconds(seconds),
                          absl::UTCTimeZone());
}

// "of bash 5.2-1, good until ...; bash 5.2-2 replaces it"
std::string SayTerms(const reference::SetTerms& terms) {
  std::string text;
  if (terms.package.has_value()) absl::StrAppend(&text, " of ", Said(*terms.package));
  if (!terms.window.open()) absl::StrAppend(&text, ", good until ", Day(terms.window.not_after));
  if (terms.replaced_by.has_value()) {
    absl::StrAppend(&text, "; ", Said(*terms.replaced_by), " replaces it");
  }
  return text;
}

}  // namespace

// The best of what the sets answer, and from which set it is.
struct ImaSetJudge::Answer {
  reference::SetFound found;
  const reference::ImaSet* set = nullptr;
};

absl::StatusOr<std::unique_ptr<ImaSetJudge>> ImaSetJudge::Make(
    std::vector<std::shared_ptr<const reference::ImaSet>> sets, std::vector<crypto::PemKey> keys,
    absl::Time at, std::set<reference::DigestAlg> algorithms) {
  reference::Excludes excludes;
  std::set<std::string> ignored_keyrings;
  for (const auto& set : sets) {
    const reference::SetRules rules = set->rules();
    ignored_keyrings.insert(rules.ignored_keyrings.begin(), rules.ignored_keyrings.end());
    BG_RETURN_IF_ERROR(excludes.Add(rules.excludes));
    for (const std::string& pem : rules.verification_keys) {
      BG_ASSIGN_OR_RETURN(const std::vector<crypto::PemKey> more, crypto::KeysFromPem(pem));
      keys.insert(keys.end(), more.begin(), more.end());
    }
  }
  return std::unique_ptr<ImaSetJudge>(
      new ImaSetJudge(std::move(sets), std::move(keys), std::move(excludes),
                      std::move(ignored_keyrings), at, std::move(algorithms)));
}

void ImaSetJudge::Judge(const ima::Entry& entry) {
  const bool first = judged_.entries++ == 0;
  if (entry.register_index != kImaRegister) ++judged_.other_registers;
  if (entry.violation) {
    ++judged_.violations;
    Report(Reason::kImaViolation, entry,
           " was written while it was measured, so what ran is unknown (the name is unproven)");
    return;
  }
  JudgeForm(entry);
  const bool aggregate = !entry.HoldsBuffer() && entry.path == "boot_aggregate";
  if (first) {
    judged_.aggregate = aggregate;
    if (!aggregate) {
      Report(Reason::kImaAggregateMissing, entry, ": the list begins without boot_aggregate");
    }
  } else if (aggregate) {
    Report(Reason::kImaKexec, entry,
           ": a second one; another boot's list was joined on, or the kernel came by kexec");
  }
  if (aggregate || entry.file_digest.empty()) return;
  if (entry.HoldsBuffer()) {
    JudgeRecord(entry);
  } else {
    JudgeFile(entry);
  }
}

// What is wrong with an entry whatever it is about. Malformed fields are defects of the reading.
void ImaSetJudge::JudgeForm(const ima::Entry& entry) {
  if (!ima::ListedDigestHolds(entry)) {
    Report(Reason::kImaTemplateHash, entry, ": the listed hash is not that of its content");
  }
  if (entry.IsLegacy() && !std::exchange(legacy_said_, true)) {
    Report(Reason::kImaTemplateLegacy, entry,
           ": the old template, with cut names and SHA-1 digests (said once)");
  }
  if (entry.template_kind == ima::Template::kOther && entry.file_digest.empty()) {
    Report(Reason::kImaTemplate, entry, ": a template that cannot be read");
  }
}

void ImaSetJudge::JudgeRecord(const ima::Entry& entry) {
  if (!ima::BufferDigestHolds(entry).value_or(false)) {
    Report(Reason::kImaTemplate, entry, ": a kernel record whose digest is not that of its buffer");
    return;
  }
  const auto alg = AllowedAlgorithm(entry);
  if (!alg.has_value()) return;
  if (ignored_keyrings_.contains(std::string(entry.path))) {
    ++judged_.records;
    return;
  }
  const Answer answer = Ask({entry.path, entry.file_digest, *alg, SetKinds::kBuffers});
  if (answer.found.answer == SetAnswer::kUnlisted) {
    ++judged_.records;
  } else {
    ReportAnswer(entry, answer);
  }
}

// Two files with one digest can be made where the algorithm is weak: a listing tells nothing then.
std::optional<reference::DigestAlg> ImaSetJudge::AllowedAlgorithm(const ima::Entry& entry) {
  const auto alg = reference::DigestAlgFromName(entry.digest_name);
  if (alg.has_value() && algorithms_.contains(*alg)) return alg;
  Finding* const finding =
      Report(Reason::kImaDigestAlg, entry,
             absl::StrCat(" has a digest of the algorithm ", Printable(entry.digest_name, 32),
                          ", which is not allowed"));
  if (finding != nullptr) finding->actual = DigestOf(entry);
  return std::nullopt;
}

// What a set excludes is left out first, whatever its digest, as the gatekeeper does.
void ImaSetJudge::JudgeFile(const ima::Entry& entry) {
  if (excludes_.Match(entry.path)) {
    ++judged_.excluded;
    return;
  }
  const auto alg = AllowedAlgorithm(entry);
  if (!alg.has_value()) return;
  const SetKinds kinds = entry.digest_type == "verity" ? SetKinds::kFsVerity : SetKinds::kFiles;
  ReportAnswer(entry, Ask({entry.path, entry.file_digest, *alg, kinds}));
}

ImaSetJudge::Answer ImaSetJudge::Ask(const reference::SetQuery& query) const {
  Answer best;
  for (const auto& set : sets_) {
    const reference::SetFound found = set->Find(query, at_);
    if (best.set == nullptr || found.answer > best.found.answer) best = {found, set.get()};
  }
  return best;
}

// A signature that names a trusted key and is not that key's is told, whatever else is wrong.
bool ImaSetJudge::PassesBySignature(const ima::Entry& entry) {
  if (keys_.empty() || entry.HoldsBuffer()) return false;
  const reference::SignatureAnswer answer = reference::CheckSignature(entry, keys_);
  if (answer == reference::SignatureAnswer::kBad) {
    Report(Reason::kImaSignature, entry, " bears a signature that is not over its digest");
  }
  return answer == reference::SignatureAnswer::kGood;
}

void ImaSetJudge::ReportAnswer(const ima::Entry& entry, const Answer& answer) {
  if (answer.found.answer == SetAnswer::kListed) {
    ++judged_.listed;
    return;
  }
  const bool signable =
      answer.found.answer == SetAnswer::kUnlisted || answer.found.answer == SetAnswer::kOtherDigest;
  if (signable && PassesBySignature(entry)) {
    ++judged_.signed_files;
    return;
  }
  const std::string terms =
      answer.set == nullptr ? "" : SayTerms(answer.set->TermsOf(answer.found));
  Finding* finding = nullptr;
  switch (answer.found.answer) {
    case SetAnswer::kListed:
      return;
    case SetAnswer::kOutdated:
      finding = Report(Reason::kImaOutdated, entry, absl::StrCat(" is outdated:", terms));
      break;
    case SetAnswer::kNotYetValid:
      finding = Report(Reason::kImaDigest, entry, " is not good yet");
      break;
    case SetAnswer::kOtherDigest:
      finding = Report(Reason::kImaDigest, entry, " has other content than any set allows");
      if (finding != nullptr) finding->expected = Known(entry.path);
      break;
    case SetAnswer::kUnlisted:
      finding = Report(Reason::kImaUnlisted, entry, " is in no set");
      break;
  }
  if (finding != nullptr) finding->actual = DigestOf(entry);
}

std::string ImaSetJudge::Known(absl::string_view path) const {
  std::vector<std::string> known;
  size_t more = 0;
  for (const auto& set : sets_) {
    for (const reference::SetVariant& variant : set->VariantsOf(path)) {
      if (known.size() == kMaxKnown) {
        ++more;
        continue;
      }
      known.push_back(absl::StrCat(reference::NameOf(variant.alg), ":", ToHex(variant.digest)));
    }
  }
  return absl::StrCat(absl::StrJoin(known, " or "),
                      more > 0 ? absl::StrCat(" or one of ", more, " more") : "");
}

Finding* ImaSetJudge::Report(Reason code, const ima::Entry& entry, absl::string_view text) {
  if (!bound_.Take(code)) return nullptr;
  Finding& finding = findings_.emplace_back();
  finding.code = code;
  finding.register_index = entry.register_index;
  finding.event = entry.number;
  finding.text = absl::StrCat("entry ", entry.number, ", ", Printable(entry.path, kMaxPath), text);
  return &finding;
}

std::vector<Finding> ImaSetJudge::Finish() {
  bound_.Close(Severity::kFail, &findings_);
  return std::move(findings_);
}

}  // namespace bootgate::gatekeeper::cli
