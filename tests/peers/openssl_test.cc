// `openssl verify` takes the certificates of our own CA.
#include <stdlib.h>

#include <filesystem>

#include "absl/time/clock.h"
#include "common/base/files.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "pki/authority.h"
#include "pki/x509_read.h"
#include "tests/desk/process.h"
#include "tests/desk/scratch_folder.h"

namespace bootgate::peers {
namespace {

using ::bootgate::testing::IsOk;
using crypto::Curve;
using crypto::PrivateKey;

class OpensslTest : public ::testing::Test {
 protected:
  OpensslTest() {
    EXPECT_THAT(MakeFolder(Path("ca"), 0700), IsOk());
    EXPECT_THAT(
        pki::Authority::Create({.folder = Path("ca")},
                               {.cluster_id = "peers", .trust_domain = "peers.example"}, now_),
        IsOk());
    authority_.emplace(pki::Authority::Open({.folder = Path("ca")}, now_).value());
    Write("root.pem", authority_->root_pem());
    Write("chain.pem", authority_->chain_pem());
  }
  std::string Path(const std::string& name) const { return scratch_.path() + "/" + name; }
  void Write(const std::string& name, const std::string& text) const {
    EXPECT_THAT(WriteFileAtomically(Path(name), AsBytes(text), 0600), IsOk());
  }
  // `more`: further options.
  absl::Status Verify(const std::vector<std::string>& more, const std::string& file) const {
    std::vector<std::string> words = {"openssl",        "verify",     "-CAfile",
                                      Path("root.pem"), "-untrusted", Path("chain.pem")};
    words.insert(words.end(), more.begin(), more.end());
    words.push_back(Path(file));
    return desk::RunToEnd(words, Path("log"));
  }

  const desk::ScratchFolder scratch_;
  const absl::Time now_ = absl::Now();
  std::optional<pki::Authority> authority_;
};

TEST_F(OpensslTest, VerifiesHostCertificates) {
  for (const Curve curve : {Curve::kP256, Curve::kP384}) {
    const auto key = PrivateKey::GenerateEc(curve).value();
    BG_ASSERT_OK_AND_ASSIGN(const Bytes der,
                            authority_->IssueHost({.serial_hex = pki::NewSerialHex(),
                                                   .host_id = "h-00112233445566778899aabbccddeeff",
                                                   .verdict_id = "v-1",
                                                   .policy_id = "p",
                                                   .claims_digest_hex = std::string(64, 'a'),
                                                   .not_before = now_ - absl::Minutes(1),
                                                   .not_after = now_ + absl::Hours(1)},
                                                  key.Public()));
    Write("host.pem", pki::DerToPem(der));
    for (const char* const purpose : {"sslclient", "sslserver"}) {
      EXPECT_THAT(Verify({"-x509_strict", "-purpose", purpose}, "host.pem"), IsOk()) << purpose;
    }
    EXPECT_FALSE(
        Verify({"-attime", std::to_string(absl::ToUnixSeconds(now_ + absl::Hours(2)))}, "host.pem")
            .ok())
        << "a check that always passes checks nothing";
  }
}

TEST_F(OpensslTest, VerifiesAttestationKeyCertificates) {
  for (const bool rsa : {false, true}) {
    const auto key = rsa ? PrivateKey::GenerateRsa(2048) : PrivateKey::GenerateEc(Curve::kP256);
    BG_ASSERT_OK_AND_ASSIGN(const Bytes der,
                            authority_->IssueAk({.serial_hex = pki::NewSerialHex(),
                                                 .host_id = "h-00112233445566778899aabbccddeeff",
                                                 .ek_certificate_verified = false,
                                                 .tpm_san_der = {},
                                                 .not_before = now_ - absl::Minutes(1),
                                                 .not_after = now_ + absl::Hours(1)},
                                                key->Public()));
    Write("ak.pem", pki::DerToPem(der));
    EXPECT_THAT(Verify({"-x509_strict"}, "ak.pem"), IsOk());
    EXPECT_FALSE(Verify({"-purpose", "sslclient"}, "ak.pem").ok()) << "of no use for TLS";
  }
}

}  // namespace
}  // namespace bootgate::peers
