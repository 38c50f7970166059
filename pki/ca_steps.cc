#include "pki/ca_steps.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/authority.h"
#include "pki/ca_certificate.h"
#include "pki/ca_request.h"
#include "pki/ca_snapshot.h"
#include "pki/extensions.h"
#include "pki/file_key.h"
#include "pki/pem.h"
#include "pki/signer_chain.h"
#include "pki/signing_root.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

constexpr size_t kMaxFileSize = 65536;  // bytes
constexpr mode_t kPublicMode = 0644, kFolderMode = 0700;
constexpr size_t kMaxWhy = 500;  // bytes

absl::Status NotNow(absl::string_view what) {
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kCa, what);
}

absl::Status CheckPlan(const CaPlan& plan) {
  if (!IsClusterId(plan.cluster_id)) {
    return absl::InvalidArgumentError("cluster id: 1 to 40 letters, digits, '.', '-' or '_'");
  }
  if (!IsTrustDomain(plan.trust_domain)) {
    return absl::InvalidArgumentError(
        "trust domain: 1 to 255 lower-case letters, digits, '.', '-' or '_'");
  }
  if (plan.issuing_lifetime <= absl::ZeroDuration() || plan.root_lifetime < plan.issuing_lifetime) {
    return absl::InvalidArgumentError("the root must live at least as long as the issuing CAs");
  }
  if ((plan.root == RootAt::kOffline) != !plan.root_out.empty()) {
    return absl::InvalidArgumentError(
        "an offline root needs a folder to be written to, and only "
        "an offline root: --offline-root --root-out DIR");
  }
  for (const char* const name : {kCaFile, "root.pem", "root.key", "issuing.pem", "issuing.key"}) {
    const std::string path = absl::StrCat(plan.folder, "/", name);
    if (FileExists(path)) return absl::AlreadyExistsError(absl::StrCat(path, " is already there"));
  }
  return absl::OkStatus();
}

// Where the key of the CA `id` is to be, when those of its kind are where `like` says.
KeySpec KeyNamed(const KeySpec& like, const std::string& id, const std::string& cluster_id) {
  KeySpec key = like;
  switch (key.kind) {
    case KeySpec::Kind::kNone:
      break;
    case KeySpec::Kind::kFile:
    case KeySpec::Kind::kTpm: {
      const std::string folder = like.file.substr(0, like.file.rfind('/') + 1);
      key.file = absl::StrCat(folder, id, key.kind == KeySpec::Kind::kTpm ? ".tpm" : ".key");
      break;
    }
    case KeySpec::Kind::kPkcs11:
      key.label = absl::StrCat("bootgate-", cluster_id.substr(0, 20), "-", id);
      break;
  }
  return key;
}

absl::StatusOr<SigningRoot> OpenActiveRoot(const CaFolder& folder) {
  const CaRecord* const root = folder.ActiveRoot();
  if (root == nullptr || root->key.kind == KeySpec::Kind::kNone) {
    return NotNow(
        "the root's key is not here: make a request with `bootgate-gatekeeper ca csr`, have it "
        "signed where the root is (`ca sign-csr`), and bring the chain back with `ca "
        "install-chain`");
  }
  return OpenRoot(folder, *root);
}

absl::Status WriteCertificate(const CaFolder& folder, const CaRecord& ca, const std::string& pem) {
  return WriteFileAtomically(folder.PathOf(ca.certificate), AsBytes(pem), kPublicMode);
}

// An issuing CA below a root that signs here.
absl::StatusOr<CaRecord> MakeIssuing(const CaFolder& folder, const std::set<CaUse>& uses,
                                     const KeySpec& like, const SigningRoot& root,
                                     absl::Duration lifetime, absl::Time now) {
  CaRecord ca;
  ca.id = folder.NewId(uses.size() == 1 ? Name(*uses.begin()) : "issuing");
  ca.state = CaRecord::State::kPrepared;
  ca.since = now;
  ca.uses = uses;
  ca.under = root.id;
  ca.certificate = ca.id + ".pem";
  ca.key = KeyNamed(like, ca.id, folder.cluster_id);
  BG_ASSIGN_OR_RETURN(const auto holder, MakeKey(ca.key, folder.folder, crypto::Curve::kP256));
  BG_ASSIGN_OR_RETURN(
      const Bytes der,
      MakeIssuingCertificate({.common_name = IssuingName(uses, folder.cluster_id, ca.id),
                              .trust_domain = folder.trust_domain,
                              .uses = uses,
                              .now = now,
                              .lifetime = lifetime},
                             holder->Public(), root.parent()));
  BG_RETURN_IF_ERROR(WriteCertificate(folder, ca, DerToPem(der)));
  return ca;
}

