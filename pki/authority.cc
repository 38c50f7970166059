#include "pki/authority.h"

#include <arpa/inet.h>

#include <algorithm>
#include <mutex>

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
#include "pki/certificate.h"
#include "pki/extensions.h"
#include "pki/operator_certificate.h"
#include "pki/verdict_extension.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

constexpr size_t kRandomSerial = 16;  // bytes
constexpr uint8_t kSerialStart = 0x01;
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
  const bool fit = serial.ok() &&
                   (serial->size() == kRandomSerial || serial->size() == kRandomSerial + 1) &&
                   serial->front() < 0x80 &&
                   std::any_of(serial->begin(), serial->end(), [](uint8_t b) { return b != 0; });
  if (!fit) return CaError("a serial is 32 or 34 hex digits, the first below 8, not all zero");
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

// The value of an extension of a certificate in DER; nothing is copied.
absl::StatusOr<ByteView> ExtensionValue(ByteView certificate, ByteView oid) {
  constexpr uint8_t kExtensions = der::kContextConstructed | 3;
  bytes::Reader outer(certificate);
  BG_ASSIGN_OR_RETURN(const der::ReadElement whole, der::Expect(outer, der::kSequence));
  bytes::Reader parts(whole.contents);
  BG_ASSIGN_OR_RETURN(const der::ReadElement tbs, der::Expect(parts, der::kSequence));
  for (bytes::Reader fields(tbs.contents); !fields.empty();) {
    BG_ASSIGN_OR_RETURN(const der::ReadElement field, der::Read(fields));
    if (field.tag != kExtensions) continue;
    bytes::Reader wrapped(field.contents);
    BG_ASSIGN_OR_RETURN(const der::ReadElement list, der::Expect(wrapped, der::kSequence));
    for (bytes::Reader in(list.contents); !in.empty();) {
      BG_ASSIGN_OR_RETURN(const der::ReadElement extension, der::Expect(in, der::kSequence));
      bytes::Reader inside(extension.contents);
      BG_ASSIGN_OR_RETURN(const der::ReadElement name, der::Read(inside));
      if (!SameBytes(name.whole, oid)) continue;
      der::ReadElement last;
      while (!inside.empty()) {
        BG_ASSIGN_OR_RETURN(last, der::Read(inside));
      }
      return last.contents;
    }
  }
  return absl::NotFoundError("no such extension");
}

// The key id of the issuer, as a certificate of ours has it: read without OpenSSL, since this is
// asked for with every credential.
absl::StatusOr<ByteView> IssuerKeyIdIn(ByteView certificate) {
  static const Bytes kOid = der::Oid({2, 5, 29, 35});
  BG_ASSIGN_OR_RETURN(const ByteView value, ExtensionValue(certificate, kOid));
  bytes::Reader in(value);
  BG_ASSIGN_OR_RETURN(const der::ReadElement sequence, der::Expect(in, der::kSequence));
  bytes::Reader inside(sequence.contents);
  BG_ASSIGN_OR_RETURN(const der::ReadElement id, der::Expect(inside, der::kContextPrimitive | 0));
  return id.contents;
}

void Append(Bytes& to, ByteView extension) {
  to.insert(to.end(), extension.begin(), extension.end());
}

// `common`: extensions of every certificate of its kind; `own`: of this one.
absl::StatusOr<Bytes> Issue(const SigningCa& ca, CertificateFields fields,
                            const crypto::PublicKey& key, ByteView common,
                            const std::vector<Bytes>& own) {
  if (fields.not_after <= fields.not_before)
    return CaError("a validity that ends before it begins");
  if (fields.not_after > ca.issuer->not_after) {
    return CaError(absl::StrCat("the issuing CA ends at ", FormatUtc(ca.issuer->not_after),
                                ", before the certificate would"));
  }
  const Bytes spki = key.SpkiDer();
  Bytes extensions = ToBytes(common);
  Append(extensions, ext::SubjectKeyIdentifier(ext::KeyIdOf(spki)));
  for (const Bytes& extension : own) Append(extensions, extension);
  fields.issuer = ca.issuer->name;
  fields.spki = spki;
  fields.extensions = extensions;
  return ca.issuer->signer->Sign(fields);
}

}  // namespace

struct Authority::Live {
  const std::string folder;
  const StatusUrls urls;
  std::mutex mutex;
  // Under mutex.
  std::string fingerprint;  // of the folder when it was last looked at
  bool taints_are_new = false;
  std::shared_ptr<const CaSnapshot> snapshot;
  std::shared_ptr<const std::set<std::string>> tainted =
      std::make_shared<const std::set<std::string>>();

  std::shared_ptr<const CaSnapshot> Now() {
    const std::lock_guard lock(mutex);
    return snapshot;
  }
  std::shared_ptr<const std::set<std::string>> Tainted() {
    const std::lock_guard lock(mutex);
    return tainted;
  }
};

