// The verbs against a live service: over real mutual TLS with files as an operator has them, and
// over the channel inside the process.
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "absl/strings/str_split.h"
#include "common/base/files.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/cli/audit_offline.h"
#include "gatekeeper/client/audit.h"
#include "gatekeeper/client/hosts.h"
#include "gatekeeper/client/quarantine.h"
#include "gatekeeper/client/quarantine_watch.h"
#include "gatekeeper/operators/desk_test.h"

namespace bootgate::gatekeeper::client {
namespace {

using ::bootgate::testing::IsOk;
using host::Trust;
using operators::ClientIdentity;
using operators::Desk;
using ::testing::HasSubstr;
using ::testing::Not;

class LiveTest : public ::testing::Test {
 protected:
  LiveTest() { Become({"admin"}); }

  // From now on calls are those of an operator with these roles.
  void Become(const std::vector<std::string>& roles) {
    Write("alice", desk_.Operator(roles));
    api_ = Connect(Options());
  }
  void Write(const std::string& name, const ClientIdentity& identity) {
    const std::string text = identity.chain_pem + identity.key_pem;
    EXPECT_THAT(WriteFileAtomically(File(name), AsBytes(text), 0600), IsOk());
    EXPECT_THAT(WriteFileAtomically(File("roots.pem"),
                                    AsBytes(desk_.cluster().authority().roots_pem()), 0644),
                IsOk());
  }
  std::string File(const std::string& name) const { return desk_.cluster().folder() + "/" + name; }
  ServerOptions Options() {
    return {.address = absl::StrCat("127.0.0.1:", desk_.server().port()),
            .identity = File("alice"),
            .ca = File("roots.pem"),
            .name = ""};
  }
  static std::unique_ptr<Api> Connect(const ServerOptions& options) {
    absl::StatusOr<std::unique_ptr<Api>> api = Api::Connect(options);
    EXPECT_THAT(api.status(), IsOk());
    return *std::move(api);
  }

  Console At(Api& api) {
    out_.str("");
    err_.str("");
    return {.api = api, .format = format_, .out = out_, .err = err_};
  }
  Console Here() { return At(*api_); }

  void PutHost(const std::string& id, Trust trust, const std::string& role) {
    host::HostRecord host = desk_.PutHost(id, trust);
    host.approved = trust != Trust::kPending && trust != Trust::kRetired;
    host.labels = {{"role", role}};
    store::Commit commit;
    commit.host = host;
    commit.audit.emplace_back();
    ASSERT_THAT(desk_.store().Apply(commit), IsOk());
  }
  Trust TrustOf(const std::string& id) { return desk_.store().GetHost(id)->trust; }
  bool IsApproved(const std::string& id) { return desk_.store().GetHost(id)->approved; }

  Desk desk_;
  std::unique_ptr<Api> api_;
  cli::OutputFormat format_ = cli::OutputFormat::kTable;
  std::ostringstream out_, err_;
};

TEST_F(LiveTest, ListsFitTheFilters) {
  EXPECT_EQ(HostList(Here(), {}), ExitCode::kSuccess);
  EXPECT_EQ(out_.str(), "no such host\n");
  PutHost("h-1", Trust::kTrusted, "db");
  PutHost("h-2", Trust::kQuarantined, "web");
  EXPECT_EQ(HostList(Here(), {}), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("h-1   -     role=db   trusted"));
  EXPECT_THAT(out_.str(), HasSubstr("h-2"));
  EXPECT_EQ(HostList(Here(), {.states = {"quarantined"}}), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), Not(HasSubstr("h-1")));
  EXPECT_EQ(HostList(Here(), {.selector = "role=db"}), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), Not(HasSubstr("h-2")));
  format_ = cli::OutputFormat::kJson;
  EXPECT_EQ(HostList(Here(), {}), ExitCode::kSuccess);
  const auto json = nlohmann::json::parse(out_.str(), nullptr, false);
  ASSERT_EQ(json.size(), 2u) << out_.str();
  EXPECT_EQ(json[1].at("trust"), "quarantined");
}

