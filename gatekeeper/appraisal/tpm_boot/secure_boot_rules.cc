#include "gatekeeper/appraisal/tpm_boot/secure_boot_rules.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/eventlog/decode/signature_list.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/uefi_variable.h"
#include "gatekeeper/appraisal/tpm_boot/event_notes.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

using eventlog::Event;
using eventlog::UefiVariable;

constexpr absl::string_view kGlobalGuid = "8BE4DF61-93CA-11D2-AA0D-00E098032B8C";
constexpr absl::string_view kImageSecurityGuid = "D719B2CB-3D3A-4596-A3BC-DAD00E67656F";
constexpr absl::string_view kShimGuid = "605DAB50-E046-4300-ABB6-3DD810DD8B23";

struct Named {
  absl::string_view name;
  absl::string_view guid;
  bool signature_lists;
};
constexpr Named kVariables[] = {
    {"SecureBoot", kGlobalGuid, false}, {"PK", kGlobalGuid, true},
    {"KEK", kGlobalGuid, true},         {"db", kImageSecurityGuid, true},
    {"dbx", kImageSecurityGuid, true},  {"dbt", kImageSecurityGuid, true},
    {"dbr", kImageSecurityGuid, true},
};

const Named* Find(const UefiVariable& variable) {
  for (const Named& row : kVariables) {
    if (row.name == variable.name && row.guid == variable.guid) return &row;
  }
  return nullptr;
}

// The name of a variable of PCR 7 decides what Secure Boot was: it must be one name only.
bool HoldsNul(const UefiVariable& variable) {
  return variable.name.find('\0') != std::string::npos;
}

class VariableCheck {
 public:
  VariableCheck(const Context& context, uint32_t proven)
      : context_(context), proven_(proven), notes_(context.notes) {}

  void Run() {
    for (const Event& event : context_.log.events()) {
      if (!Has(proven_ & kFirmwareMask, event.register_index)) continue;
      if (eventlog::IsUefiVariable(event.untrusted_type)) CheckEvent(event);
    }
  }

 private:
  void CheckEvent(const Event& event) {
    if (!eventlog::SplitUefiVariable(event.data)) {
      notes_.Say(Reason::kLogUnexpectedType, Severity::kFail, event,
                 absl::StrCat("Event ", event.number, " has type ",
                              eventlog::TypeName(event.untrusted_type),
                              ", but its data is no UEFI variable."));
      return;
    }
    const auto variable = eventlog::DecodeUefiVariable(event);
    if (!variable || (event.register_index == kSecureBootRegister && HoldsNul(*variable))) {
      notes_.Say(Reason::kLogString, Severity::kFail, event,
                 absl::StrCat("The variable's name in event ", event.number,
                              " is no UTF-16 or holds a NUL: what it names cannot be told."));
      return;
    }
    const Named* const named = Find(*variable);
    if (event.register_index == kSecureBootRegister && HidesAuthority(event, *variable, named)) {
      notes_.Say(Reason::kLogUnexpectedType, Severity::kFail, event,
                 absl::StrCat("Event ", event.number, " has type ",
                              eventlog::TypeName(event.untrusted_type),
                              ", but its data is of an authority, or of configuration."));
      return;
    }
    if (named == nullptr) return;
    if (IsSecureBootConfiguration(event)) {
      CheckNamed(event, *variable, *named);
    } else if (event.register_index == kSecureBootRegister && IsConfiguration(*variable, *named)) {
      notes_.Say(Reason::kLogUnexpectedType, Severity::kFail, event,
                 absl::StrCat("Event ", event.number, " has type ",
                              eventlog::TypeName(event.untrusted_type), ", but it holds ",
                              named->name, ", which is configuration."));
    }
  }

  // Key lists and shim's variables are no device's, and what let an image run is no configuration
  // of shim's.
  static bool HidesAuthority(const Event& event, const UefiVariable& variable, const Named* named) {
    const bool of_shim = variable.guid == kShimGuid;
    if (event.untrusted_type == eventlog::kEvEfiSpdmDevicePolicy ||
        event.untrusted_type == eventlog::kEvEfiSpdmDeviceAuthority) {
      return named != nullptr || of_shim;
    }
    return event.untrusted_type == eventlog::kEvEfiVariableDriverConfig && of_shim &&
           IsCertificate(variable.data);
  }

  // With its owner in front, or alone.
  static bool IsCertificate(ByteView data) {
    constexpr size_t kOwner = 16;  // bytes
    return eventlog::LooksLikeCertificate(data) ||
           (data.size() > kOwner && eventlog::LooksLikeCertificate(data.subspan(kOwner)));
  }

  // What an authority cannot be: it is one entry of a list, never a state or a whole list. The same
  // digest covers the record under any type.
  static bool IsConfiguration(const UefiVariable& variable, const Named& named) {
    if (!named.signature_lists || named.guid == kGlobalGuid) return true;  // SecureBoot, PK, KEK
    const eventlog::SignatureLists lists = eventlog::SignatureLists::Read(variable.data);
    return lists.ok();  // of an empty list, too
  }

  void CheckNamed(const Event& event, const UefiVariable& variable, const Named& named) {
    const auto [first, inserted] = seen_.emplace(named.name, event.number);
    if (!inserted) {
      notes_.Say(
          Reason::kLogSbDuplicate, Severity::kFail, event,
          absl::StrCat(named.name, " was measured by event ", first->second, " and again by event ",
                       event.number, ": which one counted cannot be told."));
    }
    if (!named.signature_lists) return;
    const eventlog::SignatureLists lists = eventlog::SignatureLists::Read(variable.data);
    if (lists.ok()) return;
    notes_.Say(Reason::kLogEsl, Severity::kFail, event,
               absl::StrCat(named.name, " is malformed (", Printable(lists.problem()),
                            "); nothing of it was used."));
  }

  const Context& context_;
  const uint32_t proven_;
  std::map<absl::string_view, uint32_t> seen_;
  EventNotes notes_;
};

}  // namespace

absl::string_view SecureBootVariableName(const UefiVariable& variable) {
  const Named* const row = Find(variable);
  return row == nullptr ? "" : row->name;
}

bool IsSecureBootConfiguration(const Event& event) {
  if (event.register_index != kSecureBootRegister ||
      event.untrusted_type != eventlog::kEvEfiVariableDriverConfig) {
    return false;
  }
  const auto variable = eventlog::DecodeUefiVariable(event);
  return variable && Find(*variable) != nullptr;
}

bool IsShimVariable(const Event& event) {
  const auto variable = eventlog::DecodeUefiVariable(event);
  return variable && variable->guid == kShimGuid;
}

void CheckVariables(const Context& context, uint32_t proven) {
  VariableCheck(context, proven).Run();
}

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
