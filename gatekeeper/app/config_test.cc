#include "gatekeeper/app/config.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/app/weak_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::app {
namespace {

using ::bootgate::testing::IsOk;
using ::testing::HasSubstr;

constexpr char kLeast[] =
    "cluster_id = \"c1\"\ntrust_domain = \"t.example\"\nfolder = \"/srv/b\"\n";

std::string Complaint(const std::string& more) {
  return std::string(ParseConfig(kLeast + more, "g.toml").status().message());
}

TEST(GatekeeperConfig, ShippedSampleIsReadAndHoldsTheDefaults) {
  BG_ASSERT_OK_AND_ASSIGN(
      const std::string text,
      ReadTextFile(testing::SourcePath("deploy/config/gatekeeper.toml"), 1 << 20));
  BG_ASSERT_OK_AND_ASSIGN(const Config sample, ParseConfig(text, "gatekeeper.toml"));
  const Config defaults;
  EXPECT_EQ(sample.quote.selection, defaults.quote.selection);
  EXPECT_EQ(sample.quote.behind_limit, defaults.quote.behind_limit);
  EXPECT_EQ(sample.quote.nonce_ttl, defaults.quote.nonce_ttl);
  EXPECT_EQ(sample.credential.seal_selection, defaults.credential.seal_selection);
  EXPECT_EQ(sample.credential.cap_register, defaults.credential.cap_register);
  EXPECT_EQ(sample.credential.boot_secret_selection, defaults.credential.boot_secret_selection);
  EXPECT_EQ(sample.credential.lifetime, defaults.credential.lifetime);
  EXPECT_EQ(sample.attestation.interval, defaults.attestation.interval);
  EXPECT_EQ(sample.attestation.whole_ima_list_every, defaults.attestation.whole_ima_list_every);
  EXPECT_EQ(sample.retention.verdicts, defaults.retention.verdicts);
  EXPECT_EQ(sample.retention.closed_incidents, defaults.retention.closed_incidents);
  EXPECT_EQ(sample.http.enabled, defaults.http.enabled);
  EXPECT_EQ(sample.http.listen, defaults.http.listen);
  EXPECT_EQ(sample.http.public_url, defaults.http.public_url);
  EXPECT_EQ(sample.http.crl_lifetime, defaults.http.crl_lifetime);
  EXPECT_EQ(sample.http.ocsp_lifetime, defaults.http.ocsp_lifetime);
  EXPECT_EQ(sample.token.enabled, defaults.token.enabled);
  EXPECT_EQ(sample.token.algorithm, defaults.token.algorithm);
  EXPECT_EQ(sample.token.rotate_every, defaults.token.rotate_every);
  EXPECT_EQ(sample.ek.mode, defaults.ek.mode);
  EXPECT_EQ(sample.ek.vulnerable_firmware, defaults.ek.vulnerable_firmware);
  EXPECT_EQ(sample.ek.advisories, defaults.ek.advisories);
  EXPECT_EQ(sample.quote.allow_resettable, defaults.quote.allow_resettable);
  EXPECT_EQ(sample.limits.boot_log_bytes, defaults.limits.boot_log_bytes);
  EXPECT_EQ(sample.limits.user_log_bytes, defaults.limits.user_log_bytes);
  EXPECT_EQ(sample.limits.ima_bytes, defaults.limits.ima_bytes);
  EXPECT_EQ(sample.limits.ima_dictionary_bytes, defaults.limits.ima_dictionary_bytes);
  EXPECT_EQ(sample.limits.evidence_bytes_in_flight, defaults.limits.evidence_bytes_in_flight);
  EXPECT_EQ(sample.limits.workers, defaults.limits.workers);
  EXPECT_EQ(sample.limits.queue, defaults.limits.queue);
  EXPECT_EQ(sample.limits.open_nonces, defaults.limits.open_nonces);
  EXPECT_TRUE(softening::Softened(sample.quarantine.actions).empty());
  EXPECT_EQ(sample.quarantine.longest_waiver, defaults.quarantine.longest_waiver);
  EXPECT_EQ(sample.quarantine.brake.on, defaults.quarantine.brake.on);
  EXPECT_EQ(sample.quarantine.brake.share_percent, defaults.quarantine.brake.share_percent);
  EXPECT_EQ(sample.quarantine.brake.least, defaults.quarantine.brake.least);
  EXPECT_EQ(sample.quarantine.brake.window, defaults.quarantine.brake.window);
  EXPECT_EQ(sample.quarantine.second_approver, defaults.quarantine.second_approver);
}

TEST(Attack, A65_ResettablePcrsAreSelectedOnlyWhereThatIsAllowed) {
  for (const char* selection : {"sha256:0-16", "sha256:23", "sha1:0-7+sha256:0-7,16,23"}) {
    const std::string line = absl::StrCat("[quote]\nselection = \"", selection, "\"\n");
    EXPECT_THAT(Complaint(line), HasSubstr("POLICY_PCR_RESETTABLE")) << selection;
    EXPECT_THAT(Complaint(line), HasSubstr("quote.allow_resettable")) << selection;
    EXPECT_EQ(Complaint(line + "allow_resettable = true\n").find("RESETTABLE"), std::string::npos);
  }
  EXPECT_EQ(Complaint("[quote]\nselection = \"sha256:0-15,17-22\"\n"), "");
}

TEST(GatekeeperConfig, WhatIsDoneAboutWeakFirmwareIsReportOrDeny) {
  EXPECT_EQ(Complaint("[ek]\nvulnerable_firmware = \"deny\"\n"), "");
  EXPECT_THAT(Complaint("[ek]\nvulnerable_firmware = \"ignore\"\n"),
              HasSubstr("ek.vulnerable_firmware"));
}

constexpr char kHook[] =
    "[[webhook]]\nname = \"pager\"\nurl = \"https://p.example/x\"\nsecret_file = \"/k\"\n";

TEST(GatekeeperConfig, WebhooksAreTables) {
  BG_ASSERT_OK_AND_ASSIGN(
      const Config config,
      ParseConfig(absl::StrCat(kLeast, kHook, "kinds = [\"trust\"]\ntimeout = \"3s\"\n",
                               "[[webhook]]\nname = \"chat\"\nurl = \"http://chat.example/\"\n",
                               "secret_file = \"/c\"\nca_file = \"/ca.pem\"\n"),
                  "g.toml"));
  ASSERT_EQ(config.webhooks.size(), 2);
  EXPECT_EQ(config.webhooks[0].name, "pager");
  EXPECT_EQ(config.webhooks[0].kinds, std::vector<std::string>{"trust"});
  EXPECT_EQ(config.webhooks[0].timeout, absl::Seconds(3));
  EXPECT_EQ(config.webhooks[1].give_up_after, absl::Hours(24));
  EXPECT_EQ(config.webhooks[1].ca_file, "/ca.pem");
  const std::vector<WeakOption> weak = WeakOptions(config);
  ASSERT_EQ(weak.size(), 1);
  EXPECT_EQ(weak[0].key, "webhook chat: url");
}

TEST(GatekeeperConfig, WebhooksComplaintsNameTheTable) {
  EXPECT_THAT(Complaint("[[webhook]]\n"), HasSubstr("webhook[0].secret_file: must be set"));
  EXPECT_THAT(Complaint("[[webhook]]\nname = \"A\"\n"), HasSubstr("webhook[0].name: must be set"));
  EXPECT_THAT(Complaint(absl::StrCat(kHook, kHook)),
              HasSubstr("g.toml:9: webhook[1].name: is the name of another webhook"));
  EXPECT_THAT(Complaint(absl::StrCat(kHook, "secret = \"whsec_x\"\n")),
              HasSubstr("unknown key webhook[0].secret;"));
  EXPECT_THAT(Complaint(absl::StrCat(kHook, "kinds = [\"trust\", \"all\"]\n")),
              HasSubstr("'all' is none of trust, incident, brake"));
  EXPECT_THAT(Complaint("[[webhook]]\nurl = \"https://u:p@x/\"\n"), HasSubstr("webhook[0].url"));
  EXPECT_THAT(Complaint("[[webhook]]\nsecret_file = \"k\"\n"), HasSubstr("absolute path"));
}

TEST(GatekeeperConfig, WhatInitWritesIsRead) {
  BG_ASSERT_OK_AND_ASSIGN(
      const Config config,
      ParseConfig(InitialConfigText("c1", "t.example", "/srv/b", "127.0.0.1:0", "127.0.0.1:1"),
                  "gatekeeper.toml"));
  EXPECT_EQ(config.cluster_id, "c1");
  EXPECT_EQ(config.listen.agents, "127.0.0.1:0");
  EXPECT_EQ(config.http.listen, "127.0.0.1:1");
  EXPECT_EQ(config.store_path(), "/srv/b/gatekeeper.db");
}

TEST(GatekeeperConfig, NamesAreRequired) {
  const std::string complaint(ParseConfig("", "g.toml").status().message());
  EXPECT_THAT(complaint, HasSubstr("cluster_id"));
  EXPECT_THAT(complaint, HasSubstr("trust_domain"));
  EXPECT_THAT(complaint, HasSubstr("folder"));
}

TEST(GatekeeperConfig, UnknownKeyNamesTheNearest) {
  EXPECT_THAT(Complaint("[quote]\nselektion = \"sha256:0\"\n"),
              HasSubstr("did you mean quote.selection?"));
}

TEST(GatekeeperConfig, CredentialsAreNeverBoundToHearsay) {
  EXPECT_THAT(Complaint("[quote]\nselection = \"sha256:0-7\"\n"),
              HasSubstr("hosts do not quote: sha256:8-9,14"));
  EXPECT_THAT(Complaint("[quote]\nselection = "
                        "\"sha1:0-14+sha256:0-14\"\n[credential]\nseal_selection = \"sha1:0-7\"\n"),
              HasSubstr("other than SHA-1"));
  EXPECT_THAT(
      Complaint(
          "[quote]\nselection = \"sha256:0-16\"\n[credential]\nseal_selection = \"sha256:0,16\"\n"),
      HasSubstr("can reset registers"));
  EXPECT_THAT(Complaint("[credential]\ncap_register = 15\n"), HasSubstr("credential.cap_register"));
}

// A66: secrets across boots are bound as strongly as credentials.
TEST(GatekeeperConfig, A66_BootSecretsAreBoundToQuotedRegistersThatNobodyCanReset) {
  for (const auto& [selection, says] : std::vector<std::pair<std::string, std::string>>{
           {"sha256:0-9,15", "hosts do not quote: sha256:15"},
           {"sha1:0-7", "other than SHA-1"},
           {"sha256:0,16", "can reset registers"},
           {"sha256:", "credential.boot_secret_selection"},
           {"sha256:13", "cap register 13 is in the seal selection"}}) {
    EXPECT_THAT(Complaint("[quote]\nselection = \"sha1:0-7+sha256:0-14\"\n[credential]\n"
                          "cap_register = 13\nboot_secret_selection = \"" +
                          selection + "\"\n"),
                HasSubstr(says));
  }
}

TEST(GatekeeperConfig, TokensNeedAnIssuerThatCanBeAsked) {
  EXPECT_THAT(Complaint("[token]\nissuer = \"tokens.example\"\n"), HasSubstr("token.issuer"));
  EXPECT_THAT(Complaint("[token]\nissuer = \"https://t.example/\"\n"), HasSubstr("token.issuer"));
  EXPECT_THAT(Complaint("[token]\nalgorithm = \"HS256\"\n"), HasSubstr("token.algorithm"));
  EXPECT_THAT(Complaint("[http]\nenabled = false\n"), HasSubstr("token.issuer"));
  for (const char* bad : {"ftp://a", "https://a/", "a.example", "http://", "http://a b"}) {
    EXPECT_THAT(Complaint(std::string("[http]\npublic_url = \"") + bad + "\"\n"),
                HasSubstr("http.public_url"))
        << bad;
  }
  EXPECT_THAT(Complaint("[http]\nenabled = false\npublic_url = \"http://a\"\n"),
              HasSubstr("http.public_url"));
  EXPECT_THAT(Complaint("[http]\ncrl_lifetime = \"1s\"\n"), HasSubstr("http.crl_lifetime"));
  for (const char* fine : {"[token]\nissuer = \"https://t.example/a\"\n",
                           "[http]\nenabled = false\n[token]\nenabled = false\n",
                           "[http]\nenabled = false\n[token]\nissuer = \"https://t.example\"\n"}) {
    EXPECT_THAT(ParseConfig(std::string(kLeast) + fine, "g.toml"), IsOk()) << fine;
  }
}

TEST(GatekeeperConfig, LeastFileIsEnough) { EXPECT_THAT(ParseConfig(kLeast, "g.toml"), IsOk()); }

TEST(WeakOptions, AreToldOneByOneAndTheDefaultsAreNone) {
  Config config;
  EXPECT_EQ(WeakOptionsText(config), "");
  config.ek.mode = "chain";
  config.ek.cloud_ak = true;
  config.ek.revocation = "off";
  config.quote.runtime_extended = {11, 12};
  config.quote.allow_resettable = true;
  std::set<std::string> keys;
  for (const WeakOption& option : WeakOptions(config)) keys.insert(option.key);
  EXPECT_EQ(keys, (std::set<std::string>{"ek.mode", "ek.cloud_ak", "ek.revocation",
                                         "quote.allow_resettable", "quote.runtime_extended"}));
  EXPECT_THAT(WeakOptionsText(config), ::testing::HasSubstr("quote.runtime_extended = 11,12"));
}

TEST(GatekeeperConfig, ActionsAreOfCodesThatCanBeSoftened) {
  BG_ASSERT_OK_AND_ASSIGN(
      const Config config,
      ParseConfig(absl::StrCat(kLeast, "[actions]\nobserve = [\"IMA_OUTDATED\"]\n",
                               "restrict = [\"IMA_UNLISTED\"]\n"),
                  "g.toml"));
  EXPECT_EQ(softening::ActionOf(config.quarantine.actions, Reason::kImaOutdated), Action::kObserve);
  EXPECT_EQ(softening::ActionOf(config.quarantine.actions, Reason::kSecureBootOff),
            Action::kIsolate);
  const std::string weak = WeakOptionsText(config);
  EXPECT_THAT(weak, HasSubstr("actions.observe = IMA_OUTDATED: "));
  EXPECT_THAT(weak, HasSubstr("actions.restrict = IMA_UNLISTED: "));
}

TEST(GatekeeperConfig, ActionsThatMakeNoSenseAreRefusedWithTheirKey) {
  const std::string said = Complaint(
      "[actions]\ndefault = \"observe\"\nobserve = [\"NO_POLICY\", \"IMA_UNLISTD\"]\n"
      "restrict = [\"QUOTE_MAGIC\"]\n");
  EXPECT_THAT(said, HasSubstr("actions.default: 'observe'"));
  EXPECT_THAT(said, HasSubstr("actions.observe: NO_POLICY may not come to observe"));
  EXPECT_THAT(said, HasSubstr("actions.observe: 'IMA_UNLISTD' is no reason code"));
  EXPECT_THAT(said, HasSubstr("actions.restrict: QUOTE_MAGIC"));
}

TEST(GatekeeperConfig, ABrakeThatIsOffIsAWeakOption) {
  BG_ASSERT_OK_AND_ASSIGN(const Config config,
                          ParseConfig(absl::StrCat(kLeast, "[brake]\nmode = \"off\"\n"), "g.toml"));
  EXPECT_FALSE(config.quarantine.brake.on);
  EXPECT_THAT(WeakOptionsText(config), HasSubstr("brake.mode = off: "));
  EXPECT_THAT(Complaint("[brake]\nshare_percent = 0\n"), HasSubstr("brake.share_percent"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::app