TEST_F(LiveTest, ApprovingTwiceIsFine) {
  PutHost("h-1", Trust::kPending, "db");
  const HostActOptions options = {.targets = {.hosts = {"h-1"}}};
  EXPECT_EQ(HostApprove(Here(), options), ExitCode::kSuccess);
  EXPECT_EQ(out_.str(), "h-1 approved\n");
  EXPECT_TRUE(IsApproved("h-1"));
  EXPECT_EQ(HostApprove(Here(), options), ExitCode::kSuccess);
  EXPECT_EQ(out_.str(), "h-1 is approved already\n");
}

TEST_F(LiveTest, ManyHostsHaveTheirResultsEach) {
  PutHost("h-1", Trust::kPending, "db");
  PutHost("h-2", Trust::kRetired, "db");
  PutHost("h-3", Trust::kPending, "web");
  HostActOptions options = {.targets = {.selector = "role=db", .dry_run = true}};
  EXPECT_EQ(HostApprove(Here(), options), ExitCode::kPartial) << out_.str();
  EXPECT_THAT(out_.str(), HasSubstr("would be approved"));
  EXPECT_FALSE(IsApproved("h-1")) << "a dry run";
  options.targets.dry_run = false;
  EXPECT_EQ(HostApprove(Here(), options), ExitCode::kPartial);
  EXPECT_THAT(out_.str(), HasSubstr("HOST_RETIRED"));
  EXPECT_THAT(err_.str(), HasSubstr("1 of 2 hosts"));
  EXPECT_TRUE(IsApproved("h-1"));
  EXPECT_FALSE(IsApproved("h-3")) << "does not bear the label";
}

TEST_F(LiveTest, BadInputIsRefusedAndSaysWhy) {
  struct Row {
    const char* name;
    std::function<ExitCode(const Console&)> verb;
    ExitCode code;
    const char* says;
  };
  const std::vector<Row> rows = {
      {"unknown host", [](const Console& c) { return HostShow(c, "h-nobody"); },
       ExitCode::kNotFound, "HOST_UNKNOWN"},
      {"no host id", [](const Console& c) { return HostShow(c, "../x\n"); }, ExitCode::kUsage,
       "HOST_ID_SYNTAX"},
      {"no target", [](const Console& c) { return HostApprove(c, {}); }, ExitCode::kUsage,
       "--selector"},
      {"both targets",
       [](const Console& c) {
         return HostApprove(c, {.targets = {.hosts = {"h-1"}, .selector = "role=db"}});
       },
       ExitCode::kUsage, "not both"},
      {"bad selector", [](const Console& c) { return HostList(c, {.selector = "role"}); },
       ExitCode::kUsage, "SELECTOR"},
      {"no such state", [](const Console& c) { return HostList(c, {.states = {"fine"}}); },
       ExitCode::kUsage, "trusted"},
      {"bad label",
       [](const Console& c) {
         return HostLabel(c, {.targets = {.hosts = {"h-1"}}, .labels = {"role"}});
       },
       ExitCode::kUsage, "NAME=VALUE"},
      {"no reason", [](const Console& c) { return HostRetire(c, {.targets = {.hosts = {"h-1"}}}); },
       ExitCode::kUsage, "reason"},
      {"nobody to wait for", [](const Console& c) { return HostWait(c, {.host_id = "h-nobody"}); },
       ExitCode::kNotFound, "HOST_UNKNOWN"},
      {"bad time", [](const Console& c) { return AuditList(c, {.since = "soon"}); },
       ExitCode::kUsage, "soon"},
      {"bad token",
       [](const Console& c) {
         return QuarantineWatch(c, {.selector = "role", .reconnect = false});
       },
       ExitCode::kUsage, "SELECTOR"},
  };
  PutHost("h-1", Trust::kTrusted, "db");
  for (const Row& row : rows) {
    EXPECT_EQ(row.verb(Here()), row.code) << row.name << ": " << err_.str();
    EXPECT_THAT(err_.str(), HasSubstr(row.says)) << row.name;
    EXPECT_EQ(out_.str(), "") << row.name;
  }
}

