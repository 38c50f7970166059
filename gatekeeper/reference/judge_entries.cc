#include "gatekeeper/reference/judge_entries.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/ima/fields.h"
#include "gatekeeper/claims/bounded_findings.h"
#include "gatekeeper/reference/file_digest.h"

namespace bootgate::gatekeeper::reference {
namespace {

constexpr size_t kMaxPath = 300;  // bytes of a path in a sentence
constexpr size_t kBatch = 128;    // entries looked up together
constexpr size_t kMaxSaid = 8;    // digests named in a finding

std::string CertificateId(ByteView der) {
  return crypto::Hash(crypto::HashAlg::kSha256, der).hex();
}

// What is known of one entry while its batch is judged.
struct Looked {
  ima::Entry entry;
  SetQuery query;
  SetFound found;
  const ImaSet* set = nullptr;                      // whose answer `found` is
  const std::set<std::string>* expected = nullptr;  // of the reference's own files
};

class EntryJudge {
 public:
  explicit EntryJudge(const JudgeEntriesInput& input)
      : input_(input), rules_(input.reference.rules) {
    batch_.reserve(kBatch);
  }

  JudgedEntries Run(const ima::List& list, size_t entries) {
    for (size_t i = 0; i < entries; ++i) {
      Sort(list.entries()[i]);
      if (batch_.size() == kBatch) JudgeBatch();
    }
    JudgeBatch();
    std::ranges::stable_sort(out_.findings, {},
                             [](const Finding& finding) { return finding.event.value_or(0); });
    for (auto& [severity, bound] : bounds_) bound.Close(severity, &out_.findings);
    return std::move(out_);
  }

 private:
  // Lets pass what needs no look-up, and puts the rest into the batch.
  void Sort(const ima::Entry& entry) {
    if (!IsComparable(entry)) return;
    if (entry.HoldsBuffer()) {
      SortBuffer(entry);
      return;
    }
    if (IsExcluded(entry.path)) {
      ++out_.excluded;
      return;
    }
    if (!HasAllowedDigest(entry)) return;
    if (rules_.unverified.Match(entry.path)) {
      ++out_.unverified;
      return;
    }
    Ask(entry);
  }

  bool IsExcluded(absl::string_view path) const {
    if (rules_.excludes.Match(path)) return true;
    return input_.of_sets != nullptr &&
           std::ranges::any_of(input_.of_sets->excludes,
                               [path](const Excludes* of_set) { return of_set->Match(path); });
  }

  bool IsIgnoredKeyring(const ima::Entry& entry) const {
    return input_.of_sets != nullptr && !input_.of_sets->ignored_keyrings.empty() &&
           input_.of_sets->ignored_keyrings.contains(std::string(entry.path));
  }

  // The template's name is in no digest: what is no record of the kernel must not pass for one.
  void SortBuffer(const ima::Entry& entry) {
    const std::optional<bool> holds = ima::BufferDigestHolds(entry);
    if (holds == false) return;  // said where the list itself is appraised
    if (!holds.has_value()) {
      ReportUnknownRecord(entry);
      return;
    }
    if (!HasAllowedDigest(entry)) return;
    const auto keyring = rules_.keyrings.find(std::string(entry.path));
    if (keyring == rules_.keyrings.end()) {
      if (IsIgnoredKeyring(entry)) {
        ++out_.ignored_keys;
      } else {
        Ask(entry);
      }
    } else if (!keyring->second.contains(CertificateId(entry.buffer))) {
      ReportKeyring(entry);
    }
  }

  bool HasAllowedDigest(const ima::Entry& entry) {
    const std::optional<DigestAlg> alg = DigestAlgFromName(entry.digest_name);
    if (alg.has_value() && rules_.algorithms.contains(*alg)) return true;
    // A learned digest says its algorithm: whoever lists it has decided.
    if (const auto* const listed = ListedDigests(entry);
        listed != nullptr && listed->contains(FileDigest(entry))) {
      return true;
    }
    if (Finding* const finding = Add(Reason::kImaDigestAlg, Severity::kFail, entry)) {
      finding->text = absl::StrCat("The digest of ", NameOf(entry), " is of the algorithm ",
                                   Printable(entry.digest_name, 32), ", which is not allowed.");
      finding->actual = FileDigest(entry);
    }
    return false;
  }

