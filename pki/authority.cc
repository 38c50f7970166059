#include "pki/authority.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/random.h"
#include "pki/authority_files.h"
#include "pki/certificate.h"
#include "pki/extensions.h"
#include "pki/verdict_extension.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

constexpr size_t kSerialSize = 16;         // bytes
constexpr size_t kMaxIdSize = 128;         // bytes: host, verdict and policy ids
constexpr size_t kMaxCommonNameSize = 64;  // RFC 5280, ub-common-name
constexpr size_t kMaxDnsNameSize = 253;
constexpr size_t kMaxServerNames = 64;
constexpr size_t kMaxTpmSanSize = 4096;  // bytes
constexpr char kTokenSignerName[] = "Bootgate token signing";

absl::Status CaError(absl::string_view what) {
  return Refuse(absl::StatusCode::kInternal, Reason::kCa, what);
}

absl::StatusOr<Bytes> SerialFromHex(absl::string_view hex) {
  absl::StatusOr<Bytes> serial = FromHex(hex);
  const bool fit = serial.ok() && serial->size() == kSerialSize && serial->front() < 0x80 &&
                   std::any_of(serial->begin(), serial->end(), [](uint8_t b) { return b != 0; });
  if (!fit) return CaError("a serial is 32 hex digits, the first below 8, not all zero");
  return serial;
}

bool IsId(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxIdSize &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ||
                  c == '.';
         });
}

bool IsDnsName(absl::string_view name) {
  if (name.empty() || name.size() > kMaxDnsNameSize) return false;
  for (const absl::string_view label : absl::StrSplit(name, '.')) {
    const bool fit = !label.empty() && label.size() <= 63 && label.front() != '-' &&
                     label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
                       return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-';
                     });
    if (!fit) return false;
  }
  return true;
}

absl::StatusOr<Bytes> ServerName(const std::string& name) {
  uint8_t address[16];
  if (inet_pton(AF_INET, name.c_str(), address) == 1) return ext::IpName({address, 4});
  if (inet_pton(AF_INET6, name.c_str(), address) == 1) return ext::IpName({address, 16});
  if (!IsDnsName(name)) {
    return Refuse(absl::StatusCode::kInvalidArgument, Reason::kCa,
                  absl::StrCat("neither a DNS name nor an IP address: ", Printable(name, 64)));
  }
  return ext::DnsName(name);
}

// The directoryNames of an EK certificate's GeneralNames: who made the TPM. No other kind of name
// gets into a certificate of ours by way of the EK's.
absl::StatusOr<std::vector<Bytes>> DirectoryNamesOf(ByteView san) {
  constexpr uint8_t kDirectoryName = der::kContextConstructed | 4;
  if (san.size() > kMaxTpmSanSize) return absl::InvalidArgumentError("too long");
  bytes::Reader outer(san);
  BG_ASSIGN_OR_RETURN(const der::ReadElement sequence, der::Expect(outer, der::kSequence));
  BG_RETURN_IF_ERROR(outer.ExpectEnd());
  std::vector<Bytes> names;
  for (bytes::Reader in(sequence.contents); !in.empty();) {
    BG_ASSIGN_OR_RETURN(const der::ReadElement name, der::Read(in));
    if (name.tag == kDirectoryName) names.push_back(ToBytes(name.whole));
  }
  return names;
}

void Append(Bytes& to, ByteView extension) {
  to.insert(to.end(), extension.begin(), extension.end());
}

}  // namespace

// What all certificates of this issuing CA have in common, encoded once.
struct Authority::Templates {
  Templates(CertificateSigner with) : signer(std::move(with)) {}

  CertificateSigner signer;
  absl::Time not_after;  // of the issuing CA
  Bytes issuer;          // Name
  Bytes host_extensions, server_extensions, token_extensions, ak_extensions,
      ak_extensions_ek_certificate, ak_extensions_cloud_ak;

  static absl::StatusOr<std::shared_ptr<const Templates>> Make(const LoadedAuthority& loaded,
                                                               const StatusUrls& urls);
  absl::StatusOr<Bytes> Issue(CertificateFields fields, const crypto::PublicKey& key,
                              ByteView common, const std::vector<Bytes>& own) const;
};

