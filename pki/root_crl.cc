#include "pki/root_crl.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/authority.h"
#include "pki/crl_view.h"
#include "pki/pem.h"
#include "pki/signing_root.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

constexpr mode_t kPublicMode = 0644;
constexpr absl::Duration kShortest = absl::Minutes(10);
constexpr char kOfflineList[] = "root.crl";  // beside root.pem

absl::Status NotTaken(absl::string_view what) {
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kCa,
                absl::StrCat("the revocation list: ", what));
}

absl::StatusOr<Bytes> OnlyListIn(absl::string_view text) {
  if (!LooksLikePem(AsBytes(text))) return ToBytes(AsBytes(text));
  BG_ASSIGN_OR_RETURN(std::vector<Bytes> lists, CrlsFromPem(text));
  if (lists.empty()) return NotTaken("there is none in the file");
  if (lists.size() != 1) return NotTaken(absl::StrCat(lists.size(), " lists in one file"));
  return std::move(lists.front());
}

absl::StatusOr<RevokedCertificate> LineOf(const CrlView::Entry& entry) {
  RevokedCertificate line{.revoked_at = entry.revoked_at, .not_after = absl::InfiniteFuture()};
  BG_ASSIGN_OR_RETURN(line.serial, FromHex(entry.serial_hex));
  line.reason = RevocationReasonFromName(entry.reason).value_or(RevocationReason::kUnspecified);
  line.invalid_since = entry.invalid_since;
  return line;
}

bool Names(const RootCrl& list, const Bytes& serial) {
  return std::ranges::any_of(list.revoked, [&](const auto& line) { return line.serial == serial; });
}

// nullopt: there is none.
absl::StatusOr<std::optional<RootCrl>> ListAt(const std::string& path, const Bytes& root_der) {
  if (!FileExists(path)) return std::nullopt;
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxPemSize));
  absl::StatusOr<RootCrl> list = ReadRootCrl(text, root_der);
  if (!list.ok()) return NotTaken(absl::StrCat(path, ": ", list.status().message()));
  return *std::move(list);
}

// The line for what is in one file, if this root signed it.
absl::StatusOr<RevokedCertificate> LineBelow(const SigningRoot& root, const std::string& pem) {
  BG_ASSIGN_OR_RETURN(const std::vector<Bytes> all, CertificatesFromPem(pem));
  if (all.empty()) return absl::InvalidArgumentError("--revoke: no certificate is in the file");
  BG_ASSIGN_OR_RETURN(const crypto::X509Ptr certificate, ParseCertificate(all.front()));
  X509* const issuer = root.ca.certificate.get();
  const bool below = X509_check_issued(issuer, certificate.get()) == X509_V_OK &&
                     X509_verify(certificate.get(), X509_get0_pubkey(issuer)) == 1;
  crypto::ClearOpenSslErrors();
  if (!below) {
    return absl::InvalidArgumentError(absl::StrCat("--revoke: this root did not sign ",
                                                   NamesOf(certificate.get()),
                                                   "; its own issuer has to revoke it"));
  }
  return LineForTainted(certificate.get());
}

// Of the CAs of the folder, the root whose key this list names as its signer's.
absl::StatusOr<const CaRecord*> RootOf(const CaFolder& folder, const CrlView& view) {
  for (const CaRecord& ca : folder.cas) {
    if (ca.kind != CaRecord::Kind::kRoot || ca.certificate.empty()) continue;
    const absl::StatusOr<ReadCa> read = ReadCertificateOf(folder, ca);
    if (!read.ok()) continue;
    const ASN1_OCTET_STRING* const id = X509_get0_subject_key_id(read->certificate.get());
    if (id != nullptr && ToHex(StringBytes(id)) == view.issuer_key_id) return &ca;
  }
  return NotTaken(absl::StrCat("no root here has the key that signed it (", view.issuer, ")"));
}

// Not a CA that we still keep: a list leaves out what has expired.
absl::Status CheckStillNamed(const CaFolder& folder, const CaRecord& root, const RootCrl& list,
                             const RootCrl& before) {
  for (const CaRecord& ca : folder.cas) {
    if (ca.under != root.id || ca.certificate.empty()) continue;
    const absl::StatusOr<ReadCa> read = ReadCertificateOf(folder, ca);
    if (!read.ok()) continue;
    BG_ASSIGN_OR_RETURN(const RevokedCertificate line, LineForTainted(read->certificate.get()));
    if (!Names(before, line.serial) || Names(list, line.serial)) continue;
    return NotTaken(absl::StrCat("the one here revokes ", ca.id,
                                 ", this one does not: sign it again with --revoke ",
                                 folder.PathOf(ca.certificate)));
  }
  return absl::OkStatus();
}

