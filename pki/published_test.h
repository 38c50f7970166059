// Test only: a CA in memory whose lists and answers are shown to OpenSSL.
#pragma once

#include <openssl/x509.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "common/base/hex.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "pki/authority.h"
#include "pki/x509_read.h"

namespace bootgate::pki {

class PublishedTest : public ::testing::Test {
 protected:
  static inline const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

  PublishedTest() {
    std::string made = ::testing::TempDir() + "/bootgate-ca-XXXXXX";
    folder_ = mkdtemp(made.data());
    EXPECT_THAT(
        Authority::Create({folder_ + "/ca"},
                          {.cluster_id = "lab-1", .trust_domain = "bootgate.example"}, kNow),
        testing::IsOk());
    authority_ = std::make_unique<Authority>(Authority::Open({folder_ + "/ca"}, kNow).value());
    issuer_ = authority_->Issuers().front();
  }
  ~PublishedTest() override { std::filesystem::remove_all(folder_); }

  // A host certificate with this serial.
  Bytes Issue(const std::string& serial_hex) const {
    const auto key = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
    return authority_
        ->IssueHost({.serial_hex = serial_hex,
                     .host_id = "h-00112233445566778899aabbccddeeff",
                     .verdict_id = "v-0123456789abcdef0123456789abcdef",
                     .policy_id = std::string(64, 'a'),
                     .claims_digest_hex = std::string(64, 'b'),
                     .not_before = kNow - absl::Minutes(5),
                     .not_after = kNow + absl::Hours(1)},
                    key.Public())
        .value();
  }
  crypto::X509Ptr IssuerCertificate() const {
    return ParseCertificate(issuer_->certificate).value();
  }
  crypto::X509Ptr Root() const {
    return ParseCertificate(PemToDer(authority_->root_pem()).value()).value();
  }

  std::string folder_;
  std::unique_ptr<Authority> authority_;
  IssuerPtr issuer_;
};

}  // namespace bootgate::pki
