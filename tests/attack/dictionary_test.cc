// IMA entries that are sent by name, over the real port: what it saves, and that neither names nor
// what the gatekeeper learns from others can be turned against it.
#include "agent/client/short_list.h"
#include "common/ima/known_digests.h"
#include "common/ima/list.h"
#include "common/ima/mixed_list.h"
#include "tests/attack/victim.h"
#include "tests/gate/port_gate.h"

namespace bootgate::attack {
namespace {

class Dictionary : public ::testing::Test {
 protected:
  Dictionary() : client_(port_.Connect()) {}

  Gate& gate() { return port_.gate; }

  Bytes Shortened(const SoftHost& host, const evidence::Evidence& evidence) {
    return agent::ShortList(*client_, host.id(), host.ak_name(), evidence.ima.before_quote);
  }

  bool IsKnown(const SoftHost& host, ByteView record) {
    const auto known =
        client_->KnownEntries(host.id(), host.ak_name(), ima::RecordName(record).view());
    return known.value() == Bytes{1};
  }

  static Bytes LastEntry(const SoftHost& host) {
    const ima::List list = ima::List::Parse(host.boot.ima);
    return ToBytes(list.entries().RecordAt(list.entries().size() - 1).bytes);
  }

  // What a file that `name` names would be listed as.
  Bytes EntryFor(absl::string_view path) {
    SoftHost other(gate().vendor);
    other.Measure(path);
    return LastEntry(other);
  }

  gate::PortGate port_;
  const std::unique_ptr<agent::GatekeeperClient> client_;
};

TEST_F(Dictionary, SecondHostWithTheSameFilesSendsFewerBytes) {
  SoftHost first = gate().NewHost(), second = gate().NewHost();
  EXPECT_TRUE(Shortened(first, first.Answer(first.Ask(*client_).value())).empty());
  ASSERT_EQ(first.Attest(*client_)->outcome, "ADMIT");
  second.Measure("/usr/bin/its-own");
  const evidence::Evidence evidence = second.Answer(second.Ask(*client_).value());
  const Bytes mixed = Shortened(second, evidence);
  ASSERT_FALSE(mixed.empty());
  EXPECT_LT(mixed.size(), evidence.ima.before_quote.size() * 2 / 3);
  const auto answer = client_->SubmitMixed(evidence, mixed);
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->outcome, "ADMIT");
  EXPECT_TRUE(IsKnown(first, LastEntry(second)));
}

TEST_F(Dictionary, NameThatIsNotKnownIsAskedForInFull) {
  SoftHost host = gate().NewHost();
  const std::string before = gate().Dump();
  const evidence::Evidence evidence = host.Answer(host.Ask(*client_).value());
  Bytes mixed;
  const ima::List list = ima::List::Parse(evidence.ima.before_quote);
  for (size_t i = 0; i < list.entries().size(); ++i)
    ima::AppendNamed(ima::RecordName(list.entries().RecordAt(i).bytes).view(), &mixed);
  EXPECT_THAT(client_->SubmitMixed(evidence, mixed), IsRejectedWith(Reason::kRetryResync));
  EXPECT_TRUE(gate().Dump() == before);
  EXPECT_EQ(host.Attest(*client_)->outcome, "ADMIT");
}

// The quote covers the bytes that the names stand for.
TEST_F(Dictionary, NamesOfOtherEntriesThanTheQuotedAreRefused) {
  SoftHost first = gate().NewHost(), second = gate().NewHost();
  ASSERT_EQ(first.Attest(*client_)->outcome, "ADMIT");
  const evidence::Evidence evidence = second.Answer(second.Ask(*client_).value());
  const ima::List list = ima::List::Parse(evidence.ima.before_quote);
  Bytes mixed;
  for (size_t i = 0; i < list.entries().size(); ++i)
    ima::AppendNamed(ima::RecordName(list.entries().RecordAt(1).bytes).view(), &mixed);
  EXPECT_THAT(client_->SubmitMixed(evidence, mixed), IsRejectedWith(Reason::kNonceMismatch));
}

TEST_F(Dictionary, EntriesThatNoQuoteProvesAreNotLearned) {
  SoftHost host = gate().NewHost();
  const Bytes evil = EntryFor("/usr/bin/evil");
  evidence::Evidence evidence = host.Answer(host.Ask(*client_).value());
  evidence.ima.after_quote = evil;
  ASSERT_EQ(client_->Submit(evidence)->outcome, "ADMIT");
  EXPECT_TRUE(IsKnown(host, LastEntry(host)));
  EXPECT_FALSE(IsKnown(host, evil));
}

TEST_F(Dictionary, RefusedAndDeniedEvidenceTeachesNothing) {
  SoftHost forger = gate().NewHost(), bad = gate().NewHost("secure-boot-off");
  forger.Measure("/usr/bin/forged");
  evidence::Evidence forged = forger.Answer(forger.Ask(*client_).value());
  forged.nonce[0] ^= 1;
  EXPECT_FALSE(client_->Submit(forged).ok());
  EXPECT_FALSE(IsKnown(forger, LastEntry(forger)));
  bad.Measure("/usr/bin/denied");
  ASSERT_EQ(bad.Attest(*client_)->outcome, "DENY");
  EXPECT_FALSE(IsKnown(forger, LastEntry(bad)));
}

TEST_F(Dictionary, OnlyAnEnrolledHostIsToldWhatIsKnown) {
  SoftHost host = gate().NewHost(), stranger(gate().vendor);
  const Bytes name(32, 1);
  EXPECT_THAT(client_->KnownEntries(stranger.id(), stranger.ak_name(), name),
              IsRejectedWith(Reason::kHostUnknown));
  EXPECT_THAT(client_->KnownEntries(host.id(), stranger.ak_name(), name),
              IsRejectedWith(Reason::kAkUnknown));
}

}  // namespace
}  // namespace bootgate::attack
