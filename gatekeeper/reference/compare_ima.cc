// Comparing what ran with what the reference knows.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "gatekeeper/claims/bounded_findings.h"
#include "gatekeeper/reference/file_digest.h"
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
              const PolicyTrace& earlier, uint64_t first_entry)
      : reference_(reference),
        list_(list),
        entries_(std::min(entries, list.entries().size())),
        first_entry_(first_entry),
        expected_(TraceOf(reference)),
        actual_(TraceOf(list, entries_, earlier)),
        unlisted_severity_(SeverityOfUnlisted()) {}

  std::vector<Finding> Run(ImaProgress* progress) {
    for (size_t i = 0; i < entries_; ++i) Compare(list_.entries()[i]);
    changed_.Close(Severity::kFail, &found_);
    unlisted_.Close(unlisted_severity_, &found_);
    if (progress != nullptr) {
      progress->findings.insert(progress->findings.end(), found_.begin(), found_.end());
      progress->notes[kPolicyTraceNote] = Encode(actual_);
    }
    if (expected_ != actual_) ReportPolicy();
    std::stable_sort(found_.begin(), found_.end(), [](const Finding& a, const Finding& b) {
      return (a.code == Reason::kImaDigest) > (b.code == Reason::kImaDigest);
    });
    return std::move(found_);
  }

  // Files that were not listed were passed with a warning as long as host and reference seemed to
  // run under different IMA policies. Now they do not.
  bool ChangesWhatWas(const PolicyTrace& earlier) const {
    return reference_.unlisted == Unlisted::kComparable && earlier != expected_ &&
           actual_ == expected_;
  }

 private:
  uint32_t NumberOf(const ima::Entry& entry) const {
    return static_cast<uint32_t>(first_entry_ + entry.number);
  }

  Severity SeverityOfUnlisted() const {
    switch (reference_.unlisted) {
      case Unlisted::kFail:
        return Severity::kFail;
      case Unlisted::kComparable:
        return expected_ == actual_ ? Severity::kFail : Severity::kWarning;
      case Unlisted::kWarn:
        return Severity::kWarning;
    }
    __builtin_unreachable();
  }

  void Compare(const ima::Entry& entry) {
    if (!IsComparable(entry)) return;
    const auto& table = IsBuffer(entry) ? reference_.buffers : reference_.files;
    const auto known = table.find(std::string(entry.path));
    if (known == table.end()) {
      ReportUnlisted(entry);
    } else if (!known->second.contains(FileDigest(entry))) {
      ReportDigest(entry, known->second);
    }
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

  void ReportDigest(const ima::Entry& entry, const std::set<std::string>& known) {
    if (!changed_.Take(Reason::kImaDigest)) return;
    Finding& finding = Add(
        Reason::kImaDigest, Severity::kFail,
        absl::StrCat(IsBuffer(entry) ? "The kernel's record " : "", Printable(entry.path, kMaxPath),
                     " has other content than in the reference."));
    finding.event = NumberOf(entry);
    finding.expected = Printable(absl::StrJoin(known, " or "));
    finding.actual = FileDigest(entry);
  }

  void ReportUnlisted(const ima::Entry& entry) {
    if (!unlisted_.Take(Reason::kImaUnlisted)) return;
    Finding& finding =
        Add(Reason::kImaUnlisted, unlisted_severity_,
            absl::StrCat(IsBuffer(entry) ? "The kernel's record " : "",
                         Printable(entry.path, kMaxPath), " is not in the reference."));
    finding.event = NumberOf(entry);
    finding.actual = FileDigest(entry);
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
  const PolicyTrace expected_, actual_;
  const Severity unlisted_severity_;
  BoundedFindings changed_, unlisted_;
  std::vector<Finding> found_;
};

}  // namespace

ImaComparison CompareIma(const Reference& reference, const ima::List& list, size_t entries,
                         const ImaProgress* before, ImaProgress* progress) {
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
                       before != nullptr ? before->entries : 0);
  out.judge_whole = before != nullptr && comparer.ChangesWhatWas(earlier);
  out.findings = comparer.Run(progress);
  return out;
}

}  // namespace bootgate::gatekeeper::reference
