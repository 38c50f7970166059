// One compiled policy, many threads: evaluations share it without locks.
#include <thread>

#include "gatekeeper/json/parse.h"
#include "gatekeeper/policy/test_policies.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::policy {
namespace {

constexpr char kEvents[] =
    R"({"Events":[{"EventSeq":0,"PcrIndex":7,"Name":"SecureBoot"},{"EventSeq":1,"PcrIndex":4}]})";

std::string IssuedBy(const Evaluation& evaluation) {
  std::string out = OutcomeOf(evaluation);
  for (const Claim& claim : evaluation.outgoing) {
    absl::StrAppend(&out, " ", claim.type, "=", DisplayText(claim.value));
  }
  return out;
}

TEST(ConcurrencyTest, ManyThreadsShareOnePolicyAndGetTheSameResults) {
  constexpr int kThreads = 4, kRounds = 50;
  const Policy policy = ReadOrThrow(Issuing(
      "c:[type==\"events\", issuer==\"AttestationService\"] => add(type=\"seven\", "
      "value=JmesPath(c.value, \"Events[?PcrIndex == `7`]\"));"
      "c:[type==\"seven\"] => issue(type=\"name\", value=JsonToClaimValue(JmesPath(c.value, "
      "\"[0].Name\")));"
      "c:[type==\"seven\"] => issue(type=\"text\", value=AppendString(c.value, \"!\"));"
      "c:[type==\"q\"] && e:[type==\"events\"] => issue(type=\"computed\", "
      "value=JmesPath(e.value, c.value));"));
  const std::vector<Claim> claims = {Proven("q", "Events[].PcrIndex | sum(@)")};
  const std::vector<Document> documents = {
      {"events", Issuer::kAttestationService, false,
       [](json::Arena& arena) { return json::Parse(kEvents, arena).value(); }}};
  std::vector<std::string> results(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        const Policy copy = policy;
        for (int round = 0; round < kRounds; ++round) {
          const bool trace = round % 2 == 0;
          results[static_cast<size_t>(thread)] = IssuedBy(
              Evaluate(copy, {.claims = claims, .documents = documents}, {.trace = trace}));
        }
      });
    }
  }
  for (const std::string& result : results) {
    EXPECT_EQ(
        result,
        "permit name=SecureBoot text=[{\"EventSeq\":0,\"PcrIndex\":7,\"Name\":\"SecureBoot\"}]!"
        " computed=11");
  }
}

}  // namespace
}  // namespace bootgate::gatekeeper::policy
