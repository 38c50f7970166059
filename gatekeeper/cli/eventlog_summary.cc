#include "gatekeeper/cli/eventlog_summary.h"

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "gatekeeper/appraisal/tpm_boot/facts.h"
#include "gatekeeper/diagnosis/causes.h"

namespace bootgate::gatekeeper::cli {
namespace {

using appraisal::tpm_boot::Authority;
using appraisal::tpm_boot::BootFacts;
using appraisal::tpm_boot::Effect;
using appraisal::tpm_boot::Fact;
using appraisal::tpm_boot::Image;
using appraisal::tpm_boot::KernelOption;
using appraisal::tpm_boot::KeyEntry;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr uint32_t kAllRegisters = 0xffffff;  // without a quote: what the log would prove
constexpr size_t kShownDigest = 16;           // hexadecimal digits

class Lines {
 public:
  template <typename T>
  void Add(const std::string& key, const Fact<T>& fact, absl::string_view value) {
    AddText(key, absl::StrCat(value, fact.verified ? "" : "  (no digest covers this)"));
  }
  void AddText(const std::string& key, std::string value) {
    pairs_.emplace_back(key, std::move(value));
  }
  Pairs Take() { return std::move(pairs_); }

 private:
  Pairs pairs_;
};

std::string Short(const std::string& digest) { return digest.substr(0, kShownDigest); }

std::string SayKey(const KeyEntry& key) {
  if (!key.certificate) return absl::StrCat("digest of an image ", key.fingerprint);
  const std::string validity =
      key.not_before.empty() ? "" : absl::StrCat(", ", key.not_before, " to ", key.not_after);
  return absl::StrCat(key.subject.empty() ? "a certificate that cannot be read" : key.subject,
                      ", SHA-256 ", key.fingerprint, validity,
                      key.known.empty() ? ", not known to us" : absl::StrCat(", ", key.known),
                      key.test_key ? ", A PUBLISHED TEST KEY" : "");
}

std::string SayImage(const Image& image) {
  return absl::StrCat(image.path.empty() ? "(without a path)" : image.path, ", ",
                      image.size == 0 ? "" : absl::StrCat(image.size, " bytes, "), "digest ",
                      Short(image.digest));
}

std::string SayAuthority(const Authority& authority) {
  return absl::StrCat(authority.list, ": ",
                      authority.subject.empty() ? Short(authority.fingerprint) : authority.subject,
                      authority.known.empty() ? "" : absl::StrCat(", ", authority.known));
}

std::string SayOption(const KernelOption& option) {
  const char* const effect = option.effect == Effect::kWeakens       ? "weakens: "
                             : option.effect == Effect::kStrengthens ? "strengthens: "
                                                                     : "";
  return absl::StrCat(option.text, "  ", effect, option.meaning);
}

void AddSecureBoot(const BootFacts& facts, Lines* lines) {
  if (facts.secure_boot) {
    lines->Add("Secure Boot", *facts.secure_boot, facts.secure_boot->value ? "on" : "off");
  } else {
    lines->AddText("Secure Boot", "the log does not say");
  }
  for (const auto& key : facts.keys) lines->Add(key.value.list, key, SayKey(key.value));
  if (facts.dbx) {
    const auto& dbx = facts.dbx->value;
    lines->Add(
        "dbx", *facts.dbx,
        absl::StrCat(dbx.entries, dbx.entries == 1 ? " entry" : " entries",
                     dbx.newest_entry.empty()
                         ? ", none of a published list"
                         : absl::StrCat(", the newest published one of ", dbx.newest_entry)));
  }
  if (facts.sbat_level) {
    lines->Add("SBAT level", *facts.sbat_level, absl::StrCat(facts.sbat_level->value));
  }
  for (const auto& row : facts.authorities) lines->Add("allowed by", row, SayAuthority(row.value));
}

void AddCode(const BootFacts& facts, Lines* lines) {
  for (const auto& image : facts.loaders)
    lines->Add("EFI application", image, SayImage(image.value));
  for (const auto& image : facts.kernels) lines->Add("kernel", image, SayImage(image.value));
  for (const auto& image : facts.initrds) lines->Add("initrd", image, SayImage(image.value));
  for (const auto& text : facts.command_lines) {
    lines->Add("command line", text, Printable(text.value, 4096));
  }
  for (const auto& option : facts.kernel_options) {
    lines->Add("kernel option", option, SayOption(option.value));
  }
  for (const auto& action : facts.actions) lines->Add("action", action, action.value);
}

}  // namespace

Pairs SummaryOf(const eventlog::Log& log, crypto::HashAlg bank) {
  const BootFacts facts = appraisal::tpm_boot::ReadBootFacts(log, bank, kAllRegisters);
  Lines lines;
  lines.AddText("boot chain", diagnosis::BootChain(log));
  AddSecureBoot(facts, &lines);
  AddCode(facts, &lines);
  return lines.Take();
}

}  // namespace bootgate::gatekeeper::cli