TEST_F(LiveTest, ARoleThatDoesNotSufficeIsSaid) {
  PutHost("h-1", Trust::kPending, "db");
  Become({"viewer"});
  EXPECT_EQ(HostList(Here(), {}), ExitCode::kSuccess);
  EXPECT_EQ(HostApprove(Here(), {.targets = {.hosts = {"h-1"}}}), ExitCode::kNotAuthorised);
  EXPECT_THAT(err_.str(), HasSubstr("ROLE_DENIED"));
  EXPECT_FALSE(IsApproved("h-1"));
  EXPECT_EQ(WhoAmI(Here()), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("viewer"));
}

TEST_F(LiveTest, WhoIsNotWhoTheyShouldBeIsNotSpokenWith) {
  const operators::Cluster other("lab-2");
  ASSERT_THAT(WriteFileAtomically(File("theirs.pem"), AsBytes(other.authority().roots_pem()), 0644),
              IsOk());
  ServerOptions options = Options();
  options.ca = File("theirs.pem");
  EXPECT_EQ(HostList(At(*Connect(options)), {}), ExitCode::kNotAuthorised);
  EXPECT_THAT(err_.str(), HasSubstr("SERVER_AUTH"));
  options = Options();
  options.name = "elsewhere.example";
  EXPECT_EQ(HostList(At(*Connect(options)), {}), ExitCode::kNotAuthorised);
  EXPECT_THAT(err_.str(), HasSubstr("SERVER_AUTH"));
}

TEST_F(LiveTest, NobodyAnswers) {
  ServerOptions options = Options();
  options.address = "127.0.0.1:1";
  EXPECT_EQ(HostList(At(*Connect(options)), {}), ExitCode::kUnreachable);
}

TEST_F(LiveTest, FilesAreTakenAsTheyWereIssued) {
  const ClientIdentity identity = desk_.Operator({"viewer"});
  ASSERT_THAT(WriteFileAtomically(File("bob.pem"), AsBytes(identity.chain_pem), 0644), IsOk());
  ASSERT_THAT(WriteFileAtomically(File("bob.key"), AsBytes(identity.key_pem), 0600), IsOk());
  ServerOptions options = Options();
  options.identity = File("bob.pem");
  options.ca = "";
  EXPECT_EQ(HostList(At(*Connect(options)), {}), ExitCode::kSuccess) << err_.str();
}

TEST_F(LiveTest, FilesThatAreMissingOrNoneAreNamed) {
  ServerOptions options = Options();
  options.identity = File("nobody.pem");
  EXPECT_THAT(std::string(Api::Connect(options).status().message()), HasSubstr("nobody.pem"));
  options.identity = File("roots.pem");
  EXPECT_THAT(std::string(Api::Connect(options).status().message()), HasSubstr("private key"));
  options.identity = "";
  EXPECT_THAT(std::string(Api::Connect(options).status().message()), HasSubstr("--identity"));
}

TEST_F(LiveTest, WaitingEndsWithTheStateOrWithTheTime) {
  PutHost("h-1", Trust::kPending, "db");
  EXPECT_EQ(HostWait(Here(), {.host_id = "h-1", .timeout = absl::ZeroDuration()}),
            ExitCode::kTimedOut);
  EXPECT_THAT(err_.str(), HasSubstr("h-1 is pending"));
  std::thread admit([&] { PutHost("h-1", Trust::kTrusted, "db"); });
  EXPECT_EQ(HostWait(Here(), {.host_id = "h-1", .timeout = absl::Seconds(60)}), ExitCode::kSuccess);
  admit.join();
  EXPECT_THAT(out_.str(), HasSubstr("h-1 is trusted"));
}

// Takes text until it has `last`; then nobody reads any more.
class Reader : public std::stringbuf {
 public:
  explicit Reader(std::string last) : last_(std::move(last)) {}

