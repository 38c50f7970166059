#include <atomic>
#include <thread>

#include "bootgate/v1/admin.grpc.pb.h"
#include "bootgate/v1/fleet.grpc.pb.h"
#include "bootgate/v1/quarantine.grpc.pb.h"
#include "gatekeeper/operators/desk_test.h"

namespace bootgate::gatekeeper::operators {
namespace {

using ::bootgate::testing::IsOk;
using host::Trust;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ServiceTest : public ::testing::Test {
 protected:
  ServiceTest()
      : channel_(desk_.Connect(desk_.Operator({"admin"}))),
        hosts_(v1::HostService::NewStub(channel_)) {}

  template <typename Stub, typename Request, typename Answer>
  Told Ask(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Answer*),
           const Request& request, Answer* answer) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    return ToldBy((stub.*method)(&context, request, answer));
  }
  Told Approve(const v1::ApproveHostsRequest& request, v1::ApproveHostsResponse* answer) {
    return Ask<v1::HostService::StubInterface>(
        *hosts_, &v1::HostService::StubInterface::ApproveHosts, request, answer);
  }
  v1::ListHostsResponse List(const v1::ListHostsRequest& request, Told* told = nullptr) {
    v1::ListHostsResponse answer;
    const Told ended = Ask<v1::HostService::StubInterface>(
        *hosts_, &v1::HostService::StubInterface::ListHosts, request, &answer);
    if (told != nullptr) *told = ended;
    return answer;
  }
  void PutWaiting(const std::string& id) {
    host::HostRecord host = desk_.PutHost(id, Trust::kPending);
    host.approved = false;
    store::Commit commit;
    commit.host = host;
    commit.audit.emplace_back();
    ASSERT_THAT(desk_.store().Apply(commit), IsOk());
  }

  Desk desk_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::HostService::Stub> hosts_;
};

TEST_F(ServiceTest, PagesGoOnWhereTheLastOneEnded) {
  for (int i = 1; i <= 5; ++i) desk_.PutHost(absl::StrCat("h-", i));
  v1::ListHostsRequest request;
  request.set_page_size(2);
  std::vector<std::string> ids;
  do {
    const v1::ListHostsResponse page = List(request);
    for (const v1::Host& host : page.hosts()) ids.push_back(host.id());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(ids, ElementsAre("h-1", "h-2", "h-3", "h-4", "h-5"));
}

TEST_F(ServiceTest, APageTokenGoesWithItsOwnRequestAlone) {
  for (int i = 1; i <= 5; ++i) desk_.PutHost(absl::StrCat("h-", i));
  v1::ListHostsRequest request;
  request.set_page_size(2);
  request.set_page_token(List(request).next_page_token());
  request.mutable_filter()->set_hostname_contains("x");
  Told told;
  List(request, &told);
  EXPECT_EQ(told.reason, "PAGE_TOKEN");
  request.set_page_token("!!");
  List(request, &told);
  EXPECT_EQ(told.reason, "PAGE_TOKEN");
}

// A list whose rows go while somebody turns its pages.
TEST_F(ServiceTest, NoRowIsSkippedOrToldTwiceWhenOthersGo) {
  store::AuditRow audit;
  for (int i = 1; i <= 6; ++i) {
    store::JoinToken token;
    token.id = absl::StrCat("t-", i);
    token.secret_sha256 = Bytes(32, static_cast<uint8_t>(i));
    token.created_at = desk_.clock().Now() + absl::Seconds(i);
    token.expires_at = desk_.clock().Now() + absl::Hours(1);
    ASSERT_THAT(desk_.store().PutJoinToken(token, audit), IsOk());
  }
  const auto stub = v1::JoinTokenService::NewStub(channel_);
  v1::ListJoinTokensRequest request;
  request.set_page_size(2);
  const auto page = [&](Told* told = nullptr) {
    v1::ListJoinTokensResponse answer;
    const Told ended = Ask<v1::JoinTokenService::StubInterface>(
        *stub, &v1::JoinTokenService::StubInterface::ListJoinTokens, request, &answer);
    if (told != nullptr) *told = ended;
    std::vector<std::string> ids;
    for (const v1::JoinToken& token : answer.join_tokens()) ids.push_back(token.id());
    if (!answer.next_page_token().empty()) request.set_page_token(answer.next_page_token());
    return ids;
  };
  EXPECT_THAT(page(), ElementsAre("t-1", "t-2"));
  ASSERT_THAT(desk_.store().RevokeJoinToken("t-1", audit), IsOk());
  EXPECT_THAT(page(), ElementsAre("t-3", "t-4"));
  ASSERT_THAT(desk_.store().RevokeJoinToken("t-4", audit), IsOk());
  Told told;
  EXPECT_THAT(page(&told), IsEmpty());
  EXPECT_EQ(told.reason, "PAGE_TOKEN");
  EXPECT_THAT(told.message, HasSubstr("begin anew"));
}

TEST_F(ServiceTest, OnlyTheWantedFieldsAreTold) {
  desk_.PutHost("h-1");
  v1::ListHostsRequest request;
  request.mutable_fields()->add_paths("id");
  const v1::ListHostsResponse answer = List(request);
  ASSERT_EQ(answer.hosts_size(), 1);
  EXPECT_EQ(answer.hosts(0).id(), "h-1");
  EXPECT_EQ(answer.hosts(0).trust(), v1::TRUST_STATE_UNSPECIFIED);
  EXPECT_EQ(answer.hosts(0).revision(), 0u);
  request.mutable_fields()->add_paths("ek_public");
  Told told;
  List(request, &told);
  EXPECT_EQ(told.code, grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(told.message, HasSubstr("ek_public"));
}

TEST_F(ServiceTest, PartialSuccessIsToldHostByHost) {
  PutWaiting("h-1");
  desk_.PutHost("h-2", Trust::kRetired);
  v1::ApproveHostsRequest request;
  for (const char* id : {"h-1", "h-2", "h-9"}) request.add_host_ids(id);
  v1::ApproveHostsResponse answer;
  ASSERT_EQ(Approve(request, &answer).code, grpc::StatusCode::OK);
  ASSERT_EQ(answer.results_size(), 3);
  EXPECT_TRUE(answer.results(0).changed());
  EXPECT_FALSE(answer.results(0).has_error());
  EXPECT_EQ(answer.results(2).error().reason(), "HOST_UNKNOWN");
  EXPECT_TRUE(desk_.store().GetHost("h-1")->approved);
}

TEST_F(ServiceTest, ACallForOneHostFailsAsAWhole) {
  v1::ApproveHostsRequest request;
  request.add_host_ids("h-9");
  v1::ApproveHostsResponse answer;
  const Told told = Approve(request, &answer);
  EXPECT_EQ(told.code, grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(told.reason, "HOST_UNKNOWN");
}

TEST_F(ServiceTest, TheSameKeyAnswersTheSameAndDoesNothingTwice) {
  PutWaiting("h-1");
  v1::ApproveHostsRequest request;
  request.add_host_ids("h-1");
  request.set_idempotency_key("key-1");
  v1::ApproveHostsResponse first, again;
  ASSERT_EQ(Approve(request, &first).code, grpc::StatusCode::OK);
  const int64_t head = desk_.store().GetAuditHead()->sequence;
  ASSERT_EQ(Approve(request, &again).code, grpc::StatusCode::OK);
  EXPECT_TRUE(again.results(0).changed());
  EXPECT_EQ(first.SerializeAsString(), again.SerializeAsString());
  EXPECT_EQ(desk_.store().GetAuditHead()->sequence, head);
  PutWaiting("h-2");
  request.set_host_ids(0, "h-2");
  EXPECT_EQ(Approve(request, &again).reason, "IDEMPOTENCY_KEY");
  EXPECT_FALSE(desk_.store().GetHost("h-2")->approved);
}

TEST_F(ServiceTest, OfManyCallsWithOneKeyAtOnceOneIsDone) {
  PutWaiting("h-1");
  v1::ApproveHostsRequest request;
  request.add_host_ids("h-1");
  request.set_idempotency_key("key-1");
  const int64_t head = desk_.store().GetAuditHead()->sequence;
  std::atomic<int> fine = 0, busy = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      v1::ApproveHostsResponse answer;
      const Told told = Approve(request, &answer);
      if (told.code == grpc::StatusCode::OK && answer.results(0).changed()) ++fine;
      if (told.reason == "IDEMPOTENCY_KEY") ++busy;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(fine, 1);
  EXPECT_EQ(fine + busy, 8);
  EXPECT_EQ(desk_.store().GetAuditHead()->sequence, head + 1);
}

TEST_F(ServiceTest, AStaleRevisionIsAborted) {
  PutWaiting("h-1");
  v1::ApproveHostsRequest request;
  request.add_host_ids("h-1");
  request.set_expected_revision(1);
  v1::ApproveHostsResponse answer;
  const Told told = Approve(request, &answer);
  EXPECT_EQ(told.code, grpc::StatusCode::ABORTED);
  EXPECT_EQ(told.reason, "REVISION_STALE");
}

TEST_F(ServiceTest, TheActorOfTheAuditTrailIsTheCertificates) {
  PutWaiting("h-1");
  v1::ApproveHostsRequest request;
  request.add_host_ids("h-1");
  v1::ApproveHostsResponse answer;
  ASSERT_EQ(Approve(request, &answer).code, grpc::StatusCode::OK);
  const auto rows = desk_.store().ListAudit(0, 1000).value();
  EXPECT_EQ(rows.back().action, "host.approve");
  EXPECT_EQ(rows.back().actor, "operator alice");
}

TEST_F(ServiceTest, AMessageThatIsTooLargeOrNoneIsRefused) {
  const std::string path = "/bootgate.v1.HostService/ListHosts";
  EXPECT_EQ(CallRaw(channel_, path, std::string((1u << 20) + 1, 'x')).reason, "MESSAGE_TOO_LARGE");
  EXPECT_EQ(CallRaw(channel_, path, "\xff\xff\xff").reason, "MESSAGE_MALFORMED");
}

TEST_F(ServiceTest, NoAnswerToldEverHasAnEkInIt) {
  host::HostRecord host = desk_.PutHost("h-1");
  host.ek_public = Bytes(300, 0x5a);
  host.ek_certificate = Bytes(900, 0x5b);
  store::Commit commit;
  commit.host = host;
  commit.audit.emplace_back();
  ASSERT_THAT(desk_.store().Apply(commit), IsOk());
  const std::string all = List({}).SerializeAsString();
  EXPECT_EQ(all.find(std::string(16, 0x5a)), std::string::npos);
  EXPECT_EQ(all.find(std::string(16, 0x5b)), std::string::npos);
}

TEST(LocalService, IsTheSameServiceWithAllRolesAndNoPort) {
  Desk desk;
  desk.PutHost("h-1", Trust::kQuarantined);
  const auto local = OperatorsServer::StartLocal(desk.backend(), "operator root").value();
  EXPECT_EQ(local->port(), 0);
  const auto channel = local->Channel();
  const auto identity = v1::IdentityService::NewStub(channel);
  grpc::ClientContext context;
  v1::WhoAmIResponse me;
  ASSERT_TRUE(identity->WhoAmI(&context, {}, &me).ok());
  EXPECT_EQ(me.name(), "root");
  EXPECT_EQ(me.roles_size(), 6);
  const auto quarantine = v1::QuarantineService::NewStub(channel);
  grpc::ClientContext watching;
  const auto reader = quarantine->WatchQuarantine(&watching, {});
  v1::WatchQuarantineResponse message;
  ASSERT_TRUE(reader->Read(&message));
  EXPECT_EQ(message.snapshot().entries(0).host_id(), "h-1");
  watching.TryCancel();
  reader->Finish();
}

}  // namespace
}  // namespace bootgate::gatekeeper::operators
