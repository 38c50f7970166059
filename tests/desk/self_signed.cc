#include "tests/desk/self_signed.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdlib>

#include "common/crypto/owners.h"
#include "common/crypto/private_key.h"

namespace bootgate::desk {
namespace {

void Require(bool done) {
  if (!done) abort();
}

std::string PemOf(X509* certificate) {
  BIO* const out = BIO_new(BIO_s_mem());
  Require(PEM_write_bio_X509(out, certificate) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out, &text);
  const std::string pem(text, static_cast<size_t>(size));
  BIO_free(out);
  return pem;
}

}  // namespace

evidence::SealedPayload SelfSigned(absl::Time not_after) {
  const auto key = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
  const crypto::X509Ptr certificate(X509_new());
  Require(ASN1_TIME_set(X509_getm_notBefore(certificate.get()), 0) != nullptr);
  Require(ASN1_TIME_set(X509_getm_notAfter(certificate.get()), absl::ToTimeT(not_after)) !=
          nullptr);
  Require(X509_set_version(certificate.get(), X509_VERSION_3) == 1);
  Require(X509_set_pubkey(certificate.get(), key.get()) == 1);
  Require(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0);
  evidence::SealedPayload payload;
  // A chain, as gatekeepers send one: the leaf, and what stands for its issuers.
  payload.chain_pem = PemOf(certificate.get()) + PemOf(certificate.get());
  payload.private_key_pem = key.Pem();
  return payload;
}

}  // namespace bootgate::desk
