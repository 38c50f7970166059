#include "gatekeeper/incident/export.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/incident/tar.h"
#include "gatekeeper/incident/view.h"

namespace bootgate::gatekeeper::incident {
namespace {

using Json = nlohmann::ordered_json;
// What others wrote: finds a member of many in no time, where the ordered kind looks at each.
using Parsed = nlohmann::json;

constexpr char kFormat[] = "bootgate-incident/1";
constexpr char kManifest[] = "MANIFEST.json", kIncident[] = "incident.json";
constexpr char kJudgements[] = "judgements/", kSets[] = "sets/", kSetEnd[] = ".imaset";
constexpr size_t kMaxJson = size_t{16} << 20;  // bytes of manifest and incident

std::string DigestOf(ByteView bytes) { return crypto::Hash(crypto::HashAlg::kSha256, bytes).hex(); }

Bytes Dumped(const Json& json) {
  return ToBytes(AsBytes(json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"));
}

Json TimeOrNull(const std::optional<absl::Time>& time) {
  return time.has_value() ? Json(FormatUtc(*time)) : Json(nullptr);
}

Json IncidentJson(const Detail& detail) {
  const store::IncidentRow& row = detail.incident;
  Json json = {{"id", row.id},
               {"host", row.host_id},
               {"state", row.state},
               {"action", row.action},
               {"opened_at", FormatUtc(row.opened_at)},
               {"opened_by", row.opened_by},
               {"last_at", FormatUtc(row.last_at)},
               {"failures", row.failures},
               {"why", row.why},
               {"reasons", row.reasons},
               {"first_verdict", row.first_verdict_id},
               {"last_verdict", row.last_verdict_id},
               {"assignee", row.assignee},
               {"root_cause", row.root_cause},
               {"disposition", row.disposition},
               {"ticket", row.ticket},
               {"resolved_by", row.resolved_by},
               {"resolved_at", TimeOrNull(row.resolved_at)},
               {"approved_by", row.approved_by},
               {"approved_at", TimeOrNull(row.approved_at)},
               {"closed_at", TimeOrNull(row.closed_at)}};
  if (detail.host.has_value()) {
    json["hostname"] = Printable(detail.host->hostname);
    json["labels"] = detail.host->labels;
    // The key is the machine's name for life: it stands in frozen evidence alone.
    json["ek_sha256"] = DigestOf(detail.host->ek_public);
  }
  json["timeline"] = Json::array();
  for (const TimelineEntry& line : detail.timeline) {
    json["timeline"].push_back({{"at", FormatUtc(line.at)},
                                {"actor", line.actor},
                                {"kind", line.kind},
                                {"text", line.text}});
  }
  return json;
}

absl::Status Gone(const std::string& id) {
  return Refuse(absl::StatusCode::kNotFound, Reason::kEvidenceGone,
                absl::StrCat("the evidence of incident ", id, " is not kept any more"));
}

// Parts of before judgements were kept as a whole have no verdict before their name.
std::string MemberOf(const std::string& first_verdict, const std::string& part) {
  return part.find('/') == std::string::npos ? absl::StrCat(kJudgements, first_verdict, "/", part)
                                             : absl::StrCat(kJudgements, part);
}

absl::Status AddParts(store::Store& store, const Detail& detail, Members* members,
                      std::set<std::string>* sets) {
  if (detail.evidence.empty() && detail.incident.opened_by.empty()) return Gone(detail.incident.id);
  std::map<std::string, Parts> judgements;
  for (const auto& [part, digest] : detail.evidence) {
    absl::StatusOr<Bytes> bytes = store.GetBlob(digest);
    if (absl::IsNotFound(bytes.status())) return Gone(detail.incident.id);
    BG_RETURN_IF_ERROR(bytes.status());
    const size_t slash = part.find('/');
    if (slash != std::string::npos && part.substr(slash + 1) == kJudgementPart)
      judgements[part.substr(0, slash)][std::string(kJudgementPart)] = *bytes;
    (*members)[MemberOf(detail.incident.first_verdict_id, part)] = *std::move(bytes);
  }
  for (const auto& [verdict, parts] : judgements) {
    BG_ASSIGN_OR_RETURN(const std::vector<std::string> used, SetsOf(parts));
    sets->insert(used.begin(), used.end());
  }
  return absl::OkStatus();
}

// As many as fit; gives the ids of the others.
std::vector<std::string> AddSets(const std::set<std::string>& ids, const ExportOptions& options,
                                 Members* members) {
  std::vector<std::string> left_out;
  size_t left = options.max_set_bytes;
  for (const std::string& id : ids) {
    absl::StatusOr<Bytes> file =
        options.set_folder.empty()
            ? absl::NotFoundError("no folder")
            : ReadFile(absl::StrCat(options.set_folder, "/", id, kSetEnd), left);
    if (!file.ok() || DigestOf(*file) != id) {
      left_out.push_back(id);
      continue;
    }
    left -= file->size();
    (*members)[absl::StrCat(kSets, id, kSetEnd)] = *std::move(file);
  }
  return left_out;
}

Json ManifestOf(const Detail& detail, const Members& members,
                const std::vector<std::string>& left_out) {
  Json json = {{"format", kFormat},
               {"incident", detail.incident.id},
               {"host", detail.incident.host_id},
               {"sets_left_out", left_out},
               {"members", Json::array()}};
  for (const auto& [name, content] : members) {
    json["members"].push_back(
        {{"name", name}, {"size", content.size()}, {"sha256", DigestOf(content)}});
  }
  return json;
}

absl::Status Bad(absl::string_view what) { return Malformed(Reason::kArchive, what); }

std::string TextIn(const Parsed& json, const char* name) {
  const auto found = json.is_object() ? json.find(name) : json.end();
  return json.is_object() && found != json.end() && found->is_string() ? found->get<std::string>()
                                                                       : "";
}

absl::Status CheckMember(const Parsed& row, const Members& members, std::set<std::string>* named) {
  const std::string name = TextIn(row, "name"), shown = Printable(name, 128);
  const auto member = members.find(name);
  if (name == kManifest || member == members.end())
    return Bad(absl::StrCat("member ", shown, " of the manifest is missing"));
  if (!named->insert(name).second) return Bad(absl::StrCat(shown, " is in the manifest twice"));
  if (TextIn(row, "sha256") != DigestOf(member->second))
    return Bad(absl::StrCat("member ", shown, " was changed: its SHA-256 is not the manifest's"));
  return absl::OkStatus();
}

absl::Status CheckManifest(const Parsed& manifest, const Members& members) {
  if (TextIn(manifest, "format") != kFormat)
    return Bad(
        absl::StrCat("MANIFEST.json is of a format that this program does not know; it "
                     "reads ",
                     kFormat));
  const auto rows = manifest.find("members");
  if (rows == manifest.end() || !rows->is_array() || rows->size() > kMaxMembers)
    return Bad("MANIFEST.json lists no members");
  std::set<std::string> named;
  for (const Parsed& row : *rows) BG_RETURN_IF_ERROR(CheckMember(row, members, &named));
  for (const auto& [name, content] : members) {
    if (name != kManifest && !named.contains(name))
      return Bad(absl::StrCat("member ", name, " is not in the manifest"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Parsed> JsonMember(const Members& members, const char* name) {
  const auto found = members.find(name);
  if (found == members.end())
    return Bad(absl::StrCat("there is no ", name, ": this is no incident's archive"));
  if (found->second.size() > kMaxJson) return Bad(absl::StrCat(name, " is too large"));
  Parsed json = Parsed::parse(found->second.begin(), found->second.end(), nullptr, false);
  if (!json.is_object()) return Bad(absl::StrCat(name, " is no JSON object"));
  return json;
}

absl::Status Sort(Members members, IncidentArchive* out) {
  for (auto& [name, content] : members) {
    const absl::string_view path = name;
    if (path == kManifest || path == kIncident) continue;
    if (absl::StartsWith(path, kSets)) {
      out->sets.push_back(std::move(content));
      continue;
    }
    const absl::string_view rest =
        absl::StartsWith(path, kJudgements) ? path.substr(sizeof(kJudgements) - 1) : "";
    const size_t slash = rest.find('/');
    if (slash == absl::string_view::npos || rest.find('/', slash + 1) != absl::string_view::npos)
      return Bad(absl::StrCat("member ", name, " has no place in an incident's archive"));
    const std::string verdict(rest.substr(0, slash));
    if (out->judgements.empty() || out->judgements.back().verdict_id != verdict)
      out->judgements.push_back({.verdict_id = verdict, .parts = {}});
    out->judgements.back().parts[std::string(rest.substr(slash + 1))] = std::move(content);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Exported> ExportIncident(store::Store& store, const std::string& id, const Act& act,
                                        const ExportOptions& options) {
  BG_ASSIGN_OR_RETURN(const Detail detail, Get(store, id));
  Members members;
  std::set<std::string> sets;
  BG_RETURN_IF_ERROR(AddParts(store, detail, &members, &sets));
  Exported exported;
  exported.sets_left_out = AddSets(sets, options, &members);
  members[kIncident] = Dumped(IncidentJson(detail));
  members[kManifest] = Dumped(ManifestOf(detail, members, exported.sets_left_out));
  BG_ASSIGN_OR_RETURN(exported.archive, WriteTar(members));
  BG_RETURN_IF_ERROR(store.PutAudit(
      audit::MakeRow(act.now, act.actor, "incident.export", id,
                     audit::Detail()
                         .Text("host", detail.incident.host_id)
                         .Number("bytes", static_cast<int64_t>(exported.archive.size()))
                         .Text("sha256", DigestOf(exported.archive)))));
  return exported;
}

absl::StatusOr<IncidentArchive> ReadIncidentArchive(ByteView archive) {
  BG_ASSIGN_OR_RETURN(Members members, ReadTar(archive));
  BG_ASSIGN_OR_RETURN(const Parsed manifest, JsonMember(members, kManifest));
  BG_RETURN_IF_ERROR(CheckManifest(manifest, members));
  BG_ASSIGN_OR_RETURN(const Parsed incident, JsonMember(members, kIncident));
  IncidentArchive out;
  const Bytes& text = members.at(kIncident);
  out.incident_json.assign(text.begin(), text.end());
  out.incident_id = TextIn(incident, "id");
  out.host_id = TextIn(incident, "host");
  if (const auto sets = manifest.find("sets_left_out");
      sets != manifest.end() && sets->is_array()) {
    for (const Parsed& set : *sets) {
      if (set.is_string()) out.sets_left_out.push_back(set.get<std::string>());
    }
  }
  BG_RETURN_IF_ERROR(Sort(std::move(members), &out));
  return out;
}

}  // namespace bootgate::gatekeeper::incident
