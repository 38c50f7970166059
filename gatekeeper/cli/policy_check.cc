#include "gatekeeper/cli/policy_check.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "gatekeeper/cli/operator.h"
#include "gatekeeper/policy/format_error.h"
#include "gatekeeper/policy/limits.h"
#include "gatekeeper/policy/lint.h"
#include "gatekeeper/policy/policy.h"

namespace bootgate::gatekeeper::cli {
namespace {

using Json = nlohmann::ordered_json;

// One file, read.
struct Checked {
  std::string file, text;
  std::optional<policy::Policy> policy;
  policy::ParseError error;               // without a policy
  std::vector<policy::Warning> findings;  // of the linter

  bool spotless() const { return policy && policy->warnings().empty() && findings.empty(); }
};

Checked Check(const std::string& file, std::string text) {
  Checked checked{.file = file, .text = std::move(text), .policy = {}, .error = {}, .findings = {}};
  checked.policy = policy::Policy::Read(checked.text, &checked.error);
  if (!checked.policy) return checked;
  checked.findings = policy::Lint(*checked.policy);
  if (auto problem = policy::ResettableProblem(*checked.policy, checked.findings)) {
    checked.error = *std::move(problem);
    checked.policy.reset();
  }
  return checked;
}

Json ToJson(const std::vector<policy::Warning>& warnings) {
  Json list = Json::array();
  for (const policy::Warning& warning : warnings) {
    list.push_back({{"code", warning.code},
                    {"line", warning.line},
                    {"column", warning.column},
                    {"message", warning.message}});
  }
  return list;
}

Json ToJson(const Checked& checked) {
  Json json = {{"file", checked.file}, {"ok", checked.policy.has_value()}};
  json["warnings"] = Json::array();
  json["findings"] = ToJson(checked.findings);
  if (checked.policy) {
    json["id"] = checked.policy->id();
    json["warnings"] = ToJson(checked.policy->warnings());
  } else {
    json["error"] = {{"kind", checked.error.kind},
                     {"line", checked.error.line},
                     {"column", checked.error.column},
                     {"message", checked.error.message}};
  }
  return json;
}

std::string Counted(size_t count, absl::string_view what) {
  if (count == 0) return "";
  return absl::StrCat(", ", count, " ", what, count == 1 ? "" : "s");
}

void Tell(const Checked& checked, std::ostream& out, std::ostream& err) {
  if (!checked.policy) {
    err << policy::FormatError(checked.file, checked.text, checked.error);
    return;
  }
  for (const auto* warnings : {&checked.policy->warnings(), &checked.findings}) {
    for (const policy::Warning& warning : *warnings) {
      out << policy::FormatWarning(checked.file, checked.text, warning);
    }
  }
  out << Printable(checked.file) << ": policy " << checked.policy->id().substr(0, 12) << " is fine"
      << Counted(checked.policy->warnings().size(), "warning")
      << Counted(checked.findings.size(), "finding") << "\n";
}

}  // namespace

ExitCode PolicyCheck(const PolicyCheckOptions& options, std::ostream& out, std::ostream& err) {
  std::vector<Checked> all;
  for (const std::string& file : options.files) {
    absl::StatusOr<std::string> text = ReadTextFile(file, policy::kMaxTextBytes);
    if (!text.ok()) return Fail(err, text.status());
    all.push_back(Check(file, *std::move(text)));
  }
  if (options.format == OutputFormat::kJson) {
    Json json = Json::array();
    for (const Checked& checked : all) json.push_back(ToJson(checked));
    if (all.size() == 1) json = Json(json[0]);
    out << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  } else {
    for (const Checked& checked : all) Tell(checked, out, err);
  }
  const bool fine = std::all_of(all.begin(), all.end(), [&](const Checked& checked) {
    return options.strict ? checked.spotless() : checked.policy.has_value();
  });
  return fine ? ExitCode::kSuccess : ExitCode::kUsage;
}

}  // namespace bootgate::gatekeeper::cli
