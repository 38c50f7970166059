// The CA folder: which certificate authorities there are, in which state, and who holds their keys.
//
// One file, ca.toml, says it all and is replaced as a whole: a step is taken or not, and running
// gatekeepers see it. Certificates and key files lie beside it. A folder without ca.toml that has
// root.pem and issuing.pem is of the simple form: one issuing CA for everything.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "pki/issuer.h"
#include "pki/key_spec.h"

namespace bootgate::pki {

inline constexpr char kCaFile[] = "ca.toml";

struct CaRecord {
  enum class Kind { kRoot, kIssuing };
  enum class State {
    kRequested,  // its certificate is asked for elsewhere
    kPrepared,   // in the trust bundle, signs nothing yet
    kActive,     // signs
    kRetired,    // signs CRLs and OCSP answers alone; what it signed is good until it ends
    kTainted,    // nothing below it is believed any more
  };

  std::string id;  // "root-1", "hosts-2"; names its files
  Kind kind = Kind::kIssuing;
  State state = State::kPrepared;
  absl::Time since;         // of the state
  std::set<CaUse> uses;     // kIssuing: what its certificates may be for
  std::set<CaUse> signs;    // kActive: for which of them it is the one that signs
  std::string under;        // kIssuing: id of its root; empty while it is requested
  std::string certificate;  // file: the certificate, then those between it and the root (PEM)
  std::string request;      // kRequested: file with the PKCS #10 request
  std::string why;          // kTainted
  KeySpec key;
};
absl::string_view Name(CaRecord::State state);     // "requested", "prepared", ...
std::string NamesOf(const std::set<CaUse>& uses);  // "hosts, aks"; "-" for none

struct CaFolder {
  std::string folder, cluster_id, trust_domain;
  bool simple = false;  // there is no ca.toml
  std::vector<CaRecord> cas;

  const CaRecord* Find(absl::string_view id) const;
  CaRecord* Find(absl::string_view id);
  const CaRecord* SignerFor(CaUse use) const;  // null: none
  const CaRecord* ActiveRoot() const;          // null: none
  std::string PathOf(absl::string_view file) const;
  std::string NewId(absl::string_view word) const;  // "hosts-3"
};

// kNotFound: no CA here. CA names the file and what is wrong with it.
absl::StatusOr<CaFolder> LoadCaFolder(const std::string& folder);
// Replaces ca.toml; the folder is of the new form from now on.
absl::Status SaveCaFolder(const CaFolder& folder);

// Changes whenever a step was taken; "" when there is no CA at all.
std::string FingerprintOf(const std::string& folder);

// Held while a step is taken: two operators' verbs do not lose each other's.
class CaFolderLock {
 public:
  static absl::StatusOr<CaFolderLock> Take(const std::string& folder);
  CaFolderLock(CaFolderLock&& other) noexcept;
  CaFolderLock& operator=(CaFolderLock&&) = delete;
  ~CaFolderLock();

 private:
  explicit CaFolderLock(int fd) : fd_(fd) {}
  int fd_;
};

bool IsTrustDomain(absl::string_view text);  // SPIFFE ID, section 2.1
bool IsClusterId(absl::string_view text);

}  // namespace bootgate::pki
