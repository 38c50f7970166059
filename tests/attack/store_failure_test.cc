// Our own faults: a store that fails in any one of the operations of a flow. An ERROR, never a
// credential, and nothing half done.
#include "tests/attack/failing_store.h"
#include "tests/attack/victim.h"
#include "tests/gate/port_gate.h"

namespace bootgate::attack {
namespace {

constexpr int kMostOperations = 50;  // of one flow; more: the store never stopped failing

// Over the port, where exceptions end.
class AttackOnStore : public ::testing::TestWithParam<Failure> {
 protected:
  AttackOnStore()
      : port_({.wrap_store =
                   [this](std::unique_ptr<gatekeeper::store::Store> store) {
                     auto failing = std::make_unique<FailingStore>(std::move(store));
                     store_ = failing.get();
                     return failing;
                   }}),
        client_(port_.Connect()) {}

  void ExpectError(const absl::Status& status, int number) {
    EXPECT_TRUE(absl::IsUnavailable(status) || absl::IsInternal(status)) << number << status;
    const std::optional<Reason> reason = ReasonOf(status);
    ASSERT_TRUE(reason.has_value()) << status;
    EXPECT_EQ(Info(*reason).outcome, OutcomeClass::kError) << status;
    // What broke is nothing a peer must know.
    EXPECT_THAT(std::string(status.message()), ::testing::Not(::testing::HasSubstr("disk")));
  }

  // Runs `flow` again and again, with its first operation failing, then its second, and so on until
  // none is left that could. `prepare` comes before each and is not disturbed; `flow` gives a
  // Status.
  template <typename Prepare, typename Flow>
  void FailEachOperationOf(const Prepare& prepare, const Flow& flow) {
    int number = 1;
    for (;; ++number) {
      ASSERT_LT(number, kMostOperations);
      prepare();
      const std::string before = port_.gate.Dump();
      store_->FailNumber(number, GetParam());
      const absl::Status status = flow();
      if (!store_->failed()) {
        store_->FailNumber(0, GetParam());
        EXPECT_THAT(status, IsOk());
        break;
      }
      ExpectError(status, number);
      if (GetParam() != Failure::kLostAnswer) {
        EXPECT_EQ(port_.gate.Dump(), before) << "operation " << number;
      }
    }
    EXPECT_GT(number, 1) << "the flow does not use the store";
  }

  FailingStore* store_ = nullptr;
  gate::PortGate port_;
  const std::unique_ptr<agent::GatekeeperClient> client_;
};

INSTANTIATE_TEST_SUITE_P(Failures, AttackOnStore,
                         ::testing::Values(Failure::kError, Failure::kException,
                                           Failure::kLostAnswer),
                         [](const auto& row) {
                           return std::string(row.param == Failure::kError       ? "Error"
                                              : row.param == Failure::kException ? "Exception"
                                                                                 : "LostAnswer");
                         });

TEST_P(AttackOnStore, A74_Joining) {
  const SoftHost host(port_.gate.vendor);
  FailEachOperationOf([] {}, [&] { return host.Join(*client_, port_.gate.token).status(); });
  EXPECT_THAT(port_.gate.store->GetHost(host.id()), IsOk());
}

TEST_P(AttackOnStore, A74_AskingForAChallenge) {
  const SoftHost host = port_.gate.NewHost();
  FailEachOperationOf([] {}, [&] { return host.Ask(*client_).status(); });
}

TEST_P(AttackOnStore, A74_GoodEvidence) {
  SoftHost host = port_.gate.NewHost();
  evidence::Evidence evidence;
  FailEachOperationOf([&] { evidence = host.Answer(host.Ask(*client_).value()); },
                      [&] { return client_->Submit(evidence).status(); });
  EXPECT_EQ(port_.gate.TrustOf(host.id()), Trust::kTrusted);
}

// The denial itself is what fails: the host stays as it was and is denied the next time.
TEST_P(AttackOnStore, A74_BadEvidence) {
  SoftHost host = port_.gate.NewHost("secure-boot-off");
  evidence::Evidence evidence;
  FailEachOperationOf([&] { evidence = host.Answer(host.Ask(*client_).value()); },
                      [&] { return client_->Submit(evidence).status(); });
  EXPECT_EQ(port_.gate.TrustOf(host.id()), Trust::kQuarantined);
}

}  // namespace
}  // namespace bootgate::attack
