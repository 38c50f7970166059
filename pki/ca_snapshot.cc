#include "pki/ca_snapshot.h"

#include <openssl/x509v3.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/authority.h"
#include "pki/extensions.h"
#include "pki/pem.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

constexpr size_t kMaxFileSize = 65536;  // bytes

absl::Status Broken(const std::string& path, absl::string_view what) {
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kCa, absl::StrCat(path, ": ", what));
}

struct CaFile {
  std::string path, pem;  // pem: as it is in the file
  Bytes der;              // of the first certificate
  crypto::X509Ptr certificate;
  std::vector<crypto::X509Ptr> between;  // the others
};

absl::StatusOr<CaFile> Load(const CaFolder& folder, const CaRecord& ca, absl::Time now) {
  CaFile file;
  file.path = folder.PathOf(ca.certificate);
  BG_ASSIGN_OR_RETURN(file.pem, ReadTextFile(file.path, kMaxFileSize));
  const absl::StatusOr<std::vector<Bytes>> all = CertificatesFromPem(file.pem);
  if (!all.ok()) return Broken(file.path, all.status().message());
  if (all->empty()) return Broken(file.path, "no certificate is in it");
  for (const Bytes& der : *all) {
    absl::StatusOr<crypto::X509Ptr> certificate = ParseCertificate(der);
    if (!certificate.ok()) return Broken(file.path, certificate.status().message());
    constexpr int kCaByBasicConstraints = 1;
    if (X509_check_ca(certificate->get()) != kCaByBasicConstraints) {
      return Broken(file.path, "not a CA certificate");
    }
    const absl::Time from = NotBefore(certificate->get()), to = NotAfter(certificate->get());
    if (now < from) return Broken(file.path, absl::StrCat("not valid before ", FormatUtc(from)));
    if (now > to) return Broken(file.path, absl::StrCat("expired at ", FormatUtc(to)));
    if (file.certificate == nullptr)
      file.certificate = *std::move(certificate);
    else
      file.between.push_back(*std::move(certificate));
  }
  file.der = all->front();
  return file;
}

// `issuer`'s signature over `certificate`, and that its name is the issuer named in it.
bool IsIssuedBy(X509* certificate, X509* issuer) {
  const bool holds = X509_check_issued(issuer, certificate) == X509_V_OK &&
                     X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
  crypto::ClearOpenSslErrors();
  return holds;
}

absl::Status CheckPath(const CaFile& issuing, const CaFile& root) {
  X509* below = issuing.certificate.get();
  for (const crypto::X509Ptr& next : issuing.between) {
    if (!IsIssuedBy(below, next.get())) {
      return Broken(issuing.path, "its certificates are not a chain");
    }
    below = next.get();
  }
  if (IsIssuedBy(below, root.certificate.get())) return absl::OkStatus();
  return Broken(issuing.path,
                absl::StrCat("is not signed by ", root.path.substr(root.path.rfind('/') + 1)));
}

Bytes SubjectDer(const X509* certificate) {
  const uint8_t* der = nullptr;
  size_t size = 0;
  if (X509_NAME_get0_der(X509_get_subject_name(certificate), &der, &size) != 1) return {};
  return ToBytes({der, size});
}

absl::StatusOr<Bytes> KeyIdentifier(const CaFile& file) {
  const ASN1_OCTET_STRING* id = X509_get0_subject_key_id(file.certificate.get());
  if (id == nullptr) return Broken(file.path, "no subject key identifier");
  return ToBytes({ASN1_STRING_get0_data(id), static_cast<size_t>(ASN1_STRING_length(id))});
}

class Loader {
 public:
  Loader(const CaFolder& folder, const StatusUrls& urls, absl::Time now, const CaSnapshot* before,
         const std::set<std::string>& tainted_elsewhere)
      : folder_(folder),
        urls_(urls),
        now_(now),
        before_(before),
        tainted_elsewhere_(tainted_elsewhere),
        made_(new CaSnapshot) {
    made_->trust_domain = folder.trust_domain;
  }

  absl::StatusOr<std::shared_ptr<const CaSnapshot>> Run() {
    for (const CaRecord& ca : folder_.cas) {
      if (ca.kind == CaRecord::Kind::kRoot) BG_RETURN_IF_ERROR(AddRoot(ca));
    }
    for (const bool signs : {true, false}) {
      for (const CaRecord& ca : folder_.cas) {
        const bool issuing =
            ca.kind == CaRecord::Kind::kIssuing && ca.state != CaRecord::State::kRequested;
        if (!issuing || signs == ca.signs.empty()) continue;
        const absl::Status added = AddIssuing(ca);
        if (signs) BG_RETURN_IF_ERROR(added);
      }
    }
    made_->roots_pem = roots_active_ + roots_other_;
    const std::string pem = BundlePem();
    made_->bundle = std::make_shared<const TrustBundle>(
        TrustBundle{pem, crypto::Hash(crypto::HashAlg::kSha256, AsBytes(pem))});
    return std::shared_ptr<const CaSnapshot>(std::move(made_));
  }

