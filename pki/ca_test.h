// A CA folder for tests, and what other implementations say of its certificates.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/files.h"
#include "common/base/status_macros.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/authority.h"
#include "pki/ca_steps.h"

namespace bootgate::pki {

inline const absl::Time kCaNow = absl::FromUnixSeconds(1'800'000'000);

class CaScratch {
 public:
  CaScratch() {
    std::string made = ::testing::TempDir() + "/bootgate-cas-XXXXXX";
    path_ = mkdtemp(made.data());
  }
  ~CaScratch() { std::filesystem::remove_all(path_); }
  CaScratch(const CaScratch&) = delete;
  CaScratch& operator=(const CaScratch&) = delete;

  const std::string& path() const { return path_; }
  std::string ca() const { return path_ + "/ca"; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }
  std::string Write(const std::string& name, absl::string_view text, mode_t mode = 0600) const {
    EXPECT_THAT(WriteFileAtomically(File(name), AsBytes(text), mode), testing::IsOk());
    return File(name);
  }

 private:
  std::string path_;
};

inline CaPlan PlanIn(const CaScratch& scratch) {
  return {.folder = scratch.ca(), .cluster_id = "lab-1", .trust_domain = "bootgate.example"};
}

inline HostCertificateRequest HostRequestAt(absl::Time now) {
  return {.serial_hex = NewSerialHex(),
          .host_id = "h-00112233445566778899aabbccddeeff",
          .verdict_id = "v-0123456789abcdef0123456789abcdef",
          .policy_id = std::string(64, 'a'),
          .claims_digest_hex = std::string(64, 'b'),
          .not_before = now - absl::Minutes(5),
          .not_after = now + absl::Hours(1)};
}

// `openssl verify` with every strict check, as `purpose` ("any", "sslclient", ...).
inline bool OpensslVerifies(const CaScratch& scratch, const std::string& roots_pem,
                            const std::string& chain_pem, ByteView leaf, const std::string& purpose,
                            absl::Time at = kCaNow) {
  const std::string root = scratch.Write("peer-roots.pem", roots_pem);
  const std::string chain = scratch.Write("peer-chain.pem", chain_pem);
  const std::string der = scratch.Write("peer-leaf.pem", DerToPem(leaf));
  return std::system(
             absl::StrCat("openssl verify -x509_strict -check_ss_sig -policy_check -purpose ",
                          purpose, " -attime ", absl::ToUnixSeconds(at), " -CAfile ", root,
                          " -untrusted ", chain, " ", der, " >", scratch.File("peer.out"), " 2>&1")
                 .c_str()) == 0;
}

inline std::string PeerSays(const CaScratch& scratch) {
  return ReadTextFile(scratch.File("peer.out"), 1 << 20).value_or("");
}

inline std::string OpensslText(const CaScratch& scratch, ByteView der) {
  const std::string file = scratch.Write("peer-text.pem", DerToPem(der));
  const int ended = std::system(
      absl::StrCat("openssl x509 -noout -text -in ", file, " >", scratch.File("peer.out"), " 2>&1")
          .c_str());
  return ended == 0 ? PeerSays(scratch) : "";
}

}  // namespace bootgate::pki
