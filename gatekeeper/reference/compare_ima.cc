// Comparing what ran with what the reference knows.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "gatekeeper/reference/file_digest.h"
#include "gatekeeper/reference/judge_entries.h"
#include "gatekeeper/reference/policy_trace.h"
#include "gatekeeper/reference/reference.h"

namespace bootgate::gatekeeper::reference {
namespace {

constexpr size_t kMaxPath = 300;  // bytes of a path in a sentence

// A file that says which IMA policy was written, when the kernel measured it.
bool IsPolicyFile(absl::string_view path) {
  return absl::StartsWith(path, "/etc/ima/") || path == "ima-policy" ||
         absl::EndsWith(path, "/ima-policy");
}

PolicyTrace TraceOf(const ImaReference& reference) {
  PolicyTrace trace;
  for (const auto& [name, digests] : reference.buffers) trace.buffers.insert(name);
  for (const auto& [path, digests] : reference.files) {
    if (!IsPolicyFile(path)) continue;
    for (const std::string& digest : digests)
      trace.policy_files.insert(absl::StrCat(path, " ", digest));
  }
  return trace;
}

PolicyTrace TraceOf(const ima::List& list, size_t entries, PolicyTrace trace) {
  for (size_t i = 0; i < entries; ++i) {
    const ima::Entry& entry = list.entries()[i];
    if (!IsComparable(entry)) continue;
    if (IsBuffer(entry))
      trace.buffers.emplace(entry.path);
    else if (IsPolicyFile(entry.path))
      trace.policy_files.insert(absl::StrCat(entry.path, " ", FileDigest(entry)));
  }
  return trace;
}

std::string Only(const std::set<std::string>& in, const std::set<std::string>& not_in) {
  std::vector<std::string> only;
  for (const std::string& name : in) {
    if (!not_in.contains(name)) only.push_back(Printable(name, kMaxPath));
  }
  return absl::StrJoin(only, ", ");
}

class ImaComparer {
 public:
  // `earlier`: what entries before the list's first have shown; `first_entry`: how many they were.
  ImaComparer(const ImaReference& reference, const ima::List& list, size_t entries,
              const PolicyTrace& earlier, uint64_t first_entry, const ImaContext& context)
      : reference_(reference),
        list_(list),
        entries_(std::min(entries, list.entries().size())),
        first_entry_(first_entry),
        context_(context),
        expected_(TraceOf(reference)),
        actual_(TraceOf(list, entries_, earlier)),
        unlisted_severity_(SeverityOfUnlisted()) {}

  ImaComparison Run(ImaProgress* progress) {
    ImaComparison out;
    ReportMissingSets();
    JudgeList(&out);
    if (progress != nullptr) {
      progress->findings.insert(progress->findings.end(), found_.begin(), found_.end());
      progress->not_checked.insert(progress->not_checked.end(), out.not_checked.begin(),
                                   out.not_checked.end());
      progress->notes[kPolicyTraceNote] = Encode(actual_);
    }
    if (expected_ != actual_) ReportPolicy();
    std::stable_sort(found_.begin(), found_.end(), [](const Finding& a, const Finding& b) {
      return (a.code == Reason::kImaDigest) > (b.code == Reason::kImaDigest);
    });
    out.findings = std::move(found_);
    return out;
  }

  // Files that were not listed were passed with a warning as long as host and reference seemed to
  // run under different IMA policies. Now they do not.
  bool ChangesWhatWas(const PolicyTrace& earlier) const {
    return reference_.unlisted == Unlisted::kComparable && earlier != expected_ &&
           actual_ == expected_;
  }

 private:
  // Sets that the rules name, in their order; whatever else is on the shelf does not count.
  std::vector<std::shared_ptr<const ImaSet>> NamedSets() const {
    std::vector<std::shared_ptr<const ImaSet>> named;
    for (const std::string& id : reference_.rules.sets) {
      for (const auto& set : context_.sets) {
        if (set->id() == id) named.push_back(set);
      }
    }
    return named;
  }

  void ReportMissingSets() {
    for (const std::string& id : reference_.rules.sets) {
      if (std::ranges::any_of(context_.sets, [&](const auto& set) { return set->id() == id; }))
        continue;
      Finding& finding = Add(Reason::kImaSetMissing, Severity::kFail,
                             absl::StrCat("The reference names the set ", id,
                                          ", which is not here or cannot be read."));
      finding.expected = id;
    }
  }