 private:
  // In the folder's order, whoever signs: an activation leaves the bundle as agents have it.
  std::string BundlePem() const {
    std::string roots, issuing;
    for (const CaRecord& ca : folder_.cas) {
      const auto found = believed_.find(ca.id);
      if (found == believed_.end()) continue;
      (ca.kind == CaRecord::Kind::kRoot ? roots : issuing) += found->second;
    }
    return roots + issuing;
  }

  bool IsTainted(const CaRecord& ca, ByteView key_id) const {
    return ca.state == CaRecord::State::kTainted || tainted_elsewhere_.count(ToHex(key_id)) != 0;
  }

  absl::Status AddRoot(const CaRecord& ca) {
    if (ca.state == CaRecord::State::kRequested) return absl::OkStatus();
    absl::StatusOr<CaFile> file = Load(folder_, ca, now_);
    const bool active = ca.state == CaRecord::State::kActive;
    if (!file.ok()) return active ? file.status() : absl::OkStatus();
    if (!IsIssuedBy(file->certificate.get(), file->certificate.get())) {
      return Broken(file->path, "is not signed by its own key");
    }
    // A root's key in the clear beside its certificate is checked; others are asked for when used.
    if (active && ca.key.kind == KeySpec::Kind::kFile &&
        ca.key.secret.kind == SecretSource::Kind::kNone) {
      BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, KeyOf(file->certificate.get()));
      BG_RETURN_IF_ERROR(OpenKey(ca.key, folder_.folder, key).status());
    }
    // A root of somebody else's may have no key identifier; nobody can taint it by that.
    const absl::StatusOr<Bytes> id = KeyIdentifier(*file);
    if (IsTainted(ca, id.ok() ? *id : Bytes())) {
      if (id.ok()) made_->tainted.insert(ToHex(*id));
      tainted_roots_.insert(ca.id);
    } else {
      (active ? roots_active_ : roots_other_) += file->pem;
      believed_[ca.id] = file->pem;
    }
    made_->all_pem += file->pem;
    if (id.ok()) made_->roots.push_back(RootFor(ca, *file, *id));
    roots_.emplace(ca.id, *std::move(file));
    return absl::OkStatus();
  }

  RootCa RootFor(const CaRecord& ca, const CaFile& file, const Bytes& key_id) const {
    const std::string list = folder_.PathOf(RootCrlFile(ca));
    return {
        .ca = std::make_shared<const Issuer>(Issuer{.id = ca.id,
                                                    .tainted = tainted_roots_.contains(ca.id),
                                                    .key_id = key_id,
                                                    .name = SubjectDer(file.certificate.get()),
                                                    .certificate = file.der,
                                                    .chain_pem = file.pem,
                                                    .not_after = NotAfter(file.certificate.get())}),
        .key = ca.key,
        .brought = ReadTextFile(list, kMaxPemSize).value_or("")};
  }

  // A CA right below a root of ours, of which nothing is believed.
  absl::Status Revoke(const CaRecord& ca, const CaFile& file) {
    for (RootCa& root : made_->roots) {
      if (root.ca->id != ca.under || !file.between.empty()) continue;
      BG_ASSIGN_OR_RETURN(RevokedCertificate line, LineForTainted(file.certificate.get()));
      root.revoked.push_back(std::move(line));
    }
    return absl::OkStatus();
  }

  absl::Status AddIssuing(const CaRecord& ca) {
    BG_ASSIGN_OR_RETURN(const CaFile file, Load(folder_, ca, now_));
    const auto root = roots_.find(ca.under);
    if (root == roots_.end()) {
      return Broken(file.path, absl::StrCat("its root ", ca.under, " is not good any more"));
    }
    BG_RETURN_IF_ERROR(CheckPath(file, root->second));
    Issuer issuer{.id = ca.id,
                  .uses = ca.uses,
                  .name = SubjectDer(file.certificate.get()),
                  .certificate = file.der,
                  .chain_pem = file.pem};
    BG_ASSIGN_OR_RETURN(issuer.key_id, KeyIdentifier(file));
    issuer.tainted = IsTainted(ca, issuer.key_id) || tainted_roots_.count(ca.under) != 0;
    if (issuer.tainted) BG_RETURN_IF_ERROR(Revoke(ca, file));
    issuer.not_after =
        std::min(NotAfter(root->second.certificate.get()), NotAfter(file.certificate.get()));
    for (const crypto::X509Ptr& between : file.between) {
      issuer.not_after = std::min(issuer.not_after, NotAfter(between.get()));
    }
    const absl::Status opened = OpenSigner(ca, file, &issuer);
    if (!ca.signs.empty()) BG_RETURN_IF_ERROR(opened);
    Keep(ca, std::move(issuer), root->second.pem);
    return absl::OkStatus();
  }

  absl::Status OpenSigner(const CaRecord& ca, const CaFile& file, Issuer* issuer) {
    for (const IssuerPtr& known :
         before_ == nullptr ? std::vector<IssuerPtr>{} : before_->issuers) {
      if (known->key_id == issuer->key_id && known->signer.has_value() &&
          known->signer->holder().Describe() == DescribeNow(ca)) {
        issuer->signer = known->signer;
        return absl::OkStatus();
      }
    }
    BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, KeyOf(file.certificate.get()));
    BG_ASSIGN_OR_RETURN(auto holder, OpenKey(ca.key, folder_.folder, key));
    BG_ASSIGN_OR_RETURN(issuer->signer, CertificateSigner::For(std::move(holder)));
    return absl::OkStatus();
  }

  // Keys in files alone are kept open from one snapshot to the next: their passphrase may have been
  // typed. Others cost nothing to open.
  std::string DescribeNow(const CaRecord& ca) const {
    if (ca.key.kind != KeySpec::Kind::kFile) return "";
    return absl::StrCat("file ", ca.key.file[0] == '/' ? ca.key.file : folder_.PathOf(ca.key.file));
  }

  void Keep(const CaRecord& ca, Issuer issuer, const std::string& root_pem) {
    if (issuer.tainted)
      made_->tainted.insert(ToHex(issuer.key_id));
    else
      believed_[ca.id] = DerToPem(issuer.certificate);
    made_->all_pem += issuer.chain_pem;
    made_->root_of[ca.id] = root_pem;
    const IssuerPtr kept = std::make_shared<const Issuer>(std::move(issuer));
    made_->issuers.push_back(kept);
    if (ca.signs.empty() || kept->tainted) return;
    const auto signing = std::make_shared<const SigningCa>(Encode(kept));
    for (const CaUse use : ca.signs) made_->signing[use] = signing;
  }

  SigningCa Encode(const IssuerPtr& issuer) const {
    const auto with = [&](const std::vector<Bytes>& purposes, const std::vector<Bytes>& policies) {
      Bytes all;
      for (const Bytes& part :
           {ext::BasicConstraintsEndEntity(), ext::KeyUsage(ext::kDigitalSignature),
            ext::ExtendedKeyUsage(purposes), ext::AuthorityKeyIdentifier(issuer->key_id),
            policies.empty() ? Bytes{} : ext::CertificatePolicies(policies)}) {
        all.insert(all.end(), part.begin(), part.end());
      }
      return all;
    };
    namespace oid = ext::oid;
    SigningCa out;
    out.issuer = issuer;
    out.host_extensions = with({oid::ClientAuth(), oid::ServerAuth()}, {});
    const Bytes status = StatusExtensions(urls_, issuer->key_id);
    out.host_extensions.insert(out.host_extensions.end(), status.begin(), status.end());
    out.server_extensions = with({oid::ServerAuth()}, {});
    out.token_extensions = with({oid::TokenSigning()}, {});
    out.operator_extensions = with({oid::ClientAuth()}, {});
    const auto ak = [&](const Bytes& how) {
      return with({oid::AikCertificate()},
                  {oid::VerifiedTpmResidency(), oid::VerifiedTpmRestricted(), how});
    };
    out.ak_extensions = ak(oid::EkKeyVerified());
    out.ak_extensions_ek_certificate = ak(oid::EkCertificateVerified());
    out.ak_extensions_cloud_ak = ak(oid::CloudAkVerified());
    return out;
  }

  const CaFolder& folder_;
  const StatusUrls& urls_;
  const absl::Time now_;
  const CaSnapshot* const before_;
  const std::set<std::string>& tainted_elsewhere_;
  std::unique_ptr<CaSnapshot> made_;
  std::map<std::string, CaFile> roots_;
  std::set<std::string> tainted_roots_;
  std::string roots_active_, roots_other_;
  std::map<std::string, std::string> believed_;  // id -> PEM
};

}  // namespace

absl::StatusOr<std::shared_ptr<const CaSnapshot>> LoadSnapshot(
    const CaFolder& folder, const StatusUrls& urls, absl::Time now, const CaSnapshot* before,
    const std::set<std::string>& tainted_elsewhere) {
  return Loader(folder, urls, now, before, tainted_elsewhere).Run();
}

}  // namespace bootgate::pki
