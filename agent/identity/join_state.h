// What the agent remembers of having joined: who its gatekeeper is, who it is, which EK it pinned.
//
// One JSON file in the state folder (0700), written atomically with mode 0600. Nothing in it is
// secret, but who could change it could point the agent elsewhere: a file that others own or may
// write, that is too long, or that is not exactly what we write is STATE_CORRUPT, and nothing of it
// is used.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/tpm/pinned_ek.h"
#include "agent/tpm/tpm.h"
#include "common/base/bytes_view.h"

namespace bootgate::agent::identity {

struct JoinState {
  std::string gatekeeper;   // "host:port"
  std::string server_name;  // empty: the host of `gatekeeper`
  std::string ca_pem;       // trust bundle: what certificates of this cluster must lead to
  std::string cluster_id;
  std::string host_id;
  tpm2::EkTemplate ek_template = tpm2::EkTemplate::kRsa2048Low;
  Bytes ek_name;  // pinned
  tpm::AkKind ak = tpm::AkKind::kEcc;
  Bytes ak_certificate;  // DER; empty: none was issued

  tpm::PinnedEk pinned_ek() const { return tpm::PinnedEk::FromName(ek_template, ek_name); }
};

absl::Status SaveJoinState(const std::string& state_folder, const JoinState& state);
// kNotFound: never joined. kDataLoss STATE_CORRUPT.
absl::StatusOr<JoinState> LoadJoinState(const std::string& state_folder);
// Forgets the enrolment, and the stored credential with it.
absl::Status RemoveState(const std::string& state_folder);

}  // namespace bootgate::agent::identity
