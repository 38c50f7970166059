#include "gatekeeper/revocation/publisher.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "common/base/log.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "gatekeeper/revocation/operator_certificates.h"
#include "gatekeeper/revocation/operators_reasons.h"
#include "pki/x509_read.h"

namespace bootgate::gatekeeper::revocation {
namespace {

constexpr absl::Duration kLookEvery = absl::Milliseconds(100);
constexpr absl::Duration kBetweenLists = absl::Milliseconds(250);
constexpr absl::Duration kBetweenComplaints = absl::Minutes(1);
// A root's key may need a passphrase's key derivation: it is not tried ten times a second.
constexpr absl::Duration kRootsAgain = absl::Minutes(1);
// Clocks differ; a list made now is already valid for a verifier that is a little behind.
constexpr absl::Duration kBackdate = absl::Minutes(1);
constexpr absl::Duration kKeptByCaches = absl::Seconds(1);
constexpr size_t kTagSize = 16;  // bytes of a SHA-256

using pki::IssuerPtr;
using pki::OcspError;
using pki::OcspStatus;
using pki::RevocationReason;
using pki::RevokedCertificate;

File FileOf(absl::string_view body, absl::Time ends_at) {
  const crypto::Digest digest = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(body));
  return {.body = std::make_shared<const std::string>(body),
          .tag = ToHex(digest.view().first(kTagSize)),
          .ends_at = ends_at};
}

// Since when nothing below a tainted CA is believed: from its beginning.
absl::Time BeginningOf(const pki::Issuer& issuer) {
  const absl::StatusOr<crypto::X509Ptr> certificate = pki::ParseCertificate(issuer.certificate);
  return certificate.ok() ? pki::NotBefore(certificate->get()) : absl::UnixEpoch();
}

const char* Name(OcspStatus status) {
  switch (status) {
    case OcspStatus::kGood:
      return "good";
    case OcspStatus::kRevoked:
      return "revoked";
    case OcspStatus::kUnknown:
      return "unknown";
  }
  return "";
}
constexpr char kErrorName[] = "error";

// Another certificate, key or state of the CA than the list was made for.
bool IsAnother(const pki::Issuer& a, const pki::Issuer& b) {
  return a.tainted != b.tainted || !SameBytes(a.certificate, b.certificate);
}

absl::Status HasRunOut(const pki::Issuer& root, absl::Time ended_at) {
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kCa,
                absl::StrCat("the list of ", root.id, " has run out at ", FormatUtc(ended_at),
                             ": sign a new one where its key is (bootgate-gatekeeper ca sign-crl), "
                             "and bring it here (ca install-crl)"));
}

}  // namespace

Publisher::Publisher(store::Store& store, const pki::Authority& authority, const Clock& clock,
                     const Options& options)
    : store_(store),
      authority_(authority),
      clock_(clock),
      options_(options),
      ledger_(options.crl_lifetime),
      numbers_(options.numbers_file),
      published_(std::make_shared<const Published>()) {
  for (const char* const status : {"good", "revoked", "unknown", kErrorName}) answers_[status] = 0;
}

Publisher::~Publisher() { Stop(); }

// ---- lists

bool Publisher::List::Holds(const pki::Issuer& now_is, absl::Time now) const {
  // A clock that was set back makes lists of the future worthless.
  return now < renew_at && made_at <= now + kBackdate && !IsAnother(*issuer, now_is);
}

const Publisher::List* Publisher::Published::Of(const pki::Issuer& issuer) const {
  const auto found = std::ranges::find_if(
      lists, [&](const List& list) { return SameBytes(list.issuer->key_id, issuer.key_id); });
  return found == lists.end() ? nullptr : &*found;
}

std::shared_ptr<const Publisher::Published> Publisher::published() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

