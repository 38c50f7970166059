#include "pki/pem.h"

#include <algorithm>
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
constexpr absl::string_view kEndAny = "-----END ";
constexpr absl::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr absl::string_view kEnd = "-----END CERTIFICATE-----";
constexpr size_t kLineWidth = 64;

// What one kind of text may hold.
struct Kind {
  absl::string_view begin, end, what;
  size_t max_der;  // bytes
};
constexpr Kind kCertificate = {kBegin, kEnd, "certificate", kMaxCertificateSize};
constexpr Kind kCrl = {"-----BEGIN X509 CRL-----", "-----END X509 CRL-----", "CRL", kMaxCrlSize};

absl::Status BadBlock(size_t number, absl::string_view what) {
  return Malformed(Reason::kPemFormat, absl::StrCat("PEM block ", number, ": ", what));
}

absl::string_view FirstLine(absl::string_view text) { return text.substr(0, text.find('\n')); }

// The rest of the line that `text` begins with must be blank; `text` then stands behind it.
bool TakeLineEnd(absl::string_view& text) {
  const absl::string_view line = FirstLine(text);
  if (!absl::StripAsciiWhitespace(line).empty()) return false;
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return true;
}

// The DER of the block that `text` begins with; `text` then stands behind the block.
absl::StatusOr<Bytes> TakeBlock(absl::string_view& text, const Kind& kind, size_t number) {
  if (text.substr(0, kind.begin.size()) != kind.begin) {
    return BadBlock(number,
                    absl::StrCat("not a ", kind.what, ": ", Printable(FirstLine(text), 64)));
  }
  text.remove_prefix(kind.begin.size());
  if (!TakeLineEnd(text)) return BadBlock(number, "text behind the BEGIN line");
  const size_t end = text.find(kind.end);
  if (end == absl::string_view::npos) return BadBlock(number, "no END line");
  std::string base64;
  base64.reserve(end);
  for (const char c : text.substr(0, end)) {
    if (!absl::ascii_isspace(static_cast<unsigned char>(c))) base64.push_back(c);
  }
  text.remove_prefix(end + kind.end.size());
  if (!TakeLineEnd(text)) return BadBlock(number, "text behind the END line");
  absl::StatusOr<Bytes> der = FromStrictBase64(base64);
  if (!der.ok() || der->empty()) return BadBlock(number, "not base64");
  if (der->size() > kind.max_der) {
    return BadBlock(number, absl::StrCat(der->size(), " bytes, more than ", kind.max_der));
  }
  return der;
}

// The next BEGIN line, which `text` then begins with; false when there is none. Outside a block no
// line may be an END line, and BEGIN stands nowhere but at a line's beginning.
absl::StatusOr<bool> FindBlock(absl::string_view& text, size_t number) {
  const size_t at = text.find(kBeginAny);
  const absl::string_view between = text.substr(0, at);
  if (between.find(kEndAny) != absl::string_view::npos) {
    return BadBlock(number, "an END line without its BEGIN");
  }
  if (at == absl::string_view::npos) return false;
  if (at > 0 && text[at - 1] != '\n') return BadBlock(number, "text before BEGIN in its line");
  text.remove_prefix(at);
  return true;
}

absl::StatusOr<std::vector<Bytes>> BlocksOf(absl::string_view pem, const Kind& kind) {
  if (pem.size() > kMaxPemSize) {
    return Malformed(Reason::kPemFormat, absl::StrCat("PEM text of ", pem.size(), " bytes"));
  }
  if (pem.find('\0') != absl::string_view::npos) {
    return Malformed(Reason::kPemFormat, "a NUL byte in the PEM text");
  }
  std::vector<Bytes> found;
  while (true) {
    BG_ASSIGN_OR_RETURN(const bool more, FindBlock(pem, found.size() + 1));
    if (!more) return found;
    BG_ASSIGN_OR_RETURN(Bytes der, TakeBlock(pem, kind, found.size() + 1));
    found.push_back(std::move(der));
  }
}

}  // namespace

absl::StatusOr<std::vector<Bytes>> CertificatesFromPem(absl::string_view pem) {
  return BlocksOf(pem, kCertificate);
}

absl::StatusOr<std::vector<Bytes>> CrlsFromPem(absl::string_view pem) {
  return BlocksOf(pem, kCrl);
}

bool LooksLikePem(ByteView bytes) {
  constexpr uint8_t kDerSequence = 0x30;
  return bytes.empty() || bytes[0] != kDerSequence ||
         AsText(bytes).find(kBeginAny) != absl::string_view::npos;
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
    return Malformed(Reason::kPemFormat,
                     absl::StrCat(found.size(), " certificates where one is expected"));
  }
  return std::move(found.front());
}

}  // namespace bootgate::pki
