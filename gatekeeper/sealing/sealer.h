// Secrets for a host that was admitted: what goes into its sealed credential, and what it opens at
// its next start.
//
// The second is sealed to its EK under TPM2_PolicyAuthorize; with it go approvals of the state that
// was just admitted and of those that operators approved in advance. The cap register counts with
// its start value: in a boot in which it was extended nothing of this opens any more.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/evidence/boot_secrets.h"
#include "common/tpm2/quote.h"
#include "gatekeeper/sealing/approval.h"
#include "gatekeeper/sealing/vault.h"

namespace bootgate::gatekeeper::sealing {

struct Options {
  std::string folder;              // of the keys: key_folder.h
  registers::Selection selection;  // what secrets across boots are bound to
  std::optional<uint32_t> cap_register;
};

// The registers of states: the selection, and in its banks the cap register.
registers::Selection StateSelection(const Options& options);

// The PolicyPCR digest of the state that `banks` show, the cap register at its start. kInternal: a
// register has no value.
absl::StatusOr<Bytes> StateOf(const Options& options,
                              const std::vector<registers::RegisterBank>& banks);

struct AdmittedHost {
  std::string host_id;
  const tpm2::Public& ek;
  const tpm2::QuotedPcrs& quoted;
  ByteView boot_log;
  ByteView held;  // content_id of what it says it holds
  absl::Time now;
};

// Any thread.
class Sealer {
 public:
  // Makes the approving key when there is none. The store must outlive it.
  static absl::StatusOr<std::unique_ptr<Sealer>> Open(Options options, store::Store& store);

  // Before the verdict is committed: Vault::For.
  absl::StatusOr<HostSecrets> SecretsFor(const std::string& host_id,
                                         const std::map<std::string, std::string>& labels) {
    return vault_.For(host_id, labels);
  }

  // Made before the verdict is committed, sent after. nullopt: the host has none. Without what the
  // host holds already.
  absl::StatusOr<std::optional<evidence::BootSecrets>> Seal(const AdmittedHost& host,
                                                            const HostSecrets& secrets);

  // After the commit of an ADMIT, for hosts that were sealed something: what operators predict
  // from.
  absl::Status Remember(const AdmittedHost& host);

 private:
  Sealer(Options options, store::Store& store, std::shared_ptr<const pki::KeyHolder> key,
         Bytes key_area, Bytes key_name);
  absl::Status Refresh();  // mutex_ is held
  // All that stand for this host and its registers, the newest first, and its generation.
  struct Standing {
    uint32_t generation = 1;
    std::vector<Bytes> states;
  };
  absl::StatusOr<Standing> StandingFor(const std::string& host_id, absl::Time now);
  // Asks the key's holder once for each state: tokens and TPMs are slow.
  absl::StatusOr<Bytes> Approve(const Bytes& state, const Bytes& ref);
  absl::Status SealTo(const tpm2::Public& ek, const std::string& host_id,
                      const HostSecrets& secrets, evidence::BootSecrets* out) const;

  const Options options_;
  const registers::Selection state_selection_;
  store::Store& store_;
  const std::shared_ptr<const pki::KeyHolder> key_;
  const Bytes key_area_, key_name_;
  Vault vault_;
  std::mutex mutex_;
  int64_t change_ = -1;
  std::vector<RecordedApproval> approvals_;
  std::map<std::string, absl::StatusOr<Approval>> read_;  // documents never change under one id
  std::map<std::pair<Bytes, Bytes>, Bytes> signed_;       // state, reference -> signature
  std::map<std::string, Bytes> remembered_;               // host id -> digest of its boot state
};

}  // namespace bootgate::gatekeeper::sealing
