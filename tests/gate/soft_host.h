// Test only: a whole host in software: TPM keys, registers, logs of a captured boot, and what an
// honest agent makes of them. It speaks to anything that is a GatekeeperClient.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/client/gatekeeper_client.h"
#include "common/crypto/private_key.h"
#include "common/evidence/evidence.h"
#include "common/evidence/sealed_payload.h"
#include "common/tpm2/soft_tpm/soft_ak.h"
#include "common/tpm2/soft_tpm/soft_storage_key.h"
#include "gatekeeper/enroll/test_ca.h"
#include "tests/gate/captured_case.h"

namespace bootgate::gate {

struct JoinToken {
  std::string id, secret;
};

class SoftHost {
 public:
  // A machine whose EK the vendor has certified, booted as the captured case.
  explicit SoftHost(const gatekeeper::enroll::TestCa& vendor, CapturedCase boot = LoadCase("good"));

  // Another machine with a copy of this TPM: keys, counters and clock; and of the same boot.
  SoftHost Clone(const gatekeeper::enroll::TestCa& vendor) const;

  std::string id() const;
  Bytes ak_name() const { return ak.area().Name(); }

  // ---- enrolment
  agent::JoinRequest JoinRequest(const JoinToken& token) const;
  // What the TPM opens; an error when the challenge is for another TPM or AK.
  absl::StatusOr<SecretBytes> Activate(const agent::ActivationChallenge& challenge) const;
  absl::StatusOr<agent::JoinAnswer> Join(agent::GatekeeperClient& gatekeeper,
                                         const JoinToken& token) const;

  // ---- attestation
  // Genuine evidence: the list before the quote (all of it, unless sends_only_new), the identity
  // key certified. The clock moves on by a second.
  evidence::Evidence Answer(const agent::Challenge& challenge);
  // Quote (and certification) anew, over the evidence's logs as they are now: what a host that
  // controls its own logs, but not its TPM, can do.
  void Sign(const agent::Challenge& challenge, evidence::Evidence* evidence) const;
  absl::StatusOr<agent::Challenge> Ask(agent::GatekeeperClient& gatekeeper) const;
  // Ask, Answer, Submit.
  absl::StatusOr<agent::AttestAnswer> Attest(agent::GatekeeperClient& gatekeeper);

  // The registers of a selection as the TPM has them now.
  std::vector<registers::RegisterBank> Registers(const registers::Selection& selection) const;
  Bytes PolicyOver(const registers::Selection& selection) const;  // PolicyPCR, as of now

  // ---- credentials
  // As the TPM: an error unless the object's policy is PolicyPCR over the registers as they are
  // now.
  absl::StatusOr<evidence::SealedPayload> Unseal(const agent::SealedCredential& sealed) const;
  void Extend(uint32_t index);  // in all banks

  // Runs a file: one more entry in the list, and PCR 10 extended.
  void Measure(absl::string_view path, absl::string_view content = "content");

  // A new boot of the same case, or of another: a new reset count and a new kernel boot id.
  void Reboot() { Reboot(LoadCase("good")); }
  void Reboot(CapturedCase boot);

  tpm2::soft_tpm::SoftStorageKey ek;
  tpm2::soft_tpm::SoftAk ak;
  crypto::PrivateKey identity;
  Bytes ek_certificate;
  CapturedCase boot;
  bool sends_only_new = false;  // of its IMA list what was asked for, as the agent does
  tpm2::ClockInfo clock = {.clock_ms = 100'000, .reset_count = 7, .restart_count = 0, .safe = true};
  uint64_t firmware_version = tpm2::soft_tpm::AttestFields().firmware_version;
  evidence::HostFacts facts = {.hostname = "soft",
                               .kernel_release = "6.1",
                               .os_release = "test",
                               .agent_version = "1",
                               .boot_id = "b"};
};

}  // namespace bootgate::gate
