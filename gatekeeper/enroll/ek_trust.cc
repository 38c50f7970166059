#include "gatekeeper/enroll/ek_trust.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "common/tpm2/key_profile.h"
#include "gatekeeper/host/host.h"
#include "pki/ak_chain.h"
#include "pki/der.h"

namespace bootgate::gatekeeper::enroll {
namespace {

constexpr EkMode kAllModes[] = {EkMode::kChain, EkMode::kInventory, EkMode::kChainAndInventory};
constexpr absl::string_view kChain = "chain", kOwn = "own", kCloudAk = "cloud-ak",
                            kListed = "inventory", kAndListed = "+inventory";

// What a certificate said, once it was believed.
struct Certified {
  absl::string_view how;  // empty: none was believed
  std::vector<std::string> tolerances;
  std::string subject;
};

std::string Sha256Hex(ByteView bytes) {
  return crypto::Hash(crypto::HashAlg::kSha256, bytes).hex();
}

// "manufacturer id:494E5443, model SPT, version id:00020000", as pki tells it.
host::TpmFacts FactsOf(absl::string_view subject) {
  host::TpmFacts facts;
  if (!absl::ConsumePrefix(&subject, "manufacturer ")) return facts;
  const size_t model = subject.find(", model ");
  const size_t version = subject.rfind(", version ");
  if (model == absl::string_view::npos || version == absl::string_view::npos || version < model) {
    return facts;
  }
  const auto text = [](absl::string_view part) { return Printable(part, host::kMaxFact); };
  facts.manufacturer = text(subject.substr(0, model));
  const size_t model_begin = std::min(model + 8, version);
  facts.model = text(subject.substr(model_begin, version - model_begin));
  facts.version = text(subject.substr(version + 10));
  return facts;
}

bool SpeaksOurCa(const EkKnown& known) { return known.own.size() > 0; }

// nullopt: the certificate is none of ours, and may be a vendor's.
absl::StatusOr<std::optional<Certified>> OwnCertificate(const EkShown& shown, const EkKnown& known,
                                                        absl::Time now) {
  if (!SpeaksOurCa(known)) return std::nullopt;
  const absl::StatusOr<pki::VerifiedEkChain> chain =
      pki::VerifiedEkChain::Verify(shown.certificate, known.own_intermediates, known.own, now);
  if (!chain.ok()) return std::nullopt;
  BG_RETURN_IF_ERROR(tpm2::CheckEkKey(shown.ek, chain->key()));
  return Certified{.how = kOwn, .subject = chain->subject()};
}

absl::StatusOr<Certified> VendorCertificate(const EkPolicy& policy, const EkShown& shown,
                                            absl::Time now) {
  if (policy.mode == EkMode::kInventory) {
    // Believed or not, it must not be another TPM's.
    BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, pki::KeyOfCertificate(shown.certificate));
    BG_RETURN_IF_ERROR(tpm2::CheckEkKey(shown.ek, key));
    BG_RETURN_IF_ERROR(policy.distrust.CheckPath({ToBytes(shown.certificate)}));
    return Certified{};
  }
  BG_ASSIGN_OR_RETURN(
      const pki::VerifiedEkChain chain,
      pki::VerifiedEkChain::Verify(shown.certificate, shown.intermediates, policy.anchors, now));
  BG_RETURN_IF_ERROR(tpm2::CheckEkKey(shown.ek, chain.key()));
  BG_RETURN_IF_ERROR(policy.distrust.CheckPath(chain.path()));
  Certified certified = {
      .how = kChain, .tolerances = chain.tolerances(), .subject = chain.subject()};
  // Without a single list nothing was asked for that could be left undone in silence.
  const bool asked = policy.revocation == pki::RevocationMode::kHard || policy.crls.size() > 0;
  if (!asked) return certified;
  BG_ASSIGN_OR_RETURN(const std::vector<std::string> notices,
                      pki::CheckRevocation(chain.path(), policy.crls, policy.revocation, now));
  certified.tolerances.insert(certified.tolerances.end(), notices.begin(), notices.end());
  return certified;
}

absl::StatusOr<Certified> CloudCertificate(const EkPolicy& policy, const EkShown& shown,
                                           absl::Time now) {
  static const std::vector<Bytes> kNone;
  const std::vector<Bytes>& intermediates =
      shown.ak_intermediates == nullptr ? kNone : *shown.ak_intermediates;
  BG_ASSIGN_OR_RETURN(
      const pki::VerifiedAkChain chain,
      pki::VerifiedAkChain::Verify(shown.ak_certificate, intermediates, policy.ak_anchors, now));
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey ak, shown.ak->Key());
  if (!(chain.key() == ak)) {
    return NotAuthentic(Reason::kAkChainUntrusted,
                        "the AK certificate is for another key than the attestation key shown");
  }
  BG_RETURN_IF_ERROR(policy.distrust.CheckPath(chain.path()));
  Certified certified = {
      .how = kCloudAk, .tolerances = chain.tolerances(), .subject = chain.subject()};
  if (policy.revocation == pki::RevocationMode::kOff || policy.crls.size() == 0) return certified;
  BG_ASSIGN_OR_RETURN(const std::vector<std::string> notices,
                      pki::CheckRevocation(chain.path(), policy.crls, policy.revocation, now));
  certified.tolerances.insert(certified.tolerances.end(), notices.begin(), notices.end());
  return certified;
}