absl::StatusOr<CaStep> MakeRequest(const CaFolder& folder, const std::set<CaUse>& uses,
                                   const KeySpec& like, absl::Time now) {
  CaStep step;
  CaRecord& ca = step.ca;
  ca.id = folder.NewId(uses.size() == 1 ? Name(*uses.begin()) : "issuing");
  ca.state = CaRecord::State::kRequested;
  ca.since = now;
  ca.uses = uses;
  ca.request = ca.id + ".csr";
  ca.key = KeyNamed(like, ca.id, folder.cluster_id);
  BG_ASSIGN_OR_RETURN(auto holder, MakeKey(ca.key, folder.folder, crypto::Curve::kP256));
  BG_ASSIGN_OR_RETURN(const CertificateSigner signer, CertificateSigner::For(std::move(holder)));
  BG_ASSIGN_OR_RETURN(step.request_pem,
                      MakeCaRequest(IssuingName(uses, folder.cluster_id, ca.id), signer));
  BG_RETURN_IF_ERROR(
      WriteFileAtomically(folder.PathOf(ca.request), AsBytes(step.request_pem), kPublicMode));
  return step;
}

// A root of our own: its certificate lies in the folder as FILE.pem, its key in `key_folder`.
absl::StatusOr<CaRecord> MakeRoot(const CaFolder& folder, const std::string& file,
                                  const std::string& key_folder, const SecretSource& secret,
                                  absl::Duration lifetime, absl::Time now,
                                  std::optional<SigningRoot>* opened) {
  CaRecord root;
  root.id = folder.NewId("root");
  root.kind = CaRecord::Kind::kRoot;
  root.state = CaRecord::State::kPrepared;
  root.since = now;
  root.certificate = file + ".pem";
  const std::string key_path = absl::StrCat(key_folder, "/", file, ".key");
  BG_ASSIGN_OR_RETURN(auto holder, MakeFileKey(key_path, secret, crypto::Curve::kP384));
  if (key_folder == folder.folder) {
    root.key = {.kind = KeySpec::Kind::kFile, .file = file + ".key", .secret = secret};
  }
  BG_ASSIGN_OR_RETURN(CertificateSigner signer, CertificateSigner::For(std::move(holder)));
  const std::string name = absl::StrCat("Bootgate root ", folder.cluster_id,
                                        root.id == "root-1" ? "" : absl::StrCat(" ", root.id));
  BG_ASSIGN_OR_RETURN(const Bytes der,
                      MakeRootCertificate(name, folder.trust_domain, signer, now, lifetime));
  BG_RETURN_IF_ERROR(WriteCertificate(folder, root, DerToPem(der)));
  if (key_folder != folder.folder) {
    BG_RETURN_IF_ERROR(WriteFileAtomically(absl::StrCat(key_folder, "/", root.certificate),
                                           AsBytes(DerToPem(der)), kPublicMode));
  }
  if (opened != nullptr) {
    BG_ASSIGN_OR_RETURN(*opened, SigningRootOf(root.id, der, signer));
  }
  return root;
}

absl::StatusOr<std::vector<CaStep>> CreateUpstream(CaFolder folder, const CaPlan& plan,
                                                   absl::Time now) {
  std::vector<CaStep> steps;
  for (const CaUse use : kAllCaUses) {
    BG_ASSIGN_OR_RETURN(CaStep step, MakeRequest(folder, {use}, plan.key, now));
    folder.cas.push_back(step.ca);
    steps.push_back(std::move(step));
  }
  BG_RETURN_IF_ERROR(SaveCaFolder(folder));
  return steps;
}

absl::StatusOr<std::vector<CaStep>> CreateOwn(CaFolder folder, const CaPlan& plan, absl::Time now) {
  std::string key_folder = plan.folder;
  if (plan.root == RootAt::kOffline) {
    key_folder = plan.root_out;
    BG_RETURN_IF_ERROR(MakeFolder(key_folder, kFolderMode));
  }
  std::optional<SigningRoot> root;
  BG_ASSIGN_OR_RETURN(CaRecord record, MakeRoot(folder, "root", key_folder, plan.root_secret,
                                                plan.root_lifetime, now, &root));
  record.state = CaRecord::State::kActive;
  folder.cas.push_back(record);
  std::vector<CaStep> steps = {{.ca = std::move(record)}};
  for (const CaUse use : kAllCaUses) {
    BG_ASSIGN_OR_RETURN(CaRecord ca,
                        MakeIssuing(folder, {use}, plan.key, *root, plan.issuing_lifetime, now));
    ca.state = CaRecord::State::kActive;
    ca.signs = {use};
    folder.cas.push_back(ca);
    steps.push_back({.ca = std::move(ca)});
  }
  BG_RETURN_IF_ERROR(SaveCaFolder(folder));
  return steps;
}