absl::StatusOr<Authority> Authority::Open(const AuthorityFiles& files, absl::Time now,
                                          const StatusUrls& urls) {
  auto live = std::shared_ptr<Live>(new Live{.folder = files.folder, .urls = urls});
  live->fingerprint = FingerprintOf(files.folder);
  BG_ASSIGN_OR_RETURN(const CaFolder folder, LoadCaFolder(files.folder));
  BG_ASSIGN_OR_RETURN(live->snapshot, LoadSnapshot(folder, live->urls, now, nullptr));
  return Authority(std::move(live));
}

absl::Status Authority::Refresh(absl::Time now) const {
  std::string fingerprint = FingerprintOf(live_->folder);
  std::shared_ptr<const CaSnapshot> before;
  std::shared_ptr<const std::set<std::string>> tainted;
  {
    const std::lock_guard lock(live_->mutex);
    if (fingerprint == live_->fingerprint && !live_->taints_are_new) return absl::OkStatus();
    live_->fingerprint = std::move(fingerprint);
    live_->taints_are_new = false;
    before = live_->snapshot;
    tainted = live_->tainted;
  }
  BG_ASSIGN_OR_RETURN(const CaFolder folder, LoadCaFolder(live_->folder));
  BG_ASSIGN_OR_RETURN(auto snapshot,
                      LoadSnapshot(folder, live_->urls, now, before.get(), *tainted));
  const std::lock_guard lock(live_->mutex);
  live_->snapshot = std::move(snapshot);
  return absl::OkStatus();
}

void Authority::SetTainted(std::set<std::string> key_ids) const {
  auto tainted = std::make_shared<const std::set<std::string>>(std::move(key_ids));
  const std::lock_guard lock(live_->mutex);
  live_->taints_are_new = live_->taints_are_new || *tainted != *live_->tainted;
  live_->tainted = std::move(tainted);
}

absl::StatusOr<std::shared_ptr<const SigningCa>> Authority::SignerFor(CaUse use) const {
  const std::shared_ptr<const CaSnapshot> snapshot = live_->Now();
  const auto found = snapshot->signing.find(use);
  if (found == snapshot->signing.end()) {
    return CaError(
        absl::StrCat("no CA signs for ", std::string(Name(use)), " (bootgate-gatekeeper ca list)"));
  }
  const auto tainted = live_->Tainted();
  if (!tainted->empty() && tainted->count(ToHex(found->second->issuer->key_id)) != 0) {
    return CaError(absl::StrCat("the CA ", found->second->issuer->id, " is tainted"));
  }
  return found->second;
}

std::string Authority::root_pem() const {
  const std::shared_ptr<const CaSnapshot> snapshot = live_->Now();
  const auto found = snapshot->signing.find(CaUse::kHosts);
  if (found == snapshot->signing.end()) return snapshot->roots_pem;
  return snapshot->root_of.at(found->second->issuer->id);
}

std::string Authority::roots_pem() const { return live_->Now()->roots_pem; }

std::string Authority::issuing_pem(CaUse use) const {
  const std::shared_ptr<const CaSnapshot> snapshot = live_->Now();
  const auto found = snapshot->signing.find(use);
  return found == snapshot->signing.end() ? "" : found->second->issuer->chain_pem;
}

std::string Authority::chain_pem(CaUse use) const {
  const std::shared_ptr<const CaSnapshot> snapshot = live_->Now();
  const auto found = snapshot->signing.find(use);
  if (found == snapshot->signing.end()) return "";
  return found->second->issuer->chain_pem + snapshot->root_of.at(found->second->issuer->id);
}

std::string Authority::ChainOf(ByteView certificate_der) const {
  const absl::StatusOr<ByteView> key_id = IssuerKeyIdIn(certificate_der);
  if (!key_id.ok()) return "";
  const absl::StatusOr<IssuerPtr> issuer = IssuerFor(*key_id);
  return issuer.ok() ? (*issuer)->chain_pem : "";
}

std::string Authority::client_ca_pem() const { return live_->Now()->all_pem; }

std::string Authority::trust_domain() const { return live_->Now()->trust_domain; }

absl::Time Authority::not_after(CaUse use) const {
  const std::shared_ptr<const CaSnapshot> snapshot = live_->Now();
  const auto found = snapshot->signing.find(use);
  return found == snapshot->signing.end() ? absl::InfinitePast() : found->second->issuer->not_after;
}

std::shared_ptr<const TrustBundle> Authority::trust_bundle() const { return live_->Now()->bundle; }

std::vector<IssuerPtr> Authority::Issuers() const { return live_->Now()->issuers; }

std::vector<RootCa> Authority::Roots() const { return live_->Now()->roots; }

absl::StatusOr<CertificateSigner> Authority::OpenRoot(const RootCa& root) const {
  BG_ASSIGN_OR_RETURN(const crypto::X509Ptr certificate, ParseCertificate(root.ca->certificate));
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, KeyOf(certificate.get()));
  BG_ASSIGN_OR_RETURN(auto holder, OpenKey(root.key, live_->folder, key));
  return CertificateSigner::For(std::move(holder));
}

absl::StatusOr<IssuerPtr> Authority::ActiveIssuer(CaUse use) const {
  BG_ASSIGN_OR_RETURN(const auto ca, SignerFor(use));
  return ca->issuer;
}

