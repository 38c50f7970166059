// An admitted host in good standing, and the proof that an attack left it so.
#pragma once

#include <string>

#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "common/tpm2/policy_digest.h"
#include "gmock/gmock.h"
#include "tests/gate/gate.h"

namespace bootgate::attack {

using gate::Gate;
using gate::GateOptions;
using gate::SoftHost;
using gatekeeper::host::Trust;
using testing::IsOk;
using testing::Refuses;

// A REJECT: one of its status codes, and a reason of that class. kOutOfRange, of a structure that
// was cut, becomes INVALID_ARGUMENT on the wire.
MATCHER_P(IsRejectedWith, reason, absl::StrCat("is rejected with ", Code(reason))) {
  const absl::Status& status = testing::StatusOf(arg);
  *result_listener << status.ToString();
  const bool fitting_code = absl::IsInvalidArgument(status) || absl::IsOutOfRange(status) ||
                            absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status);
  return fitting_code && ReasonOf(status) == reason &&
         Info(reason).outcome == OutcomeClass::kReject;
}

MATCHER_P(HasFinding, reason, absl::StrCat("has the finding ", Code(reason))) {
  for (const agent::DisclosedFinding& finding : arg.findings) {
    if (finding.code == Code(reason)) return true;
    *result_listener << finding.code << " ";
  }
  return false;
}

class Attack : public ::testing::Test {
 protected:
  Attack() : client_(gate_.Direct()), victim_(gate_.NewHost()) {}

  void SetUp() override {
    const absl::StatusOr<agent::AttestAnswer> admitted = victim_.Attest(*client_);
    ASSERT_THAT(admitted, IsOk());
    ASSERT_EQ(admitted->outcome, "ADMIT");
    untouched_ = gate_.Dump();
  }

  // Nothing in the store was changed since the victim was admitted, and it still gets through.
  void TearDown() override {
    if (!expect_untouched_) return;
    EXPECT_TRUE(gate_.Dump() == untouched_) << "an attack has changed the store";
    const absl::StatusOr<agent::AttestAnswer> admitted = victim_.Attest(*client_);
    ASSERT_THAT(admitted, IsOk());
    EXPECT_EQ(admitted->outcome, "ADMIT");
  }

  // For attacks that a host's own AK has signed: those may be DENY.
  void StoreMayChange() { expect_untouched_ = false; }

  agent::Challenge Challenge() { return victim_.Ask(*client_).value(); }

  // The qualifying data of genuine evidence.
  static Bytes DataOf(const SoftHost& host, const agent::Challenge& challenge,
                      const evidence::Evidence& evidence) {
    return evidence::QualifyingData({.nonce = challenge.nonce,
                                     .host_id = host.id(),
                                     .ak_name = host.ak_name(),
                                     .cluster_id = challenge.cluster_id,
                                     .boot_log = evidence.boot_log,
                                     .user_log = evidence.user_log,
                                     .ima_first_entry = evidence.ima.first_entry,
                                     .ima_count = evidence.ima.before_quote_count,
                                     .ima_before_quote = evidence.ima.before_quote,
                                     .statement = &evidence.statement});
  }

  // A genuine quote's fields, to be spoilt and signed by the victim's own AK.
  tpm2::soft_tpm::AttestFields QuoteFields(const agent::Challenge& challenge,
                                           const evidence::Evidence& evidence) const {
    const registers::Selection selection = registers::ParseSelection(challenge.selection).value();
    const auto digest =
        tpm2::PcrDigest(crypto::HashAlg::kSha256, selection, victim_.Registers(selection));
    tpm2::soft_tpm::AttestFields fields;
    fields.qualified_signer = victim_.ak.qualified_name();
    fields.extra_data = DataOf(victim_, challenge, evidence);
    fields.clock = victim_.clock;
    fields.body = tpm2::soft_tpm::QuoteBody(selection, digest.value().view());
    return fields;
  }

  void SignAs(const tpm2::soft_tpm::AttestFields& fields, evidence::Evidence* evidence) const {
    const tpm2::soft_tpm::SignedAttest made = victim_.ak.SignAttest(fields);
    evidence->quote.attest = made.attest;
    evidence->quote.signature = made.signature;
  }

  // The victim's evidence with a quote that its AK signed as `spoil` left it.
  template <typename Spoil>
  evidence::Evidence Spoilt(const Spoil& spoil) {
    const agent::Challenge challenge = Challenge();
    evidence::Evidence evidence = victim_.Answer(challenge);
    tpm2::soft_tpm::AttestFields fields = QuoteFields(challenge, evidence);
    spoil(fields);
    SignAs(fields, &evidence);
    return evidence;
  }

  Gate gate_;
  const std::unique_ptr<agent::GatekeeperClient> client_;
  SoftHost victim_;

 private:
  std::string untouched_;
  bool expect_untouched_ = true;
};

}  // namespace bootgate::attack
