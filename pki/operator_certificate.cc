#include "pki/operator_certificate.h"

#include <openssl/x509v3.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/authority.h"
#include "pki/extensions.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

constexpr absl::string_view kScheme = "spiffe://", kPath = "/operator/";
constexpr size_t kMaxName = 48, kMaxRole = 32;  // bytes

const Bytes& RolesOid() {
  static const Bytes kOid = der::Oid({1, 3, 6, 1, 4, 1, 58888, 1, 2});
  return kOid;
}

absl::Status NoOperator(absl::string_view what) { return NotAuthentic(Reason::kCertParse, what); }

absl::StatusOr<std::vector<std::string>> ReadRoles(ByteView value) {
  bytes::Reader outer(value);
  BG_ASSIGN_OR_RETURN(const der::ReadElement sequence, der::Expect(outer, der::kSequence));
  BG_RETURN_IF_ERROR(outer.ExpectEnd());
  std::vector<std::string> roles;
  for (bytes::Reader in(sequence.contents); !in.empty();) {
    BG_ASSIGN_OR_RETURN(const der::ReadElement role, der::Expect(in, der::kUtf8String));
    if (roles.size() == kMaxOperatorRoles || !IsRoleName(AsText(role.contents))) {
      return absl::InvalidArgumentError("a role that is none, or too many");
    }
    roles.emplace_back(AsText(role.contents));
  }
  return roles;
}

absl::StatusOr<std::vector<std::string>> RolesOf(const X509* certificate) {
  const uint8_t* at = RolesOid().data();
  const std::unique_ptr<ASN1_OBJECT, crypto::FreeWith<ASN1_OBJECT_free>> oid(
      d2i_ASN1_OBJECT(nullptr, &at, static_cast<int64_t>(RolesOid().size())));
  const int index = X509_get_ext_by_OBJ(certificate, oid.get(), -1);
  if (index < 0) return absl::InvalidArgumentError("no roles");
  const ASN1_OCTET_STRING* const value = X509_EXTENSION_get_data(X509_get_ext(certificate, index));
  return ReadRoles({ASN1_STRING_get0_data(value), static_cast<size_t>(ASN1_STRING_length(value))});
}

}  // namespace

bool IsOperatorName(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxName &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ||
                  c == '.' || c == '@';
         });
}

bool IsRoleName(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxRole &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-';
         });
}

Bytes EncodeRolesExtension(const std::vector<std::string>& roles) {
  Bytes all;
  for (const std::string& role : roles) {
    const Bytes text = der::Text(role);
    all.insert(all.end(), text.begin(), text.end());
  }
  return ext::Extension(RolesOid(), ext::Criticality::kNotCritical, der::Sequence({all}));
}

absl::StatusOr<OperatorCertificate> ReadOperatorCertificate(absl::string_view pem) {
  BG_ASSIGN_OR_RETURN(const Bytes der, PemToDer(pem));
  BG_ASSIGN_OR_RETURN(const crypto::X509Ptr certificate, ParseCertificate(der));
  const std::vector<std::string> uris = UriNames(certificate.get());
  const size_t path = uris.size() == 1 ? uris[0].find(kPath.data(), kScheme.size(), kPath.size())
                                       : std::string::npos;
  if (path == std::string::npos || !absl::StartsWith(uris[0], kScheme)) {
    return NoOperator("the client certificate names no operator");
  }
  OperatorCertificate out{.name = uris[0].substr(path + kPath.size()),
                          .serial_hex = SerialHex(certificate.get()),
                          .issuer_key_id = AuthorityKeyId(certificate.get()),
                          .not_after = NotAfter(certificate.get())};
  absl::StatusOr<std::vector<std::string>> roles = RolesOf(certificate.get());
  if (!IsOperatorName(out.name) || !roles.ok() || roles->empty()) {
    return NoOperator("the client certificate names no operator with roles");
  }
  out.roles = *std::move(roles);
  return out;
}

}  // namespace bootgate::pki
