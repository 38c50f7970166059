#include "common/tpm2/policy_digest.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "common/bytes/writer.h"

namespace bootgate::tpm2 {
namespace {

// TPM_CC values (Part 2, 6.5.2).
constexpr uint32_t kCcPolicySecret = 0x151, kCcPolicyAuthorize = 0x16a, kCcPolicyAuthValue = 0x16b,
                   kCcPolicyCommandCode = 0x16c, kCcPolicyOr = 0x171, kCcPolicyPcr = 0x17f,
                   kCcPolicyAuthorizeNv = 0x192;

std::array<uint8_t, 4> Be32(uint32_t value) {
  return {static_cast<uint8_t>(value >> 24), static_cast<uint8_t>(value >> 16),
          static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
}

// The NV index that holds the owner's choice in the high-range EK policies (EK Credential Profile
// 2.5, B.6.4): one per name algorithm.
uint32_t PolicyIndex(crypto::HashAlg alg) {
  switch (alg) {
    case crypto::HashAlg::kSha384:
      return 0x01c07f02;
    case crypto::HashAlg::kSha512:
      return 0x01c07f03;
    default:  // the profile has no others
      return 0x01c07f01;
  }
}

// Name of that index: nameAlg || H(TPMS_NV_PUBLIC). It holds one TPMT_HA.
Bytes PolicyIndexName(crypto::HashAlg alg) {
  constexpr uint32_t kAttributes = 0x220f1008;
  bytes::Writer area;
  area.U32Be(PolicyIndex(alg)).U16Be(static_cast<uint16_t>(alg)).U32Be(kAttributes);
  area.Sized16Be(EkPolicyA(alg).view());
  area.U16Be(static_cast<uint16_t>(crypto::DigestSize(alg) + sizeof(uint16_t)));
  bytes::Writer name;
  name.U16Be(static_cast<uint16_t>(alg)).Raw(crypto::Hash(alg, area.view()).view());
  return name.Finish();
}

}  // namespace

PolicyDigest& PolicyDigest::Secret(ByteView entity_name, ByteView policy_ref) {
  const crypto::HashAlg alg = digest_.alg();
  digest_ = crypto::Hash(alg, {digest_.view(), Be32(kCcPolicySecret), entity_name});
  digest_ = crypto::Hash(alg, {digest_.view(), policy_ref});  // hashed also when empty
  return *this;
}

PolicyDigest& PolicyDigest::Pcr(const registers::Selection& selection,
                                const crypto::Digest& pcr_digest) {
  digest_ = crypto::Hash(digest_.alg(), {digest_.view(), Be32(kCcPolicyPcr),
                                         registers::Marshal(selection), pcr_digest.view()});
  return *this;
}

PolicyDigest& PolicyDigest::Or(const std::vector<crypto::Digest>& branches) {
  bytes::Writer all;
  for (const crypto::Digest& branch : branches) all.Raw(branch.view());
  const crypto::Digest zeros(digest_.alg());
  digest_ = crypto::Hash(digest_.alg(), {zeros.view(), Be32(kCcPolicyOr), all.view()});
  return *this;
}

PolicyDigest& PolicyDigest::Authorize(ByteView key_name, ByteView policy_ref) {
  const crypto::HashAlg alg = digest_.alg();
  const crypto::Digest zeros(alg);
  digest_ = crypto::Hash(alg, {zeros.view(), Be32(kCcPolicyAuthorize), key_name});
  digest_ = crypto::Hash(alg, {digest_.view(), policy_ref});
  return *this;
}

PolicyDigest& PolicyDigest::AuthorizeNv(ByteView nv_name) {
  const crypto::Digest zeros(digest_.alg());
  digest_ = crypto::Hash(digest_.alg(), {zeros.view(), Be32(kCcPolicyAuthorizeNv), nv_name});
  return *this;
}

PolicyDigest& PolicyDigest::CommandCode(uint32_t code) {
  digest_ = crypto::Hash(digest_.alg(), {digest_.view(), Be32(kCcPolicyCommandCode), Be32(code)});
  return *this;
}

PolicyDigest& PolicyDigest::AuthValue() {
  digest_ = crypto::Hash(digest_.alg(), {digest_.view(), Be32(kCcPolicyAuthValue)});
  return *this;
}

std::optional<crypto::Digest> PcrDigest(crypto::HashAlg alg, const registers::Selection& selection,
                                        const std::vector<registers::RegisterBank>& banks) {
  bytes::Writer values;
  for (const registers::BankSelection& selected : selection) {
    if (selected.mask == 0) continue;
    const auto bank = std::ranges::find_if(
        banks, [&](const registers::RegisterBank& b) { return b.alg() == selected.alg; });
    if (bank == banks.end()) return std::nullopt;
    for (uint32_t index = 0; index < registers::kCount; ++index) {
      if ((selected.mask >> index & 1u) == 0) continue;
      const std::optional<crypto::Digest> value = bank->Get(index);
      if (!value.has_value()) return std::nullopt;
      values.Raw(value->view());
    }
  }
  return crypto::Hash(alg, values.view());
}

crypto::Digest EkPolicyA(crypto::HashAlg alg) {
  constexpr uint32_t kRhEndorsementHandle = 0x4000000b;
  return PolicyDigest(alg).Secret(Be32(kRhEndorsementHandle)).value();
}

crypto::Digest EkPolicyC(crypto::HashAlg alg) {
  return PolicyDigest(alg).AuthorizeNv(PolicyIndexName(alg)).value();
}

crypto::Digest EkPolicyB(crypto::HashAlg alg) {
  return PolicyDigest(alg).Or({EkPolicyA(alg), EkPolicyC(alg)}).value();
}

}  // namespace bootgate::tpm2