// The folder with its lock held.
struct Opened {
  CaFolderLock lock;
  CaFolder folder;
};

absl::StatusOr<Opened> OpenFolder(const std::string& path) {
  BG_ASSIGN_OR_RETURN(CaFolderLock lock, CaFolderLock::Take(path));
  BG_ASSIGN_OR_RETURN(CaFolder folder, LoadCaFolder(path));
  return Opened{std::move(lock), std::move(folder)};
}

KeySpec LikePresent(const CaFolder& folder, CaUse use, const std::optional<KeySpec>& key) {
  if (key.has_value()) return *key;
  const CaRecord* const present = folder.SignerFor(use);
  if (present != nullptr) return present->key;
  for (auto ca = folder.cas.rbegin(); ca != folder.cas.rend(); ++ca) {
    if (ca->kind == CaRecord::Kind::kIssuing && ca->key.kind != KeySpec::Kind::kNone) {
      return ca->key;
    }
  }
  return {.kind = KeySpec::Kind::kFile};
}

// `id` signs for all its uses; who did before signs no more for them.
std::string Activate(CaFolder* folder, const std::string& id, absl::Time now) {
  CaRecord* const next = folder->Find(id);
  std::string replaced;
  for (CaRecord& ca : folder->cas) {
    if (ca.id == id || ca.kind != next->kind || ca.state != CaRecord::State::kActive) continue;
    bool touched = next->kind == CaRecord::Kind::kRoot;
    for (const CaUse use : next->uses) touched = ca.signs.erase(use) != 0 || touched;
    if (!touched) continue;
    replaced = ca.id;
    if (!ca.signs.empty()) continue;
    ca.state = CaRecord::State::kRetired;
    ca.since = now;
  }
  next->state = CaRecord::State::kActive;
  next->since = now;
  next->signs = next->uses;
  return replaced;
}

// Marks one CA; for what it signed until now.
std::set<CaUse> Taint(CaRecord* ca, const std::string& why, absl::Time now) {
  std::set<CaUse> orphans = std::exchange(ca->signs, {});
  if (ca->state == CaRecord::State::kTainted) return orphans;
  ca->state = CaRecord::State::kTainted;
  ca->since = now;
  ca->why = why;
  return orphans;
}

// The folder would open with the step taken: nobody finds out by a gatekeeper that does not start.
absl::Status SaveIfGood(const CaFolder& folder, absl::Time now) {
  BG_RETURN_IF_ERROR(LoadSnapshot(folder, {}, now, nullptr).status());
  return SaveCaFolder(folder);
}

// The root of a chain that came in: the one we have, or a new record of somebody else's.
absl::StatusOr<std::string> RootIdFor(CaFolder* folder, const Bytes& root_der, absl::Time now) {
  bool has_active = false;
  for (const CaRecord& ca : folder->cas) {
    if (ca.kind != CaRecord::Kind::kRoot || ca.certificate.empty()) continue;
    has_active = has_active || ca.state == CaRecord::State::kActive;
    const absl::StatusOr<ReadCa> known = ReadCertificateOf(*folder, ca);
    if (!known.ok() || known->der != root_der) continue;
    if (ca.state == CaRecord::State::kTainted) {
      return NotNow(absl::StrCat("the root of this chain, ", ca.id, ", is tainted: ", ca.why));
    }
    return ca.id;
  }
  CaRecord root;
  root.id = folder->NewId("root");
  root.kind = CaRecord::Kind::kRoot;
  root.state = has_active ? CaRecord::State::kPrepared : CaRecord::State::kActive;
  root.since = now;
  root.certificate = root.id == "root-1" ? "root.pem" : root.id + ".pem";
  BG_RETURN_IF_ERROR(WriteCertificate(*folder, root, DerToPem(root_der)));
  folder->cas.push_back(root);
  return root.id;
}