absl::StatusOr<std::vector<RevokedCertificate>> Publisher::AllBelow(const pki::Issuer& issuer,
                                                                    absl::Time now) {
  const std::string key_id = ToHex(issuer.key_id);
  const absl::Time since = BeginningOf(issuer);
  std::vector<std::string> corrupt;  // of a host that cannot be read nothing can be listed
  BG_ASSIGN_OR_RETURN(const std::vector<host::HostRecord> hosts, store_.ListHosts(&corrupt));
  std::vector<RevokedCertificate> all;
  for (const host::HostRecord& host : hosts) {
    BG_ASSIGN_OR_RETURN(const auto rows, store_.ListCredentials(host.id));
    for (const store::CredentialRow& row : rows) {
      if (!row.issuer.empty() && row.issuer != key_id) continue;
      if (row.not_after + options_.crl_lifetime < now) continue;
      absl::StatusOr<Bytes> serial = FromHex(row.serial);
      if (!serial.ok() || serial->empty() || serial->size() > pki::kMaxSerialSize) continue;
      all.push_back({.serial = *std::move(serial),
                     .revoked_at = since,
                     .not_after = row.not_after,
                     .reason = RevocationReason::kCaCompromise});
    }
  }
  BG_ASSIGN_OR_RETURN(const std::vector<IssuedToOperator> operators, ListOperators(store_));
  for (const IssuedToOperator& issued : operators) {
    const pki::OperatorCertificate& certificate = issued.certificate;
    if (!SameBytes(certificate.issuer_key_id, issuer.key_id)) continue;
    if (certificate.not_after + options_.crl_lifetime < now) continue;
    BG_ASSIGN_OR_RETURN(Bytes serial, FromHex(certificate.serial_hex));
    all.push_back({.serial = std::move(serial),
                   .revoked_at = since,
                   .not_after = certificate.not_after,
                   .reason = RevocationReason::kCaCompromise});
  }
  return all;
}

absl::StatusOr<Publisher::List> Publisher::MakeList(const IssuerPtr& issuer, absl::Time now) {
  if (!issuer->tainted) {
    return Sign(issuer, *issuer->signer, ledger_.Of(ToHex(issuer->key_id)), now);
  }
  BG_ASSIGN_OR_RETURN(std::vector<RevokedCertificate> revoked, AllBelow(*issuer, now));
  return Sign(issuer, *issuer->signer, std::move(revoked), now);
}

absl::StatusOr<Publisher::List> Publisher::Sign(const IssuerPtr& issuer,
                                                const pki::CertificateSigner& signer,
                                                std::vector<RevokedCertificate> revoked,
                                                absl::Time now) {
  List list{.issuer = issuer, .made_at = now, .renew_at = now + options_.crl_lifetime / 2};
  const absl::Time ends_at = std::min(now + options_.crl_lifetime, issuer->not_after);
  BG_ASSIGN_OR_RETURN(const Bytes der,
                      pki::MakeCrl({.issuer = issuer->name,
                                    .issuer_key_id = issuer->key_id,
                                    .number = numbers_.Next(ToHex(issuer->key_id), now),
                                    .this_update = now - kBackdate,
                                    .next_update = ends_at},
                                   revoked, signer));
  list.entries = static_cast<int64_t>(revoked.size());
  list.der = FileOf(AsText(der), ends_at);
  list.pem = FileOf(pki::CrlToPem(der), ends_at);
  return list;
}

absl::StatusOr<Publisher::List> Publisher::MakeRootList(const pki::RootCa& root, absl::Time now) {
  if (root.SignsHere()) {
    BG_ASSIGN_OR_RETURN(const pki::CertificateSigner signer, authority_.OpenRoot(root));
    BG_ASSIGN_OR_RETURN(List list, Sign(root.ca, signer, root.revoked, now));
    list.cas = root.revoked;
    return list;
  }
  BG_ASSIGN_OR_RETURN(const pki::RootCrl brought,
                      pki::ReadRootCrl(root.brought, root.ca->certificate));
  return List{.issuer = root.ca,
              .cas = root.revoked,
              .brought = root.brought,
              .der = FileOf(AsText(brought.der), brought.next_update),
              .pem = FileOf(pki::CrlToPem(brought.der), brought.next_update),
              .made_at = absl::InfinitePast(),
              .renew_at = absl::InfiniteFuture(),
              .entries = static_cast<int64_t>(brought.revoked.size())};
}

