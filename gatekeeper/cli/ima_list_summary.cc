#include "gatekeeper/cli/ima_list_summary.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/base/hex.h"
#include "common/crypto/certificate_facts.h"
#include "common/ima/fields.h"

namespace bootgate::gatekeeper::cli {
namespace {

constexpr size_t kMaxName = 128;  // bytes
constexpr char kOthers[] = "(others)";

void Count(std::map<std::string, size_t>& counts, absl::string_view name) {
  const std::string text = Printable(name, kMaxName);
  const bool room = counts.size() < ImaListSummary::kMaxNames || counts.contains(text);
  ++counts[room ? text : kOthers];
}

std::string Said(const std::map<std::string, size_t>& counts) {
  return absl::StrJoin(counts, ", ", [](std::string* out, const auto& row) {
    absl::StrAppend(out, row.first, " (", row.second, ")");
  });
}

}  // namespace

bool IsProvenRecord(const ima::Entry& entry) {
  return !entry.violation && entry.HoldsBuffer() && ima::BufferDigestHolds(entry).value_or(false);
}

bool IsImaPolicy(const ima::Entry& entry) {
  return !entry.violation &&
         (absl::StartsWith(entry.path, "/etc/ima/") || entry.path == "ima-policy" ||
          absl::EndsWith(entry.path, "/ima-policy"));
}

void ImaListSummary::Add(const ima::Entry& entry) {
  ++entries_;
  Count(templates_, entry.template_name);
  Count(registers_, absl::StrCat(entry.register_index));
  if (entry.violation) {
    ++violations_;
    return;  // the rest of it is nobody's word
  }
  if (!entry.signature.empty() || !entry.appended_signature.empty()) ++signed_;
  if (!entry.digest_name.empty()) Count(digests_, entry.digest_name);
  if (IsImaPolicy(entry)) Count(policy_files_, entry.path);
  if (entry.HoldsBuffer()) {
    AddRecord(entry);
  } else if (entry.path == "boot_aggregate") {
    ++aggregates_;
  }
}

void ImaListSummary::AddRecord(const ima::Entry& entry) {
  if (!IsProvenRecord(entry)) return;
  if (entry.path == "kernel_version") {
    Count(kernels_, absl::StripSuffix(AsText(entry.buffer), absl::string_view("\0", 1)));
  } else if (crypto::ReadCertificateFacts(entry.buffer).has_value()) {
    Count(keyrings_, entry.path);
  } else {
    Count(records_, entry.path);
  }
}

std::vector<std::pair<std::string, std::string>> ImaListSummary::Lines() const {
  const auto or_none = [](const Counts& counts, const char* none) {
    return counts.empty() ? std::string(none) : Said(counts);
  };
  return {{"entries", absl::StrCat(entries_)},
          {"templates", Said(templates_)},
          {"registers", Said(registers_)},
          {"file digests", or_none(digests_, "none")},
          {"signed", absl::StrCat(signed_)},
          {"violations", absl::StrCat(violations_)},
          {"boot_aggregate", aggregates_ == 0   ? "missing"
                             : aggregates_ == 1 ? "once"
                                                : absl::StrCat(aggregates_, " times: kexec")},
          {"kernel", or_none(kernels_, "not measured (critical_data)")},
          {"keys", or_none(keyrings_, "not measured (func=KEY_CHECK)")},
          {"other records", or_none(records_, "none")},
          {"IMA policy", or_none(policy_files_, "not measured (func=POLICY_CHECK)")}};
}

}  // namespace bootgate::gatekeeper::cli
