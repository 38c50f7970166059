#include "pki/ca_request.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/key_strength.h"
#include "pki/der.h"

namespace bootgate::pki {
namespace {

constexpr size_t kMaxRequest = 16384;  // bytes of PEM
constexpr char kLabel[] = "CERTIFICATE REQUEST";
constexpr uint8_t kVersion1[] = {0x02, 0x01, 0x00};

using RequestPtr = std::unique_ptr<X509_REQ, crypto::FreeWith<X509_REQ_free>>;

absl::Status Unfit(absl::string_view what) {
  crypto::ClearOpenSslErrors();
  return Refuse(absl::StatusCode::kInvalidArgument, Reason::kCa, what);
}

std::string CommonNameOf(const X509_REQ* request) {
  X509_NAME* const name = X509_REQ_get_subject_name(request);
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return "";
  const ASN1_STRING* const text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
  const ByteView bytes(ASN1_STRING_get0_data(text), static_cast<size_t>(ASN1_STRING_length(text)));
  return Printable(AsText(bytes), 64);
}

}  // namespace

absl::StatusOr<std::string> MakeCaRequest(const std::string& common_name,
                                          const CertificateSigner& signer) {
  const Bytes attributes = der::Element(der::kContextConstructed | 0, {});
  const Bytes info = der::Sequence({kVersion1, NameDer("Bootgate", common_name),
                                    signer.holder().Public().SpkiDer(), attributes});
  BG_ASSIGN_OR_RETURN(const Bytes der, signer.SignElement(info));
  const crypto::BioPtr out(BIO_new(BIO_s_mem()));
  if (PEM_write_bio(out.get(), kLabel, "", der.data(), static_cast<int>(der.size())) <= 0) {
    return crypto::OpenSslError(absl::StatusCode::kInternal, "write a request");
  }
  char* text = nullptr;
  const auto size = static_cast<size_t>(BIO_get_mem_data(out.get(), &text));
  return std::string(text, size);
}

absl::StatusOr<CaRequest> ReadCaRequest(absl::string_view pem) {
  if (pem.size() > kMaxRequest) return Unfit("a certificate request longer than 16 KiB");
  const crypto::BioPtr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const RequestPtr request(PEM_read_bio_X509_REQ(in.get(), nullptr, nullptr, nullptr));
  if (request == nullptr) return Unfit("no certificate request in PEM");
  X509_PUBKEY* const spki = X509_REQ_get_X509_PUBKEY(request.get());
  uint8_t* der = nullptr;
  const int size = i2d_X509_PUBKEY(spki, &der);
  if (size <= 0) return Unfit("the request's key cannot be read");
  const Bytes key_der(der, der + size);
  OPENSSL_free(der);
  BG_ASSIGN_OR_RETURN(crypto::PublicKey key, crypto::PublicKey::FromSpkiDer(key_der));
  BG_RETURN_IF_ERROR(crypto::CheckStrength(key));
  EVP_PKEY* const open = X509_REQ_get0_pubkey(request.get());
  if (open == nullptr || X509_REQ_verify(request.get(), open) != 1) {
    return Unfit("the request is not signed by its own key");
  }
  return CaRequest{CommonNameOf(request.get()), std::move(key)};
}

}  // namespace bootgate::pki