absl::Status Publisher::AddRootLists(const Published& old, absl::Time now, std::vector<List>* lists,
                                     int64_t* made) {
  absl::Status failed;
  const bool wait = roots_failed_at_ <= now && now < roots_failed_at_ + kRootsAgain;
  for (const pki::RootCa& root : authority_.Roots()) {
    const std::string brought = root.SignsHere() ? "" : root.brought;
    if (root.ca->not_after <= now || (!root.SignsHere() && brought.empty())) continue;
    const List* const before = old.Of(*root.ca);
    const bool fresh = before != nullptr && before->Holds(*root.ca, now) &&
                       before->cas == root.revoked && before->brought == brought;
    if (fresh && before->der.ends_at <= now)
      failed.Update(HasRunOut(*root.ca, before->der.ends_at));
    if (!fresh && !wait) {
      absl::StatusOr<List> list = MakeRootList(root, now);
      if (list.ok()) {
        lists->push_back(*std::move(list));
        ++*made;
        continue;
      }
      failed.Update(list.status());
      roots_failed_at_ = now;
    }
    if (before != nullptr) lists->push_back(*before);
  }
  return failed;
}

void Publisher::Publish(std::vector<List> lists, int64_t made, absl::Time now) {
  auto next = std::make_shared<Published>();
  std::string all;
  absl::Time all_end = absl::InfiniteFuture();
  for (const List& list : lists) {
    const std::string key_id = ToHex(list.issuer->key_id);
    next->files[pki::CrlFileName(list.issuer->key_id)] = list.der;
    next->files[absl::StrCat(key_id, ".pem")] = list.pem;
    next->files[pki::CertificateFileName(list.issuer->key_id)] =
        FileOf(AsText(list.issuer->certificate), list.issuer->not_after);
    if (list.pem.ends_at <= now) continue;
    all += *list.pem.body;
    all_end = std::min(all_end, list.pem.ends_at);
  }
  if (!all.empty()) next->files[kAllLists] = FileOf(all, all_end);
  next->lists = std::move(lists);
  const std::lock_guard lock(mutex_);
  published_ = std::move(next);
  crls_made_ += made;
}

absl::Status Publisher::LoadNumbersOnce() {
  if (std::exchange(numbers_loaded_, true)) return absl::OkStatus();
  return numbers_.Load();
}

absl::Status Publisher::Refresh() {
  const std::lock_guard lock(refresh_mutex_);
  const absl::Time now = clock_.Now();
  BG_ASSIGN_OR_RETURN(const int64_t counter, store_.ChangeCounter());
  std::vector<IssuerPtr> issuers = authority_.Issuers();
  std::erase_if(issuers, [&](const IssuerPtr& issuer) {
    return !issuer->signer.has_value() || issuer->not_after <= now;
  });
  absl::Status failed = KeepResponders(issuers, now);
  failed.Update(LoadNumbersOnce());
  if (counter_ != counter) {
    BG_ASSIGN_OR_RETURN(const std::set<std::string> news, ledger_.CatchUp(store_, now));
    news_.insert(news.begin(), news.end());
    counter_ = counter;
  }
  const std::shared_ptr<const Published> old = published();
  std::vector<List> lists;
  std::set<std::string> still_news;
  int64_t made = 0;
  for (const IssuerPtr& issuer : issuers) {
    const std::string key_id = ToHex(issuer->key_id);
    const List* const before = old->Of(*issuer);
    if (before != nullptr && before->Holds(*issuer, now) && !news_.contains("") &&
        !news_.contains(key_id)) {
      lists.push_back(*before);
      continue;
    }
    absl::StatusOr<List> list = MakeList(issuer, now);
    if (list.ok()) {
      lists.push_back(*std::move(list));
      ++made;
      continue;
    }
    failed.Update(list.status());
    still_news.insert(key_id);
    if (before != nullptr) lists.push_back(*before);
  }
  failed.Update(AddRootLists(*old, now, &lists, &made));
  news_ = std::move(still_news);
  // What is revoked is told, even where its number cannot be kept.
  failed.Update(numbers_.Save());
  if (made > 0 || lists.size() != old->lists.size()) Publish(std::move(lists), made, now);
  return failed;
}

