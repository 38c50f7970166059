// Which policy and which reference apply to a host, compiled once and shared by all hosts.
//
// The store says what is assigned; what was compiled is kept until anybody, an operator's verb in
// another process included, has written to the store. Any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gatekeeper/admission/set_shelf.h"
#include "gatekeeper/policy/policy.h"
#include "gatekeeper/reference/reference.h"
#include "gatekeeper/rollout/assignments.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::admission {

// What a host is judged by; null where nothing is assigned.
struct Rules {
  std::shared_ptr<const policy::Policy> policy;
  std::shared_ptr<const policy::Policy> candidate;  // reported on only
  std::string policy_signer_json;  // {"jwk": ...} of who signed `policy`; empty: nobody
  std::shared_ptr<const reference::Reference> reference;
  std::vector<SetPtr> sets;  // those that the reference names and that are here
};

class Catalog {
 public:
  // `set_folder`: where reference sets lie; empty: there are none.
  explicit Catalog(store::Store& store, std::string set_folder = "")
      : store_(store), sets_(std::move(set_folder)) {}

  // The most specific assignment wins: rollout/assignments.h.
  // STORE, POLICY_PARSE or REFERENCE_PARSE when what is assigned cannot be used: never "no policy".
  // A candidate that cannot be used is left out: it hurts nobody.
  absl::StatusOr<Rules> RulesFor(const std::map<std::string, std::string>& labels);

 private:
  struct Snapshot {
    int64_t change = -1;
    rollout::Assignments policies, references;
  };

  absl::Status Refresh();
  absl::StatusOr<std::shared_ptr<const policy::Policy>> PolicyOf(const std::string& id);
  std::shared_ptr<const policy::Policy> Candidate(const std::string& id);
  absl::StatusOr<std::string> SignerOf(const store::AssignmentRow& row);
  absl::StatusOr<std::shared_ptr<const reference::Reference>> ReferenceOf(const std::string& id);

  store::Store& store_;
  SetShelf sets_;
  std::mutex mutex_;
  Snapshot snapshot_;
  // Documents never change under one id, nor versions under one number: these are never stale.
  std::map<std::string, std::shared_ptr<const policy::Policy>> compiled_policies_;
  std::map<std::string, std::shared_ptr<const reference::Reference>> parsed_references_;
  std::map<std::string, std::string> signers_;  // NAME@VERSION -> policy_signer_json
};

}  // namespace bootgate::gatekeeper::admission
