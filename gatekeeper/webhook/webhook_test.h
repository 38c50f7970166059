// Test only: a store with a host whose trust moves, and endpoints with keys.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/files.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gatekeeper/webhook/endpoint.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::webhook {

inline constexpr char kHost[] = "h-00112233445566778899aabbccddeeff";
// 32 bytes 0x01 and 32 bytes 0x02.
inline constexpr char kKey[] = "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
inline constexpr char kNextKey[] = "whsec_AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

// Moves the host's trust: one change in the feed.
inline void MoveTrust(store::Store& store, host::Trust to, absl::Time at,
                      const std::string& why = "as the test wants", const std::string& id = kHost) {
  store::Commit commit;
  commit.host.emplace();
  if (const auto known = store.GetHost(id); known.ok()) commit.host = *known;
  commit.host->id = id;
  commit.host->hostname = "web-7";
  commit.host->labels = {{"rack", "r12"}};
  commit.host->trust = to;
  commit.host->reasons = {"SECURE_BOOT_OFF"};
  commit.why = why;
  commit.audit.emplace_back();
  commit.audit.back().at = at;
  ASSERT_THAT(store.Apply(commit), testing::IsOk());
}

// `count` changes of trust, this way and that.
inline void MakeChanges(store::Store& store, int count, absl::Time at) {
  for (int i = 0; i < count; ++i) {
    const auto host = store.GetHost(kHost);
    const bool good = host.ok() && host->trust == host::Trust::kTrusted;
    MoveTrust(store, good ? host::Trust::kQuarantined : host::Trust::kTrusted, at);
  }
}

template <typename Condition>
bool Eventually(Condition holds) {
  const absl::Time end = absl::Now() + absl::Seconds(30);
  while (!holds()) {
    if (absl::Now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

class WebhookTest : public ::testing::Test {
 protected:
  WebhookTest() {
    std::string pattern = ::testing::TempDir() + "/webhook.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    store_ = store::OpenSqlite({.path = store_path(), .create = true}).value();
    WriteFile("key", absl::StrCat(kKey, "\n"));
  }
  ~WebhookTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string store_path() const { return folder_ + "/store.db"; }
  std::string WriteFile(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const std::string path = absl::StrCat(folder_, "/", name);
    EXPECT_THAT(WriteFileAtomically(path, AsBytes(text), mode), testing::IsOk());
    return path;
  }
  Endpoint EndpointAt(const std::string& url, const std::string& name = "pager") const {
    Endpoint out;
    out.name = name;
    out.url = url;
    out.secret_file = folder_ + "/key";
    out.timeout = absl::Seconds(5);
    return out;
  }
  store::ConsumerRow PlaceOf(const std::string& name) const {
    const std::vector<store::ConsumerRow> rows = store_->ListConsumers().value();
    for (const store::ConsumerRow& row : rows) {
      if (row.name == ConsumerOf(name)) return row;
    }
    return {};
  }

  std::string folder_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace bootgate::gatekeeper::webhook
