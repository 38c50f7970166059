// What a revocation costs: the list, the answer, and the time until others see it.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/crypto/random.h"
#include "gatekeeper/revocation/publisher.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "pki/authority.h"
#include "pki/der.h"
#include "tests/bench/bench.h"

namespace bootgate::bench {
namespace {

namespace gk = bootgate::gatekeeper;

absl::StatusOr<int64_t> CountIn(absl::string_view text) {
  int64_t count = 0;
  if (!absl::SimpleAtoi(text, &count) || count < 0) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' is no number"));
  }
  return count;
}

absl::StatusOr<pki::Authority> MakeAuthority(const std::string& folder) {
  const absl::Time now = absl::Now();
  BG_RETURN_IF_ERROR(pki::Authority::Create(
      {folder + "/ca"}, {.cluster_id = "bench", .trust_domain = "bootgate.example"}, now));
  return pki::Authority::Open({folder + "/ca"}, now);
}

absl::Status CrlFrom(const std::string& folder, const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const int64_t count, CountIn(arguments[0]));
  BG_ASSIGN_OR_RETURN(const pki::Authority authority, MakeAuthority(folder));
  const pki::IssuerPtr issuer = authority.Issuers().front();
  const absl::Time now = absl::Now();
  std::vector<pki::RevokedCertificate> revoked;
  for (int64_t i = 0; i < count; ++i) {
    revoked.push_back({.serial = crypto::RandomBytes(16),
                       .revoked_at = now - absl::Seconds(i / 4),
                       .not_after = now + absl::Hours(1),
                       .reason = pki::RevocationReason::kPrivilegeWithdrawn,
                       .invalid_since = now - absl::Seconds(i / 4 + 600)});
  }
  return Repeat("crl", arguments[1], [&] {
    return pki::MakeCrl({.issuer = issuer->name,
                         .issuer_key_id = issuer->key_id,
                         .number = 1,
                         .this_update = now,
                         .next_update = now + absl::Hours(1)},
                        revoked, *issuer->signer)
        .status();
  });
}

// One host, and credentials of it.
class Fleet {
 public:
  static absl::StatusOr<Fleet> Make(const std::string& folder) {
    BG_ASSIGN_OR_RETURN(auto store,
                        gk::store::OpenSqlite({.path = folder + "/store.db", .create = true}));
    return Fleet(std::move(store));
  }
  gk::store::Store& store() { return *store_; }

  // `count` credentials; the first one's serial.
  absl::StatusOr<std::string> Issue(int64_t count) {
    gk::store::Commit commit;
    BG_RETURN_IF_ERROR(SetHost(gk::host::Trust::kTrusted, &commit));
    for (int64_t i = 0; i < count; ++i) {
      gk::store::CredentialRow row;
      row.serial = pki::NewSerialHex();
      row.host_id = kHost;
      row.profile = "sealed";
      row.not_before = absl::Now();
      row.not_after = absl::Now() + absl::Hours(1);
      commit.issued.push_back(row);
    }
    const std::string first = commit.issued.front().serial;
    BG_RETURN_IF_ERROR(store_->Apply(commit));
    return first;
  }
  absl::Status Quarantine() {
    gk::store::Commit commit;
    BG_RETURN_IF_ERROR(SetHost(gk::host::Trust::kQuarantined, &commit));
    commit.revoke_host_credentials = true;
    return store_->Apply(commit);
  }

 private:
  static constexpr char kHost[] = "h-00112233445566778899aabbccddeeff";
  explicit Fleet(std::unique_ptr<gk::store::Store> store) : store_(std::move(store)) {}

  absl::Status SetHost(gk::host::Trust trust, gk::store::Commit* commit) {
    gk::host::HostRecord host;
    if (absl::StatusOr<gk::host::HostRecord> known = store_->GetHost(kHost); known.ok()) {
      host = *std::move(known);
    }
    host.id = kHost;
    host.trust = trust;
    commit->host = host;
    commit->audit.emplace_back();
    commit->audit.back().at = absl::Now();
    return absl::OkStatus();
  }

  std::unique_ptr<gk::store::Store> store_;
};

