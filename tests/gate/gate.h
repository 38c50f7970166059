// Test only: a gatekeeper's core in one process: store, CA, nonces, enroller, tokens, admission, on
// a clock that stands. No network, no TPM.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/client/gatekeeper_client.h"
#include "common/testing/fake_clock.h"
#include "gatekeeper/admission/admission.h"
#include "gatekeeper/enroll/enroller.h"
#include "gatekeeper/enroll/test_ca.h"
#include "gatekeeper/session/activation_book.h"
#include "gatekeeper/session/nonce_book.h"
#include "gatekeeper/store/store.h"
#include "gatekeeper/token/issuer.h"
#include "pki/authority.h"
#include "tests/gate/soft_host.h"

namespace bootgate::gate {

// Permits a host with a validated AK and Secure Boot on: the case "good" passes, "secure-boot-off"
// does not.
extern const char kSecureBootPolicy[];

inline constexpr char kIssuerUrl[] = "https://tokens.example";

struct GateOptions {
  registers::Selection selection = registers::ParseSelection("sha256:0-14").value();
  registers::Selection seal_selection = registers::ParseSelection("sha256:0-9,14").value();
  std::optional<uint32_t> cap_register;
  uint32_t runtime_extended = 0;  // mask
  int behind_limit = 5;
  gatekeeper::session::NonceOptions nonces;
  gatekeeper::session::ActivationOptions activations;
  gatekeeper::enroll::EkMode ek_mode = gatekeeper::enroll::EkMode::kChain;
  std::string advisories;  // JSON rows beside the table of published weaknesses that is built in
  bool deny_vulnerable_firmware = false;
  gatekeeper::softening::Actions actions;
  gatekeeper::quarantine::BrakeOptions brake = {.on = false};
  std::string policy = kSecureBootPolicy;  // empty: none is assigned
  // Puts something between the gatekeeper and its store.
  std::function<std::unique_ptr<gatekeeper::store::Store>(
      std::unique_ptr<gatekeeper::store::Store>)>
      wrap_store;
};

class Gate {
 public:
  explicit Gate(const GateOptions& options = {});
  ~Gate();

  // A new machine that has joined.
  SoftHost NewHost(const std::string& captured = "good");
  void AddToken(const JoinToken& token, int uses, bool approves = true);
  void AssignPolicy(const std::string& text);
  void AssignReference(const std::string& json);
  // The record as an operator's verb would change it.
  void ChangeHost(const std::string& id,
                  const std::function<void(gatekeeper::host::HostRecord&)>& change);

  gatekeeper::host::HostRecord Host(const std::string& id) { return store->GetHost(id).value(); }
  gatekeeper::host::Trust TrustOf(const std::string& id) { return Host(id).trust; }
  // All rows of the store, to prove that nothing was changed.
  std::string Dump() const;
  // The methods of the agents' port without the port; `peer` as TLS would have verified it.
  std::unique_ptr<agent::GatekeeperClient> Direct(gatekeeper::admission::Peer peer = {});

  // Has 1,000,000 uses and approves what joins with it.
  const JoinToken token = {"join", "join secret"};
  const std::string folder;
  testing::FakeClock clock;
  const gatekeeper::enroll::TestCa vendor;
  const std::unique_ptr<gatekeeper::store::Store> store;
  const pki::Authority authority;
  gatekeeper::session::ActivationBook activations;
  gatekeeper::enroll::Enroller enroller;
  gatekeeper::session::NonceBook nonces;
  const std::unique_ptr<gatekeeper::token::KeyRing> token_keys;
  gatekeeper::token::Issuer issuer;
  gatekeeper::enroll::EkRecheck ek_recheck;
  const gatekeeper::admission::Options admission_options;
  gatekeeper::admission::Admission admission;

 private:
  void AssignDocument(const std::string& kind, const std::string& text);
};

// As the agents' port would tell it.
agent::Challenge AsTold(const gatekeeper::admission::Challenge& challenge);
agent::AttestAnswer AsTold(const gatekeeper::admission::Decision& decision);

}  // namespace bootgate::gate
