// A TPM on a desk for the agent's tests: one for all tests of a suite, rebooted for each.
#pragma once

#include <memory>

#include "agent/tpm/internal/open.h"
#include "agent/tpm/tpm.h"
#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "tests/desk/captured_boot.h"
#include "tests/desk/host.h"
#include "tests/desk/scratch_folder.h"
#include "tests/desk/tap_tcti.h"

namespace bootgate::desk {

class TpmTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch_ = new ScratchFolder;
    auto host = Host::Up({.folder = scratch_->path() + "/host", .case_folder = Case()});
    ASSERT_TRUE(host.ok()) << host.status();
    host_ = host->release();
  }
  static void TearDownTestSuite() {
    delete host_;
    delete scratch_;
  }

  void SetUp() override {
    ASSERT_NE(host_, nullptr);
    ASSERT_THAT(host_->Reboot(Case()), testing::IsOk());
    Reopen({.tcti = host_->tcti()});
  }

  // A Tpm over the bus that the test watches.
  void Reopen(const agent::tpm::Options& options) {
    tpm_.reset();
    auto opened = agent::tpm::internal::OpenTpm(options, Tapped(host_->tcti(), bus_));
    ASSERT_TRUE(opened.ok()) << opened.status();
    tpm_ = *std::move(opened);
  }

  static std::string Case() { return testing::CorpusPath("boots/good"); }

  static absl::StatusOr<agent::tpm::PinnedEk> Pin(agent::tpm::Tpm& tpm, tpm2::EkTemplate which) {
    auto ek = tpm.EkPublic(which);
    if (!ek.ok()) return ek.status();
    return agent::tpm::PinnedEk::FromName(which, ek->Name());
  }

  static inline ScratchFolder* scratch_ = nullptr;
  static inline Host* host_ = nullptr;
  Bus bus_;
  std::unique_ptr<agent::tpm::Tpm> tpm_;
};

}  // namespace bootgate::desk
