// What others are told of our revocations: a CRL for each issuing CA and each root, OCSP answers,
// CA certificates.
//
// Freshness: what the store says is revoked is in the CRL within half a second, and in OCSP answers
// at once. A thread looks at the store's change counter ten times a second, reads what is new, and
// makes new lists, at most four times a second and never more than half of the time. CRLs and CA
// certificates are served from memory. OCSP asks the store for the serial: it is the only one who
// knows that a certificate was ever issued.
//
// Of a CA that is tainted everything is revoked, and was from the first: its CRL lists all
// credentials that it signed and that have not expired, operators' certificates, too; OCSP says so
// of every serial. Of certificates that are not in the store (servers', tokens') its CRL has no
// line.
//
// A root's list names the tainted CAs below it. It is made here where the root's key is here, which
// is opened for that alone; else the one that was brought is told (pki/root_crl.h), or none.
//
// CRL numbers rise (crl_numbers.h).
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "gatekeeper/revocation/crl_numbers.h"
#include "gatekeeper/revocation/ledger.h"
#include "gatekeeper/store/store.h"
#include "pki/authority.h"
#include "pki/ocsp_responder.h"

namespace bootgate::gatekeeper::revocation {

struct Options {
  absl::Duration crl_lifetime = absl::Hours(1);  // a new one is made when half of it is over
  absl::Duration ocsp_lifetime = absl::Minutes(5);
  std::string numbers_file = {};  // of CRLs given so far; "": they are forgotten at the end
};

// Something small that is served as it lies here.
struct File {
  std::shared_ptr<const std::string> body;
  std::string tag;     // changes with the body: for an ETag
  absl::Time ends_at;  // not worth anything from then on
};

// Every list that holds, one after the other in PEM: for those who want them in one file.
inline constexpr char kAllLists[] = "all.pem";

struct OcspReply {
  std::string body;          // an OCSPResponse, in DER
  bool may_be_kept = false;  // no nonce in it, and no error
  absl::Duration kept_for;   // by caches, which know nothing of the state of the store
};

// For monitoring.
struct Figures {
  absl::Time oldest_crl;  // made here; InfiniteFuture: there is none
  int64_t crl_entries = 0;
  int64_t crls_made = 0;
  std::map<std::string, int64_t> ocsp_answers;  // by status: "good", "revoked", "unknown", "error"
};

class Publisher {
 public:
  // All references must outlive it.
  Publisher(store::Store& store, const pki::Authority& authority, const Clock& clock,
            const Options& options = {});
  ~Publisher();

  // Looks once, and makes the lists that are wanted. The thread does nothing else. An error leaves
  // what is published as it was. STORE, CA, CA_KEY.
  absl::Status Refresh();
  // Has a thread look from now on; call once. Failures are logged, and tried again.
  void Start();
  void Stop();

  // By file name: pki::CrlFileName, the same with ".pem", pki::CertificateFileName; kAllLists.
  std::optional<File> Find(const std::string& name) const;
  OcspReply Ocsp(ByteView request);
  Figures figures() const;

 private:
  struct List {
    pki::IssuerPtr issuer;
    std::vector<pki::RevokedCertificate> cas = {};  // a root's: what was known then
    std::string brought = {};                       // a root's: what it was read from, if it was
    File der = {}, pem = {};
    absl::Time made_at, renew_at;
    int64_t entries = 0;

    // It need not be made anew for the mere passing of time, or for another state of the CA.
    bool Holds(const pki::Issuer& now_is, absl::Time now) const;
  };
  // What is published; never changed once it is.
  struct Published {
    std::vector<List> lists;  // one for each issuer; then those of roots
    std::map<std::string, File> files;

    const List* Of(const pki::Issuer& issuer) const;  // nullptr: none
  };
  struct Answering {
    pki::IssuerPtr issuer;
    pki::OcspResponder responder;
  };

  void Watch(std::stop_token stop);
  absl::StatusOr<List> MakeList(const pki::IssuerPtr& issuer, absl::Time now);
  absl::StatusOr<List> MakeRootList(const pki::RootCa& root, absl::Time now);
  absl::StatusOr<List> Sign(const pki::IssuerPtr& issuer, const pki::CertificateSigner& signer,
                            std::vector<pki::RevokedCertificate> revoked, absl::Time now);
  // Those of the roots, as they were where nothing is new.
  absl::Status AddRootLists(const Published& old, absl::Time now, std::vector<List>* lists,
                            int64_t* made);
  // Everything that a tainted CA signed and that has not expired.
  absl::StatusOr<std::vector<pki::RevokedCertificate>> AllBelow(const pki::Issuer& issuer,
                                                                absl::Time now);
  absl::Status LoadNumbersOnce();
  void Publish(std::vector<List> lists, int64_t made, absl::Time now);
  std::shared_ptr<const Published> published() const;

  // One for each, and none for others.
  absl::Status KeepResponders(const std::vector<pki::IssuerPtr>& issuers, absl::Time now);
  // Who answers for the first of them that is ours; nullptr: none is.
  std::shared_ptr<const Answering> AnswererFor(const pki::OcspRequest& request) const;
  absl::StatusOr<pki::OcspAnswer> StateOf(const pki::OcspCertId& id, const pki::Issuer& issuer);
  // Of a serial that no host has.
  absl::StatusOr<pki::OcspAnswer> OperatorsStateOf(const pki::OcspCertId& id,
                                                   const pki::Issuer& issuer);
  absl::StatusOr<std::vector<pki::OcspAnswer>> StatesOf(const pki::OcspRequest& request,
                                                        const Answering& answering);
  OcspReply Failed(pki::OcspError error);
  void Count(const char* status);

  store::Store& store_;
  const pki::Authority& authority_;
  const Clock& clock_;
  const Options options_;

  std::mutex refresh_mutex_;
  Ledger ledger_;                   // under refresh_mutex_
  CrlNumbers numbers_;              // under refresh_mutex_
  bool numbers_loaded_ = false;     // under refresh_mutex_
  std::optional<int64_t> counter_;  // of the store when it was read
  std::set<std::string> news_;      // as Ledger::CatchUp says, and not published yet
  absl::Time roots_failed_at_ = absl::InfinitePast();  // under refresh_mutex_

  mutable std::mutex mutex_;
  std::shared_ptr<const Published> published_;                         // under mutex_
  std::map<std::string, std::shared_ptr<const Answering>> answering_;  // by issuer; under mutex_
  std::map<std::string, int64_t> answers_;                             // under mutex_
  int64_t crls_made_ = 0;                                              // under mutex_

  std::mutex wait_mutex_;
  std::condition_variable_any wake_;
  std::jthread watcher_;  // last
};

}  // namespace bootgate::gatekeeper::revocation