// ---- the thread

void Publisher::Watch(std::stop_token stop) {
  absl::Time complain_at = absl::InfinitePast();
  while (!stop.stop_requested()) {
    const absl::Time begin = absl::Now();
    const int64_t made_before = figures().crls_made;
    const absl::Status status = Refresh();
    const absl::Time end = absl::Now();
    if (!status.ok() && end >= complain_at) {
      Log(LogLevel::kError, "revocation lists", {{"text", std::string(status.message())}});
      complain_at = end + kBetweenComplaints;
    }
    const bool made = figures().crls_made != made_before;
    const absl::Duration pause = made ? std::max(kBetweenLists, end - begin) : kLookEvery;
    std::unique_lock lock(wait_mutex_);
    wake_.wait_for(lock, stop, absl::ToChronoMilliseconds(pause), [] { return false; });
  }
}

void Publisher::Start() {
  watcher_ = std::jthread([this](std::stop_token stop) { Watch(std::move(stop)); });
}

void Publisher::Stop() {
  if (!watcher_.joinable()) return;
  watcher_.request_stop();
  watcher_.join();
}

// ---- answers

std::optional<File> Publisher::Find(const std::string& name) const {
  const std::shared_ptr<const Published> now = published();
  const auto found = now->files.find(name);
  if (found == now->files.end()) return std::nullopt;
  return found->second;
}

absl::Status Publisher::KeepResponders(const std::vector<IssuerPtr>& issuers, absl::Time now) {
  absl::Status failed;
  std::set<std::string> ours;
  for (const IssuerPtr& issuer : issuers) ours.insert(ToHex(issuer->key_id));
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(answering_, [&](const auto& entry) { return !ours.contains(entry.first); });
  }
  for (const IssuerPtr& issuer : issuers) {
    const std::string key_id = ToHex(issuer->key_id);
    std::shared_ptr<const Answering> old;
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = answering_.find(key_id); found != answering_.end())
        old = found->second;
    }
    const bool fits =
        old != nullptr && !old->responder.IsDue(now) && !IsAnother(*old->issuer, *issuer);
    if (fits) continue;
    absl::StatusOr<pki::OcspResponder> responder = pki::OcspResponder::Make(*issuer, now);
    if (!responder.ok()) {
      failed.Update(responder.status());
      continue;
    }
    const std::lock_guard lock(mutex_);
    answering_[key_id] =
        std::make_shared<const Answering>(Answering{issuer, *std::move(responder)});
  }
  return failed;
}

std::shared_ptr<const Publisher::Answering> Publisher::AnswererFor(
    const pki::OcspRequest& request) const {
  const std::lock_guard lock(mutex_);
  for (const pki::OcspCertId& id : request.certificates) {
    for (const auto& [key_id, answering] : answering_) {
      if (answering->responder.IsIssuerOf(id)) return answering;
    }
  }
  return nullptr;
}

absl::StatusOr<pki::OcspAnswer> Publisher::StateOf(const pki::OcspCertId& id,
                                                   const pki::Issuer& issuer) {
  pki::OcspAnswer answer{.cert_id = id.der};
  if (authority_.IsTainted(issuer.key_id)) {
    answer.status = OcspStatus::kRevoked;
    answer.revoked_at = BeginningOf(issuer);
    answer.reason = RevocationReason::kCaCompromise;
    return answer;
  }
  if (id.serial.empty()) return answer;
  const std::string serial = ToHex(id.serial);
  const absl::StatusOr<store::CredentialRow> row = store_.GetCredential(serial);
  if (absl::IsNotFound(row.status())) return OperatorsStateOf(id, issuer);
  BG_RETURN_IF_ERROR(row.status());
  if (!row->issuer.empty() && row->issuer != ToHex(issuer.key_id)) return answer;
  answer.status = row->revoked ? OcspStatus::kRevoked : OcspStatus::kGood;
  if (!row->revoked) return answer;
  answer.revoked_at = row->revoked_at.value_or(row->not_before);
  BG_ASSIGN_OR_RETURN(const auto given, GetReason(store_, serial));
  if (given.has_value()) {
    answer.reason = given->code;
  } else {
    BG_ASSIGN_OR_RETURN(answer.reason, ReasonByHost(store_, row->host_id));
  }
  return answer;
}

