// The CAs of a folder, checked and with their keys opened: what an Authority signs with until the
// folder changes.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/crypto/hash.h"
#include "pki/ca_folder.h"
#include "pki/issuer.h"
#include "pki/root_crl.h"

namespace bootgate::pki {

// An issuing CA that signs, and what its certificates have in common, encoded once.
struct SigningCa {
  IssuerPtr issuer;
  Bytes host_extensions, server_extensions, token_extensions, operator_extensions;
  Bytes ak_extensions, ak_extensions_ek_certificate, ak_extensions_cloud_ak;
};

struct TrustBundle {
  std::string pem;
  crypto::Digest sha256;  // of `pem`
};

struct CaSnapshot {
  std::string trust_domain;
  std::string roots_pem;                       // those believed; the one that signs first
  std::map<std::string, std::string> root_of;  // id of an issuing CA -> its root (PEM)
  std::string all_pem;                         // every CA of the folder, tainted ones too
  std::vector<IssuerPtr> issuers;              // those that sign first
  std::vector<RootCa> roots;                   // tainted ones too; none without a key identifier
  std::map<CaUse, std::shared_ptr<const SigningCa>> signing;
  std::set<std::string> tainted;  // key ids, lower-case hex
  std::shared_ptr<const TrustBundle> bundle;
};

// Errors name the file. kNotFound: no CA here, or a file that must be there is not. CA:
// certificates that do not belong together or are not valid at `now`. CA_KEY: a key that signs
// cannot be used. Keys that `before` has open are taken from there. A CA that signs no more does no
// harm by what is wrong with it: it is left out, or has no signer. `tainted_elsewhere`: key ids
// (lower-case hex) of CAs that are tainted whatever the folder says.
absl::StatusOr<std::shared_ptr<const CaSnapshot>> LoadSnapshot(
    const CaFolder& folder, const StatusUrls& urls, absl::Time now, const CaSnapshot* before,
    const std::set<std::string>& tainted_elsewhere = {});

}  // namespace bootgate::pki