  void JudgeList(ImaComparison* out) {
    const std::vector<std::shared_ptr<const ImaSet>> sets = NamedSets();
    const RulesOfSets of_sets = RulesThatComeWith(sets);
    const SigningKeys keys = KeysThatCount(reference_.rules, context_.measured_keys, of_sets);
    JudgedEntries judged = JudgeEntries({.reference = reference_,
                                         .sets = sets,
                                         .keys = keys,
                                         .at = context_.now,
                                         .unlisted = unlisted_severity_,
                                         .first_entry = first_entry_,
                                         .of_sets = &of_sets},
                                        list_, entries_);
    found_.insert(found_.end(), std::make_move_iterator(judged.findings.begin()),
                  std::make_move_iterator(judged.findings.end()));
    out->good_until = judged.good_until;
    for (const std::string& what : of_sets.unusable)
      out->not_checked.push_back({what, "it is unusable, and does not count"});
    if (!of_sets.keys.empty() && reference_.rules.signatures == SignatureRule::kIgnore) {
      out->not_checked.push_back({"file signatures by keys that come with a set",
                                  "the reference's rules ignore signatures"});
    }
    const auto left_out = [out](uint64_t count, absl::string_view what, absl::string_view why) {
      if (count > 0) out->not_checked.push_back({absl::StrCat(count, what), std::string(why)});
    };
    left_out(judged.excluded, " IMA entries under excluded paths",
             "the reference's rules or its sets say so");
    left_out(judged.ignored_keys, " keys loaded into keyrings that a set leaves out",
             "the set says so");
    left_out(judged.unverified, " IMA entries of which only the path was looked at",
             "the reference's rules call them unverified");
  }

  Severity SeverityOfUnlisted() const {
    switch (reference_.unlisted) {
      case Unlisted::kFail:
        return Severity::kFail;
      case Unlisted::kComparable:
        // A set is no boot: it has no IMA policy to compare with.
        if (!reference_.rules.sets.empty()) return Severity::kFail;
        return expected_ == actual_ ? Severity::kFail : Severity::kWarning;
      case Unlisted::kWarn:
        return Severity::kWarning;
    }
    __builtin_unreachable();
  }

  Finding& Add(Reason code, Severity severity, std::string text) {
    Finding finding;
    finding.code = code;
    finding.severity = severity;
    finding.register_index = kImaListRegister;
    finding.text = std::move(text);
    found_.push_back(std::move(finding));
    return found_.back();
  }

  void ReportPolicy() {
    Finding& finding =
        Add(Reason::kImaPolicyDiffers, Severity::kWarning,
            "Host and reference ran under different IMA policies, so their lists are "
            "comparable only in part.");
    const auto say = [](const PolicyTrace& a, const PolicyTrace& b) {
      const std::string buffers = Only(a.buffers, b.buffers);
      const std::string files = Only(a.policy_files, b.policy_files);
      return Printable(absl::StrCat(buffers, buffers.empty() || files.empty() ? "" : ", ", files));
    };
    finding.expected = say(expected_, actual_);
    finding.actual = say(actual_, expected_);
  }

  const ImaReference& reference_;
  const ima::List& list_;
  const size_t entries_;
  const uint64_t first_entry_;
  const ImaContext& context_;
  const PolicyTrace expected_, actual_;
  const Severity unlisted_severity_;
  std::vector<Finding> found_;
};

}  // namespace

ImaComparison CompareIma(const Reference& reference, const ima::List& list, size_t entries,
                         const ImaProgress* before, ImaProgress* progress,
                         const ImaContext& context) {
  ImaComparison out;
  if (!reference.ima.present) return out;
  PolicyTrace earlier;
  if (before != nullptr) {
    const auto note = before->notes.find(kPolicyTraceNote);
    std::optional<PolicyTrace> trace;
    if (note != before->notes.end()) trace = DecodePolicyTrace(note->second);
    if (!trace.has_value()) {
      out.judge_whole = true;
      return out;
    }
    earlier = *std::move(trace);
  }
  ImaComparer comparer(reference.ima, list, entries, earlier,
                       before != nullptr ? before->entries : 0, context);
  out = comparer.Run(progress);
  out.judge_whole = before != nullptr && comparer.ChangesWhatWas(earlier);
  return out;
}

}  // namespace bootgate::gatekeeper::reference