absl::StatusOr<Certified> BelieveCertificate(const EkPolicy& policy, const EkShown& shown,
                                             const EkKnown& known, absl::Time now) {
  if (!shown.certificate.empty()) {
    BG_ASSIGN_OR_RETURN(std::optional<Certified> own, OwnCertificate(shown, known, now));
    if (own.has_value()) return *std::move(own);
    BG_ASSIGN_OR_RETURN(Certified vendor, VendorCertificate(policy, shown, now));
    if (!vendor.how.empty()) return vendor;
  }
  const bool cloud = policy.cloud_ak && policy.mode != EkMode::kInventory && shown.ak != nullptr &&
                     !shown.ak_certificate.empty();
  return cloud ? CloudCertificate(policy, shown, now) : Certified{};
}

bool IsApproved(EkMode mode, absl::string_view how, bool listed) {
  // An operator has looked at this very EK before we made a certificate for it.
  if (how == kOwn) return true;
  switch (mode) {
    case EkMode::kChain:
      return !how.empty();
    case EkMode::kInventory:
      return listed;
    case EkMode::kChainAndInventory:
      return !how.empty() && listed;
  }
  __builtin_unreachable();
}

std::string HowBelieved(absl::string_view how, bool listed) {
  if (how.empty()) return std::string(listed ? kListed : kNothingBelieved);
  return absl::StrCat(how, listed ? kAndListed : "");
}

absl::string_view AssuranceOf(absl::string_view how) {
  if (how == kChain) return host::kAssuranceEkCertificate;
  return how == kCloudAk ? host::kAssuranceCloudAk : host::kAssuranceEkKey;
}

}  // namespace

absl::string_view Name(EkMode mode) {
  switch (mode) {
    case EkMode::kChain:
      return "chain";
    case EkMode::kInventory:
      return "inventory";
    case EkMode::kChainAndInventory:
      return "chain+inventory";
  }
  __builtin_unreachable();
}

std::optional<EkMode> EkModeFromName(absl::string_view name) {
  const auto* const found = std::find_if(std::begin(kAllModes), std::end(kAllModes),
                                         [&](EkMode mode) { return Name(mode) == name; });
  if (found == std::end(kAllModes)) return std::nullopt;
  return *found;
}

absl::StatusOr<EkTrust> JudgeEk(const EkPolicy& policy, const EkShown& shown, const EkKnown& known,
                                absl::Time now) {
  BG_RETURN_IF_ERROR(tpm2::CheckEk(shown.ek).status());
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, shown.ek.Key());
  BG_RETURN_IF_ERROR(policy.distrust.CheckKey(key));
  BG_ASSIGN_OR_RETURN(Certified certified, BelieveCertificate(policy, shown, known, now));
  return EkTrust{.how = HowBelieved(certified.how, known.listed),
                 .approved = IsApproved(policy.mode, certified.how, known.listed),
                 .may_be_approved_by_token = !certified.how.empty() || known.listed,
                 .own = certified.how == kOwn,
                 .assurance = std::string(AssuranceOf(certified.how)),
                 .tolerances = std::move(certified.tolerances),
                 .tpm = FactsOf(certified.subject)};
}

absl::StatusOr<std::vector<std::string>> InventoryKeys(const tpm2::Public& ek,
                                                       ByteView certificate) {
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, ek.Key());
  std::vector<std::string> keys = {host::HostIdFor(ek.Name()), Sha256Hex(ek.raw),
                                   Sha256Hex(key.SpkiDer())};
  if (certificate.empty()) return keys;
  bytes::Reader in(certificate);  // without what an NV index has behind it
  const absl::StatusOr<pki::der::ReadElement> whole = pki::der::Read(in);
  if (whole.ok()) keys.push_back(Sha256Hex(whole->whole));
  return keys;
}

bool IsInventoryKey(absl::string_view text) {
  if (host::IsHostId(text)) return true;
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c >= 'a' && c <= 'f');
         });
}

bool IsListed(absl::string_view how) { return how == kListed || absl::EndsWith(how, kAndListed); }

bool IsCertified(absl::string_view how) {
  return absl::StartsWith(how, kChain) || absl::StartsWith(how, kOwn) ||
         absl::StartsWith(how, kCloudAk);
}

}  // namespace bootgate::gatekeeper::enroll
