// Test only: a store and a CA, hosts with credentials, and what OpenSSL reads in what is published.
#pragma once

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/revocation/publisher.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gtest/gtest.h"
#include "pki/authority.h"
#include "pki/x509_read.h"

namespace bootgate::gatekeeper::revocation {

class RevocationTest : public ::testing::Test {
 protected:
  static inline const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
  static constexpr char kHost[] = "h-00112233445566778899aabbccddeeff";
  static constexpr char kOtherHost[] = "h-ffeeddccbbaa99887766554433221100";

  RevocationTest() : clock_(kNow) {
    std::string pattern = ::testing::TempDir() + "/revocation.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    store_ = store::OpenSqlite({.path = folder_ + "/store.db", .create = true}).value();
    EXPECT_THAT(
        pki::Authority::Create({folder_ + "/ca"},
                               {.cluster_id = "lab-1", .trust_domain = "bootgate.example"}, kNow),
        testing::IsOk());
    authority_ =
        std::make_unique<pki::Authority>(pki::Authority::Open({folder_ + "/ca"}, kNow).value());
    for (const pki::IssuerPtr& issuer : authority_->Issuers()) {
      if (issuer->uses.contains(pki::CaUse::kHosts)) issuer_ = issuer;
    }
  }
  ~RevocationTest() override { std::filesystem::remove_all(folder_); }

  std::string KeyId() const { return ToHex(issuer_->key_id); }

  void Store(store::Commit commit) {
    commit.audit.emplace_back();
    commit.audit.back().at = clock_.Now();
    ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  }
  // A host with new credentials.
  void Issue(const std::string& host_id, const std::vector<std::string>& serials,
             const std::string& kind = "host", absl::Duration lifetime = absl::Hours(1)) {
    store::Commit commit;
    host::HostRecord host;
    host.id = host_id;
    if (const auto known = store_->GetHost(host_id); known.ok()) host = *known;
    host.trust = host::Trust::kTrusted;
    commit.host = host;
    for (const std::string& serial : serials) {
      store::CredentialRow row;
      row.serial = serial;
      row.host_id = host_id;
      row.profile = "sealed";
      row.not_before = clock_.Now();
      row.not_after = clock_.Now() + lifetime;
      row.kind = kind;
      row.issuer = KeyId();
      commit.issued.push_back(row);
    }
    Store(commit);
  }
  void ShutOut(const std::string& host_id, host::Trust trust = host::Trust::kQuarantined) {
    store::Commit commit;
    commit.host = store_->GetHost(host_id).value();
    commit.host->trust = trust;
    commit.revoke_host_credentials = true;
    Store(commit);
  }

  // ---- what others see

  struct Entry {
    int reason = 0;
    absl::Time revoked_at, invalid_since = absl::InfiniteFuture();
  };
  static absl::Time TimeOf(const ASN1_TIME* time) {
    std::tm utc{};
    EXPECT_EQ(ASN1_TIME_to_tm(time, &utc), 1);
    return absl::FromTM(utc, absl::UTCTimeZone());
  }
  struct FreeCrl {
    void operator()(X509_CRL* crl) const { X509_CRL_free(crl); }
  };
  using CrlPtr = std::unique_ptr<X509_CRL, FreeCrl>;
  // The list as OpenSSL reads it; its signature must be the CA's.
  CrlPtr Crl(const Publisher& publisher) const {
    const std::optional<File> file = publisher.Find(KeyId() + ".crl");
    if (!file.has_value()) return nullptr;
    const auto* at = reinterpret_cast<const uint8_t*>(file->body->data());
    CrlPtr crl(d2i_X509_CRL(nullptr, &at, static_cast<long>(file->body->size())));  // NOLINT
    const crypto::X509Ptr ca = pki::ParseCertificate(issuer_->certificate).value();
    EXPECT_EQ(X509_CRL_verify(crl.get(), X509_get0_pubkey(ca.get())), 1);
    return crl;
  }
  // By serial in hex.
  std::map<std::string, Entry> Listed(const Publisher& publisher) const {
    std::map<std::string, Entry> out;
    const CrlPtr crl = Crl(publisher);
    if (crl == nullptr) return out;
    STACK_OF(X509_REVOKED)* const entries = X509_CRL_get_REVOKED(crl.get());
    for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
      X509_REVOKED* const row = sk_X509_REVOKED_value(entries, i);
      const ASN1_INTEGER* const serial = X509_REVOKED_get0_serialNumber(row);
      Entry entry{.revoked_at = TimeOf(X509_REVOKED_get0_revocationDate(row))};
      if (auto* code = static_cast<ASN1_ENUMERATED*>(
              X509_REVOKED_get_ext_d2i(row, NID_crl_reason, nullptr, nullptr))) {
        entry.reason = static_cast<int>(ASN1_ENUMERATED_get(code));
        ASN1_ENUMERATED_free(code);
      }
      if (auto* since = static_cast<ASN1_TIME*>(
              X509_REVOKED_get_ext_d2i(row, NID_invalidity_date, nullptr, nullptr))) {
        entry.invalid_since = TimeOf(since);
        ASN1_TIME_free(since);
      }
      out[ToHex({ASN1_STRING_get0_data(serial), static_cast<size_t>(ASN1_STRING_length(serial))})] =
          entry;
    }
    return out;
  }

