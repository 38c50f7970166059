// A store and a folder for sealing keys, gone with the test.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::sealing {

class MadeStore {
 public:
  MadeStore() {
    std::string pattern = ::testing::TempDir() + "/sealing.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    store_ = store::OpenSqlite({.path = folder_ + "/store.db", .create = true}).value();
  }
  MadeStore(const MadeStore&) = delete;
  MadeStore& operator=(const MadeStore&) = delete;
  ~MadeStore() {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  store::Store& store() { return *store_; }
  std::string keys() const { return folder_ + "/sealing"; }

 private:
  std::string folder_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace bootgate::gatekeeper::sealing
