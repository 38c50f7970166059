// Secure Boot as the log tells it (fact_reader.h).
#include <map>
#include <string>

#include "absl/strings/numbers.h"
#include "common/base/hex.h"
#include "common/eventlog/decode/authority.h"
#include "common/eventlog/decode/dbx_history.h"
#include "common/eventlog/decode/known_certificates.h"
#include "common/eventlog/decode/secure_boot.h"
#include "common/eventlog/decode/shim.h"
#include "common/eventlog/decode/signature_list.h"
#include "common/eventlog/decode/uefi_text.h"
#include "common/eventlog/decode/variable.h"
#include "common/eventlog/event_type.h"
#include "gatekeeper/appraisal/tpm_boot/certificate_memo.h"
#include "gatekeeper/appraisal/tpm_boot/context.h"
#include "gatekeeper/appraisal/tpm_boot/fact_reader.h"
#include "gatekeeper/appraisal/tpm_boot/secure_boot_rules.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

using eventlog::Event;
using eventlog::SignatureEntry;
using eventlog::SignatureKind;

constexpr size_t kDayLength = 10;        // "2023-05-09"
constexpr size_t kMaxKeyEntries = 1024;  // of all lists; what follows is not listed

std::string Day(const std::string& time) { return time.substr(0, kDayLength); }

crypto::Digest Fingerprint(const SignatureEntry& entry) {
  return crypto::Hash(crypto::HashAlg::kSha256, entry.value);
}

KeyEntry Describe(absl::string_view list, const SignatureEntry& entry) {
  KeyEntry key;
  key.list = std::string(list);
  key.owner = eventlog::GuidText(entry.owner);
  key.certificate = entry.kind == SignatureKind::kX509;
  if (!key.certificate) {
    key.fingerprint = ToHex(entry.value);
    return key;
  }
  const crypto::Digest digest = Fingerprint(entry);
  key.fingerprint = digest.hex();
  static CertificateMemo& memo = *new CertificateMemo;  // of facts alone: nothing hangs on it
  if (const auto facts = memo.Read(digest, entry.value)) {
    key.subject = facts->subject;
    key.issuer = facts->issuer;
    key.not_before = Day(facts->not_before);
    key.not_after = Day(facts->not_after);
  }
  if (const auto* known = eventlog::FindKnownCertificate(digest.view())) {
    key.known = std::string(known->name);
    key.test_key = known->origin == eventlog::CertificateOrigin::kTest;
  }
  return key;
}

class SecureBootReader {
 public:
  SecureBootReader(const FactReader& reader, BootFacts* out) : reader_(reader), out_(*out) {}

  void Run() {
    CountVariables();
    for (const Event& event : reader_.log().events()) {
      if (!event.Extends()) continue;
      if (IsSecureBootConfiguration(event)) {
        ReadConfiguration(event);
      } else if (event.untrusted_type == eventlog::kEvEfiVariableAuthority) {
        ReadAuthority(event);
      }
      ReadShim(event);
    }
  }

 private:
  // A variable that was measured twice, or after the firmware's phase, tells nothing for certain.
  void CountVariables() {
    for (const Event& event : reader_.log().events()) {
      if (event.register_index != kSecureBootRegister) continue;
      if (event.untrusted_type == eventlog::kEvSeparator && !separator_) separator_ = event.number;
      if (IsSecureBootConfiguration(event)) ++counts_[NameOf(event)];
    }
  }

  static absl::string_view NameOf(const Event& event) {
    return SecureBootVariableName(*eventlog::DecodeUefiVariable(event));
  }

  bool IsCertain(const Event& event) const {
    return counts_.at(NameOf(event)) == 1 && (!separator_ || event.number < *separator_);
  }

  void ReadConfiguration(const Event& event) {
    const auto variable = eventlog::DecodeUefiVariable(event);
    const absl::string_view name = SecureBootVariableName(*variable);
    const bool verified = reader_.IsProven(event) && reader_.IsCovered(event) && IsCertain(event);
    if (name == "SecureBoot") return ReadState(event, variable->data, verified);
    const eventlog::SignatureLists lists = eventlog::SignatureLists::Read(variable->data);
    if (!lists.ok()) return;
    if (name == "dbx") {
      const eventlog::DbxAge age = eventlog::AgeOfDbx(lists);
      out_.dbx =
          FactReader::Make(event, Revocations{lists.size(), std::string(age.newest)}, verified);
    } else if (name == "PK" || name == "KEK" || name == "db") {
      ReadKeys(event, name, lists, verified);
    }
  }

  void ReadState(const Event& event, ByteView data, bool verified) {
    if (data.size() != 1 || data[0] > 1) return;
    verified = verified && eventlog::SecureBootState(reader_.log(), reader_.bank()).has_value();
    out_.secure_boot = FactReader::Make(event, data[0] == 1, verified);
  }

  void ReadKeys(const Event& event, absl::string_view list, const eventlog::SignatureLists& lists,
                bool verified) {
    for (const SignatureEntry& entry : lists) {
      out_.all_keys_listed = out_.keys.size() < kMaxKeyEntries;
      if (!out_.all_keys_listed) return;
      out_.keys.push_back(FactReader::Make(event, Describe(list, entry), verified));
    }
  }

  // Shim measures its levels and switches as authorities too: they let nothing run.
  static bool IsKeyOrHash(const Event& event) {
    const auto shim = eventlog::DecodeShimEvent(event);
    if (!shim) return true;
    return shim->item == eventlog::ShimItem::kMokList || shim->item == eventlog::ShimItem::kShim ||
           shim->item == eventlog::ShimItem::kVendorDb;
  }

  void ReadAuthority(const Event& event) {
    const auto authority = eventlog::DecodeAuthority(event);
    if (!authority || !authority->signature || !IsKeyOrHash(event)) return;
    if (out_.authorities.size() >= kMaxKeyEntries) return;
    const KeyEntry key = Describe(authority->variable, *authority->signature);
    out_.authorities.push_back(reader_.FromData(
        event, Authority{Printable(key.list), key.subject, key.fingerprint, key.known}));
  }

  void ReadShim(const Event& event) {
    const auto shim = eventlog::DecodeShimEvent(event);
    if (!shim || !shim->has_data) return;
    if (shim->item == eventlog::ShimItem::kSbatLevel) {
      const auto level = eventlog::ReadSbatLevel(shim->data);
      int64_t day = 0;
      if (level && absl::SimpleAtoi(level->day, &day))
        out_.sbat_level = reader_.FromData(event, day);
    } else if (shim->item == eventlog::ShimItem::kMokList &&
               event.untrusted_type == eventlog::kEvEfiVariableDriverConfig) {
      const eventlog::SignatureLists lists = eventlog::SignatureLists::Read(shim->data);
      ReadKeys(event, "MokList", lists, reader_.IsProven(event) && reader_.IsCovered(event));
    }
  }

  const FactReader& reader_;
  BootFacts& out_;
  std::optional<uint32_t> separator_;  // number of PCR 7's first
  std::map<absl::string_view, size_t> counts_;
};

}  // namespace

void ReadSecureBootFacts(const FactReader& reader, BootFacts* out) {
  SecureBootReader(reader, out).Run();
}

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
