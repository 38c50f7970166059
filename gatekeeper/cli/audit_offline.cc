#include "gatekeeper/cli/audit_offline.h"

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/audit/key_folder.h"
#include "gatekeeper/audit/trail_text.h"
#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMaxKeyBytes = size_t{1} << 20;

absl::Status InFile(const std::string& file, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(file, ": ", status.message()));
}

absl::Status Open(const std::string& file, std::ifstream* in) {
  in->open(file, std::ios::binary);
  if (in->good() && in->peek() != std::ifstream::traits_type::eof()) return absl::OkStatus();
  if (!FileExists(file)) return absl::NotFoundError(absl::StrCat(file, ": No such file"));
  return absl::InvalidArgumentError(absl::StrCat(file, ": empty, or not to be read"));
}

absl::StatusOr<audit::CheckpointKeys> ReadKeys(const std::vector<std::string>& files) {
  audit::CheckpointKeys out;
  for (const std::string& file : files) {
    BG_ASSIGN_OR_RETURN(const std::string pem, ReadTextFile(file, kMaxKeyBytes));
    absl::StatusOr<audit::CheckpointKeys> keys = audit::CheckpointKeysFromPem(pem);
    BG_RETURN_IF_ERROR(InFile(file, keys.status()));
    out.merge(*keys);
  }
  return out;
}

absl::StatusOr<audit::Verification> Verify(const AuditFiles& files) {
  BG_ASSIGN_OR_RETURN(const audit::CheckpointKeys keys, ReadKeys(files.keys));
  audit::KeptTrail kept;
  for (const std::string& file : files.checkpoints) {
    std::ifstream in;
    BG_RETURN_IF_ERROR(Open(file, &in));
    BG_RETURN_IF_ERROR(InFile(file, audit::ReadKept(in, &kept)));
  }
  const audit::CheckpointKeys* const known = files.keys.empty() ? nullptr : &keys;
  if (files.export_file == "-") return audit::VerifyText(std::cin, known, kept);
  std::ifstream in;
  BG_RETURN_IF_ERROR(Open(files.export_file, &in));
  absl::StatusOr<audit::Verification> found = audit::VerifyText(in, known, kept);
  if (found.ok()) return found;
  return InFile(files.export_file, found.status());
}

ordered_json ToJson(const audit::Verification& found) {
  ordered_json out = {{"intact", found.intact()},
                      {"rows", found.rows},
                      {"last", found.last},
                      {"checkpoints", found.checkpoints},
                      {"signatures_checked", found.signatures_checked},
                      {"kept_compared", found.kept},
                      {"problems", ordered_json::array()},
                      {"more_problems", found.more_problems}};
  for (const audit::Problem& problem : found.problems) {
    out["problems"].push_back({{"number", problem.number}, {"text", problem.text}});
  }
  return out;
}

void PrintWhole(const audit::Verification& found, std::ostream& out) {
  out << "the audit trail is whole: " << found.rows << " rows up to number " << found.last << ", "
      << found.checkpoints << " checkpoints"
      << (found.signatures_checked ? ", signed" : ", whose signatures were not checked (--key)");
  if (found.kept > 0) out << "; it meets " << found.kept << " that were kept elsewhere";
  out << "\n";
}

std::string Dump(const ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

ExitCode AuditVerifyFiles(const AuditFiles& files, OutputFormat format, std::ostream& out,
                          std::ostream& err) {
  const absl::StatusOr<audit::Verification> found = Verify(files);
  if (!found.ok()) return Fail(err, found.status());
  if (format == OutputFormat::kJson) {
    out << Dump(ToJson(*found));
  } else if (found->intact()) {
    PrintWhole(*found, out);
  }
  if (found->intact()) return ExitCode::kSuccess;
  for (const audit::Problem& problem : found->problems)
    err << Printable(problem.text, 1024) << "\n";
  if (found->more_problems) err << "and more\n";
  return Fail(err, audit::AsStatus(*found));
}

ExitCode AuditKeyShow(const std::string& folder, OutputFormat format, std::ostream& out,
                      std::ostream& err) {
  const absl::StatusOr<audit::CheckpointKeys> keys = audit::ReadCheckpointKeys(folder);
  if (!keys.ok()) return Fail(err, keys.status());
  if (keys->empty()) {
    return Fail(err,
                absl::NotFoundError(absl::StrCat("there is no key in ", folder,
                                                 " yet; the gatekeeper makes one when it starts")));
  }
  ordered_json json = ordered_json::array();
  for (const auto& [id, key] : *keys) {
    const std::string file = audit::PublicKeyFile(folder, id);
    const absl::StatusOr<std::string> pem = ReadTextFile(file, kMaxKeyBytes);
    if (!pem.ok()) return Fail(err, pem.status());
    json.push_back({{"key_id", id}, {"file", file}, {"public_key_pem", *pem}});
    if (format == OutputFormat::kTable) out << "key " << id << " (" << file << ")\n" << *pem;
  }
  if (format == OutputFormat::kJson) out << Dump(json);
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
