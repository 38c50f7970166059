// What an operator does to the CAs of a folder: make them, prepare the next one, let it sign,
// taint.
//
// Each step checks first, writes keys and certificates, and replaces ca.toml last: it is taken or
// it is not. A running gatekeeper takes it over within a second (Authority::Refresh). Steps wait
// for nobody: kAborted when another one is being taken.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "pki/ca_folder.h"

namespace bootgate::pki {

enum class RootAt {
  kHere,      // made here, key in the folder
  kOffline,   // made here, key and certificate written elsewhere, the key not into the folder
  kUpstream,  // another CA's: requests go out, chains come in
};

struct CaPlan {
  std::string folder, cluster_id, trust_domain;
  RootAt root = RootAt::kHere;
  std::string root_out;      // kOffline: an empty folder, to be taken away
  SecretSource root_secret;  // passphrase of the root's key file
  // Of the issuing CAs' keys: where; file names and labels are made from the CA's id, put behind
  // `label` when there is one.
  KeySpec key = {.kind = KeySpec::Kind::kFile};
  absl::Duration root_lifetime = absl::Hours(24 * 3650);
  absl::Duration issuing_lifetime = absl::Hours(24 * 730);
};

// One CA as a step has left it.
struct CaStep {
  CaRecord ca;
  std::string request_pem;  // kRequested: to be signed elsewhere
  std::string replaced;     // id of the CA that signed until now; may be empty
};

// A root and an issuing CA for each use; upstream: keys and requests for them.
// kAlreadyExists: the folder has CAs. kInvalidArgument, CA_KEY.
absl::StatusOr<std::vector<CaStep>> CreateCas(const CaPlan& plan, absl::Time now);

// The next CA for `use`, below the root that signs now; it signs nothing before it is activated.
// Its key is where `key` says, else where the key of the present one is. kFailedPrecondition: the
// root's key is not here (request one instead). CA_KEY.
absl::StatusOr<CaStep> RotateCa(const std::string& folder, CaUse use,
                                const std::optional<KeySpec>& key, absl::Duration lifetime,
                                absl::Time now);
// The next root: in the trust bundle from now on, signs once activated.
absl::StatusOr<CaStep> RotateRoot(const std::string& folder, const SecretSource& secret,
                                  absl::Duration lifetime, absl::Time now);

// A key and a request for an issuing CA that another CA is to certify.
absl::StatusOr<CaStep> RequestCa(const std::string& folder, const std::set<CaUse>& uses,
                                 const std::optional<KeySpec>& key, absl::Time now);
// The answer: issuing CA, those between, root (PEM). It is checked as a whole, then prepared; where
// nothing signs for its uses yet, it does so at once. CA says what is wrong. kNotFound: nothing was
// requested for this key.
absl::StatusOr<CaStep> InstallChain(const std::string& folder, absl::string_view pem,
                                    absl::Time now);

// Signs a request with a root whose folder has root.pem and root.key: an offline root's part. PEM
// of issuing CA and root.
struct RequestSigning {
  std::string root_folder;
  SecretSource root_secret;
  std::set<CaUse> uses;
  absl::Duration lifetime = absl::Hours(24 * 730);
};
absl::StatusOr<std::string> SignCaRequest(const RequestSigning& signing, absl::string_view request,
                                          absl::Time now);

// It signs from now on; the one before is retired. kNotFound; kFailedPrecondition: not prepared.
absl::StatusOr<CaStep> ActivateCa(const std::string& folder, const std::string& id, absl::Time now);

// Nothing below it is believed any more. A prepared CA for the same uses takes its place at once.
absl::StatusOr<CaStep> TaintCa(const std::string& folder, const std::string& id,
                               const std::string& why, absl::Time now);

// Forgets a CA that nobody needs any more, with its files: one whose certificate has expired and
// that is not active, or a request that was never answered. A key in a token or a persistent one in
// a TPM stays where it is. kNotFound; kFailedPrecondition: its list is still asked for, or it
// signs, or a CA below it is still kept.
absl::StatusOr<CaStep> RemoveCa(const std::string& folder, const std::string& id, absl::Time now);

// Lower-case hex; empty while there is no certificate.
std::string KeyIdOfCa(const CaFolder& folder, const CaRecord& ca);

}  // namespace bootgate::pki