absl::StatusOr<IssuerPtr> Authority::IssuerFor(ByteView key_id) const {
  for (const IssuerPtr& issuer : live_->Now()->issuers) {
    if (SameBytes(key_id, issuer->key_id)) return issuer;
  }
  return absl::NotFoundError(absl::StrCat("no CA of ours has the key id ", ToHex(key_id)));
}

bool Authority::IsTainted(ByteView key_id) const {
  const std::string hex = ToHex(key_id);
  return live_->Now()->tainted.count(hex) != 0 || live_->Tainted()->count(hex) != 0;
}

bool Authority::MayIssue(CaUse use, ByteView key_id) const {
  const absl::StatusOr<IssuerPtr> issuer = IssuerFor(key_id);
  return issuer.ok() && (*issuer)->uses.count(use) != 0 && !IsTainted(key_id);
}

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
  BG_ASSIGN_OR_RETURN(const auto ca, SignerFor(CaUse::kHosts));
  if (!request.issuer_key_id.empty() && request.issuer_key_id != ca->issuer->key_id) {
    return Refuse(absl::StatusCode::kUnavailable, Reason::kCa,
                  absl::StrCat("another CA, ", ca->issuer->id,
                               ", has come to sign for hosts meanwhile; the next try is its"));
  }
  const Bytes subject = DeviceNameDer(request.host_id.substr(0, kMaxCommonNameSize));
  return Issue(
      *ca,
      {.serial = serial,
       .subject = subject,
       .not_before = request.not_before,
       .not_after = request.not_after},
      key, ca->host_extensions,
      {ext::SubjectAltName(
           {ext::UriName(absl::StrCat("spiffe://", trust_domain(), "/host/", request.host_id))}),
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
  BG_ASSIGN_OR_RETURN(const auto ca, SignerFor(CaUse::kServers));
  const Bytes subject = NameDer("", names.front().substr(0, kMaxCommonNameSize));
  return Issue(
      *ca, {.serial = serial, .subject = subject, .not_before = not_before, .not_after = not_after},
      key, ca->server_extensions, {ext::SubjectAltName(general_names)});
}

absl::StatusOr<Bytes> Authority::IssueTokenSigner(const crypto::PublicKey& key,
                                                  absl::Time not_before,
                                                  absl::Time not_after) const {
  BG_ASSIGN_OR_RETURN(const Bytes serial, SerialFromHex(NewSerialHex()));
  BG_ASSIGN_OR_RETURN(const auto ca, SignerFor(CaUse::kServers));
  const Bytes subject = NameDer("", kTokenSignerName);
  return Issue(
      *ca, {.serial = serial, .subject = subject, .not_before = not_before, .not_after = not_after},
      key, ca->token_extensions, {});
}

absl::StatusOr<Bytes> Authority::IssueOperator(const std::string& name,
                                               const std::vector<std::string>& roles,
                                               const crypto::PublicKey& key, absl::Time not_before,
                                               absl::Time not_after) const {
  if (!IsOperatorName(name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", Printable(name, 64),
                     "' is no operator's name: 1 to 48 letters, digits, '-', '_', '.', '@'"));
  }
  const bool fit = !roles.empty() && roles.size() <= kMaxOperatorRoles &&
                   std::all_of(roles.begin(), roles.end(),
                               [](const std::string& role) { return IsRoleName(role); });
  if (!fit) {
    return absl::InvalidArgumentError(
        "an operator needs 1 to 16 roles, each 1 to 32 of a-z, digits, '-'");
  }
  BG_ASSIGN_OR_RETURN(const Bytes serial, SerialFromHex(NewSerialHex()));
  BG_ASSIGN_OR_RETURN(const auto ca, SignerFor(CaUse::kOperators));
  // The blank keeps TLS libraries from taking a name with a dot for a DNS name.
  const Bytes subject = NameDer("", absl::StrCat("operator ", name));
  return Issue(
      *ca, {.serial = serial, .subject = subject, .not_before = not_before, .not_after = not_after},
      key, ca->operator_extensions,
      {ext::SubjectAltName(
           {ext::UriName(absl::StrCat("spiffe://", trust_domain(), "/operator/", name))}),
       EncodeRolesExtension(roles)});
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
  BG_ASSIGN_OR_RETURN(const auto ca, SignerFor(CaUse::kAks));
  const Bytes subject = NameDer("", request.host_id.substr(0, kMaxCommonNameSize));
  return Issue(*ca,
               {.serial = serial,
                .subject = subject,
                .not_before = request.not_before,
                .not_after = request.not_after},
               key,
               request.ek_certificate_verified ? ca->ak_extensions_ek_certificate
               : request.cloud_ak_verified     ? ca->ak_extensions_cloud_ak
                                               : ca->ak_extensions,
               own);
}

std::string NewSerialHex() {
  Bytes serial = crypto::RandomBytes(kRandomSerial);
  serial.insert(serial.begin(), kSerialStart);
  return ToHex(serial);
}

}  // namespace bootgate::pki
