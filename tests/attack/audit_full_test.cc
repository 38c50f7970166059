// Attack A86: the disk that the audit trail lies on is full. Nothing is issued and nothing is
// decided that no trace tells of; once there is room again, all goes on.
#include <sys/resource.h>

#include <csignal>

#include "gatekeeper/audit/verify.h"
#include "tests/attack/victim.h"
#include "tests/gate/port_gate.h"

namespace bootgate::attack {
namespace {

// No file of this process grows beyond the size; the system refuses to write as if the disk were
// full.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    EXPECT_NE(std::signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit full = {.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  }
  ~FullDisk() { EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before_), 0); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_ = {};
};

class A86_FullAuditTrail : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Boots, A86_FullAuditTrail, ::testing::Values("good", "secure-boot-off"),
                         [](const auto& row) {
                           return std::string(row.param) == "good" ? "Good" : "Bad";
                         });

TEST_P(A86_FullAuditTrail, StopsIssuing) {
  gate::PortGate port;
  SoftHost host =
      std::string(GetParam()) == "good" ? port.gate.NewHost() : port.gate.NewHost(GetParam());
  const auto client = port.Connect();
  const evidence::Evidence evidence = host.Answer(host.Ask(*client).value());
  const std::string before = port.gate.Dump();
  {
    const FullDisk full(4096);
    const auto answer = client->Submit(evidence);
    EXPECT_EQ(ReasonOf(answer.status()), Reason::kAuditUnavailable) << answer.status();
    EXPECT_EQ(Info(Reason::kAuditUnavailable).outcome, OutcomeClass::kError);
  }
  EXPECT_EQ(port.gate.Dump(), before);
  EXPECT_THAT(gatekeeper::audit::VerifyAuditChain(*port.gate.store), IsOk());

  EXPECT_THAT(client->Submit(host.Answer(host.Ask(*client).value())), IsOk());
  EXPECT_NE(port.gate.Dump(), before);
  EXPECT_THAT(gatekeeper::audit::VerifyAuditChain(*port.gate.store), IsOk());
}

}  // namespace
}  // namespace bootgate::attack
