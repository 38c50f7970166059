#include "gatekeeper/cli/archive_verify.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "gatekeeper/admission/judge_again.h"
#include "gatekeeper/cli/ima_set_files.h"
#include "gatekeeper/cli/operator.h"
#include "gatekeeper/incident/export.h"
#include "gatekeeper/incident/tar.h"

namespace bootgate::gatekeeper::cli {
namespace {

using Json = nlohmann::ordered_json;
using Parsed = nlohmann::json;  // what the archive says; finds a member of many in no time

constexpr size_t kMaxShownDifferences = 20;
constexpr size_t kMaxShownValue = 300;  // bytes

// One judgement, made again.
struct Again {
  std::string verdict_id;
  incident::FrozenJudgement frozen;
  std::string body;  // as judged now
  std::vector<std::string> differences;
  bool same() const { return body == frozen.verdict_json; }
};

std::string Shown(const Parsed& json) {
  return Printable(json.dump(-1, ' ', false, Parsed::error_handler_t::replace), kMaxShownValue);
}

// Elements of `a` that are not in `b`, each as often as it is there.
std::vector<Parsed> Without(const Parsed& a, const Parsed& b) {
  std::vector<Parsed> left(b.begin(), b.end()), out;
  for (const Parsed& one : a) {
    const auto found = std::ranges::find(left, one);
    if (found == left.end())
      out.push_back(one);
    else
      left.erase(found);
  }
  return out;
}

void CompareMember(const std::string& member, const Parsed& was, const Parsed& is,
                   std::vector<std::string>* out) {
  if (was == is) return;
  const std::string name = Printable(member, 64);  // the archive is anybody's
  if (!was.is_array() || !is.is_array()) {
    out->push_back(absl::StrCat(name, ": stored ", Shown(was), ", judged again ", Shown(is)));
    return;
  }
  const size_t before = out->size();
  for (const Parsed& one : Without(was, is))
    out->push_back(absl::StrCat(name, ": only in the stored verdict: ", Shown(one)));
  for (const Parsed& one : Without(is, was))
    out->push_back(absl::StrCat(name, ": only when judged again: ", Shown(one)));
  if (out->size() == before) out->push_back(absl::StrCat(name, ": in another order"));
}

std::vector<std::string> DifferencesOf(const std::string& was_text, const std::string& is_text) {
  std::vector<std::string> out;
  if (was_text == is_text) return out;
  const Parsed was = Parsed::parse(was_text, nullptr, false),
               is = Parsed::parse(is_text, nullptr, false);
  if (!was.is_object()) return {"the stored verdict is no JSON object"};
  for (const auto& [name, value] : was.items())
    CompareMember(name, value, is.contains(name) ? is[name] : Parsed(nullptr), &out);
  for (const auto& [name, value] : is.items()) {
    if (!was.contains(name)) CompareMember(name, Parsed(nullptr), value, &out);
  }
  if (out.empty()) out.push_back("the same content in other bytes (spaces, order of members)");
  return out;
}

absl::StatusOr<std::vector<admission::SetPtr>> SetsOf(const ArchiveVerifyOptions& options,
                                                      incident::IncidentArchive* archive) {
  std::vector<admission::SetPtr> sets;
  for (Bytes& bytes : archive->sets) {
    absl::StatusOr<admission::SetPtr> set = reference::ImaSet::FromBytes(std::move(bytes));
    if (!set.ok()) {
      return Malformed(Reason::kArchive,
                       absl::StrCat("a reference set in it: ", set.status().message()));
    }
    sets.push_back(*std::move(set));
  }
  for (const std::string& file : options.set_files) {
    BG_ASSIGN_OR_RETURN(const ReadSet read, ReadImaSet(file, reference::TrustedKeys()));
    sets.push_back(read.set);
  }
  return sets;
}

absl::StatusOr<Again> JudgeOne(const incident::ArchivedJudgement& archived,
                               const std::vector<admission::SetPtr>& sets) {
  Again again;
  again.verdict_id = archived.verdict_id;
  BG_ASSIGN_OR_RETURN(again.frozen, incident::Unpack(archived.parts));
  if (again.frozen.verdict_id != archived.verdict_id) {
    return Malformed(Reason::kArchive,
                     absl::StrCat("judgements/", archived.verdict_id, " holds the judgement of ",
                                  Printable(again.frozen.verdict_id, 64)));
  }
  BG_ASSIGN_OR_RETURN(admission::JudgedAgain judged, admission::JudgeAgain(again.frozen, sets));
  again.body = std::move(judged.verdict_json);
  again.differences = DifferencesOf(again.frozen.verdict_json, again.body);
  return again;
}

// What no evidence could prove again.
std::vector<std::string> TakenAsRecorded(const incident::FrozenJudgement& frozen) {
  std::vector<std::string> out;
  if (frozen.before.has_value()) {
    out.push_back(absl::StrCat("what the first ", frozen.before->entries,
                               " IMA entries said, which were admitted earlier in that boot"));
  }
  out.push_back("the TPM's counters and clock before this evidence, and published weaknesses");
  return out;
}

std::string DigestOf(const std::string& text) {
  return crypto::Hash(crypto::HashAlg::kSha256, AsBytes(text)).hex();
}

void PrintOne(const Again& again, std::ostream& out) {
  const incident::FrozenJudgement& frozen = again.frozen;
  out << FormatPairs({{"verdict", Printable(again.verdict_id, 64)},
                      {"judged at", FormatUtc(frozen.at)},
                      {"by", Printable(frozen.program, 64)},
                      {"host", Printable(frozen.host.id, 64)},
                      {"quote", "holds under the archived key, for these logs and this question"},
                      {"as recorded", absl::StrJoin(TakenAsRecorded(frozen), "; ")}});
  if (again.same()) {
    out << "The same verdict, byte for byte (" << again.body.size() << " bytes, SHA-256 "
        << DigestOf(again.body) << ").\n";
    return;
  }
  out << "ANOTHER VERDICT than the stored one:\n";
  for (size_t i = 0; i < again.differences.size() && i < kMaxShownDifferences; ++i)
    out << "  " << again.differences[i] << "\n";
  if (again.differences.size() > kMaxShownDifferences)
    out << "  and " << again.differences.size() - kMaxShownDifferences << " more\n";
  if (frozen.program != admission::Program()) {
    out << "It was judged by " << Printable(frozen.program, 64) << ", this is "
        << std::string(admission::Program()) << ": another version may see more.\n";
  }
}

Json ToJson(const Again& again) {
  return Json{{"verdict", again.verdict_id},
              {"host", again.frozen.host.id},
              {"judged_at", FormatUtc(again.frozen.at)},
              {"program", again.frozen.program},
              {"same", again.same()},
              {"stored_sha256", DigestOf(again.frozen.verdict_json)},
              {"again_sha256", DigestOf(again.body)},
              {"differences", again.differences},
              {"as_recorded", TakenAsRecorded(again.frozen)},
              {"body", again.body}};
}

void PrintAll(const incident::IncidentArchive& archive, const std::vector<Again>& judgements,
              OutputFormat format, std::ostream& out) {
  if (format == OutputFormat::kJson) {
    Json json = {{"incident", archive.incident_id},
                 {"host", archive.host_id},
                 {"judgements", Json::array()}};
    for (const Again& again : judgements) json["judgements"].push_back(ToJson(again));
    out << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
    return;
  }
  out << "incident " << Printable(archive.incident_id, 64) << " of host "
      << Printable(archive.host_id, 64) << "\n\n";
  for (const Again& again : judgements) {
    PrintOne(again, out);
    out << "\n";
  }
}

ExitCode Refused(const absl::Status& status, const incident::IncidentArchive* archive,
                 std::ostream& err) {
  Fail(err, status);
  if (ReasonOf(status) == Reason::kImaSetMissing) {
    err << "  give it with --set FILE";
    if (archive != nullptr && !archive->sets_left_out.empty())
      err << "; left out of the archive: "
          << Printable(absl::StrJoin(archive->sets_left_out, ", "), 4096);
    err << "\n";
    return ExitCode::kConflict;
  }
  // Whatever is wrong with evidence, it is no evidence.
  return ExitCode::kRejected;
}

}  // namespace

bool IsIncidentArchive(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

ExitCode RunArchiveVerify(const ArchiveVerifyOptions& options, std::ostream& out,
                          std::ostream& err) {
  const absl::StatusOr<Bytes> bytes = ReadFile(options.file, incident::kMaxArchive);
  if (!bytes.ok()) {
    Fail(err, bytes.status());
    return ExitCode::kUsage;
  }
  absl::StatusOr<incident::IncidentArchive> archive = incident::ReadIncidentArchive(*bytes);
  if (!archive.ok()) return Refused(archive.status(), nullptr, err);
  const absl::StatusOr<std::vector<admission::SetPtr>> sets = SetsOf(options, &*archive);
  if (!sets.ok()) {
    const ExitCode code = Refused(sets.status(), &*archive, err);
    return ReasonOf(sets.status()) == Reason::kArchive ? code : ExitCode::kUsage;
  }
  std::vector<Again> judgements;
  for (const incident::ArchivedJudgement& archived : archive->judgements) {
    absl::StatusOr<Again> again = JudgeOne(archived, *sets);
    if (!again.ok()) return Refused(again.status(), &*archive, err);
    judgements.push_back(*std::move(again));
  }
  PrintAll(*archive, judgements, options.format, out);
  if (judgements.empty()) {
    err << "The archive holds no judgement: an operator opened this incident.\n";
    return ExitCode::kNotFound;
  }
  const bool same = std::ranges::all_of(judgements, &Again::same);
  return same ? ExitCode::kSuccess : ExitCode::kDenied;
}

}  // namespace bootgate::gatekeeper::cli