  const std::set<std::string>* ListedDigests(const ima::Entry& entry) const {
    const auto& table = entry.HoldsBuffer() ? input_.reference.buffers : input_.reference.files;
    if (table.empty()) return nullptr;
    const auto known = table.find(std::string(entry.path));
    return known == table.end() ? nullptr : &known->second;
  }

  void Ask(const ima::Entry& entry) {
    Looked& looked = batch_.emplace_back();
    looked.entry = entry;
    looked.query = {.path = entry.path,
                    .digest = entry.file_digest,
                    .alg = DigestAlgFromName(entry.digest_name).value_or(DigestAlg::kSha256),
                    .kinds = entry.HoldsBuffer()             ? SetKinds::kBuffers
                             : entry.digest_type == "verity" ? SetKinds::kFsVerity
                                                             : SetKinds::kFiles};
    if (!DigestAlgFromName(entry.digest_name).has_value()) looked.query.digest = {};
  }

  void JudgeBatch() {
    if (batch_.empty()) return;
    out_.looked_up += batch_.size();
    for (const std::shared_ptr<const ImaSet>& set : input_.sets) AskSet(*set);
    for (Looked& looked : batch_) Judge(looked);
    batch_.clear();
  }

  void AskSet(const ImaSet& set) {
    std::array<SetQuery, kBatch> queries;
    std::array<SetFound, kBatch> found;
    for (size_t i = 0; i < batch_.size(); ++i) queries[i] = batch_[i].query;
    set.FindAll(std::span(queries).first(batch_.size()), input_.at,
                std::span(found).first(batch_.size()));
    for (size_t i = 0; i < batch_.size(); ++i) Take(batch_[i], found[i], set);
  }

  // The best answer counts. Of two good ones the one that is good for longer.
  void Take(Looked& looked, const SetFound& found, const ImaSet& set) {
    if (found.answer < looked.found.answer) return;
    if (found.answer == looked.found.answer && looked.set != nullptr &&
        EndOf(set, found) <= EndOf(*looked.set, looked.found)) {
      return;
    }
    looked.found = found;
    looked.set = &set;
  }

  static absl::Time EndOf(const ImaSet& set, const SetFound& found) {
    const Window window = set.TermsOf(found).window;
    return window.open() ? absl::InfiniteFuture() : absl::FromUnixSeconds(window.not_after);
  }

  void Judge(Looked& looked) {
    if (IsListed(looked)) {
      CheckRequiredSignature(looked.entry);
      return;
    }
    const SetAnswer answer = AnswerOf(looked);
    const bool signable = answer == SetAnswer::kUnlisted || answer == SetAnswer::kOtherDigest;
    if (signable && rules_.signatures != SignatureRule::kIgnore &&
        PassesBySignature(looked.entry)) {
      return;
    }
    Report(looked, answer);
    CheckRequiredSignature(looked.entry);
  }

  // Under any path: by rule, or in a set where the path is one of those that move about.
  bool IsListed(Looked& looked) {
    looked.expected = ListedDigests(looked.entry);
    if (looked.expected != nullptr && looked.expected->contains(FileDigest(looked.entry)))
      return true;
    if (!rules_.digests.empty() && rules_.digests.contains(FileDigest(looked.entry))) return true;
    if (looked.found.answer != SetAnswer::kListed && rules_.by_digest.Match(looked.entry.path))
      AskByDigest(looked);
    if (looked.found.answer != SetAnswer::kListed) return false;
    out_.good_until = std::min(out_.good_until, EndOf(*looked.set, looked.found));
    return true;
  }

  void AskByDigest(Looked& looked) {
    for (const std::shared_ptr<const ImaSet>& set : input_.sets)
      Take(looked, set->FindDigest(looked.query, input_.at), *set);
  }

  static SetAnswer AnswerOf(const Looked& looked) {
    if (looked.expected == nullptr) return looked.found.answer;
    return std::max(looked.found.answer, SetAnswer::kOtherDigest);
  }

  SignatureAnswer Check(const ima::Entry& entry) {
    if (out_.signatures >= kMaxSignatureChecks) {
      ReportTooManySignatures();
      return SignatureAnswer::kUnreadable;
    }
    ++out_.signatures;
    return CheckSignature(entry, input_.keys);
  }

  // Accepting only: where signatures are required too, a listing is needed beside them.
  bool PassesBySignature(const ima::Entry& entry) {
    if (rules_.signatures != SignatureRule::kAccept || entry.HoldsBuffer()) return false;
    const SignatureAnswer answer = Check(entry);
    if (answer == SignatureAnswer::kBad) ReportSignature(entry, answer);
    return answer == SignatureAnswer::kGood;
  }

  void CheckRequiredSignature(const ima::Entry& entry) {
    if (rules_.signatures != SignatureRule::kRequire || entry.HoldsBuffer()) return;
    const SignatureAnswer answer = Check(entry);
    if (answer != SignatureAnswer::kGood) ReportSignature(entry, answer);
  }

  // nullptr: there were enough of this kind.
  Finding* Add(Reason code, Severity severity, const ima::Entry& entry) {
    if (!bounds_[severity].Take(code)) return nullptr;
    Finding& finding = out_.findings.emplace_back();
    finding.code = code;
    finding.severity = severity;
    finding.register_index = kImaListRegister;
    finding.event = static_cast<uint32_t>(input_.first_entry + entry.number);
    return &finding;
  }

  static std::string NameOf(const ima::Entry& entry) {
    return absl::StrCat(entry.HoldsBuffer() ? "the kernel's record " : "",
                        Printable(entry.path, kMaxPath));
  }
  static std::string Subject(const ima::Entry& entry) {
    return absl::StrCat(entry.HoldsBuffer() ? "The kernel's record " : "",
                        Printable(entry.path, kMaxPath));
  }

  void Report(const Looked& looked, SetAnswer answer) {
    switch (answer) {
      case SetAnswer::kUnlisted:
        ReportUnlisted(looked.entry);
        return;
      case SetAnswer::kOtherDigest:
        ReportDigest(looked, " has other content than in the reference.");
        return;
      case SetAnswer::kNotYetValid:
        ReportDigest(looked, " has content that the reference lists for a later time.");
        return;
      case SetAnswer::kOutdated:
        ReportOutdated(looked);
        return;
      case SetAnswer::kListed:
        return;
    }
  }

  void ReportUnlisted(const ima::Entry& entry) {
    Finding* const finding = Add(Reason::kImaUnlisted, input_.unlisted, entry);
    if (finding == nullptr) return;
    finding->text = absl::StrCat(Subject(entry), " is not in the reference.");
    finding->actual = FileDigest(entry);
  }

  void ReportDigest(const Looked& looked, absl::string_view what) {
    Finding* const finding = Add(Reason::kImaDigest, Severity::kFail, looked.entry);
    if (finding == nullptr) return;
    finding->text = absl::StrCat(Subject(looked.entry), what);
    finding->expected = Printable(absl::StrJoin(ExpectedOf(looked), " or "));
    finding->actual = FileDigest(looked.entry);
  }

  static std::vector<std::string> ExpectedOf(const Looked& looked) {
    std::vector<std::string> out;
    if (looked.expected != nullptr) out.assign(looked.expected->begin(), looked.expected->end());
    if (looked.set != nullptr) {
      for (const SetVariant& variant : looked.set->VariantsOf(looked.entry.path)) {
        if (out.size() >= kMaxSaid) break;
        out.push_back(absl::StrCat(reference::NameOf(variant.alg), ":", ToHex(variant.digest)));
      }
    }
    return out;
  }

  void ReportOutdated(const Looked& looked) {
    const Severity severity =
        rules_.outdated == OutdatedRule::kFail ? Severity::kFail : Severity::kWarning;
    Finding* const finding = Add(Reason::kImaOutdated, severity, looked.entry);
    if (finding == nullptr) return;
    const SetTerms terms = looked.set->TermsOf(looked.found);
    finding->text = absl::StrCat(Subject(looked.entry), " is outdated_package");
    if (terms.package)
      absl::StrAppend(&finding->text, ": ", Printable(terms.package->name, 128), " ",
                      Printable(terms.package->version, 128));
    if (terms.replaced_by) {
      absl::StrAppend(&finding->text, " was replaced by ",
                      Printable(terms.replaced_by->version, 128));
      finding->expected = Printable(terms.replaced_by->version, 128);
    }
    absl::StrAppend(
        &finding->text, ", and was good until ",
        absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(terms.window.not_after),
                         absl::UTCTimeZone()),
        ".");
    finding->actual = FileDigest(looked.entry);
  }

  void ReportUnknownRecord(const ima::Entry& entry) {
    Finding* const finding = Add(Reason::kImaDigestAlg, Severity::kFail, entry);
    if (finding == nullptr) return;
    finding->text = absl::StrCat(Subject(entry), " has a digest that cannot be computed here: ",
                                 "whether it is a record of the kernel cannot be told.");
    finding->actual = FileDigest(entry);
  }

  void ReportKeyring(const ima::Entry& entry) {
    Finding* const finding = Add(Reason::kImaKeyring, Severity::kFail, entry);
    if (finding == nullptr) return;
    finding->text = absl::StrCat("A key was loaded into ", Printable(entry.path, 64),
                                 " that is not in that keyring's list.");
    finding->actual = CertificateId(entry.buffer);
  }

  void ReportSignature(const ima::Entry& entry, SignatureAnswer answer) {
    Finding* const finding = Add(Reason::kImaSignature, Severity::kFail, entry);
    if (finding == nullptr) return;
    const absl::string_view what =
        answer == SignatureAnswer::kNone         ? " bears no signature."
        : answer == SignatureAnswer::kUnknownKey ? " is signed by none of the keys that count."
        : answer == SignatureAnswer::kBad        ? " bears a signature that is not over its digest."
                                                 : " bears a signature that cannot be read.";
    finding->text = absl::StrCat(Subject(entry), what);
    finding->actual = FileDigest(entry);
  }

  void ReportTooManySignatures() {
    if (std::exchange(limit_said_, true)) return;
    Finding& finding = out_.findings.emplace_back();
    finding.code = Reason::kImaLimit;
    finding.severity = Severity::kFail;
    finding.text = absl::StrCat("More than ", kMaxSignatureChecks,
                                " file signatures would have to be checked.");
  }

  const JudgeEntriesInput& input_;
  const ImaRules& rules_;
  std::vector<Looked> batch_;
  std::map<Severity, BoundedFindings> bounds_;
  bool limit_said_ = false;
  JudgedEntries out_;
};

}  // namespace

JudgedEntries JudgeEntries(const JudgeEntriesInput& input, const ima::List& list, size_t entries) {
  return EntryJudge(input).Run(list, std::min(entries, list.entries().size()));
}

RulesOfSets RulesThatComeWith(const std::vector<std::shared_ptr<const ImaSet>>& sets) {
  RulesOfSets out;
  for (const std::shared_ptr<const ImaSet>& set : sets) {
    const auto unusable = [&](const absl::Status& status) {
      out.unusable.push_back(
          absl::StrCat("the set ", set->id(), ": ", Printable(status.message(), 300)));
    };
    const absl::StatusOr<const Excludes*> excludes = set->CompiledExcludes();
    if (!excludes.ok()) {
      unusable(excludes.status());
    } else if (!(*excludes)->empty()) {
      out.excludes.push_back(*excludes);
    }
    const SetRules rules = set->rules();
    out.ignored_keyrings.insert(rules.ignored_keyrings.begin(), rules.ignored_keyrings.end());
    for (const std::string& pem : rules.verification_keys) {
      absl::StatusOr<std::vector<crypto::PemKey>> keys = crypto::KeysFromPem(pem);
      if (!keys.ok()) {
        unusable(keys.status());
        continue;
      }
      for (crypto::PemKey& key : *keys) out.keys.push_back(std::move(key));
    }
  }
  return out;
}

SigningKeys KeysThatCount(const ImaRules& rules, const std::vector<MeasuredKey>& measured,
                          const RulesOfSets& of_sets) {
  std::vector<crypto::PemKey> keys = rules.keys;
  for (const crypto::PemKey& key : of_sets.keys) {
    if (keys.size() < kMaxSigningKeys) keys.push_back(key);
  }
  for (const MeasuredKey& key : measured) {
    if (keys.size() >= kMaxSigningKeys) break;
    if (!rules.trusted_keyrings.contains(key.keyring)) continue;
    const auto listed = rules.keyrings.find(key.keyring);
    if (listed != rules.keyrings.end() && !listed->second.contains(CertificateId(key.certificate)))
      continue;
    absl::StatusOr<crypto::PemKey> read = crypto::KeyFromCertificate(key.certificate);
    if (read.ok()) keys.push_back(*std::move(read));
  }
  return SigningKeys(std::move(keys));
}

}  // namespace bootgate::gatekeeper::reference