 protected:
  int sync() override { return str().find(last_) == std::string::npos ? 0 : -1; }

 private:
  const std::string last_;
};

TEST_F(LiveTest, AWatchTellsWhoIsCutOffAndEachChange) {
  PutHost("h-1", Trust::kQuarantined, "db");
  PutHost("h-2", Trust::kTrusted, "db");
  EXPECT_EQ(QuarantineWatch(Here(), {.once = true}), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("h-1"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("h-2")));

  Reader reader("\"h-2\"");
  std::ostream out(&reader);
  std::thread fall([&] { desk_.PutHost("h-2", Trust::kQuarantined); });
  EXPECT_EQ(
      QuarantineWatch({.api = *api_, .format = cli::OutputFormat::kJson, .out = out, .err = err_},
                      {.heartbeat_seconds = 1}),
      ExitCode::kSuccess);
  fall.join();
  const std::string text = reader.str();
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  for (const std::string& line : lines) {
    EXPECT_FALSE(nlohmann::json::parse(line, nullptr, false).is_discarded()) << line;
  }
}

TEST_F(LiveTest, AWatchGoesOnWhereItWas) {
  PutHost("h-1", Trust::kQuarantined, "db");
  format_ = cli::OutputFormat::kJson;
  EXPECT_EQ(QuarantineWatch(Here(), {.once = true}), ExitCode::kSuccess);
  const std::vector<std::string> lines = absl::StrSplit(out_.str(), '\n', absl::SkipEmpty());
  const auto last = nlohmann::json::parse(lines.back(), nullptr, false);
  PutHost("h-2", Trust::kQuarantined, "db");
  Reader reader("h-2");
  std::ostream out(&reader);
  EXPECT_EQ(QuarantineWatch({.api = *api_, .format = format_, .out = out, .err = err_},
                            {.token = last.at("resume_token").get<std::string>()}),
            ExitCode::kSuccess);
  EXPECT_THAT(reader.str(), Not(HasSubstr("h-1"))) << "told before";
  EXPECT_EQ(QuarantineWatch(Here(), {.token = "nonsense", .once = true}), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("h-1")) << "a new snapshot";
  EXPECT_THAT(err_.str(), HasSubstr("snapshot"));
}

TEST_F(LiveTest, TheGatekeepersOwnMachineNeedsNoCertificate) {
  PutHost("h-1", Trust::kPending, "db");
  const auto server =
      operators::OperatorsServer::StartLocal(desk_.backend(), "operator bob (root)").value();
  {
    const std::unique_ptr<Api> local = Api::Over(server->Channel());
    EXPECT_EQ(HostApprove(At(*local), {.targets = {.hosts = {"h-1"}}}), ExitCode::kSuccess);
    EXPECT_EQ(AuditList(At(*local), {.actor = "operator bob (root)", .action = "host.*"}),
              ExitCode::kSuccess);
    EXPECT_THAT(out_.str(), HasSubstr("host.approve"));
    EXPECT_EQ(WhoAmI(At(*local)), ExitCode::kSuccess);
    EXPECT_THAT(out_.str(), HasSubstr("the gatekeeper's own machine"));
  }
  server->Shutdown(absl::Now());
}

TEST_F(LiveTest, WhatIsExportedVerifiesElsewhere) {
  for (int i = 1; i <= 3; ++i) {
    ASSERT_THAT(desk_.store().PutAudit(audit::MakeRow(desk_.clock().Now(), "operator alice", "test",
                                                      absl::StrCat("row ", i), audit::Detail())),
                IsOk());
  }
  ASSERT_EQ(AuditExport(Here(), File("trail")), ExitCode::kSuccess) << err_.str();
  EXPECT_EQ(cli::AuditVerifyFiles({.export_file = File("trail")}, format_, out_, err_),
            ExitCode::kSuccess)
      << err_.str();
  EXPECT_EQ(AuditVerify(Here()), ExitCode::kSuccess) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("the audit trail is whole"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::client