absl::StatusOr<std::shared_ptr<const Authority::Templates>> Authority::Templates::Make(
    const LoadedAuthority& loaded, const StatusUrls& urls) {
  BG_ASSIGN_OR_RETURN(CertificateSigner signer, CertificateSigner::For(loaded.issuing_key));
  auto made = std::make_shared<Templates>(std::move(signer));
  made->not_after = loaded.not_after;
  made->issuer = loaded.issuing_name;
  const auto with = [&](const std::vector<Bytes>& purposes, const std::vector<Bytes>& policies) {
    Bytes all;
    for (const Bytes& part :
         {ext::BasicConstraintsEndEntity(), ext::KeyUsage(ext::kDigitalSignature),
          ext::ExtendedKeyUsage(purposes), ext::AuthorityKeyIdentifier(loaded.issuing_key_id),
          policies.empty() ? Bytes{} : ext::CertificatePolicies(policies)}) {
      Append(all, part);
    }
    return all;
  };
  namespace oid = ext::oid;
  made->host_extensions = with({oid::ClientAuth(), oid::ServerAuth()}, {});
  Append(made->host_extensions, StatusExtensions(urls, loaded.issuing_key_id));
  made->server_extensions = with({oid::ServerAuth()}, {});
  made->token_extensions = with({oid::TokenSigning()}, {});
  const auto ak = [&](const Bytes& how) {
    return with({oid::AikCertificate()},
                {oid::VerifiedTpmResidency(), oid::VerifiedTpmRestricted(), how});
  };
  made->ak_extensions = ak(oid::EkKeyVerified());
  made->ak_extensions_ek_certificate = ak(oid::EkCertificateVerified());
  made->ak_extensions_cloud_ak = ak(oid::CloudAkVerified());
  return made;
}

absl::StatusOr<Bytes> Authority::Templates::Issue(CertificateFields fields,
                                                  const crypto::PublicKey& key, ByteView common,
                                                  const std::vector<Bytes>& own) const {
  if (fields.not_after <= fields.not_before)
    return CaError("a validity that ends before it begins");
  if (fields.not_after > not_after) {
    return CaError(absl::StrCat("the issuing CA ends at ", FormatUtc(not_after),
                                ", before the certificate would"));
  }
  const Bytes spki = key.SpkiDer();
  Bytes extensions = ToBytes(common);
  Append(extensions, ext::SubjectKeyIdentifier(ext::KeyIdOf(spki)));
  for (const Bytes& extension : own) Append(extensions, extension);
  fields.issuer = issuer;
  fields.spki = spki;
  fields.extensions = extensions;
  return signer.Sign(fields);
}

absl::StatusOr<Authority> Authority::Open(const AuthorityFiles& files, absl::Time now,
                                          const StatusUrls& urls) {
  BG_ASSIGN_OR_RETURN(LoadedAuthority loaded, LoadAuthority(files, now));
  Authority authority;
  BG_ASSIGN_OR_RETURN(authority.templates_, Templates::Make(loaded, urls));
  authority.root_pem_ = std::move(loaded.root_pem);
  authority.issuing_pem_ = std::move(loaded.issuing_pem);
  authority.trust_domain_ = std::move(loaded.trust_domain);
  authority.issuer_ =
      std::make_shared<const Issuer>(Issuer{.id = "issuing",
                                            .uses = {std::begin(kAllCaUses), std::end(kAllCaUses)},
                                            .key_id = loaded.issuing_key_id,
                                            .name = loaded.issuing_name,
                                            .certificate = PemToDer(authority.issuing_pem_).value(),
                                            .chain_pem = authority.issuing_pem_,
                                            .not_after = loaded.not_after,
                                            .signer = authority.templates_->signer});
  const std::string bundle = authority.root_pem_ + authority.issuing_pem_;
  authority.trust_bundle_ = std::make_shared<const TrustBundle>(
      TrustBundle{bundle, crypto::Hash(crypto::HashAlg::kSha256, AsBytes(bundle))});
  return authority;
}

std::shared_ptr<const Authority::TrustBundle> Authority::trust_bundle() const {
  return trust_bundle_;
}

std::vector<IssuerPtr> Authority::Issuers() const { return {issuer_}; }

absl::StatusOr<IssuerPtr> Authority::IssuerFor(ByteView key_id) const {
  if (SameBytes(key_id, issuer_->key_id)) return issuer_;
  return absl::NotFoundError(absl::StrCat("no CA of ours has the key id ", ToHex(key_id)));
}

bool Authority::IsTainted(ByteView key_id) const {
  return issuer_->tainted && SameBytes(key_id, issuer_->key_id);
}

absl::Time Authority::not_after() const { return templates_->not_after; }