  // An OCSP request for serials of our CA, as OpenSSL makes it.
  Bytes OcspRequestFor(const std::vector<std::string>& serials, bool nonce = false) const {
    const std::unique_ptr<OCSP_REQUEST, decltype(&OCSP_REQUEST_free)> request(OCSP_REQUEST_new(),
                                                                              OCSP_REQUEST_free);
    for (const std::string& serial : serials) OCSP_request_add0_id(request.get(), IdOf(serial));
    if (nonce) OCSP_request_add1_nonce(request.get(), nullptr, 16);
    uint8_t* der = nullptr;
    const int size = i2d_OCSP_REQUEST(request.get(), &der);
    Bytes out(der, der + size);
    OPENSSL_free(der);
    return out;
  }
  struct OcspState {
    int status = -1, reason = -1;
  };
  // What OpenSSL finds in an answer, -1 where it finds nothing that it believes.
  OcspState StateIn(const std::string& response, const std::string& serial) const {
    const auto* at = reinterpret_cast<const uint8_t*>(response.data());
    const std::unique_ptr<OCSP_RESPONSE, decltype(&OCSP_RESPONSE_free)> parsed(
        d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(response.size())),  // NOLINT
        OCSP_RESPONSE_free);
    OcspState state;
    const std::unique_ptr<OCSP_BASICRESP, decltype(&OCSP_BASICRESP_free)> basic(
        OCSP_response_get1_basic(parsed.get()), OCSP_BASICRESP_free);
    if (basic == nullptr || !IsBelieved(basic.get())) return state;
    OCSP_CERTID* const id = IdOf(serial);
    OCSP_resp_find_status(basic.get(), id, &state.status, &state.reason, nullptr, nullptr, nullptr);
    OCSP_CERTID_free(id);
    return state;
  }
  static int StatusIn(const std::string& response) {  // OCSPResponseStatus
    const auto* at = reinterpret_cast<const uint8_t*>(response.data());
    const std::unique_ptr<OCSP_RESPONSE, decltype(&OCSP_RESPONSE_free)> parsed(
        d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(response.size())),  // NOLINT
        OCSP_RESPONSE_free);
    return parsed == nullptr ? -1 : OCSP_response_status(parsed.get());
  }

  std::string folder_;
  testing::FakeClock clock_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<pki::Authority> authority_;
  pki::IssuerPtr issuer_;

 private:
  OCSP_CERTID* IdOf(const std::string& serial_hex) const {
    const crypto::X509Ptr ca = pki::ParseCertificate(issuer_->certificate).value();
    BIGNUM* number = nullptr;
    BN_hex2bn(&number, serial_hex.c_str());
    ASN1_INTEGER* const serial = BN_to_ASN1_INTEGER(number, nullptr);
    OCSP_CERTID* const id = OCSP_cert_id_new(EVP_sha1(), X509_get_subject_name(ca.get()),
                                             X509_get0_pubkey_bitstr(ca.get()), serial);
    ASN1_INTEGER_free(serial);
    BN_free(number);
    return id;
  }
  bool IsBelieved(OCSP_BASICRESP* basic) const {
    const crypto::X509StorePtr trusted(X509_STORE_new());
    const crypto::X509Ptr root =
        pki::ParseCertificate(pki::PemToDer(authority_->root_pem()).value()).value();
    const crypto::X509Ptr ca = pki::ParseCertificate(issuer_->certificate).value();
    X509_STORE_add_cert(trusted.get(), root.get());
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(trusted.get()), absl::ToTimeT(clock_.Now()));
    STACK_OF(X509)* others = sk_X509_new_null();
    sk_X509_push(others, ca.get());
    const bool believed = OCSP_basic_verify(basic, others, trusted.get(), 0) == 1;
    sk_X509_free(others);
    crypto::ClearOpenSslErrors();
    return believed;
  }
};

// The same with a publisher.
class PublishedTest : public RevocationTest {
 protected:
  std::map<std::string, Entry> Refreshed() {
    EXPECT_THAT(publisher_.Refresh(), testing::IsOk());
    return Listed(publisher_);
  }
  OcspState Asked(const std::string& serial) {
    return StateIn(publisher_.Ocsp(OcspRequestFor({serial})).body, serial);
  }

  Publisher publisher_{*store_, *authority_, clock_};
};

}  // namespace bootgate::gatekeeper::revocation
