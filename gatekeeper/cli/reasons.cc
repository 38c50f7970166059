#include "gatekeeper/cli/reasons.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "common/base/no_such_code.h"
#include "common/base/reason.h"

namespace bootgate::gatekeeper::cli {
namespace {

nlohmann::ordered_json ToJson(const ReasonInfo& row) {
  return {{"code", std::string(row.code)},
          {"outcome", std::string(Name(row.outcome))},
          {"meaning", std::string(row.meaning)},
          {"way_out", std::string(row.way_out)}};
}

}  // namespace

ExitCode ReasonList(OutputFormat format, std::ostream& out) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  for (const ReasonInfo& row : AllReasons()) {
    json.push_back(ToJson(row));
    rows.push_back(
        {std::string(row.code), std::string(Name(row.outcome)), std::string(row.meaning)});
  }
  out << (format == OutputFormat::kJson ? json.dump(2) + "\n"
                                        : FormatTable({"CODE", "OUTCOME", "MEANING"}, rows));
  return ExitCode::kSuccess;
}

ExitCode ReasonShow(const std::string& code, OutputFormat format, std::ostream& out,
                    std::ostream& err) {
  const std::optional<Reason> reason = ReasonFromCode(code);
  if (!reason.has_value()) {
    err << "error: " << NoSuchCode(code) << "\n";
    return ExitCode::kNotFound;
  }
  const ReasonInfo& row = Info(*reason);
  out << (format == OutputFormat::kJson ? ToJson(row).dump(2) + "\n"
                                        : FormatPairs({{"code", std::string(row.code)},
                                                       {"outcome", std::string(Name(row.outcome))},
                                                       {"meaning", std::string(row.meaning)},
                                                       {"way out", std::string(row.way_out)}}));
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
