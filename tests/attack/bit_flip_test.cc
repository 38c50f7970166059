// A failure that is noticed must be a failure that counts: ten thousand random flips of one bit.
#include <random>
#include <span>

#include "common/cel/log_builder.h"
#include "common/testing/sanitizer.h"
#include "tests/attack/victim.h"

namespace bootgate::attack {
namespace {

// Ten thousand, in builds where one does not take as long as five do elsewhere.
constexpr int kFlips = testing::kAddressSanitizer ? 2'500 : 10'000, kJoinFlips = kFlips / 5;
constexpr uint64_t kSeed = 20'230'717;

struct Target {
  std::string name;
  std::span<uint8_t> bytes;
};

template <typename T>
std::span<uint8_t> BytesOf(T& value) {
  return {reinterpret_cast<uint8_t*>(&value), sizeof(value)};
}
std::span<uint8_t> BytesOf(std::string& text) {
  return {reinterpret_cast<uint8_t*>(text.data()), text.size()};
}

// All that a verdict or a credential hangs on. Not here: the host's facts, which nothing judges.
std::vector<Target> Targets(evidence::Evidence& e) {
  std::vector<Target> out = {{"host id", BytesOf(e.host_id)},
                             {"nonce", e.nonce},
                             {"boot log", e.boot_log},
                             {"user-space log", e.user_log},
                             {"IMA list", e.ima.before_quote},
                             {"IMA first entry", BytesOf(e.ima.first_entry)},
                             {"IMA count", BytesOf(e.ima.before_quote_count)},
                             {"quote", e.quote.attest},
                             {"signature", e.quote.signature},
                             {"identity key", e.identity_keys[0].public_area},
                             {"certification", e.identity_keys[0].certify_attest},
                             {"its signature", e.identity_keys[0].certify_signature}};
  for (tpm2::UntrustedPcr& value : e.quote.values) {
    out.push_back({absl::StrCat("value of PCR ", value.index), value.value});
    out.push_back({absl::StrCat("index of PCR ", value.index), BytesOf(value.index)});
  }
  return out;
}

class Flipper {
 public:
  std::string Flip(const std::vector<Target>& targets) {
    const Target& target = targets[Below(targets.size())];
    const size_t bit = Below(target.bytes.size() * 8);
    target.bytes[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    return absl::StrCat(target.name, ", bit ", bit);
  }

 private:
  size_t Below(size_t bound) {
    return std::uniform_int_distribution<size_t>(0, bound - 1)(random_);
  }
  std::mt19937_64 random_{kSeed};
};

// Refused before the nonce was looked up: the same answer is as fresh as before.
bool IsStillFresh(Reason reason) {
  return reason == Reason::kSigInvalid || reason == Reason::kHostUnknown ||
         reason == Reason::kHostIdSyntax;
}

TEST_F(Attack, A11_NoFlippedBitIsAdmittedOrQuarantinesTheHost) {
  // Records that move no register: what counts here is that they are bound.
  victim_.boot.user_log =
      testing::CelBuilder().Nv(0x01d10200, "hardware", "product-id", "product-id:missing").Build();
  Flipper flipper;
  evidence::Evidence fresh = victim_.Answer(Challenge());
  for (int i = 0; i < kFlips; ++i) {
    evidence::Evidence evidence = fresh;
    const std::string where = flipper.Flip(Targets(evidence));
    const absl::StatusOr<agent::AttestAnswer> answer = client_->Submit(evidence);
    ASSERT_FALSE(answer.ok()) << where << ": " << answer->outcome;
    const std::optional<Reason> reason = ReasonOf(answer.status());
    ASSERT_TRUE(reason.has_value()) << where << ": " << answer.status();
    ASSERT_THAT(answer, IsRejectedWith(*reason)) << where;
    ASSERT_NE(*reason, Reason::kNonceUsed) << where;
    if (!IsStillFresh(*reason)) fresh = victim_.Answer(Challenge());
  }
}

TEST_F(Attack, A11_NoFlippedBitLetsAHostJoin) {
  Flipper flipper;
  const SoftHost stranger(gate_.vendor);
  for (int i = 0; i < kJoinFlips; ++i) {
    agent::JoinRequest request = stranger.JoinRequest(gate_.token);
    const std::string where = flipper.Flip({{"EK", request.ek_public},
                                            {"EK certificate", request.ek_certificate},
                                            {"AK", request.ak_public},
                                            {"token", BytesOf(request.token_id)},
                                            {"token secret", request.token_secret.mutable_view()}});
    const absl::StatusOr<agent::ActivationChallenge> begun = client_->BeginEnrollment(request);
    // An AK with another harmless attribute is another key: our TPM does not open its challenge.
    if (begun.ok()) {
      ASSERT_FALSE(stranger.Activate(*begun).ok()) << where;
    } else {
      ASSERT_TRUE(ReasonOf(begun.status()).has_value()) << where << ": " << begun.status();
    }
  }
}

}  // namespace
}  // namespace bootgate::attack
