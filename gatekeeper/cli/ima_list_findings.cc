#include "gatekeeper/cli/ima_list_findings.h"

#include <nlohmann/json.hpp>

#include "common/base/hex.h"

namespace bootgate::gatekeeper::cli {
namespace {

constexpr size_t kMaxText = 512;  // bytes of one finding

nlohmann::ordered_json ToJson(const Finding& finding) {
  nlohmann::ordered_json json = {{"code", std::string(Code(finding.code))},
                                 {"severity", Name(finding.severity)}};
  if (finding.event) json["entry"] = *finding.event;
  if (finding.register_index) json["register"] = *finding.register_index;
  if (!finding.expected.empty()) json["expected"] = finding.expected;
  if (!finding.actual.empty()) json["actual"] = finding.actual;
  json["text"] = finding.text;
  return json;
}

}  // namespace

Finding FindingOf(const ima::Defect& defect) {
  Finding finding;
  finding.code = defect.reason;
  finding.event = defect.entry;
  finding.text = Printable(defect.text, kMaxText);
  return finding;
}

std::string FindingsJson(const std::vector<Finding>& findings) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) list.push_back(ToJson(finding));
  return list.dump();
}

}  // namespace bootgate::gatekeeper::cli
