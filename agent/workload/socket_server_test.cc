// The socket with its services, by the public protocol: programs of several users, a gatekeeper
// that is a function, a credential that comes, changes and goes.
#include "agent/workload/socket_server.h"

#include <fcntl.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/grpcpp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/workload/made_identity_test.h"
#include "agent/workload/signing_service.h"
#include "agent/workload/spiffe_service.h"
#include "bootgate/v1/signing.grpc.pb.h"
#include "common/base/files.h"
#include "common/jose/jwk.h"
#include "common/jose/jws.h"
#include "common/testing/status_matchers.h"
#include "google/rpc/error_info.pb.h"
#include "gtest/gtest.h"
#include "spiffe/workload.grpc.pb.h"

namespace bootgate::agent::workload {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;

constexpr uid_t kSomebody = 54321;
constexpr gid_t kSomeGroup = 54322;

// Of this thread alone: the kernel asks the thread that connects.
void Become(uid_t uid, const std::vector<gid_t>& groups) {
  syscall(SYS_setgroups, groups.size(), groups.data());
  syscall(SYS_setresuid, uid, uid, uid);
}

// A connection that the process of `uid` made.
int ConnectAs(const std::string& path, uid_t uid, const std::vector<gid_t>& groups = {}) {
  int fd = -1;
  std::thread([&] {
    if (uid != geteuid() || !groups.empty()) Become(uid, groups);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::ranges::copy(path, address.sun_path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      close(fd);
      fd = -1;
    }
  }).join();
  return fd;
}

std::unique_ptr<grpc::ClientContext> Context(bool with_header = true) {
  auto context = std::make_unique<grpc::ClientContext>();
  if (with_header) context->AddMetadata("workload.spiffe.io", "true");
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  return context;
}

std::string ReasonIn(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (!details.ParseFromString(status.error_details()) || details.details().empty() ||
      !details.details(0).UnpackTo(&info)) {
    return "";
  }
  return info.reason();
}

// The gatekeeper, as the agent's channel to it.
class Answering final : public GatekeeperClient {
 public:
  Answering(const crypto::PrivateKey& key, int* asked) : key_(key), asked_(asked) {}

  absl::StatusOr<JwtSvid> FetchJwtSvid(const std::vector<std::string>& audiences) override {
    ++*asked_;
    const absl::Time ends =
        absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now())) + absl::Minutes(5);
    const std::string claims =
        absl::StrCat(R"({"sub":")", TestSpiffeId(), R"(","aud":[")", audiences[0], R"("],"exp":)",
                     absl::ToUnixSeconds(ends), "}");
    return JwtSvid{
        TestSpiffeId(),
        jose::SignJws(key_, jose::JwsAlg::kEs256, {.alg = "", .kid = "k1"}, claims).value(), ends};
  }
  absl::StatusOr<std::string> FetchJwtKeys() override {
    return jose::JwkSetText({{key_.Public(), {.kid = "k1", .use = "sig", .alg = "ES256"}}});
  }
  absl::StatusOr<ActivationChallenge> BeginEnrollment(const JoinRequest&) override { return No(); }
  absl::StatusOr<JoinAnswer> CompleteEnrollment(const std::string&, const SecretBytes&,
                                                ByteView) override {
    return No();
  }
  absl::StatusOr<Challenge> GetChallenge(const std::string&, ByteView) override { return No(); }
  absl::StatusOr<AttestAnswer> Submit(const evidence::Evidence&) override { return No(); }
  absl::StatusOr<Bytes> KnownEntries(const std::string&, ByteView, ByteView) override {
    return No();
  }
  absl::StatusOr<AttestAnswer> SubmitMixed(const evidence::Evidence&, ByteView) override {
    return No();
  }

 private:
  static absl::Status No() { return absl::UnimplementedError("not asked here"); }
  const crypto::PrivateKey& key_;
  int* const asked_;
};

class SocketTest : public ::testing::Test {
 protected:
  void Start(const std::vector<std::string>& allow = {}, size_t per_user = 64) {
    // The folder must be reachable for other users, too.
    chmod(scratch_.path().c_str(), 0755);
    SocketOptions options;
    options.path = path();
    options.max_connections_per_user = per_user;
    auto started = SocketServer::Start(options, PeerRules::Parse(allow).value(),
                                       {spiffe_.get(), signing_.get()});
    ASSERT_THAT(started.status(), IsOk());
    server_ = *std::move(started);
  }
  std::string path() const { return scratch_.path() + "/api/s"; }

