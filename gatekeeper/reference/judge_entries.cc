#include "gatekeeper/reference/judge_entries.h"

#include <algorithm>
#include <utility>

#include "common/ima/fields.h"
#include "common/ima/plain_file.h"
#include "gatekeeper/reference/entry_query.h"
#include "gatekeeper/reference/file_digest.h"

namespace bootgate::gatekeeper::reference {
namespace {

absl::Time EndOf(const ImaSet& set, const SetFound& found) {
  const Window window = set.WindowOf(found);
  return window.open() ? absl::InfiniteFuture() : absl::FromUnixSeconds(window.not_after);
}

// The best answer counts. Of two good ones the one that is good for longer.
void Take(auto& looked, const SetFound& found, const ImaSet& set) {
  if (found.answer < looked.found.answer) return;
  if (found.answer == looked.found.answer && looked.set != nullptr &&
      EndOf(set, found) <= EndOf(*looked.set, looked.found)) {
    return;
  }
  looked.found = found;
  looked.set = &set;
}

SetAnswer AnswerOf(const LookedUp& looked) {
  if (looked.expected == nullptr) return looked.found.answer;
  return std::max(looked.found.answer, SetAnswer::kOtherDigest);
}

}  // namespace

EntryJudge::EntryJudge(const JudgeEntriesInput& input)
    : input_(input), rules_(input.reference.rules), findings_(input.first_entry) {
  for (const DigestAlg alg : rules_.algorithms) allowed_[static_cast<size_t>(alg)] = true;
  sets_decide_ = rules_.signatures != SignatureRule::kRequire && rules_.digests.empty() &&
                 input_.reference.files.empty() && input_.reference.buffers.empty();
}

// Lets pass what needs no look-up, and puts the rest into the batch.
void EntryJudge::Add(const ima::Entry& entry) {
  if (!IsComparable(entry)) return;
  const std::optional<DigestAlg> alg = DigestAlgFromName(entry.digest_name);
  if (entry.HoldsBuffer()) {
    if (!PassesAsRecord(entry, alg)) Ask(entry, entry.number, QueryOf(entry, alg));
    return;
  }
  if (IsExcluded(entry.path)) {
    ++out_.excluded;
    return;
  }
  if (!HasAllowedDigest(entry, alg)) return;
  if (rules_.unverified.Match(entry.path)) {
    ++out_.unverified;
    return;
  }
  Ask(entry, entry.number, QueryOf(entry, alg));
}

// The commonest entry without the others' fields.
void EntryJudge::Add(const ima::Record& record, uint32_t number) {
  ima::PlainFile file;
  if (!allowed_[static_cast<size_t>(DigestAlg::kSha256)] || !ima::TakePlainFile(record, file) ||
      file.kind == ima::Template::kImaBuf) {
    Add(ima::EntryOf(record, number));
    return;
  }
  if (!IsComparableFile(record, file.path)) return;
  if (IsExcluded(file.path)) {
    ++out_.excluded;
  } else if (rules_.unverified.Match(file.path)) {
    ++out_.unverified;
  } else {
    Ask(record, number, {.path = file.path, .digest = file.digest});
  }
}

bool EntryJudge::IsExcluded(absl::string_view path) const {
  if (rules_.excludes.Match(path)) return true;
  return input_.of_sets != nullptr &&
         std::ranges::any_of(input_.of_sets->excludes,
                             [path](const Excludes* of_set) { return of_set->Match(path); });
}

bool EntryJudge::IsIgnoredKeyring(const ima::Entry& entry) const {
  return input_.of_sets != nullptr && !input_.of_sets->ignored_keyrings.empty() &&
         input_.of_sets->ignored_keyrings.contains(std::string(entry.path));
}

// True: nothing is left to ask. The template's name is in no digest: what is no record of the
// kernel must not pass for one.
bool EntryJudge::PassesAsRecord(const ima::Entry& entry, const std::optional<DigestAlg>& alg) {
  const std::optional<bool> holds = ima::BufferDigestHolds(entry);
  if (holds == false) return true;  // said where the list itself is appraised
  if (!holds.has_value()) {
    findings_.AddUnknownRecord(entry);
    return true;
  }
  if (!HasAllowedDigest(entry, alg)) return true;
  const auto keyring = rules_.keyrings.find(std::string(entry.path));
  if (keyring != rules_.keyrings.end()) {
    std::string certificate = CertificateId(entry.buffer);
    if (!keyring->second.contains(certificate)) {
      findings_.AddKeyring(entry, std::move(certificate));
    }
    return true;
  }
  if (!IsIgnoredKeyring(entry)) return false;
  ++out_.ignored_keys;
  return true;
}

bool EntryJudge::HasAllowedDigest(const ima::Entry& entry, const std::optional<DigestAlg>& alg) {
  if (alg.has_value() && allowed_[static_cast<size_t>(*alg)]) return true;
  // A learned digest says its algorithm: whoever lists it has decided.
  if (const auto* const listed = ListedDigests(entry);
      listed != nullptr && listed->contains(FileDigest(entry))) {
    return true;
  }
  findings_.AddAlgorithm(entry);
  return false;
}

const std::set<std::string>* EntryJudge::ListedDigests(const ima::Entry& entry) const {
  const auto& table = entry.HoldsBuffer() ? input_.reference.buffers : input_.reference.files;
  if (table.empty()) return nullptr;
  const auto known = table.find(std::string(entry.path));
  return known == table.end() ? nullptr : &known->second;
}

void EntryJudge::Ask(const ima::Record& record, uint32_t number, const SetQuery& query) {
  Asked& asked = batch_[waiting_];
  asked.record = record;
  asked.number = number;
  asked.found = {};
  asked.set = nullptr;
  queries_[waiting_] = query;
  if (++waiting_ == kBatch) Flush();
}

void EntryJudge::Flush() {
  if (waiting_ == 0) return;
  out_.looked_up += waiting_;
  for (const std::shared_ptr<const ImaSet>& set : input_.sets) AskSet(*set);
  for (size_t i = 0; i < waiting_; ++i) {
    const Asked& asked = batch_[i];
    if (sets_decide_ && asked.found.answer == SetAnswer::kListed) {
      CountListed(asked.found, *asked.set);
    } else {
      Judge(i);
    }
  }
  waiting_ = 0;
}

void EntryJudge::AskSet(const ImaSet& set) {
  const std::span<SetFound> found = std::span(found_).first(waiting_);
  set.FindAll(std::span(queries_).first(waiting_), input_.at, found);
  for (size_t i = 0; i < waiting_; ++i) Take(batch_[i], found[i], set);
}

void EntryJudge::CountListed(const SetFound& found, const ImaSet& set) {
  ++out_.listed;
  out_.good_until = std::min(out_.good_until, EndOf(set, found));
}

void EntryJudge::Judge(size_t i) {
  const Asked& asked = batch_[i];
  LookedUp looked{
      .entry = ima::EntryOf(asked.record, asked.number), .found = asked.found, .set = asked.set};
  if (IsListed(looked, queries_[i])) {
    CheckRequiredSignature(looked.entry);
    return;
  }
  const SetAnswer answer = AnswerOf(looked);
  const bool signable = answer == SetAnswer::kUnlisted || answer == SetAnswer::kOtherDigest;
  if (signable && PassesBySignature(looked.entry)) {
    ++out_.signed_files;
    return;
  }
  Report(looked, answer);
  CheckRequiredSignature(looked.entry);
}

// Under any path: by rule, or in a set where the path is one of those that move about.
bool EntryJudge::IsListed(LookedUp& looked, const SetQuery& query) {
  if (IsListedByReference(looked)) {
    ++out_.listed;
    return true;
  }
  if (looked.found.answer != SetAnswer::kListed && rules_.by_digest.Match(looked.entry.path)) {
    for (const std::shared_ptr<const ImaSet>& set : input_.sets)
      Take(looked, set->FindDigest(query, input_.at), *set);
  }
  if (looked.found.answer != SetAnswer::kListed) return false;
  CountListed(looked.found, *looked.set);
  return true;
}

bool EntryJudge::IsListedByReference(LookedUp& looked) const {
  looked.expected = ListedDigests(looked.entry);
  if (looked.expected == nullptr && rules_.digests.empty()) return false;
  const std::string digest = FileDigest(looked.entry);
  return (looked.expected != nullptr && looked.expected->contains(digest)) ||
         rules_.digests.contains(digest);
}

SignatureAnswer EntryJudge::Check(const ima::Entry& entry) {
  if (out_.signatures >= kMaxSignatureChecks) {
    findings_.AddTooManySignatures(kMaxSignatureChecks);
    return SignatureAnswer::kUnreadable;
  }
  ++out_.signatures;
  return CheckSignature(entry, input_.keys);
}

// Accepting only: where signatures are required too, a listing is needed beside them.
bool EntryJudge::PassesBySignature(const ima::Entry& entry) {
  if (rules_.signatures != SignatureRule::kAccept || entry.HoldsBuffer()) return false;
  const SignatureAnswer answer = Check(entry);
  if (answer == SignatureAnswer::kBad) findings_.AddSignature(entry, answer);
  return answer == SignatureAnswer::kGood;
}

void EntryJudge::CheckRequiredSignature(const ima::Entry& entry) {
  if (rules_.signatures != SignatureRule::kRequire || entry.HoldsBuffer()) return;
  const SignatureAnswer answer = Check(entry);
  if (answer != SignatureAnswer::kGood) findings_.AddSignature(entry, answer);
}

void EntryJudge::Report(const LookedUp& looked, SetAnswer answer) {
  const bool fails = rules_.outdated == OutdatedRule::kFail;
  switch (answer) {
    case SetAnswer::kUnlisted:
      return ReportUnlisted(looked.entry);
    case SetAnswer::kOtherDigest:
      return findings_.AddOtherDigest(looked);
    case SetAnswer::kNotYetValid:
      return findings_.AddNotYetValid(looked);
    case SetAnswer::kOutdated:
      return findings_.AddOutdated(looked, fails ? Severity::kFail : Severity::kWarning);
    case SetAnswer::kListed:
      return;
  }
}

void EntryJudge::ReportUnlisted(const ima::Entry& entry) {
  if (entry.HoldsBuffer() && input_.records == UnlistedRecords::kCount) {
    ++out_.unlisted_records;
  } else {
    findings_.AddUnlisted(entry, input_.unlisted);
  }
}

JudgedEntries EntryJudge::Finish() {
  Flush();
  out_.findings = findings_.Finish();
  return std::move(out_);
}

JudgedEntries JudgeEntries(const JudgeEntriesInput& input, const ima::List& list, size_t entries) {
  EntryJudge judge(input);
  const size_t end = std::min(entries, list.entries().size());
  for (size_t i = 0; i < end; ++i) {
    judge.Add(list.entries().RecordAt(i), static_cast<uint32_t>(i));
  }
  return judge.Finish();
}

}  // namespace bootgate::gatekeeper::reference
