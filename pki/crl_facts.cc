#include "pki/crl_facts.h"

#include <openssl/x509v3.h>

#include <ctime>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "common/crypto/owners.h"
#include "pki/crl.h"
#include "pki/pem.h"

namespace bootgate::pki {
namespace {

using CrlPtr = std::unique_ptr<X509_CRL, crypto::FreeWith<X509_CRL_free>>;
using KeyIdPtr = std::unique_ptr<AUTHORITY_KEYID, crypto::FreeWith<AUTHORITY_KEYID_free>>;

constexpr size_t kMaxName = 512;  // bytes

std::string NameText(const X509_NAME* name) {
  const crypto::BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const auto size = static_cast<size_t>(BIO_get_mem_data(out.get(), &text));
  return Printable(absl::string_view(text, size), kMaxName);
}

absl::Time TimeOf(const ASN1_TIME* time, absl::Time otherwise) {
  struct tm parts {};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return otherwise;
  return absl::FromUnixSeconds(timegm(&parts));
}

std::string IssuerKey(X509_CRL* crl) {
  unsigned char* name = nullptr;
  const int size = i2d_X509_NAME(X509_CRL_get_issuer(crl), &name);
  Bytes bytes(name, name + (size > 0 ? size : 0));
  OPENSSL_free(name);
  const KeyIdPtr id(static_cast<AUTHORITY_KEYID*>(
      X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, nullptr, nullptr)));
  if (id != nullptr && id->keyid != nullptr) {
    const uint8_t* const begin = ASN1_STRING_get0_data(id->keyid);
    bytes.insert(bytes.end(), begin, begin + ASN1_STRING_length(id->keyid));
  }
  crypto::ClearOpenSslErrors();
  return crypto::Hash(crypto::HashAlg::kSha256, bytes).hex();
}

absl::StatusOr<CrlFacts> FactsOf(ByteView der) {
  const uint8_t* at = der.data();
  const CrlPtr crl(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));  // NOLINT
  if (crl == nullptr || at != der.data() + der.size()) {
    crypto::ClearOpenSslErrors();
    return Malformed(Reason::kCertParse, "this is no revocation list (CRL)");
  }
  CrlFacts facts;
  facts.issuer = NameText(X509_CRL_get_issuer(crl.get()));
  facts.issuer_key = IssuerKey(crl.get());
  facts.this_update = TimeOf(X509_CRL_get0_lastUpdate(crl.get()), absl::InfinitePast());
  facts.next_update = TimeOf(X509_CRL_get0_nextUpdate(crl.get()), absl::InfiniteFuture());
  const int revoked = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl.get()));
  facts.revoked = static_cast<size_t>(revoked > 0 ? revoked : 0);
  facts.pem = CrlToPem(der);
  return facts;
}

}  // namespace

absl::StatusOr<std::vector<CrlFacts>> ReadCrlFacts(ByteView pem_or_der) {
  std::vector<Bytes> lists = {ToBytes(pem_or_der)};
  if (LooksLikePem(pem_or_der)) {
    BG_ASSIGN_OR_RETURN(lists, CrlsFromPem(AsText(pem_or_der)));
  }
  if (lists.empty()) return absl::InvalidArgumentError("there is no \"X509 CRL\" block in it");
  std::vector<CrlFacts> out;
  for (const Bytes& der : lists) {
    BG_ASSIGN_OR_RETURN(CrlFacts facts, FactsOf(der));
    out.push_back(std::move(facts));
  }
  return out;
}

}  // namespace bootgate::pki
