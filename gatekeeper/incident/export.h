// An incident as one file: a plain ustar archive, the same bytes for the same incident.
//
//   MANIFEST.json                  names, sizes and SHA-256 of all other members
//   incident.json                  the incident, its host, its timeline
//   judgements/VERDICT/PART        of each frozen judgement: frozen_judgement.h
//   sets/ID.imaset                 the reference sets that a judgement used, as far as they fit
//
// A set is put in when it is here and all of them fit into `max_set_bytes`: an archive that can be
// judged alone is worth its size, but the set of a whole distribution in each of a hundred archives
// is not. What is left out is named in the manifest, and `evidence verify --set FILE` takes it.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gatekeeper/incident/frozen_judgement.h"
#include "gatekeeper/incident/lifecycle.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::incident {

struct ExportOptions {
  std::string set_folder;  // where reference sets lie; empty: there are none
  size_t max_set_bytes = size_t{64} << 20;
};

struct Exported {
  Bytes archive;
  std::vector<std::string> sets_left_out;  // ids
};

// Written to the audit trail: evidence tells what a host runs. INCIDENT_UNKNOWN; EVIDENCE_GONE when
// what was frozen has been removed after its time.
absl::StatusOr<Exported> ExportIncident(store::Store& store, const std::string& id, const Act& act,
                                        const ExportOptions& options);

struct ArchivedJudgement {
  std::string verdict_id;
  Parts parts;
};

struct IncidentArchive {
  std::string incident_json;
  std::string incident_id, host_id;
  std::vector<ArchivedJudgement> judgements;  // in order of the verdicts' ids
  std::vector<Bytes> sets;
  std::vector<std::string> sets_left_out;
};

// kInvalidArgument with ARCHIVE says which member is not what the manifest promises, or what is
// wrong with the archive.
absl::StatusOr<IncidentArchive> ReadIncidentArchive(ByteView archive);

}  // namespace bootgate::gatekeeper::incident
