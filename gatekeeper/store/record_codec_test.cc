#include "gatekeeper/store/record_codec.h"

#include "common/crypto/hash.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::store {
namespace {

using ::bootgate::testing::Refuses;

host::HostRecord FullHost() {
  host::HostRecord host;
  host.id = "h-00112233445566778899aabbccddeeff";
  host.revision = 41;
  host.trust = host::Trust::kInvestigating;
  host.approved = true;
  host.labels = {{"rack", "r7"}, {"role", "db"}};
  host.ek_public = {1, 2, 3};
  host.ak_public = {4, 5};
  host.ak_qualified_name = Bytes(34, 0xab);
  host.ek_certificate = Bytes(1000, 0x30);
  host.ek_trust = "chain";
  host.enrolled_at = absl::FromUnixSeconds(1'700'000'000);
  host.last_seen_at = absl::FromUnixNanos(1'700'000'001'234'567'890);
  host.trust_since = absl::FromUnixSeconds(-5);
  host.last_boot =
      host::BootMark{.reset_count = 0xffffffff, .restart_count = 2, .clock_ms = 0xffffffffffffffff};
  host.hostname = "db\n\"7\"";
  host.kernel_release = "6.1.0-28-amd64";
  host.os_release = "Debian 12";
  host.agent_version = "0.1.0";
  host.last_verdict_id = "v-1";
  host.last_outcome = "DENY";
  host.reasons = {"SECURE_BOOT_OFF", "POLICY_DENY"};
  host.why = "Secure Boot was off";
  host.whole_list_wanted = true;
  host.replaces = "h-old";
  host.replaced_by = "h-new";
  host.tpm = {.manufacturer = "id:494E5443", .model = "SPT", .version = "id:00020000"};
  host.tpm.firmware = 0xfedcba9876543210;
  host.assurance = "ek-certificate";
  host.tolerances = {"padding", "set order"};
  host.own_ek_certificate = Bytes(700, 0x31);
  host.ak_certificate = Bytes(600, 0x32);
  host.ak_certificate_until = absl::FromUnixSeconds(1'900'000'000);
  host.incident_id = "i-7";
  host.shut_out_by = "operator alice";
  host.trust_bundle = std::string(64, 'b');
  host.tpm_history = {
      .clock_safe = false,
      .kernel_boot_id = "9f1c",
      .earlier_boot_id = "77aa",
      .second_line = host::TpmLine{.boot = {.reset_count = 8, .restart_count = 1, .clock_ms = 7},
                                   .kernel_boot_id = "30e2",
                                   .seen_at = absl::FromUnixSeconds(1'800'000'001)},
      .moved_since_second_line = true,
      .clone_suspected = true,
      .clear_accepted_until = absl::FromUnixSeconds(1'800'000'002)};
  host::ImaCursor& cursor = host.ima_cursor.emplace();
  cursor.reset_count = 0xfffffffe;
  cursor.restart_count = 3;
  cursor.rules = {.policy_id = "p", .reference_id = "r", .options_id = "o"};
  cursor.good_until = absl::FromUnixSeconds(1'800'000'000);
  ImaProgress& progress = cursor.progress;
  progress.entries = uint64_t{1} << 40;
  progress.registers = {{.value = crypto::Digest::Ones(crypto::HashAlg::kSha384)},
                        {.value = crypto::Digest(crypto::HashAlg::kSha1), .padded_sha1 = true}};
  Finding& finding = progress.findings.emplace_back();
  finding.code = Reason::kImaUnlisted;
  finding.severity = Severity::kWarning;
  finding.register_index = 10;
  finding.event = 77;
  finding.expected = "a";
  finding.actual = "b";
  finding.text = "/bin/c is not in the reference.";
  progress.claims = {
      {.type = "flag", .value = true},
      {.type = "number", .value = int64_t{-7}, .read_only = true},
      {.type = "text", .value = std::string("x\0y", 3), .issuer = Issuer::kAttestationPolicy}};
  progress.not_checked = {{"what", "why"}};
  progress.notes = {{"reference/policy", {1, 0, 2}}, {"", {}}};
  return host;
}

// `host`, which has nothing of what later versions added, as it was written in an earlier one.
Bytes InVersion(uint8_t version, const host::HostRecord& host) {
  constexpr size_t kChecksum = 32, kNoCursorNoFlag = 2;
  constexpr size_t kNoHistory = 1 + 2 * 4 + 4 * 1;
  constexpr size_t kNoTpm = 6 * 4 + 8 + 4 + 2 * 4 + 8 + kNoHistory;
  constexpr size_t kNoIncident = 3 * 4;
  size_t missing = kNoIncident;
  if (version < 3) missing += kNoTpm;
  if (version < 2) missing += kNoCursorNoFlag;
  Bytes encoded = EncodeHost(host);
  encoded.resize(encoded.size() - kChecksum - missing);
  encoded[0] = version;
  const crypto::Digest checksum = crypto::Hash(crypto::HashAlg::kSha256, encoded);
  encoded.insert(encoded.end(), checksum.view().begin(), checksum.view().end());
  return encoded;
}

TEST(RecordCodec, HostComesBackAsItWas) {
  const host::HostRecord host = FullHost();
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord back, DecodeHost(EncodeHost(host)));
  EXPECT_EQ(EncodeHost(back), EncodeHost(host));
  EXPECT_EQ(back.id, host.id);
  EXPECT_EQ(back.revision, 41u);
  EXPECT_EQ(back.trust, host.trust);
  EXPECT_TRUE(back.approved);
  EXPECT_EQ(back.labels, host.labels);
  EXPECT_EQ(back.ek_public, host.ek_public);
  EXPECT_EQ(back.ak_public, host.ak_public);
  EXPECT_EQ(back.ak_qualified_name, host.ak_qualified_name);
  EXPECT_EQ(back.ek_certificate, host.ek_certificate);
  EXPECT_EQ(back.ek_trust, host.ek_trust);
  EXPECT_EQ(back.enrolled_at, host.enrolled_at);
  EXPECT_EQ(back.last_seen_at, host.last_seen_at);
  EXPECT_EQ(back.trust_since, host.trust_since);
  ASSERT_TRUE(back.last_boot.has_value());
  EXPECT_EQ(back.last_boot->reset_count, 0xffffffffu);
  EXPECT_EQ(back.last_boot->restart_count, 2u);
  EXPECT_EQ(back.last_boot->clock_ms, 0xffffffffffffffffu);
  EXPECT_FALSE(back.quarantined_boot.has_value());
  EXPECT_EQ(back.hostname, host.hostname);
  EXPECT_EQ(back.kernel_release, host.kernel_release);
  EXPECT_EQ(back.os_release, host.os_release);
  EXPECT_EQ(back.agent_version, host.agent_version);
  EXPECT_EQ(back.last_verdict_id, host.last_verdict_id);
  EXPECT_EQ(back.last_outcome, host.last_outcome);
  EXPECT_EQ(back.reasons, host.reasons);
  EXPECT_EQ(back.why, host.why);
}

TEST(RecordCodec, CursorComesBackAsItWas) {
  const host::ImaCursor want = *FullHost().ima_cursor;
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord back, DecodeHost(EncodeHost(FullHost())));
  ASSERT_TRUE(back.ima_cursor.has_value());
  const host::ImaCursor& have = *back.ima_cursor;
  EXPECT_TRUE(back.whole_list_wanted);
  EXPECT_EQ(have.reset_count, want.reset_count);
  EXPECT_EQ(have.restart_count, want.restart_count);
  EXPECT_EQ(have.rules, want.rules);
  EXPECT_EQ(have.good_until, want.good_until);
  EXPECT_EQ(have.progress.entries, want.progress.entries);
  EXPECT_EQ(have.progress.registers, want.progress.registers);
  EXPECT_EQ(have.progress.claims, want.progress.claims);
  EXPECT_EQ(have.progress.notes, want.progress.notes);
  ASSERT_EQ(have.progress.not_checked.size(), 1u);
  EXPECT_EQ(have.progress.not_checked[0].what + have.progress.not_checked[0].why, "whatwhy");
  ASSERT_EQ(have.progress.findings.size(), 1u);
  const Finding& finding = have.progress.findings[0];
  EXPECT_EQ(finding.code, Reason::kImaUnlisted);
  EXPECT_EQ(finding.severity, Severity::kWarning);
  EXPECT_EQ(finding.register_index, 10u);
  EXPECT_EQ(finding.event, 77u);
  EXPECT_EQ(finding.expected + finding.actual, "ab");
  EXPECT_EQ(finding.text, "/bin/c is not in the reference.");
}

host::HostRecord WithoutIncident() {
  host::HostRecord old = FullHost();
  old.trust_bundle.clear();
  old.incident_id = old.shut_out_by = "";
  return old;
}

host::HostRecord WithoutTpmFacts() {
  host::HostRecord old = WithoutIncident();
  old.replaces = old.replaced_by = old.assurance = "";
  old.tpm = {};
  old.tolerances.clear();
  old.own_ek_certificate = old.ak_certificate = {};
  old.ak_certificate_until = absl::UnixEpoch();
  old.tpm_history = {};
  return old;
}

TEST(RecordCodec, RecordsFromBeforeIncidentsHadOwnersAreRead) {
  const host::HostRecord old = WithoutIncident();
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord back, DecodeHost(InVersion(3, old)));
  EXPECT_EQ(EncodeHost(back), EncodeHost(old));
  EXPECT_EQ(back.tpm, old.tpm);
}

TEST(RecordCodec, RecordsFromBeforeThereWereTpmFactsAreRead) {
  const host::HostRecord old = WithoutTpmFacts();
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord back, DecodeHost(InVersion(2, old)));
  EXPECT_EQ(EncodeHost(back), EncodeHost(old));
  EXPECT_TRUE(back.ima_cursor.has_value());
}

TEST(RecordCodec, RecordsFromBeforeThereWereCursorsAreRead) {
  host::HostRecord old = WithoutTpmFacts();
  old.ima_cursor.reset();
  old.whole_list_wanted = false;
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord back, DecodeHost(InVersion(1, old)));
  EXPECT_EQ(EncodeHost(back), EncodeHost(old));
}

TEST(RecordCodec, TpmFactsComeBackAsTheyWere) {
  const host::HostRecord host = FullHost();
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord back, DecodeHost(EncodeHost(host)));
  EXPECT_EQ(back.replaces, "h-old");
  EXPECT_EQ(back.replaced_by, "h-new");
  EXPECT_EQ(back.tpm, host.tpm);
  EXPECT_EQ(back.assurance, host.assurance);
  EXPECT_EQ(back.tolerances, host.tolerances);
  EXPECT_EQ(back.own_ek_certificate, host.own_ek_certificate);
  EXPECT_EQ(back.ak_certificate, host.ak_certificate);
  EXPECT_EQ(back.ak_certificate_until, host.ak_certificate_until);
  EXPECT_EQ(back.tpm_history, host.tpm_history);
  EXPECT_EQ(back.incident_id, "i-7");
  EXPECT_EQ(back.shut_out_by, "operator alice");
}

TEST(RecordCodec, EveryFlippedBitIsFound) {
  const Bytes good = EncodeHost(FullHost());
  for (size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= static_cast<uint8_t>(1u << (i % 8));
    ASSERT_THAT(DecodeHost(bad), Refuses(Reason::kRecordCorrupt)) << "byte " << i;
  }
}

TEST(RecordCodec, EveryCutIsFound) {
  const Bytes good = EncodeHost(FullHost());
  for (size_t size = 0; size < good.size(); ++size) {
    ASSERT_THAT(DecodeHost(ByteView(good).first(size)), Refuses(Reason::kRecordCorrupt)) << size;
  }
}

TEST(RecordCodec, LabelsAndTextsComeBack) {
  const Labels labels = {{"", "empty name"}, {"a", ""}, {"rack", "7"}};
  BG_ASSERT_OK_AND_ASSIGN(const Labels labels_back, DecodeLabels(EncodeLabels(labels)));
  EXPECT_EQ(labels_back, labels);
  const std::vector<std::string> texts = {"", "NO_POLICY", std::string("a\0b", 3)};
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<std::string> texts_back,
                          DecodeTexts(EncodeTexts(texts)));
  EXPECT_EQ(texts_back, texts);
}

// A record with a good checksum may still be another kind of record.
TEST(RecordCodec, AnotherKindOfRecordIsRefused) {
  EXPECT_THAT(DecodeHost(EncodeTexts({"a", "b"})), Refuses(Reason::kRecordCorrupt));
  EXPECT_THAT(DecodeTexts(EncodeLabels({{"a", "b"}})), Refuses(Reason::kRecordCorrupt));
}

}  // namespace
}  // namespace bootgate::gatekeeper::store
