#include "common/crypto/pem_key.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"

namespace bootgate::crypto {
namespace {

constexpr size_t kMaxLabel = 40;  // bytes of a foreign label in a sentence

struct OpenSslFree {
  void operator()(void* p) const { OPENSSL_free(p); }
};
template <typename T>
using OpenSslPtr = std::unique_ptr<T, OpenSslFree>;

struct PemBlock {
  std::string label;
  Bytes der;
};

// False at the end of the text.
absl::StatusOr<bool> NextBlock(BIO* in, size_t number, PemBlock* out) {
  char *name = nullptr, *header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  const int read = PEM_read_bio(in, &name, &header, &data, &size);
  const OpenSslPtr<char> own_name(name), own_header(header);
  const OpenSslPtr<unsigned char> own_data(data);
  if (read != 1) {
    const bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ClearOpenSslErrors();
    if (end) return false;
    return absl::InvalidArgumentError(absl::StrCat("PEM block ", number, " is damaged"));
  }
  out->label = name;
  out->der.assign(data, data + size);
  return true;
}

absl::StatusOr<PemKey> FromBlock(const PemBlock& block) {
  if (block.label == "CERTIFICATE") return KeyFromCertificate(block.der);
  if (block.label == "PUBLIC KEY") {
    BG_ASSIGN_OR_RETURN(PublicKey key, PublicKey::FromSpkiDer(block.der));
    return PemKey{std::move(key), {}};
  }
  return absl::InvalidArgumentError(absl::StrCat("is a ", Printable(block.label, kMaxLabel),
                                                 ", neither PUBLIC KEY nor CERTIFICATE"));
}

}  // namespace

absl::StatusOr<PemKey> KeyFromCertificate(ByteView der) {
  if (der.size() > kMaxPemBytes) {
    return absl::InvalidArgumentError(absl::StrCat("certificate larger than ", kMaxPemBytes));
  }
  const unsigned char* at = der.data();
  const X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (certificate == nullptr || at != der.data() + der.size()) {
    ClearOpenSslErrors();
    return absl::InvalidArgumentError("the certificate cannot be read");
  }
  PkeyPtr key(X509_get_pubkey(certificate.get()));
  if (key == nullptr) ClearOpenSslErrors();
  BG_ASSIGN_OR_RETURN(PublicKey checked, PublicKey::FromEvp(std::move(key)));
  return PemKey{std::move(checked), ToBytes(der)};
}

absl::StatusOr<std::vector<PemKey>> KeysFromPem(absl::string_view pem) {
  if (pem.size() > kMaxPemBytes) {
    return absl::InvalidArgumentError(absl::StrCat("PEM text larger than ", kMaxPemBytes));
  }
  if (pem.empty()) return absl::InvalidArgumentError("an empty PEM text");
  const BioPtr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (in == nullptr) return OpenSslError(absl::StatusCode::kInternal, "read a PEM text");
  std::vector<PemKey> keys;
  PemBlock block;
  while (true) {
    BG_ASSIGN_OR_RETURN(const bool more, NextBlock(in.get(), keys.size() + 1, &block));
    if (!more) break;
    absl::StatusOr<PemKey> key = FromBlock(block);
    if (!key.ok()) {
      absl::Status named(key.status().code(),
                         absl::StrCat("PEM block ", keys.size() + 1, ": ", key.status().message()));
      key.status().ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
        named.SetPayload(url, payload);
      });
      return named;
    }
    keys.push_back(*std::move(key));
  }
  if (keys.empty()) return absl::InvalidArgumentError("no PEM block with a key or certificate");
  return keys;
}

}  // namespace bootgate::crypto
