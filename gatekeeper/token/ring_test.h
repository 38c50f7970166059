// Test only: a CA in a scratch folder, a clock that stands, and a key ring on both.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "common/testing/fake_clock.h"
#include "gatekeeper/token/key_ring.h"
#include "gtest/gtest.h"
#include "pki/authority.h"

namespace bootgate::gatekeeper::token {

class RingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "/bootgate-ring-XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    const pki::AuthorityFiles files{.folder = folder_ + "/ca"};
    const pki::AuthorityOptions options{.cluster_id = "lab", .trust_domain = "lab.example"};
    ASSERT_TRUE(pki::Authority::Create(files, options, clock_.Now()).ok());
    authority_ = pki::Authority::Open(files, clock_.Now()).value();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // As another process would: a ring of its own on the same folder.
  std::unique_ptr<KeyRing> Open(jose::JwsAlg alg = jose::JwsAlg::kEs256) {
    return KeyRing::Open({.folder = keys_folder(), .alg = alg}, *authority_, clock_).value();
  }
  std::string keys_folder() const { return folder_ + "/token-keys"; }

  std::string folder_;
  testing::FakeClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  std::optional<pki::Authority> authority_;
};

}  // namespace bootgate::gatekeeper::token
