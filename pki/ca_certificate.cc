#include "pki/ca_certificate.h"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/authority.h"
#include "pki/extensions.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

constexpr absl::string_view kSpiffe = "spiffe://";
constexpr uint8_t kEveryIpv4[8] = {}, kEveryIpv6[32] = {};  // address and mask, all zero
constexpr absl::Duration kTrialLifetime = absl::Minutes(1);

absl::Status Unfit(absl::string_view what) {
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kCa, what);
}

bool IsForEverything(const std::set<CaUse>& uses) { return uses.size() == std::size(kAllCaUses); }

std::vector<Bytes> PurposesOf(CaUse use) {
  namespace oid = ext::oid;
  switch (use) {
    case CaUse::kHosts:
      return {oid::ClientAuth(), oid::ServerAuth()};
    case CaUse::kAks:
      return {oid::AikCertificate(), oid::EkCertificate()};
    case CaUse::kServers:
      return {oid::ServerAuth(), oid::TokenSigning()};
    case CaUse::kOperators:
      return {oid::ClientAuth()};
  }
  __builtin_unreachable();
}

void Append(const Bytes& part, Bytes* to) { to->insert(to->end(), part.begin(), part.end()); }

Bytes UseExtensions(const std::set<CaUse>& uses) {
  Bytes out;
  if (IsForEverything(uses)) return out;
  std::vector<Bytes> purposes = {ext::oid::OcspSigning()};
  for (const CaUse use : uses) {
    for (const Bytes& purpose : PurposesOf(use)) {
      if (std::find(purposes.begin(), purposes.end(), purpose) == purposes.end()) {
        purposes.push_back(purpose);
      }
    }
  }
  Append(ext::ExtendedKeyUsage(purposes), &out);
  if (uses.count(CaUse::kServers) == 0) {
    Append(ext::NameConstraintsExcluding(
               {ext::DnsName(""), ext::IpName(kEveryIpv4), ext::IpName(kEveryIpv6)}),
           &out);
  }
  return out;
}

Bytes CommonExtensions(uint8_t path_length, ByteView spki, ByteView issuer_key_id,
                       const std::string& trust_domain) {
  Bytes out;
  for (const Bytes& part :
       {ext::BasicConstraintsCa(path_length), ext::KeyUsage(ext::kKeyCertSign | ext::kCrlSign),
        ext::SubjectKeyIdentifier(ext::KeyIdOf(spki)), ext::AuthorityKeyIdentifier(issuer_key_id),
        ext::SubjectAltName({ext::UriName(absl::StrCat(kSpiffe, trust_domain))})}) {
    Append(part, &out);
  }
  return out;
}

// An end-entity certificate that has everything a CA's constraints could object to.
absl::StatusOr<Bytes> TrialLeaf(CaUse use, X509* ca, const CertificateSigner& signer,
                                const std::string& trust_domain, absl::Time now) {
  const uint8_t* name = nullptr;
  size_t name_size = 0;
  X509_NAME_get0_der(X509_get_subject_name(ca), &name, &name_size);
  const ASN1_OCTET_STRING* const key_id = X509_get0_subject_key_id(ca);
  if (key_id == nullptr) return Unfit("the issuing CA has no subject key identifier");
  std::vector<Bytes> names;
  if (use == CaUse::kHosts || use == CaUse::kOperators) {
    names = {ext::UriName(absl::StrCat(kSpiffe, trust_domain, "/trial"))};
  }
  if (use == CaUse::kServers) names = {ext::DnsName("localhost")};
  const Bytes spki = signer.holder().Public().SpkiDer();
  Bytes extensions;
  for (const Bytes& part :
       {ext::BasicConstraintsEndEntity(), ext::KeyUsage(ext::kDigitalSignature),
        ext::ExtendedKeyUsage(PurposesOf(use)),
        ext::AuthorityKeyIdentifier(
            {ASN1_STRING_get0_data(key_id), static_cast<size_t>(ASN1_STRING_length(key_id))}),
        ext::SubjectKeyIdentifier(ext::KeyIdOf(spki)),
        names.empty() ? Bytes{} : ext::SubjectAltName(names)}) {
    Append(part, &extensions);
  }
  BG_ASSIGN_OR_RETURN(const Bytes serial, FromHex(NewSerialHex()));
  return signer.Sign({.serial = serial,
                      .issuer = {name, name_size},
                      .subject = NameDer("", "trial"),
                      .not_before = now - kTrialLifetime,
                      .not_after = now + kTrialLifetime,
                      .spki = spki,
                      .extensions = extensions});
}

int PurposeOf(CaUse use) {
  switch (use) {
    case CaUse::kHosts:
    case CaUse::kOperators:
      return X509_PURPOSE_SSL_CLIENT;
    case CaUse::kServers:
      return X509_PURPOSE_SSL_SERVER;
    case CaUse::kAks:
      return X509_PURPOSE_ANY;
  }
  __builtin_unreachable();
}

struct ParsedChain {
  std::vector<crypto::X509Ptr> certificates;  // issuing CA first, root last
};

absl::StatusOr<ParsedChain> Parse(const std::vector<Bytes>& chain) {
  if (chain.size() < 2) return Unfit("a chain needs the issuing CA first and its root last");
  ParsedChain out;
  for (const Bytes& der : chain) {
    absl::StatusOr<crypto::X509Ptr> certificate = ParseCertificate(der);
    if (!certificate.ok()) return Unfit(certificate.status().message());
    out.certificates.push_back(*std::move(certificate));
  }
  return out;
}

