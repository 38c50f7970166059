// The gatekeeper's whole share of later attestations: evidence checked and judged, the verdict and
// all that follows from it durable in SQLite, the answer with its next challenge; many hosts at
// once, without the network. The hosts make their evidence before the clock runs.
//
// Beside it the floor of the same run: one verification of the same kind of signature, with the key
// imported before.
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "tests/bench/bench.h"
#include "tests/gate/gate.h"

namespace bootgate::bench {
namespace {

constexpr int kFloorRounds = 2000;

absl::Duration CpuTime() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return absl::DurationFromTimespec(now);
}

struct Member {
  gate::SoftHost host;
  agent::Challenge challenge;
  evidence::Evidence evidence;
};

struct Round {
  absl::Duration wall, cpu;
};

class Fleet {
 public:
  absl::Status Join(int hosts) {
    client_ = gate_.Direct();
    for (int i = 0; i < hosts; ++i) {
      members_.push_back({gate_.NewHost(), {}, {}});
      Member& member = members_.back();
      member.host.sends_only_new = true;
      BG_ASSIGN_OR_RETURN(agent::AttestAnswer answer, member.host.Attest(*client_));
      member.challenge = std::move(answer.next_challenge);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Round> Attest(int threads) {
    for (Member& member : members_) {
      member.evidence = member.host.Answer(member.challenge);
      member.evidence.identity_keys.clear();
    }
    const absl::Time from = absl::Now();
    const absl::Duration before = CpuTime();
    std::atomic<size_t> next = 0;
    std::vector<absl::Status> ended(static_cast<size_t>(threads));
    {
      std::vector<std::jthread> workers;
      for (absl::Status& status : ended) {
        workers.emplace_back([&] {
          for (size_t i = next++; i < members_.size() && status.ok(); i = next++)
            status = Submit(members_[i]);
        });
      }
    }
    const Round round = {absl::Now() - from, CpuTime() - before};
    for (const absl::Status& status : ended) BG_RETURN_IF_ERROR(status);
    return round;
  }

  size_t size() const { return members_.size(); }
  const gate::SoftHost& any() const { return members_.front().host; }

 private:
  absl::Status Submit(Member& member) {
    BG_ASSIGN_OR_RETURN(agent::AttestAnswer answer, client_->Submit(member.evidence));
    if (answer.trust != "trusted") return absl::InternalError("not trusted: " + answer.outcome);
    member.challenge = std::move(answer.next_challenge);
    return absl::OkStatus();
  }

  gate::Gate gate_;
  std::unique_ptr<agent::GatekeeperClient> client_;
  std::vector<Member> members_;
};

absl::StatusOr<absl::Duration> VerifyTime(const gate::SoftHost& host) {
  constexpr auto kScheme = crypto::SignatureScheme::kEcdsa;
  const crypto::Digest digest = crypto::Hash(crypto::HashAlg::kSha256, host.ak_name());
  const crypto::PublicKey key = host.ak.key().Public();
  BG_ASSIGN_OR_RETURN(const Bytes signature, host.ak.key().Sign(kScheme, digest));
  const absl::Duration from = CpuTime();
  for (int i = 0; i < kFloorRounds; ++i) BG_RETURN_IF_ERROR(key.Verify(kScheme, digest, signature));
  return (CpuTime() - from) / kFloorRounds;
}

int64_t Nanos(absl::Duration time) { return absl::ToInt64Nanoseconds(time); }

}  // namespace

absl::Status RunAdmit(const Arguments& arguments) {
  int hosts = 0, threads = 0, rounds = 0;
  if (!absl::SimpleAtoi(arguments[0], &hosts) || !absl::SimpleAtoi(arguments[1], &threads) ||
      !absl::SimpleAtoi(arguments[2], &rounds) || hosts < 1 || threads < 1 || rounds < 1)
    return absl::InvalidArgumentError("HOSTS, THREADS and ROUNDS are positive numbers");
  Fleet fleet;
  BG_RETURN_IF_ERROR(fleet.Join(hosts));
  BG_RETURN_IF_ERROR(fleet.Attest(threads).status());  // unmeasured
  std::vector<Round> all;
  for (int i = 0; i < rounds; ++i) {
    BG_ASSIGN_OR_RETURN(const Round one, fleet.Attest(threads));
    all.push_back(one);
  }
  BG_ASSIGN_OR_RETURN(const absl::Duration floor, VerifyTime(fleet.any()));
  const auto count = static_cast<int64_t>(fleet.size());
  const absl::Duration cpu = std::ranges::min(all, {}, &Round::cpu).cpu / count;
  const absl::Duration wall = std::ranges::min(all, {}, &Round::wall).wall;
  const nlohmann::ordered_json line = {
      {"bench", "admit"},
      {"hosts", hosts},
      {"threads", threads},
      {"per_second", static_cast<int64_t>(absl::FDivDuration(absl::Seconds(count), wall))},
      {"verify_ns", Nanos(floor)},
      {"ratio", absl::FDivDuration(cpu, floor)},
      {"ns", Nanos(cpu)}};
  std::printf("%s\n", line.dump().c_str());
  return absl::OkStatus();
}

}  // namespace bootgate::bench