absl::Status CheckNews(const CaFolder& folder, const CaRecord& root, const RootCrl& list,
                       const std::optional<RootCrl>& before, absl::Time now) {
  if (list.next_update <= now) {
    return NotTaken(absl::StrCat("it has run out at ", FormatUtc(list.next_update)));
  }
  if (!before.has_value()) return absl::OkStatus();
  if (list.number < before->number) {
    return NotTaken(absl::StrCat("its number is ", list.number, ", that of the one here is ",
                                 before->number, ": it is older"));
  }
  return CheckStillNamed(folder, root, list, *before);
}

}  // namespace

absl::StatusOr<RevokedCertificate> LineForTainted(const X509* certificate) {
  RevokedCertificate line{.revoked_at = NotBefore(certificate),
                          .not_after = NotAfter(certificate),
                          .reason = RevocationReason::kCaCompromise};
  BG_ASSIGN_OR_RETURN(line.serial, FromHex(SerialHex(certificate)));
  return line;
}

absl::StatusOr<RootCrl> ReadRootCrl(absl::string_view text, ByteView root_der) {
  RootCrl list;
  BG_ASSIGN_OR_RETURN(list.der, OnlyListIn(text));
  BG_ASSIGN_OR_RETURN(const CrlView view, ViewCrl(list.der, DerToPem(root_der)));
  if (!view.signed_by_ca.value_or(false)) return NotTaken("not signed by this root");
  if (!view.next_update.has_value()) return NotTaken("it does not say how long it holds");
  if (!view.number.empty() && !absl::SimpleAtoi(view.number, &list.number)) {
    return NotTaken("its number is too large");
  }
  list.this_update = view.this_update;
  list.next_update = *view.next_update;
  for (const CrlView::Entry& entry : view.entries) {
    BG_ASSIGN_OR_RETURN(RevokedCertificate line, LineOf(entry));
    list.revoked.push_back(std::move(line));
  }
  return list;
}

std::string RootCrlFile(const CaRecord& root) { return root.id + ".crl"; }

absl::StatusOr<RootCrl> SignRootCrl(const RootCrlSigning& signing, absl::Time now) {
  BG_ASSIGN_OR_RETURN(const SigningRoot root,
                      OpenOfflineRoot(signing.root_folder, signing.root_secret));
  if (signing.lifetime < kShortest || now + signing.lifetime > root.not_after) {
    return absl::InvalidArgumentError(
        absl::StrCat("--lifetime: at least 10m, and not beyond the root's own end, ",
                     FormatUtc(root.not_after)));
  }
  const std::string path = absl::StrCat(signing.root_folder, "/", kOfflineList);
  BG_ASSIGN_OR_RETURN(const std::optional<RootCrl> before, ListAt(path, root.ca.der));
  RootCrl list{.number = static_cast<uint64_t>(absl::ToUnixMicros(now)),
               .this_update = now - kCaBackdate,
               .next_update = now + signing.lifetime};
  if (before.has_value()) {
    list.number = std::max(list.number, before->number + 1);
    list.revoked = before->revoked;
  }
  for (const std::string& pem : signing.tainted) {
    BG_ASSIGN_OR_RETURN(RevokedCertificate line, LineBelow(root, pem));
    if (!Names(list, line.serial)) list.revoked.push_back(std::move(line));
  }
  BG_ASSIGN_OR_RETURN(list.der, MakeCrl({.issuer = root.name,
                                         .issuer_key_id = root.key_id,
                                         .number = list.number,
                                         .this_update = list.this_update,
                                         .next_update = list.next_update},
                                        list.revoked, root.signer));
  BG_RETURN_IF_ERROR(WriteFileAtomically(path, AsBytes(CrlToPem(list.der)), kPublicMode));
  return list;
}

absl::StatusOr<InstalledRootCrl> InstallRootCrl(const std::string& path, absl::string_view text,
                                                absl::Time now) {
  BG_ASSIGN_OR_RETURN(const CaFolderLock lock, CaFolderLock::Take(path));
  BG_ASSIGN_OR_RETURN(const CaFolder folder, LoadCaFolder(path));
  BG_ASSIGN_OR_RETURN(const Bytes der, OnlyListIn(text));
  BG_ASSIGN_OR_RETURN(const CrlView view, ViewCrl(der));
  BG_ASSIGN_OR_RETURN(const CaRecord* const root, RootOf(folder, view));
  BG_ASSIGN_OR_RETURN(const ReadCa read, ReadCertificateOf(folder, *root));
  InstalledRootCrl installed{.root = *root};
  BG_ASSIGN_OR_RETURN(installed.list, ReadRootCrl(text, read.der));
  const std::string file = folder.PathOf(RootCrlFile(*root));
  BG_ASSIGN_OR_RETURN(const std::optional<RootCrl> before, ListAt(file, read.der));
  BG_RETURN_IF_ERROR(CheckNews(folder, *root, installed.list, before, now));
  BG_RETURN_IF_ERROR(WriteFileAtomically(file, AsBytes(CrlToPem(der)), kPublicMode));
  // Written anew, so that running gatekeepers look.
  BG_RETURN_IF_ERROR(SaveCaFolder(folder));
  return installed;
}

}  // namespace bootgate::pki