absl::Status CheckEach(const ParsedChain& chain, const std::string& trust_domain, absl::Time now) {
  constexpr int kCaByBasicConstraints = 1;
  for (const crypto::X509Ptr& certificate : chain.certificates) {
    const std::string who = SubjectText(certificate.get());
    if (X509_check_ca(certificate.get()) != kCaByBasicConstraints) {
      return Unfit(absl::StrCat(who, ": not a CA certificate (basic constraints, key usage)"));
    }
    const absl::Time from = NotBefore(certificate.get()), to = NotAfter(certificate.get());
    if (now < from) return Unfit(absl::StrCat(who, ": not valid before ", FormatUtc(from)));
    if (now > to) return Unfit(absl::StrCat(who, ": expired at ", FormatUtc(to)));
    for (const std::string& uri : UriNames(certificate.get())) {
      if (absl::StartsWith(uri, kSpiffe) && uri != absl::StrCat(kSpiffe, trust_domain)) {
        return Unfit(absl::StrCat(who, ": is of the trust domain ", uri.substr(kSpiffe.size()),
                                  ", not of ", trust_domain));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status VerifyTrial(const ParsedChain& chain, X509* leaf, CaUse use, absl::Time now) {
  const crypto::X509StorePtr store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), chain.certificates.back().get());
  X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store.get()), absl::ToTimeT(now));
  X509_STORE_set_flags(store.get(), X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
  const std::unique_ptr<STACK_OF(X509),
                        crypto::FreeWith<[](STACK_OF(X509) * s) { sk_X509_free(s); }>>
      between(sk_X509_new_null());
  for (const crypto::X509Ptr& certificate : chain.certificates) {
    sk_X509_push(between.get(), certificate.get());
  }
  const crypto::X509StoreCtxPtr context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), leaf, between.get());
  X509_STORE_CTX_set_purpose(context.get(), PurposeOf(use));
  const bool fits = X509_verify_cert(context.get()) == 1;
  const int error = X509_STORE_CTX_get_error(context.get());
  const X509* const at = X509_STORE_CTX_get_current_cert(context.get());
  crypto::ClearOpenSslErrors();
  if (fits) return absl::OkStatus();
  return Unfit(absl::StrCat(
      "a certificate for ", std::string(Name(use)), " below this CA would not be believed: ",
      X509_verify_cert_error_string(error), " (at ", at == nullptr ? "-" : SubjectText(at), ")"));
}

}  // namespace

absl::StatusOr<Bytes> MakeRootCertificate(const std::string& common_name,
                                          const std::string& trust_domain,
                                          const CertificateSigner& signer, absl::Time now,
                                          absl::Duration lifetime) {
  const Bytes spki = signer.holder().Public().SpkiDer();
  const Bytes name = NameDer("Bootgate", common_name);
  const Bytes extensions = CommonExtensions(1, spki, ext::KeyIdOf(spki), trust_domain);
  BG_ASSIGN_OR_RETURN(const Bytes serial, FromHex(NewSerialHex()));
  return signer.Sign({.serial = serial,
                      .issuer = name,
                      .subject = name,
                      .not_before = now - kCaBackdate,
                      .not_after = now + lifetime,
                      .spki = spki,
                      .extensions = extensions});
}

absl::StatusOr<Bytes> MakeIssuingCertificate(const IssuingCa& ca, const crypto::PublicKey& key,
                                             const CaParent& parent) {
  const Bytes spki = key.SpkiDer();
  const Bytes name = NameDer("Bootgate", ca.common_name);
  Bytes extensions = CommonExtensions(0, spki, parent.key_id, ca.trust_domain);
  Append(UseExtensions(ca.uses), &extensions);
  BG_ASSIGN_OR_RETURN(const Bytes serial, FromHex(NewSerialHex()));
  return parent.signer.Sign({.serial = serial,
                             .issuer = parent.name,
                             .subject = name,
                             .not_before = ca.now - kCaBackdate,
                             .not_after = std::min(ca.now + ca.lifetime, parent.not_after),
                             .spki = spki,
                             .extensions = extensions});
}

absl::Status CheckIssuingChain(const std::vector<Bytes>& chain, const CertificateSigner& signer,
                               const std::set<CaUse>& uses, const std::string& trust_domain,
                               absl::Time now) {
  BG_ASSIGN_OR_RETURN(const ParsedChain parsed, Parse(chain));
  X509* const ca = parsed.certificates.front().get();
  const absl::StatusOr<crypto::PublicKey> key = KeyOf(ca);
  if (!key.ok() || !(*key == signer.holder().Public())) {
    return Unfit(absl::StrCat(SubjectText(ca), ": is not for the key that was requested"));
  }
  BG_RETURN_IF_ERROR(CheckEach(parsed, trust_domain, now));
  X509* const root = parsed.certificates.back().get();
  if (X509_self_signed(root, 1) != 1) {
    crypto::ClearOpenSslErrors();
    return Unfit(absl::StrCat(SubjectText(root), ": the last certificate must be the root"));
  }
  for (const CaUse use : uses) {
    BG_ASSIGN_OR_RETURN(const Bytes der, TrialLeaf(use, ca, signer, trust_domain, now));
    BG_ASSIGN_OR_RETURN(const crypto::X509Ptr leaf, ParseCertificate(der));
    BG_RETURN_IF_ERROR(VerifyTrial(parsed, leaf.get(), use, now));
  }
  return absl::OkStatus();
}

std::string IssuingName(const std::set<CaUse>& uses, const std::string& cluster_id,
                        const std::string& id) {
  const std::string word = uses.size() == 1 ? std::string(Name(*uses.begin())) : "issuing";
  return absl::StrCat("Bootgate ", word, " ", cluster_id.substr(0, 24), " (", id.substr(0, 20),
                      ")");
}

}  // namespace bootgate::pki