  std::shared_ptr<grpc::Channel> ChannelAs(uid_t uid, const std::vector<gid_t>& groups = {}) {
    const int fd = ConnectAs(path(), uid, groups);
    EXPECT_GE(fd, 0);
    return grpc::CreateInsecureChannelFromFd("agent", fd);
  }
  std::unique_ptr<SpiffeWorkloadAPI::Stub> SpiffeAs(uid_t uid,
                                                    const std::vector<gid_t>& groups = {}) {
    return SpiffeWorkloadAPI::NewStub(ChannelAs(uid, groups));
  }
  std::unique_ptr<SpiffeWorkloadAPI::Stub> Spiffe() {
    return SpiffeWorkloadAPI::NewStub(
        grpc::CreateChannel("unix:" + path(), grpc::InsecureChannelCredentials()));
  }
  // How a first look at the SVID ends.
  grpc::Status Look(SpiffeWorkloadAPI::Stub& stub, X509SVIDResponse* got = nullptr) {
    const auto context = Context();
    const auto stream = stub.FetchX509SVID(context.get(), {});
    X509SVIDResponse first;
    if (!stream->Read(&first)) return stream->Finish();
    if (got != nullptr) *got = first;
    return grpc::Status::OK;
  }

  const desk::ScratchFolder scratch_;
  const MadeIdentities made_;
  const crypto::PrivateKey jwt_key_ = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
  int asked_ = 0;
  IdentityHub hub_;
  TpmSigner signer_;
  JwtSource tokens_{hub_, SystemClock(),
                    [this](const Identity&) -> absl::StatusOr<std::unique_ptr<GatekeeperClient>> {
                      return std::make_unique<Answering>(jwt_key_, &asked_);
                    }};
  const std::unique_ptr<grpc::Service> spiffe_ = MakeSpiffeService(hub_, tokens_);
  const std::unique_ptr<grpc::Service> signing_ =
      MakeSigningService(signer_, SystemClock(), {.per_second = 0.001, .at_once = 3});
  std::unique_ptr<SocketServer> server_;  // last: ends first
};

TEST_F(SocketTest, AProgramGetsTheIdentityAndEachNewOneAndHearsOfItsEnd) {
  Start();
  hub_.Publish(made_.Next());
  const auto stub = Spiffe();
  const auto context = Context();
  const auto stream = stub->FetchX509SVID(context.get(), {});
  X509SVIDResponse got;
  ASSERT_TRUE(stream->Read(&got)) << stream->Finish().error_message();
  ASSERT_EQ(got.svids_size(), 1);
  EXPECT_EQ(got.svids(0).spiffe_id(), TestSpiffeId());
  EXPECT_EQ(AsBytes(got.svids(0).bundle()).size(), hub_.Now().identity->bundle_der.size());

  Identity next = made_.Next();
  const std::string chain(AsText(next.chain_der)), key(AsText(next.key_pkcs8_der.view()));
  hub_.Publish(std::move(next));
  ASSERT_TRUE(stream->Read(&got));
  EXPECT_EQ(got.svids(0).x509_svid(), chain);
  EXPECT_EQ(got.svids(0).x509_svid_key(), key);
  // What does not change the SVID is not told again: the next thing heard is its end.
  hub_.SetJwtKeys("{\"keys\":[]}");
  hub_.Withdraw("quarantined");
  EXPECT_FALSE(stream->Read(&got));
  const grpc::Status end = stream->Finish();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(absl::StrContains(end.error_message(), "quarantined")) << end.error_message();
}