// The record whose request's key is `key`.
absl::StatusOr<CaRecord*> RequestedWith(CaFolder* folder, const crypto::PublicKey& key) {
  for (CaRecord& ca : folder->cas) {
    if (ca.state != CaRecord::State::kRequested) continue;
    const absl::StatusOr<std::string> pem = ReadTextFile(folder->PathOf(ca.request), kMaxFileSize);
    if (!pem.ok()) continue;
    const absl::StatusOr<CaRequest> request = ReadCaRequest(*pem);
    if (request.ok() && request->key == key) return &ca;
  }
  return absl::NotFoundError(
      "no request of this folder (`bootgate-gatekeeper ca csr`) is for the key of the first "
      "certificate of the chain");
}

}  // namespace

absl::StatusOr<std::vector<CaStep>> CreateCas(const CaPlan& plan, absl::Time now) {
  BG_RETURN_IF_ERROR(CheckPlan(plan));
  BG_RETURN_IF_ERROR(MakeFolder(plan.folder, kFolderMode));
  BG_ASSIGN_OR_RETURN(const CaFolderLock lock, CaFolderLock::Take(plan.folder));
  CaFolder folder{
      .folder = plan.folder, .cluster_id = plan.cluster_id, .trust_domain = plan.trust_domain};
  return plan.root == RootAt::kUpstream ? CreateUpstream(std::move(folder), plan, now)
                                        : CreateOwn(std::move(folder), plan, now);
}

absl::StatusOr<CaStep> RotateCa(const std::string& path, CaUse use,
                                const std::optional<KeySpec>& key, absl::Duration lifetime,
                                absl::Time now) {
  BG_ASSIGN_OR_RETURN(Opened open, OpenFolder(path));
  BG_ASSIGN_OR_RETURN(const SigningRoot root, OpenActiveRoot(open.folder));
  BG_ASSIGN_OR_RETURN(
      CaRecord ca,
      MakeIssuing(open.folder, {use}, LikePresent(open.folder, use, key), root, lifetime, now));
  open.folder.cas.push_back(ca);
  BG_RETURN_IF_ERROR(SaveIfGood(open.folder, now));
  return CaStep{.ca = std::move(ca)};
}

absl::StatusOr<CaStep> RotateRoot(const std::string& path, const SecretSource& secret,
                                  absl::Duration lifetime, absl::Time now) {
  BG_ASSIGN_OR_RETURN(Opened open, OpenFolder(path));
  BG_RETURN_IF_ERROR(OpenActiveRoot(open.folder).status());
  const std::string file = open.folder.NewId("root");
  BG_ASSIGN_OR_RETURN(CaRecord root, MakeRoot(open.folder, file, open.folder.folder, secret,
                                              lifetime, now, nullptr));
  open.folder.cas.push_back(root);
  BG_RETURN_IF_ERROR(SaveIfGood(open.folder, now));
  return CaStep{.ca = std::move(root)};
}

absl::StatusOr<CaStep> RequestCa(const std::string& path, const std::set<CaUse>& uses,
                                 const std::optional<KeySpec>& key, absl::Time now) {
  if (uses.empty()) return absl::InvalidArgumentError("a CA must be for something");
  BG_ASSIGN_OR_RETURN(Opened open, OpenFolder(path));
  BG_ASSIGN_OR_RETURN(CaStep step, MakeRequest(open.folder, uses,
                                               LikePresent(open.folder, *uses.begin(), key), now));
  open.folder.cas.push_back(step.ca);
  BG_RETURN_IF_ERROR(SaveCaFolder(open.folder));
  return step;
}