absl::StatusOr<pki::OcspAnswer> Publisher::OperatorsStateOf(const pki::OcspCertId& id,
                                                            const pki::Issuer& issuer) {
  pki::OcspAnswer answer{.cert_id = id.der};
  const absl::StatusOr<IssuedToOperator> issued = FindOperator(store_, ToHex(id.serial));
  if (absl::IsNotFound(issued.status())) return answer;
  BG_RETURN_IF_ERROR(issued.status());
  if (!SameBytes(issued->certificate.issuer_key_id, issuer.key_id)) return answer;
  answer.status = issued->revoked_at.has_value() ? OcspStatus::kRevoked : OcspStatus::kGood;
  if (!issued->revoked_at.has_value()) return answer;
  answer.revoked_at = *issued->revoked_at;
  answer.reason = issued->reason.code;
  return answer;
}

absl::StatusOr<std::vector<pki::OcspAnswer>> Publisher::StatesOf(const pki::OcspRequest& request,
                                                                 const Answering& answering) {
  std::vector<pki::OcspAnswer> answers;
  for (const pki::OcspCertId& id : request.certificates) {
    // Who answers for one CA is believed about no other.
    if (!answering.responder.IsIssuerOf(id)) {
      answers.push_back({.cert_id = id.der});
      continue;
    }
    BG_ASSIGN_OR_RETURN(const pki::OcspAnswer answer, StateOf(id, *answering.issuer));
    answers.push_back(answer);
  }
  return answers;
}

OcspReply Publisher::Failed(OcspError error) {
  Count(kErrorName);
  return {.body = std::string(AsText(pki::OcspErrorResponse(error)))};
}

void Publisher::Count(const char* status) {
  const std::lock_guard lock(mutex_);
  ++answers_[status];
}

OcspReply Publisher::Ocsp(ByteView request_der) {
  const absl::StatusOr<pki::OcspRequest> request = pki::ReadOcspRequest(request_der);
  if (!request.ok()) return Failed(OcspError::kMalformedRequest);
  const std::shared_ptr<const Answering> answering = AnswererFor(*request);
  if (answering == nullptr) {
    const bool begun = !published()->lists.empty();
    return Failed(begun ? OcspError::kUnauthorized : OcspError::kTryLater);
  }
  const absl::StatusOr<std::vector<pki::OcspAnswer>> answers = StatesOf(*request, *answering);
  if (!answers.ok()) {
    Log(LogLevel::kError, "ocsp", {{"text", std::string(answers.status().message())}});
    return Failed(OcspError::kTryLater);
  }
  const absl::Time now = clock_.Now();
  const absl::StatusOr<Bytes> response =
      answering->responder.Respond(*request, *answers, {now, now + options_.ocsp_lifetime});
  if (!response.ok()) return Failed(OcspError::kInternalError);
  for (const pki::OcspAnswer& answer : *answers) Count(Name(answer.status));
  return {.body = std::string(AsText(*response)),
          .may_be_kept = request->nonce.empty(),
          .kept_for = kKeptByCaches};
}

Figures Publisher::figures() const {
  const std::lock_guard lock(mutex_);
  Figures figures{
      .oldest_crl = absl::InfiniteFuture(), .crls_made = crls_made_, .ocsp_answers = answers_};
  for (const List& list : published_->lists) {
    if (list.brought.empty()) figures.oldest_crl = std::min(figures.oldest_crl, list.made_at);
    figures.crl_entries += list.entries;
  }
  return figures;
}

}  // namespace bootgate::gatekeeper::revocation