// A request as small clients send it.
Bytes OcspRequestFor(const pki::Issuer& issuer, const std::string& serial) {
  namespace der = pki::der;
  // KeyHash over the BIT STRING's contents, which end a SubjectPublicKeyInfo of P-256.
  constexpr size_t kPointSize = 65;
  const Bytes spki = issuer.signer->holder().Public().SpkiDer();
  const ByteView point = ByteView(spki).last(kPointSize);
  const crypto::Digest name = crypto::Hash(crypto::HashAlg::kSha1, issuer.name);
  const crypto::Digest key = crypto::Hash(crypto::HashAlg::kSha1, point);
  const Bytes id = der::Sequence({der::Sequence({der::Oid({1, 3, 14, 3, 2, 26})}),
                                  der::Element(der::kOctetString, {name.view()}),
                                  der::Element(der::kOctetString, {key.view()}),
                                  der::Integer(FromHex(serial).value())});
  return der::Sequence({der::Sequence({der::Sequence({der::Sequence({id})})})});
}

absl::Status OcspFrom(const std::string& folder, const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const pki::Authority authority, MakeAuthority(folder));
  BG_ASSIGN_OR_RETURN(Fleet fleet, Fleet::Make(folder));
  BG_ASSIGN_OR_RETURN(const std::string serial, fleet.Issue(1));
  gk::revocation::Publisher publisher(fleet.store(), authority, SystemClock());
  BG_RETURN_IF_ERROR(publisher.Refresh());
  const pki::IssuerPtr issuer = authority.Issuers().front();
  const Bytes request = OcspRequestFor(*issuer, serial);
  BG_RETURN_IF_ERROR(Repeat("ocsp", arguments[0], [&] {
    publisher.Ocsp(request);
    return absl::OkStatus();
  }));
  return publisher.figures().ocsp_answers.at("error") == 0
             ? absl::OkStatus()
             : absl::InternalError("not every answer was signed");
}

// Until the list has changed; this program alone writes, so the change is the one waited for.
absl::StatusOr<absl::Duration> AwaitNewList(const gk::revocation::Publisher& publisher,
                                            const std::string& name, const std::string& before) {
  constexpr absl::Duration kPatience = absl::Seconds(30), kLookAgain = absl::Milliseconds(1);
  const absl::Time start = absl::Now();
  while (publisher.Find(name)->tag == before) {
    if (absl::Now() - start > kPatience) return absl::DeadlineExceededError("no new list came");
    absl::SleepFor(kLookAgain);
  }
  return absl::Now() - start;
}

absl::Status FreshFrom(const std::string& folder, const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const int64_t entries, CountIn(arguments[0]));
  BG_ASSIGN_OR_RETURN(const int64_t rounds, CountIn(arguments[1]));
  BG_ASSIGN_OR_RETURN(const pki::Authority authority, MakeAuthority(folder));
  BG_ASSIGN_OR_RETURN(Fleet fleet, Fleet::Make(folder));
  if (entries > 0) {
    BG_RETURN_IF_ERROR(fleet.Issue(entries).status());
    BG_RETURN_IF_ERROR(fleet.Quarantine());
  }
  gk::revocation::Publisher publisher(fleet.store(), authority, SystemClock());
  BG_RETURN_IF_ERROR(publisher.Refresh());
  publisher.Start();
  const std::string name = pki::CrlFileName(authority.Issuers().front()->key_id);
  std::vector<double> milliseconds;
  for (int64_t i = 0; i < rounds; ++i) {
    BG_RETURN_IF_ERROR(fleet.Issue(1).status());
    const std::string before = publisher.Find(name)->tag;
    BG_RETURN_IF_ERROR(fleet.Quarantine());
    BG_ASSIGN_OR_RETURN(const absl::Duration took, AwaitNewList(publisher, name, before));
    milliseconds.push_back(absl::ToDoubleMilliseconds(took));
  }
  if (milliseconds.empty()) return absl::InvalidArgumentError("no rounds");
  std::ranges::sort(milliseconds);
  const auto at = [&](double share) {
    return milliseconds[static_cast<size_t>(share * static_cast<double>(milliseconds.size() - 1))];
  };
  std::puts(absl::StrFormat("{\"bench\": \"fresh\", \"entries\": %d, \"rounds\": %d, "
                            "\"p50_ms\": %.1f, \"p99_ms\": %.1f, \"max_ms\": %.1f}",
                            entries, rounds, at(0.5), at(0.99), milliseconds.back())
                .c_str());
  return absl::OkStatus();
}

}  // namespace

absl::Status RunCrl(const Arguments& arguments) {
  return InTemporaryFolder([&](const std::string& folder) { return CrlFrom(folder, arguments); });
}
absl::Status RunOcsp(const Arguments& arguments) {
  return InTemporaryFolder([&](const std::string& folder) { return OcspFrom(folder, arguments); });
}
absl::Status RunFresh(const Arguments& arguments) {
  return InTemporaryFolder([&](const std::string& folder) { return FreshFrom(folder, arguments); });
}

}  // namespace bootgate::bench