TEST_F(SocketTest, WithoutAnIdentityThereIsNoneAndWithoutTheHeaderNothing) {
  Start();
  const auto stub = Spiffe();
  EXPECT_EQ(Look(*stub).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  hub_.Publish(made_.Next());
  const auto context = Context(/*with_header=*/false);
  const auto stream = stub->FetchX509SVID(context.get(), {});
  X509SVIDResponse got;
  EXPECT_FALSE(stream->Read(&got));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  JWTSVIDRequest request;
  request.add_audience("db");
  JWTSVIDResponse svids;
  EXPECT_EQ(stub->FetchJWTSVID(Context(false).get(), request, &svids).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  ValidateJWTSVIDResponse valid;
  EXPECT_EQ(stub->ValidateJWTSVID(Context(false).get(), {}, &valid).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(SocketTest, BundlesAreKeyedByTheTrustDomain) {
  Start();
  hub_.Publish(made_.Next());
  const auto stub = Spiffe();
  const auto context = Context();
  const auto stream = stub->FetchX509Bundles(context.get(), {});
  X509BundlesResponse x509;
  ASSERT_TRUE(stream->Read(&x509));
  ASSERT_EQ(x509.bundles().size(), 1u);
  EXPECT_EQ(x509.bundles().begin()->first, kTestTrustDomain);
  // Keys of JWT-SVIDs come when the gatekeeper has told them.
  const auto jwt_context = Context();
  const auto jwt_stream = stub->FetchJWTBundles(jwt_context.get(), {});
  JWTBundlesResponse jwt;
  ASSERT_TRUE(jwt_stream->Read(&jwt));
  EXPECT_TRUE(jose::ParseJwkSet(jwt.bundles().at(kTestTrustDomain)).ok());
}

TEST_F(SocketTest, JwtSvidsAreFetchedKeptAndValidated) {
  Start();
  hub_.Publish(made_.Next());
  const auto stub = Spiffe();
  JWTSVIDRequest request;
  request.add_audience("db");
  JWTSVIDResponse got;
  ASSERT_TRUE(stub->FetchJWTSVID(Context().get(), request, &got).ok());
  const std::string svid = got.svids(0).svid();
  EXPECT_EQ(got.svids(0).spiffe_id(), TestSpiffeId());
  JWTSVIDResponse again;
  ASSERT_TRUE(stub->FetchJWTSVID(Context().get(), request, &again).ok());
  EXPECT_EQ(again.svids(0).svid(), svid);
  EXPECT_EQ(asked_, 1);

  ValidateJWTSVIDRequest check;
  check.set_audience("db");
  check.set_svid(svid);
  ValidateJWTSVIDResponse valid;
  const grpc::Status checked = stub->ValidateJWTSVID(Context().get(), check, &valid);
  ASSERT_TRUE(checked.ok()) << checked.error_message();
  EXPECT_EQ(valid.spiffe_id(), TestSpiffeId());
  EXPECT_EQ(valid.claims().fields().at("sub").string_value(), TestSpiffeId());
  check.set_audience("cache");
  EXPECT_EQ(stub->ValidateJWTSVID(Context().get(), check, &valid).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);

  request.set_spiffe_id("spiffe://lab.example/host/h-other");
  EXPECT_EQ(stub->FetchJWTSVID(Context().get(), request, &again).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  // What was kept goes with the identity.
  request.clear_spiffe_id();
  hub_.Withdraw("quarantined");
  EXPECT_EQ(stub->FetchJWTSVID(Context().get(), request, &again).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(SocketTest, WithoutACertificateTheKeyInTheTpmSignsNothingAndAskingIsBounded) {
  Start();
  const auto stub = v1::Signing::NewStub(
      grpc::CreateChannel("unix:" + path(), grpc::InsecureChannelCredentials()));
  v1::SignRequest request;
  request.set_sha256(std::string(32, 'd'));
  v1::SignResponse signature;
  v1::GetCertificateResponse certificate;
  EXPECT_EQ(stub->GetCertificate(Context().get(), {}, &certificate).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(stub->Sign(Context().get(), request, &signature).error_code(),
              grpc::StatusCode::PERMISSION_DENIED);
  }
  const grpc::Status too_many = stub->Sign(Context().get(), request, &signature);
  EXPECT_EQ(too_many.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonIn(too_many), "TOO_MANY_REQUESTS");
}

// ---- Who is let in

class SocketUsersTest : public SocketTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs to be root to be several users";
    hub_.Publish(made_.Next());
  }
};

TEST_F(SocketUsersTest, NobodyButRootAndTheAgentsUserByDefault) {
  Start();
  EXPECT_TRUE(Look(*SpiffeAs(0)).ok());
  const grpc::Status refused = Look(*SpiffeAs(kSomebody));
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ReasonIn(refused), "WORKLOAD_DENIED");
  const SocketReport report = server_->report();
  EXPECT_EQ(report.accepted, 1);
  EXPECT_EQ(report.refused, 1);
  ASSERT_EQ(report.last_refusals.size(), 1u);
  EXPECT_EQ(report.last_refusals[0].uid, kSomebody);
  EXPECT_EQ(report.last_refusals[0].pid, getpid());
}

TEST_F(SocketUsersTest, UsersAndGroupsOfTheConfiguration) {
  Start({absl::StrCat("uid:", kSomebody), absl::StrCat("gid:", kSomeGroup)});
  EXPECT_TRUE(Look(*SpiffeAs(kSomebody)).ok());
  EXPECT_TRUE(Look(*SpiffeAs(kSomebody + 7, {kSomeGroup + 1, kSomeGroup})).ok());
  EXPECT_FALSE(Look(*SpiffeAs(kSomebody + 7, {kSomeGroup + 1})).ok());
}

TEST_F(SocketUsersTest, OneUserCannotTakeAllConnections) {
  Start({absl::StrCat("uid:", kSomebody)}, /*per_user=*/2);
  const auto one = SpiffeAs(kSomebody);
  const auto two = SpiffeAs(kSomebody);
  EXPECT_TRUE(Look(*one).ok());
  EXPECT_TRUE(Look(*two).ok());
  EXPECT_FALSE(Look(*SpiffeAs(kSomebody)).ok());
  EXPECT_TRUE(Look(*SpiffeAs(0)).ok());
}

TEST_F(SocketUsersTest, RoomComesBackWhenConnectionsEnd) {
  Start({absl::StrCat("uid:", kSomebody)}, /*per_user=*/1);
  for (int i = 0; i < 5; ++i) {
    // The end of the one before is heard before the next is taken, or soon after.
    bool let_in = false;
    for (int tries = 0; tries < 2000 && !let_in; ++tries) {
      const int fd = ConnectAs(path(), kSomebody);
      ASSERT_GE(fd, 0);
      let_in =
          Look(*SpiffeWorkloadAPI::NewStub(grpc::CreateInsecureChannelFromFd("agent", fd))).ok();
    }
    EXPECT_TRUE(let_in) << i;
  }
}

// ---- The file

TEST_F(SocketTest, ASocketThatWasLeftOverIsReplacedAndOneInUseIsNot) {
  Start();
  SocketOptions options;
  options.path = path();
  const PeerRules rules = PeerRules::Parse({}).value();
  EXPECT_THAT(SocketServer::Start(options, rules, {spiffe_.get()}).status(),
              HasCode(absl::StatusCode::kAlreadyExists));
  server_.reset();
  EXPECT_FALSE(FileExists(path()));
  // As an agent leaves it that is killed: bound, and nobody listens.
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::ranges::copy(path(), address.sun_path);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  close(fd);
  hub_.Publish(made_.Next());
  Start();
  EXPECT_TRUE(Look(*Spiffe()).ok());
}

TEST_F(SocketTest, NothingElseIsRemovedAndAnOpenFolderIsNotUsed) {
  const PeerRules rules = PeerRules::Parse({}).value();
  SocketOptions options;
  options.path = scratch_.path() + "/file";
  ASSERT_THAT(WriteFileAtomically(options.path, AsBytes("mine"), 0600), IsOk());
  EXPECT_THAT(SocketServer::Start(options, rules, {spiffe_.get()}).status(),
              HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(ReadTextFile(options.path, 10).value(), "mine");

  options.path = scratch_.path() + "/open/s";
  std::filesystem::create_directory(scratch_.path() + "/open");
  ASSERT_EQ(chmod((scratch_.path() + "/open").c_str(), 0777), 0);
  EXPECT_THAT(SocketServer::Start(options, rules, {spiffe_.get()}).status(),
              HasCode(absl::StatusCode::kFailedPrecondition));
  options.path = scratch_.path() + "/" + std::string(200, 'p');
  EXPECT_THAT(SocketServer::Start(options, rules, {spiffe_.get()}).status(),
              HasCode(absl::StatusCode::kInvalidArgument));
  if (geteuid() != 0) return;
  options.path = scratch_.path() + "/foreign/s";
  std::filesystem::create_directory(scratch_.path() + "/foreign");
  ASSERT_EQ(chown((scratch_.path() + "/foreign").c_str(), kSomebody, kSomeGroup), 0);
  EXPECT_THAT(SocketServer::Start(options, rules, {spiffe_.get()}).status(),
              HasCode(absl::StatusCode::kFailedPrecondition));
}

// ---- The rules

TEST(PeerRules, KnowNamesAndNumbers) {
  BG_ASSERT_OK_AND_ASSIGN(const PeerRules rules,
                          PeerRules::Parse({"user:daemon", "gid:daemon", "uid:777", "group:888"}));
  EXPECT_THAT(rules.Check({.uid = 1, .gid = 900, .groups = {}}), IsOk());
  EXPECT_THAT(rules.Check({.uid = 900, .gid = 1, .groups = {}}), IsOk());
  EXPECT_THAT(rules.Check({.uid = 777, .gid = 900, .groups = {}}), IsOk());
  EXPECT_THAT(rules.Check({.uid = 900, .gid = 900, .groups = {5, 888}}), IsOk());
  const absl::Status refused = rules.Check({.uid = 900, .gid = 900, .groups = {777}});
  EXPECT_THAT(refused, ::bootgate::testing::Refuses(Reason::kWorkloadDenied));
  EXPECT_TRUE(absl::StrContains(refused.message(), "uid 900")) << refused.message();
}

TEST(PeerRules, WhatIsNoRuleIsNamed) {
  for (const char* entry :
       {"", "daemon", "user:", "uid:-1", "uid:4294967295", "uid:65534", "user:nobody",
        "user:no-such-user", "gid:no-such-group", "role:admin", "uid:1 ", "pid:1"}) {
    const absl::Status refused = PeerRules::Parse({"uid:1", entry}).status();
    EXPECT_THAT(refused, HasCode(absl::StatusCode::kInvalidArgument)) << entry;
    EXPECT_TRUE(absl::StrContains(refused.message(), entry)) << refused.message();
  }
}

}  // namespace
}  // namespace bootgate::agent::workload
