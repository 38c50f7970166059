#include "pki/pem.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/authority.h"

namespace bootgate::pki {
namespace {

constexpr absl::string_view kBeginAny = "-----BEGIN ";
constexpr absl::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr absl::string_view kEnd = "-----END CERTIFICATE-----";
constexpr size_t kLineWidth = 64;

absl::Status BadBlock(size_t number, absl::string_view what) {
  return Malformed(Reason::kCertParse, absl::StrCat("PEM block ", number, ": ", what));
}

// The DER of the block that `text` begins with; `text` then stands behind the block.
absl::StatusOr<Bytes> TakeBlock(absl::string_view& text, size_t number) {
  if (text.substr(0, kBegin.size()) != kBegin) {
    const absl::string_view line = text.substr(0, text.find('\n'));
    return BadBlock(number, absl::StrCat("not a certificate: ", Printable(line, 64)));
  }
  text.remove_prefix(kBegin.size());
  const size_t end = text.find(kEnd);
  if (end == absl::string_view::npos) return BadBlock(number, "no END line");
  std::string base64;
  for (const char c : text.substr(0, end)) {
    if (!absl::ascii_isspace(static_cast<unsigned char>(c))) base64.push_back(c);
  }
  text.remove_prefix(end + kEnd.size());
  absl::StatusOr<Bytes> der = FromBase64(base64);
  if (!der.ok() || der->empty()) return BadBlock(number, "not base64");
  if (der->size() > kMaxCertificateSize) {
    return BadBlock(number, absl::StrCat(der->size(), " bytes, more than ", kMaxCertificateSize));
  }
  return der;
}

}  // namespace

absl::StatusOr<std::vector<Bytes>> CertificatesFromPem(absl::string_view pem) {
  if (pem.size() > kMaxPemSize) {
    return Malformed(Reason::kCertParse, absl::StrCat("PEM text of ", pem.size(), " bytes"));
  }
  std::vector<Bytes> found;
  for (size_t at = pem.find(kBeginAny); at != absl::string_view::npos; at = pem.find(kBeginAny)) {
    pem.remove_prefix(at);
    BG_ASSIGN_OR_RETURN(Bytes der, TakeBlock(pem, found.size() + 1));
    found.push_back(std::move(der));
  }
  return found;
}

std::string DerToPem(ByteView certificate_der) {
  const std::string base64 = ToBase64(certificate_der);
  std::string pem = absl::StrCat(kBegin, "\n");
  for (size_t at = 0; at < base64.size(); at += kLineWidth) {
    absl::StrAppend(&pem, base64.substr(at, kLineWidth), "\n");
  }
  absl::StrAppend(&pem, kEnd, "\n");
  return pem;
}

absl::StatusOr<Bytes> PemToDer(absl::string_view certificate_pem) {
  const absl::string_view text = absl::StripAsciiWhitespace(certificate_pem);
  const bool framed = text.size() >= kBegin.size() + kEnd.size() &&
                      text.substr(0, kBegin.size()) == kBegin &&
                      text.substr(text.size() - kEnd.size()) == kEnd;
  if (!framed) return BadBlock(1, "text around the certificate, or no certificate");
  BG_ASSIGN_OR_RETURN(std::vector<Bytes> found, CertificatesFromPem(text));
  if (found.size() != 1) {
    return Malformed(Reason::kCertParse,
                     absl::StrCat(found.size(), " certificates where one is expected"));
  }
  return std::move(found.front());
}

}  // namespace bootgate::pki
