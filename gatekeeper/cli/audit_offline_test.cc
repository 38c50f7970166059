#include "gatekeeper/cli/audit_offline.h"

#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/audit/checkpointer.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/audit/trail_text.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::cli {
namespace {

using ::bootgate::testing::IsOk;
using ::testing::HasSubstr;

// Three rows, a checkpoint, two rows more, as exported; the key's public half beside it.
class AuditOffline : public ::testing::Test {
 protected:
  AuditOffline() {
    std::string pattern = ::testing::TempDir() + "/audit_offline.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    const auto store = store::OpenSqlite({.path = folder_ + "/store.db", .create = true}).value();
    audit::CheckpointKey key = audit::OpenCheckpointKey(folder_ + "/audit").value();
    key_file_ = audit::PublicKeyFile(folder_ + "/audit", key.id);
    audit::Checkpointer checkpointer(*store, std::move(key));
    const absl::Time at = absl::FromUnixSeconds(1'800'000'000);
    for (int i = 1; i <= 5; ++i) {
      EXPECT_THAT(store->PutAudit(audit::MakeRow(at, "operator alice", "host.approve",
                                                 absl::StrCat("h-", i), audit::Detail())),
                  IsOk());
      if (i == 3) {
        EXPECT_THAT(checkpointer.Stop(at), IsOk());
      }
    }
    text_ = audit::TrailExport::Open(*store, 0)->Next(1 << 20).value();
    Write("export", text_);
  }

  void Write(const std::string& name, const std::string& text) {
    EXPECT_THAT(WriteFileAtomically(folder_ + "/" + name, AsBytes(text), 0600), IsOk());
  }
  std::string Without(const std::string& what) const {
    std::string text = text_;
    const size_t begin = text.find(what), line = text.rfind('\n', begin) + 1;
    return text.erase(line, text.find('\n', begin) + 1 - line);
  }
  ExitCode Verify(const std::string& name, bool with_key, std::vector<std::string> kept = {},
                  OutputFormat format = OutputFormat::kTable) {
    out_.str("");
    err_.str("");
    AuditFiles files = {.export_file = folder_ + "/" + name};
    if (with_key) files.keys = {key_file_};
    for (const std::string& file : kept) files.checkpoints.push_back(folder_ + "/" + file);
    return AuditVerifyFiles(files, format, out_, err_);
  }

  std::string folder_, key_file_, text_;
  std::ostringstream out_, err_;
};

TEST_F(AuditOffline, WholeTrailIsSaidToBeWhole) {
  EXPECT_EQ(Verify("export", true), ExitCode::kSuccess) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("5 rows up to number 5, 1 checkpoints, signed"));
  EXPECT_EQ(Verify("export", false), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("signatures were not checked (--key)"));
  EXPECT_EQ(Verify("export", true, {"export"}), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("kept elsewhere"));
}

TEST_F(AuditOffline, RemovedRowIsNamed) {
  Write("cut", Without("\"h-4\""));
  EXPECT_EQ(Verify("cut", true), ExitCode::kInternal);
  EXPECT_THAT(err_.str(), HasSubstr("audit row 4 is missing"));
  EXPECT_THAT(err_.str(), HasSubstr("AUDIT_BROKEN"));
  EXPECT_EQ(out_.str(), "");
  EXPECT_EQ(Verify("cut", true, {}, OutputFormat::kJson), ExitCode::kInternal);
  EXPECT_THAT(out_.str(), HasSubstr("\"intact\": false"));
}

TEST_F(AuditOffline, CheckpointOfAnUnknownKeyIsFound) {
  const audit::CheckpointKey other = audit::OpenCheckpointKey(folder_ + "/other").value();
  key_file_ = audit::PublicKeyFile(folder_ + "/other", other.id);
  EXPECT_EQ(Verify("export", true), ExitCode::kInternal);
  EXPECT_THAT(err_.str(), HasSubstr("none of those that are believed"));
}

TEST_F(AuditOffline, FilesThatAreNothingOfTheSortAreNamed) {
  EXPECT_EQ(Verify("none", true), ExitCode::kNotFound);
  EXPECT_THAT(err_.str(), HasSubstr("/none: No such file"));
  Write("empty", "");
  EXPECT_EQ(Verify("empty", true), ExitCode::kUsage);
  Write("text", "hello\n");
  EXPECT_EQ(Verify("text", true), ExitCode::kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("/text: line 1: this is no exported audit trail"));
  EXPECT_EQ(Verify("export", true, {"text"}), ExitCode::kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("/text: there is no checkpoint"));
  EXPECT_EQ(Verify("export", true, {"."}), ExitCode::kUsage);
  key_file_ = folder_ + "/text";
  EXPECT_EQ(Verify("export", true), ExitCode::kUsage);
}

TEST_F(AuditOffline, KeysAreShownToBeKept) {
  EXPECT_EQ(AuditKeyShow(folder_ + "/audit", OutputFormat::kTable, out_, err_), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("-----BEGIN PUBLIC KEY-----"));
  EXPECT_EQ(AuditKeyShow(folder_ + "/nowhere", OutputFormat::kTable, out_, err_),
            ExitCode::kNotFound);
  EXPECT_FALSE(FileExists(folder_ + "/nowhere"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli
