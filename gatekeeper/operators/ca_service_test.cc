// CaService, and what CredentialService does with operators' certificates.
#include <map>

#include "bootgate/v1/admin.grpc.pb.h"
#include "common/base/hex.h"
#include "gatekeeper/issuing/ca_taints.h"
#include "gatekeeper/operators/desk_test.h"

namespace bootgate::gatekeeper::operators {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CaServiceTest : public ::testing::Test {
 protected:
  CaServiceTest() : admin_(desk_.Connect(desk_.Operator({"admin"}))) {}

  template <typename Service, typename Request, typename Answer>
  static Told Ask(const std::shared_ptr<grpc::Channel>& channel,
                  grpc::Status (Service::StubInterface::*method)(grpc::ClientContext*,
                                                                 const Request&, Answer*),
                  const Request& request, Answer* answer) {
    const auto stub = Service::NewStub(channel);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    typename Service::StubInterface& calls = *stub;
    return ToldBy((calls.*method)(&context, request, answer));
  }
  std::map<std::string, v1::Ca> Cas() {
    v1::ListCasResponse answer;
    EXPECT_EQ(Ask<v1::CaService>(admin_, &v1::CaService::StubInterface::ListCas, {}, &answer).code,
              grpc::StatusCode::OK);
    std::map<std::string, v1::Ca> out;
    for (const v1::Ca& ca : answer.cas()) out[ca.id()] = ca;
    return out;
  }
  Told Rotate(const v1::RotateCaRequest& request, v1::RotateCaResponse* answer) {
    return Ask<v1::CaService>(admin_, &v1::CaService::StubInterface::RotateCa, request, answer);
  }
  Told Activate(const std::string& id, bool force, v1::ActivateCaResponse* answer) {
    v1::ActivateCaRequest request;
    request.set_ca_id(id);
    request.set_force(force);
    request.set_reason("time to");
    return Ask<v1::CaService>(admin_, &v1::CaService::StubInterface::ActivateCa, request, answer);
  }
  Told Taint(const std::string& id, const std::string& reason, v1::TaintCaResponse* answer) {
    v1::TaintCaRequest request;
    request.set_ca_id(id);
    request.set_reason(reason);
    return Ask<v1::CaService>(admin_, &v1::CaService::StubInterface::TaintCa, request, answer);
  }
  Told Revoke(const std::shared_ptr<grpc::Channel>& channel, const std::string& serial,
              v1::RevokeCredentialResponse* answer) {
    v1::RevokeCredentialRequest request;
    request.set_serial(serial);
    request.set_reason("laptop stolen");
    request.set_code("key-compromise");
    return Ask<v1::CredentialService>(
        channel, &v1::CredentialService::StubInterface::RevokeCredential, request, answer);
  }
  Told WhoAmI(const std::shared_ptr<grpc::Channel>& channel) {
    v1::WhoAmIResponse answer;
    return Ask<v1::IdentityService>(channel, &v1::IdentityService::StubInterface::WhoAmI, {},
                                    &answer);
  }
  const pki::Authority& authority() { return desk_.cluster().authority(); }
  store::AuditRow LastAudit() { return desk_.store().ListAudit(0, 1000)->back(); }
  int64_t AuditRows() { return desk_.store().GetAuditHead()->sequence; }