absl::StatusOr<CaStep> InstallChain(const std::string& path, absl::string_view pem,
                                    absl::Time now) {
  BG_ASSIGN_OR_RETURN(Opened open, OpenFolder(path));
  BG_ASSIGN_OR_RETURN(const std::vector<Bytes> chain, CertificatesFromPem(pem));
  if (chain.size() < 2 || chain.size() > kMaxSignerChain) {
    return NotNow("a chain is 2 to 8 certificates: the issuing CA first, its root last");
  }
  BG_ASSIGN_OR_RETURN(const crypto::X509Ptr first, ParseCertificate(chain.front()));
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, KeyOf(first.get()));
  BG_ASSIGN_OR_RETURN(const CaRecord* const requested, RequestedWith(&open.folder, key));
  CaRecord ca = *requested;
  BG_ASSIGN_OR_RETURN(auto holder, OpenKey(ca.key, path, key));
  BG_ASSIGN_OR_RETURN(const CertificateSigner signer, CertificateSigner::For(std::move(holder)));
  BG_RETURN_IF_ERROR(CheckIssuingChain(chain, signer, ca.uses, open.folder.trust_domain, now));
  BG_ASSIGN_OR_RETURN(ca.under, RootIdFor(&open.folder, chain.back(), now));
  std::string own;
  for (size_t i = 0; i + 1 < chain.size(); ++i) own += DerToPem(chain[i]);
  ca.certificate = ca.id + ".pem";
  ca.request.clear();
  ca.state = CaRecord::State::kPrepared;
  ca.since = now;
  BG_RETURN_IF_ERROR(WriteCertificate(open.folder, ca, own));
  *open.folder.Find(ca.id) = ca;
  CaStep step;
  const bool alone = std::none_of(ca.uses.begin(), ca.uses.end(),
                                  [&](CaUse use) { return open.folder.SignerFor(use) != nullptr; });
  if (alone) Activate(&open.folder, ca.id, now);
  BG_RETURN_IF_ERROR(SaveIfGood(open.folder, now));
  step.ca = *open.folder.Find(ca.id);
  return step;
}

absl::StatusOr<std::string> SignCaRequest(const RequestSigning& signing, absl::string_view request,
                                          absl::Time now) {
  BG_ASSIGN_OR_RETURN(const CaRequest wanted, ReadCaRequest(request));
  BG_ASSIGN_OR_RETURN(const SigningRoot root,
                      OpenOfflineRoot(signing.root_folder, signing.root_secret));
  std::string trust_domain;
  for (const std::string& uri : UriNames(root.ca.certificate.get())) {
    if (absl::StartsWith(uri, "spiffe://")) trust_domain = uri.substr(9);
  }
  if (!IsTrustDomain(trust_domain)) {
    return NotNow("root.pem names no trust domain (URI spiffe://...)");
  }
  BG_ASSIGN_OR_RETURN(const Bytes der, MakeIssuingCertificate({.common_name = wanted.common_name,
                                                               .trust_domain = trust_domain,
                                                               .uses = signing.uses,
                                                               .now = now,
                                                               .lifetime = signing.lifetime},
                                                              wanted.key, root.parent()));
  return DerToPem(der) + DerToPem(root.ca.der);
}

absl::StatusOr<CaStep> ActivateCa(const std::string& path, const std::string& id, absl::Time now) {
  BG_ASSIGN_OR_RETURN(Opened open, OpenFolder(path));
  const CaRecord* const ca = open.folder.Find(id);
  if (ca == nullptr) return absl::NotFoundError(absl::StrCat("there is no CA ", Printable(id)));
  if (ca->state != CaRecord::State::kPrepared && ca->state != CaRecord::State::kRetired) {
    return NotNow(absl::StrCat(id, " is ", std::string(Name(ca->state)), ", not prepared"));
  }
  CaStep step;
  step.replaced = Activate(&open.folder, id, now);
  BG_RETURN_IF_ERROR(SaveIfGood(open.folder, now));
  step.ca = *open.folder.Find(id);
  return step;
}

absl::StatusOr<CaStep> TaintCa(const std::string& path, const std::string& id,
                               const std::string& why, absl::Time now) {
  if (why.empty() || why.size() > kMaxWhy) {
    return absl::InvalidArgumentError("--reason: say why, in at most 500 bytes");
  }
  BG_ASSIGN_OR_RETURN(Opened open, OpenFolder(path));
  CaRecord* const ca = open.folder.Find(id);
  if (ca == nullptr) return absl::NotFoundError(absl::StrCat("there is no CA ", Printable(id)));
  std::set<CaUse> orphans = Taint(ca, Printable(why, kMaxWhy), now);
  CaStep step;
  step.ca = *ca;
  for (CaRecord& below : open.folder.cas) {
    if (below.under != id || below.state == CaRecord::State::kRequested) continue;
    orphans.merge(Taint(&below, absl::StrCat("below ", id), now));
  }
  for (const CaRecord& next : std::vector<CaRecord>(open.folder.cas)) {
    const bool fits = next.state == CaRecord::State::kPrepared &&
                      next.kind == CaRecord::Kind::kIssuing &&
                      std::any_of(next.uses.begin(), next.uses.end(),
                                  [&](CaUse use) { return orphans.count(use) != 0; });
    if (!fits) continue;
    Activate(&open.folder, next.id, now);
    step.replaced = next.id;
  }
  // Written whatever else is wrong with the folder: distrust must not wait.
  BG_RETURN_IF_ERROR(SaveCaFolder(open.folder));
  return step;
}

