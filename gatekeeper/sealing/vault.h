// The secrets that operators gave, for the hosts that their selectors fit.
//
// Of several secrets of one name the most specific selector wins, as with policies. What is removed
// stays in the store's history, encrypted, until `Rotate` drops the key it lies under.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/evidence/boot_secrets.h"
#include "gatekeeper/sealing/secret.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::sealing {

struct HostSecrets {
  evidence::Secrets all;     // for the sealed credential
  evidence::Secrets across;  // those of them that the host opens at its next start
  Bytes across_id;           // changes with their values; empty: there are none
};

// Who asks, as the audit log names him, and when.
struct Actor {
  std::string name;
  absl::Time at;
};

struct StandingSecret {
  SecretFacts facts;
  std::string key_id, document_id, author;
  absl::Time since;
  absl::Status broken;  // why it cannot be read; then only name and selector are known
};

// Any thread.
class Vault {
 public:
  // The store must outlive it.
  Vault(store::Store& store, std::string folder) : store_(store), folder_(std::move(folder)) {}

  // STORE, RECORD_CORRUPT, STATE_CORRUPT: a secret that the host should have cannot be read. It is
  // never left out in silence. kResourceExhausted: more than one host can be given.
  absl::StatusOr<HostSecrets> For(const std::string& host_id,
                                  const std::map<std::string, std::string>& labels);

  // In order of name and selector.
  absl::StatusOr<std::vector<StandingSecret>> List();
  // A new one, or another value for that of the same name and selector. A secret of each host's own
  // is given no value: it is made here. kInvalidArgument.
  absl::Status Put(const SecretFacts& facts, const SecretBytes& value, const Actor& actor);
  // kNotFound.
  absl::Status Remove(const SecretFacts& facts, const Actor& actor);
  // A new key, everything that stands encrypted under it, all older keys dropped. How many secrets.
  // Nothing is done while one of them cannot be read.
  absl::StatusOr<size_t> Rotate(const Actor& actor);

 private:
  struct Known {
    StandingSecret standing;
    SecretBytes opened;  // empty when broken
  };

  absl::Status Refresh();  // mutex_ is held
  absl::StatusOr<Known> Open(const store::AssignmentRow& row);
  Known OpenOrSayWhy(const store::AssignmentRow& row);
  absl::Status Store(const Secret& secret, const Actor& actor, absl::string_view action);

  store::Store& store_;
  const std::string folder_;
  std::mutex mutex_;
  int64_t change_ = -1;
  std::map<std::string, Known> known_;  // by slot
  std::vector<SecretKey> keys_;
};

}  // namespace bootgate::gatekeeper::sealing