absl::StatusOr<Bytes> Authority::IssueHost(const HostCertificateRequest& request,
                                           const crypto::PublicKey& key) const {
  if (!IsId(request.host_id) || !IsId(request.verdict_id)) {
    return CaError("a host certificate needs a host id and a verdict id");
  }
  if (!request.policy_id.empty() && !IsId(request.policy_id)) return CaError("policy id");
  absl::StatusOr<Bytes> claims_digest = FromHex(request.claims_digest_hex);
  if (!claims_digest.ok() || claims_digest->size() > crypto::kMaxDigestSize) {
    return CaError("claims digest");
  }
  BG_ASSIGN_OR_RETURN(const Bytes serial, SerialFromHex(request.serial_hex));
  const Bytes subject = NameDer("", request.host_id.substr(0, kMaxCommonNameSize));
  return templates_->Issue(
      {.serial = serial,
       .subject = subject,
       .not_before = request.not_before,
       .not_after = request.not_after},
      key, templates_->host_extensions,
      {ext::SubjectAltName(
           {ext::UriName(absl::StrCat("spiffe://", trust_domain_, "/host/", request.host_id))}),
       EncodeVerdictExtension({request.verdict_id, request.policy_id, *std::move(claims_digest)})});
}

absl::StatusOr<Bytes> Authority::IssueServer(const std::vector<std::string>& names,
                                             const crypto::PublicKey& key, absl::Time not_before,
                                             absl::Time not_after) const {
  if (names.empty() || names.size() > kMaxServerNames) {
    return Refuse(absl::StatusCode::kInvalidArgument, Reason::kCa,
                  absl::StrCat("a server certificate for ", names.size(), " names"));
  }
  std::vector<Bytes> general_names;
  for (const std::string& name : names) {
    BG_ASSIGN_OR_RETURN(Bytes general_name, ServerName(name));
    general_names.push_back(std::move(general_name));
  }
  BG_ASSIGN_OR_RETURN(const Bytes serial, SerialFromHex(NewSerialHex()));
  const Bytes subject = NameDer("", names.front().substr(0, kMaxCommonNameSize));
  return templates_->Issue(
      {.serial = serial, .subject = subject, .not_before = not_before, .not_after = not_after}, key,
      templates_->server_extensions, {ext::SubjectAltName(general_names)});
}

absl::StatusOr<Bytes> Authority::IssueTokenSigner(const crypto::PublicKey& key,
                                                  absl::Time not_before,
                                                  absl::Time not_after) const {
  BG_ASSIGN_OR_RETURN(const Bytes serial, SerialFromHex(NewSerialHex()));
  const Bytes subject = NameDer("", kTokenSignerName);
  return templates_->Issue(
      {.serial = serial, .subject = subject, .not_before = not_before, .not_after = not_after}, key,
      templates_->token_extensions, {});
}

absl::StatusOr<Bytes> Authority::IssueAk(const AkCertificateRequest& request,
                                         const crypto::PublicKey& key) const {
  if (!IsId(request.host_id)) return CaError("an AK certificate needs a host id");
  std::vector<Bytes> own;
  const bool certified = request.ek_certificate_verified || request.cloud_ak_verified;
  if (certified && !request.tpm_san_der.empty()) {
    absl::StatusOr<std::vector<Bytes>> names = DirectoryNamesOf(request.tpm_san_der);
    if (!names.ok()) return CaError("the TPM's names cannot be read");
    if (!names->empty()) own.push_back(ext::SubjectAltName(*names));
  }
  BG_ASSIGN_OR_RETURN(const Bytes serial, SerialFromHex(request.serial_hex));
  const Bytes subject = NameDer("", request.host_id.substr(0, kMaxCommonNameSize));
  return templates_->Issue({.serial = serial,
                            .subject = subject,
                            .not_before = request.not_before,
                            .not_after = request.not_after},
                           key,
                           request.ek_certificate_verified
                               ? templates_->ak_extensions_ek_certificate
                           : request.cloud_ak_verified ? templates_->ak_extensions_cloud_ak
                                                       : templates_->ak_extensions,
                           own);
}

std::string NewSerialHex() {
  Bytes serial = crypto::RandomBytes(kSerialSize);
  // Positive, and never shorter than 16 bytes in DER: one text form for one serial.
  serial.front() = static_cast<uint8_t>((serial.front() & 0x7f) | 0x40);
  return ToHex(serial);
}

}  // namespace bootgate::pki