namespace {

// Why it must stay; empty: it may go.
absl::StatusOr<std::string> WhyKept(const CaFolder& folder, const CaRecord& ca, absl::Time now) {
  if (ca.state == CaRecord::State::kActive) return absl::StrCat(ca.id, " is active");
  for (const CaRecord& below : folder.cas) {
    if (below.under == ca.id) return absl::StrCat(below.id, " below ", ca.id, " is still kept");
  }
  if (ca.certificate.empty()) return std::string();
  BG_ASSIGN_OR_RETURN(const ReadCa read, ReadCertificateOf(folder, ca));
  const absl::Time ends = NotAfter(read.certificate.get());
  if (ends < now) return std::string();
  return absl::StrCat(ca.id, " has not expired; until ", FormatUtc(ends),
                      " what it signed may be shown, and its revocation list asked for");
}

// What lies in the folder alone; elsewhere it may be somebody else's, too.
absl::Status RemoveFilesOf(const CaFolder& folder, const CaRecord& ca) {
  const bool in_file = ca.key.kind == KeySpec::Kind::kFile || ca.key.kind == KeySpec::Kind::kTpm;
  for (const std::string& file :
       {ca.certificate, ca.request, in_file ? ca.key.file : std::string(),
        ca.kind == CaRecord::Kind::kRoot ? RootCrlFile(ca) : std::string()}) {
    if (file.empty() || absl::StrContains(file, '/') || absl::StrContains(file, ':')) continue;
    BG_RETURN_IF_ERROR(RemoveFile(folder.PathOf(file)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CaStep> RemoveCa(const std::string& path, const std::string& id, absl::Time now) {
  BG_ASSIGN_OR_RETURN(Opened open, OpenFolder(path));
  const CaRecord* const found = open.folder.Find(id);
  if (found == nullptr) return absl::NotFoundError(absl::StrCat("there is no CA ", Printable(id)));
  BG_ASSIGN_OR_RETURN(const std::string why, WhyKept(open.folder, *found, now));
  if (!why.empty()) return NotNow(why);
  CaStep step;
  step.ca = *found;
  std::erase_if(open.folder.cas, [&](const CaRecord& ca) { return ca.id == id; });
  BG_RETURN_IF_ERROR(SaveCaFolder(open.folder));
  BG_RETURN_IF_ERROR(RemoveFilesOf(open.folder, step.ca));
  return step;
}

std::string KeyIdOfCa(const CaFolder& folder, const CaRecord& ca) {
  if (ca.certificate.empty()) return "";
  const absl::StatusOr<ReadCa> read = ReadCertificateOf(folder, ca);
  if (!read.ok()) return "";
  const ASN1_OCTET_STRING* const id = X509_get0_subject_key_id(read->certificate.get());
  return id == nullptr ? "" : ToHex(StringBytes(id));
}

absl::Status Authority::Create(const AuthorityFiles& files, const AuthorityOptions& options,
                               absl::Time now) {
  BG_RETURN_IF_ERROR(CheckPlan({.folder = files.folder,
                                .cluster_id = options.cluster_id,
                                .trust_domain = options.trust_domain,
                                .root_lifetime = options.root_lifetime,
                                .issuing_lifetime = options.issuing_lifetime}));
  BG_RETURN_IF_ERROR(MakeFolder(files.folder, kFolderMode));
  const CaFolder folder{.folder = files.folder,
                        .cluster_id = options.cluster_id,
                        .trust_domain = options.trust_domain};
  std::optional<SigningRoot> root;
  BG_RETURN_IF_ERROR(
      MakeRoot(folder, "root", files.folder, {}, options.root_lifetime, now, &root).status());
  BG_ASSIGN_OR_RETURN(const auto holder,
                      MakeFileKey(folder.PathOf("issuing.key"), {}, crypto::Curve::kP256));
  BG_ASSIGN_OR_RETURN(
      const Bytes der,
      MakeIssuingCertificate({.common_name = absl::StrCat("Bootgate issuing ", options.cluster_id),
                              .trust_domain = options.trust_domain,
                              .uses = {std::begin(kAllCaUses), std::end(kAllCaUses)},
                              .now = now,
                              .lifetime = options.issuing_lifetime},
                             holder->Public(), root->parent()));
  return WriteFileAtomically(folder.PathOf("issuing.pem"), AsBytes(DerToPem(der)), kPublicMode);
}

}  // namespace bootgate::pki