  Desk desk_;
  std::shared_ptr<grpc::Channel> admin_;
};

TEST_F(CaServiceTest, ListsEveryCaWithItsCertificate) {
  const auto cas = Cas();
  ASSERT_EQ(cas.size(), 5u);
  const v1::Ca& hosts = cas.at("hosts-1");
  EXPECT_EQ(hosts.use(), "hosts");
  EXPECT_EQ(hosts.state(), "active");
  EXPECT_EQ(hosts.key_holder(), "file");
  EXPECT_EQ(hosts.certificate_pem() + authority().root_pem(), authority().chain_pem());
  EXPECT_EQ(hosts.key_id(), ToHex(authority().ActiveIssuer(pki::CaUse::kHosts).value()->key_id));
  EXPECT_GT(hosts.not_after().seconds(), hosts.not_before().seconds());
  EXPECT_EQ(cas.at("root-1").use(), "root");
}

TEST_F(CaServiceTest, OnlyTheWantedFieldsOfCasAreTold) {
  v1::ListCasRequest request;
  request.mutable_fields()->add_paths("id");
  v1::ListCasResponse answer;
  ASSERT_EQ(
      Ask<v1::CaService>(admin_, &v1::CaService::StubInterface::ListCas, request, &answer).code,
      grpc::StatusCode::OK);
  EXPECT_FALSE(answer.cas(0).id().empty());
  EXPECT_THAT(answer.cas(0).certificate_pem(), IsEmpty());
}

TEST_F(CaServiceTest, TheNextCaIsPreparedAndSignsOnceActivated) {
  const std::string bundle = authority().trust_bundle()->pem;
  v1::RotateCaRequest request;
  request.set_use("aks");
  request.set_reason("yearly");
  v1::RotateCaResponse made;
  ASSERT_EQ(Rotate(request, &made).code, grpc::StatusCode::OK);
  ASSERT_EQ(made.made_size(), 1);
  EXPECT_EQ(made.made(0).id(), "aks-2");
  EXPECT_EQ(made.made(0).state(), "prepared");
  EXPECT_THAT(made.next_step(), HasSubstr("ca activate aks-2"));
  EXPECT_NE(authority().trust_bundle()->pem, bundle) << "taken over at once";
  EXPECT_EQ(LastAudit().action, "ca.rotate");
  EXPECT_EQ(LastAudit().actor, "operator alice");
  EXPECT_EQ(LastAudit().subject, "aks-2");
  EXPECT_THAT(LastAudit().detail_json, HasSubstr("yearly"));

  v1::ActivateCaResponse active;
  ASSERT_EQ(Activate("aks-2", false, &active).code, grpc::StatusCode::OK);
  EXPECT_EQ(active.ca().state(), "active");
  EXPECT_EQ(active.replaced(), "aks-1");
  EXPECT_EQ(authority().issuing_pem(pki::CaUse::kAks), active.ca().certificate_pem());
  EXPECT_EQ(Cas().at("aks-1").state(), "retired");
  EXPECT_EQ(LastAudit().action, "ca.activate");
  EXPECT_THAT(LastAudit().detail_json,
              AllOf(HasSubstr(R"("before":{"state":"prepared"})"), HasSubstr("time to")));
}

TEST_F(CaServiceTest, ActivateWaitsForHostsThatLackTheBundle) {
  desk_.PutHost("h-1");
  v1::RotateCaResponse made;
  ASSERT_EQ(Rotate({}, &made).code, grpc::StatusCode::OK);
  v1::ActivateCaResponse active;
  const Told told = Activate("hosts-2", false, &active);
  EXPECT_EQ(told.code, grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(told.reason, "CA");
  EXPECT_THAT(told.message, HasSubstr("not yet: h-1"));
  EXPECT_EQ(Cas().at("hosts-2").state(), "prepared");
  v1::ActivateCaRequest without_reason;
  without_reason.set_ca_id("hosts-2");
  without_reason.set_force(true);
  EXPECT_EQ(
      Ask<v1::CaService>(admin_, &v1::CaService::StubInterface::ActivateCa, without_reason, &active)
          .code,
      grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Activate("hosts-2", true, &active).code, grpc::StatusCode::OK);
}

TEST_F(CaServiceTest, ARootIsRotatedLikeAnyOther) {
  v1::RotateCaRequest request;
  request.set_use("root");
  v1::RotateCaResponse made;
  ASSERT_EQ(Rotate(request, &made).code, grpc::StatusCode::OK);
  const v1::Ca& root = made.made(0);
  EXPECT_EQ(root.id(), "root-2");
  const int64_t years = (root.not_after().seconds() - root.not_before().seconds()) / (365 * 86400);
  EXPECT_EQ(years, 10);
}

TEST_F(CaServiceTest, ATaintHoldsAtOnceAndAtEveryGatekeeperOfTheStore) {
  const Bytes key_id = authority().ActiveIssuer(pki::CaUse::kHosts).value()->key_id;
  v1::TaintCaResponse answer;
  ASSERT_EQ(Taint("hosts-1", "backup stolen", &answer).code, grpc::StatusCode::OK);
  EXPECT_TRUE(answer.changed());
  EXPECT_EQ(answer.ca().state(), "tainted");
  EXPECT_THAT(answer.unsigned_uses(), ElementsAre("hosts"));
  EXPECT_TRUE(authority().IsTainted(key_id));
  EXPECT_THAT(issuing::TaintedCas(desk_.store()).value(), ElementsAre(ToHex(key_id)));
  EXPECT_EQ(LastAudit().action, "ca.taint");
  EXPECT_THAT(LastAudit().detail_json, HasSubstr("backup stolen"));
}

TEST_F(CaServiceTest, ATaintIsSpokenOnce) {
  v1::TaintCaResponse answer;
  ASSERT_EQ(Taint("hosts-1", "backup stolen", &answer).code, grpc::StatusCode::OK);
  const int64_t rows = AuditRows();
  ASSERT_EQ(Taint("hosts-1", "to be sure", &answer).code, grpc::StatusCode::OK);
  EXPECT_FALSE(answer.changed());
  EXPECT_EQ(answer.ca().state(), "tainted");
  EXPECT_EQ(AuditRows(), rows);
}

// The folder is tainted, and the store was not told: say, the program died in between.
TEST_F(CaServiceTest, ATaintThatWasNotWrittenDownIsByTheNextOne) {
  ASSERT_TRUE(pki::TaintCa(desk_.cluster().folder() + "/ca", "aks-1", "stolen", absl::Now()).ok());
  v1::TaintCaResponse answer;
  ASSERT_EQ(Taint("aks-1", "again", &answer).code, grpc::StatusCode::OK);
  EXPECT_TRUE(answer.changed());
  EXPECT_EQ(issuing::TaintedCas(desk_.store())->size(), 1u);
}

TEST_F(CaServiceTest, ARootTakesAllBelowItAlong) {
  v1::TaintCaResponse answer;
  ASSERT_EQ(Taint("root-1", "everything stolen", &answer).code, grpc::StatusCode::OK);
  const pki::CaFolder folder = pki::LoadCaFolder(desk_.cluster().folder() + "/ca").value();
  for (const pki::CaRecord& ca : folder.cas)
    EXPECT_EQ(ca.state, pki::CaRecord::State::kTainted) << ca.id;
  EXPECT_EQ(issuing::TaintedCas(desk_.store())->size(), 5u);
  EXPECT_EQ(WhoAmI(admin_).reason, "OPERATOR_CERTIFICATE") << "the caller's own certificate, too";
}

TEST_F(CaServiceTest, WhatIsWrongWithARequestIsSaid) {
  v1::RotateCaRequest use, lifetime;
  use.set_use("everything");
  lifetime.set_lifetime_seconds(1);
  v1::RotateCaResponse made;
  EXPECT_EQ(Rotate(use, &made).reason, "MESSAGE_MALFORMED");
  EXPECT_EQ(Rotate(lifetime, &made).reason, "MESSAGE_MALFORMED");
  v1::ActivateCaResponse active;
  EXPECT_EQ(Activate("hosts-9", false, &active).code, grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Activate("../ca", false, &active).reason, "HOST_ID_SYNTAX");
  EXPECT_EQ(Activate("", false, &active).reason, "HOST_ID_SYNTAX");
  const Told twice = Activate("hosts-1", false, &active);
  EXPECT_EQ(twice.code, grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(twice.message, HasSubstr("active, not prepared"));
  v1::TaintCaResponse tainted;
  EXPECT_EQ(Taint("hosts-9", "stolen", &tainted).code, grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Taint("hosts-1", " ", &tainted).reason, "MESSAGE_MALFORMED");
  EXPECT_EQ(Taint("Hosts-1", "stolen", &tainted).reason, "HOST_ID_SYNTAX");
  EXPECT_EQ(Cas().size(), 5u);
  EXPECT_EQ(Cas().at("hosts-1").state(), "active");
}

TEST_F(CaServiceTest, OneIdempotencyKeyMakesOneCa) {
  v1::RotateCaRequest request;
  request.set_use("servers");
  request.set_idempotency_key("key-1");
  v1::RotateCaResponse first, again;
  ASSERT_EQ(Rotate(request, &first).code, grpc::StatusCode::OK);
  ASSERT_EQ(Rotate(request, &again).code, grpc::StatusCode::OK);
  EXPECT_EQ(first.SerializeAsString(), again.SerializeAsString());
  EXPECT_EQ(Cas().size(), 6u);
}

TEST_F(CaServiceTest, NobodyButAnAdminTouchesCas) {
  const auto operators = desk_.Connect(desk_.Operator({"operator", "approver", "policy-author"}));
  for (const char* const method : {"ListCas", "RotateCa", "ActivateCa", "TaintCa"}) {
    EXPECT_EQ(CallRaw(operators, absl::StrCat("/bootgate.v1.CaService/", method), "").reason,
              "ROLE_DENIED")
        << method;
  }
}

TEST_F(CaServiceTest, ARevokedOperatorIsRefusedAtOnce) {
  const ClientIdentity identity = desk_.Operator({"viewer"});
  const auto viewer = desk_.Connect(identity);
  ASSERT_EQ(WhoAmI(viewer).code, grpc::StatusCode::OK);
  v1::RevokeCredentialResponse answer;
  ASSERT_EQ(Revoke(admin_, identity.serial, &answer).code, grpc::StatusCode::OK);
  EXPECT_TRUE(answer.changed());
  EXPECT_EQ(answer.credential().kind(), "operator");
  EXPECT_EQ(WhoAmI(viewer).reason, "OPERATOR_CERTIFICATE");
  EXPECT_EQ(WhoAmI(admin_).code, grpc::StatusCode::OK);
  EXPECT_EQ(LastAudit().action, "operator.revoke");
  EXPECT_THAT(LastAudit().detail_json,
              AllOf(HasSubstr("laptop stolen"), HasSubstr("key-compromise")));
  const int64_t rows = AuditRows();
  ASSERT_EQ(Revoke(admin_, identity.serial, &answer).code, grpc::StatusCode::OK);
  EXPECT_FALSE(answer.changed());
  EXPECT_EQ(AuditRows(), rows);
}

TEST_F(CaServiceTest, WhoIsNoAdminRevokesOnesOwnCertificateAlone) {
  const ClientIdentity other = desk_.Operator({"admin"}), own = desk_.Operator({"operator"});
  const auto channel = desk_.Connect(own);
  v1::RevokeCredentialResponse answer;
  EXPECT_EQ(Revoke(channel, other.serial, &answer).reason, "ROLE_DENIED");
  EXPECT_EQ(WhoAmI(desk_.Connect(other)).code, grpc::StatusCode::OK);
  EXPECT_EQ(Revoke(channel, own.serial, &answer).code, grpc::StatusCode::OK);
  EXPECT_EQ(WhoAmI(channel).reason, "OPERATOR_CERTIFICATE");
}

TEST_F(CaServiceTest, ASerialThatWasNeverIssuedIsNotFound) {
  v1::RevokeCredentialResponse answer;
  const Told told = Revoke(admin_, "01ff", &answer);
  EXPECT_EQ(told.code, grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(told.reason, "OPERATOR_CERTIFICATE");
}

}  // namespace
}  // namespace bootgate::gatekeeper::operators
