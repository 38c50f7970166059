#include "gatekeeper/incident/frozen_judgement.h"

#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::incident {
namespace {

using ::testing::Contains;
using ::testing::Key;
using ::testing::Not;

// Refused with ARCHIVE, and it is told what is wrong.
MATCHER_P(RefusesSaying, says, "") {
  const absl::Status& status = ::bootgate::testing::StatusOf(arg);
  *result_listener << status.ToString();
  return ReasonOf(status) == Reason::kArchive &&
         std::string(status.message()).find(says) != std::string::npos;
}

Finding Weakness() {
  Finding finding;
  finding.code = Reason::kTpmFirmwareVulnerable;
  finding.severity = Severity::kWarning;
  finding.register_index = 7;
  finding.text = "weak";
  return finding;
}

FrozenJudgement Sample() {
  FrozenJudgement j;
  j.verdict_id = "v-1";
  j.program = "bootgate-gatekeeper 9";
  j.at = absl::FromUnixNanos(1'795'348'800'123'456'789);
  j.host = {.id = "h-0123", .hostname = "web1", .trust = "trusted", .labels = {{"role", "web"}}};
  j.host.ak_public = {1, 2, 3};
  j.host.admitted_ima_entries = UINT64_MAX;
  j.cluster_id = "cluster-1";
  j.selection = registers::ParseSelection("sha256:0-14+sha384:0-9").value();
  j.runtime_extended = 1u << 15;
  j.behind_is_failure = true;
  j.before.emplace();
  j.before->entries = 12;
  j.before->notes["reference/x"] = {9, 9};
  j.notes.findings = {Weakness()};
  j.notes.claims = {{.type = "clockSafe", .value = true},
                    {.type = "resets", .value = int64_t{-3}},
                    {.type = "maker", .value = std::string("IFX")}};
  j.notes.coverage = {.checked = {"the clock"}, .not_checked = {{"a", "b"}}};
  j.policy = "version=1.0;";
  j.reference = "{}";
  j.softening = "{\"observe\":[]}";
  j.sets = {std::string(64, 'a')};
  j.evidence.host_id = j.host.id;
  j.evidence.nonce = Bytes(32, 5);
  j.evidence.boot_log = {7};
  j.evidence.ima = {.first_entry = 12, .before_quote = {1}, .before_quote_count = 1};
  j.evidence.quote = {
      .attest = {4}, .signature = {5}, .values = {{crypto::HashAlg::kSha256, 7, Bytes(32, 1)}}};
  j.evidence.other_keys = {{.public_area = {1}, .certify_attest = {2}, .certify_signature = {3}}};
  j.evidence.statement.custom_claims = {{.name = "n\xff", .value = "v", .value_type = "String"}};
  j.evidence.statement.rp_data = {8};
  j.evidence.statement.request_key = "{\"kty\":\"EC\"}";
  j.verdict_json = "{}";
  return j;
}

TEST(FrozenJudgement, ComesBackAsItWas) {
  const FrozenJudgement was = Sample();
  BG_ASSERT_OK_AND_ASSIGN(const FrozenJudgement is, Unpack(Pack(was)));
  EXPECT_EQ(is.at, was.at);
  EXPECT_EQ(is.host.id, was.host.id);
  EXPECT_EQ(is.host.labels, was.host.labels);
  EXPECT_EQ(is.host.ak_public, was.host.ak_public);
  EXPECT_EQ(is.host.admitted_ima_entries, was.host.admitted_ima_entries);
  EXPECT_EQ(is.cluster_id, was.cluster_id);
  EXPECT_EQ(is.selection, was.selection);
  EXPECT_EQ(is.runtime_extended, was.runtime_extended);
  EXPECT_TRUE(is.behind_is_failure);
  ASSERT_TRUE(is.before.has_value());
  EXPECT_EQ(is.before->entries, 12u);
  EXPECT_EQ(is.before->notes, was.before->notes);
  EXPECT_EQ(is.notes.claims, was.notes.claims);
  ASSERT_EQ(is.notes.findings.size(), 1u);
  EXPECT_EQ(is.notes.findings[0].code, Reason::kTpmFirmwareVulnerable);
  EXPECT_EQ(is.notes.findings[0].register_index, 7u);
  EXPECT_EQ(is.notes.coverage.not_checked[0].why, "b");
  EXPECT_EQ(is.sets, was.sets);
  EXPECT_EQ(is.evidence.quote.values[0].value, was.evidence.quote.values[0].value);
  EXPECT_EQ(is.evidence.statement.custom_claims[0].name, "n\xff");
  EXPECT_EQ(is.evidence.other_keys[0].certify_attest, Bytes{2});
  // Nothing was lost: what is packed again is the same.
  EXPECT_EQ(Pack(is), Pack(was));
}

TEST(FrozenJudgement, PartsThatAreEmptyAreNotThere) {
  FrozenJudgement j = Sample();
  j.evidence.user_log.clear();
  j.candidate.clear();
  const Parts parts = Pack(j);
  EXPECT_THAT(parts, Contains(Key("boot_log")));
  EXPECT_THAT(parts, Not(Contains(Key("user_log"))));
  EXPECT_THAT(parts, Not(Contains(Key("candidate_policy"))));
}

TEST(FrozenJudgement, MissingPartsAreTold) {
  for (const char* part : {"judgement", "quote", "signature", "ak_public", "verdict"}) {
    Parts parts = Pack(Sample());
    parts.erase(part);
    EXPECT_THAT(Unpack(parts), RefusesSaying(part)) << part;
  }
}

struct BadText {
  const char *name, *from, *to, *says;
};

TEST(FrozenJudgement, WhatIsNotItsFormIsRefused) {
  for (const BadText& row :
       std::vector<BadText>{{"NoJson", "{", "", "no JSON object"},
                            {"OtherFormat", "\"format\": 1", "\"format\": 2", "format"},
                            {"NegativeMask", "\"runtime_extended\": 32768",
                             "\"runtime_extended\": -1", "runtime_extended"},
                            {"HugeMask", "\"runtime_extended\": 32768",
                             "\"runtime_extended\": 9999999999", "runtime_extended"},
                            {"TextForFlag", "\"behind_is_failure\": true",
                             "\"behind_is_failure\": \"x\"", "behind_is_failure"},
                            {"UnknownCode", "TPM_FIRMWARE_VULNERABLE", "NO_SUCH_CODE", "code"},
                            {"Selection", "sha256:0-14", "sha256:99", "99"},
                            {"NoHex", "\"nonce\": \"05", "\"nonce\": \"zz", "nonce"}}) {
    Parts parts = Pack(Sample());
    Bytes& part = parts["judgement"];
    std::string text(part.begin(), part.end());
    const size_t at = text.find(row.from);
    ASSERT_NE(at, std::string::npos) << row.name;
    text.replace(at, std::string(row.from).size(), row.to);
    part = ToBytes(AsBytes(text));
    EXPECT_THAT(Unpack(parts), RefusesSaying(row.says)) << row.name;
  }
}

TEST(Pcrs, LeaveOutTheOneThatMovesWithTheImaList) {
  const std::vector<tpm2::UntrustedPcr> values = {{crypto::HashAlg::kSha256, 0, Bytes(32, 1)},
                                                  {crypto::HashAlg::kSha256, 10, Bytes(32, 2)}};
  BG_ASSERT_OK_AND_ASSIGN(const auto read, ReadPcrsJson(PcrsJson(values)));
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].index, 0u);
  EXPECT_EQ(read[0].value, Bytes(32, 1));
}

}  // namespace
}  // namespace bootgate::gatekeeper::incident
