#include "gatekeeper/appraisal/tpm_boot/event_rules.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/writer.h"
#include "common/eventlog/decode/separator.h"
#include "common/eventlog/event_type.h"
#include "gatekeeper/appraisal/tpm_boot/event_notes.h"
#include "gatekeeper/appraisal/tpm_boot/secure_boot_rules.h"
#include "gatekeeper/appraisal/tpm_boot/type_rules.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

using eventlog::Event;

class OrderCheck {
 public:
  OrderCheck(const Context& context, uint32_t proven)
      : context_(context),
        proven_(proven),
        legacy_(context.log.format() == eventlog::Format::kLegacySha1),
        notes_(context.notes) {}

  void Run() {
    for (const Event& event : context_.log.events()) {
      if (!Has(proven_, event.register_index) || !event.Extends() ||
          event.register_index == kImaRegister) {
        continue;
      }
      if (CheckType(event) && event.register_index < kFirmwareRegisters) CheckOrder(event);
    }
    for (uint32_t i = 0; i < kFirmwareRegisters; ++i) CheckSeparated(i);
  }

 private:
  // Where a type does not belong, its order is no question any more.
  bool CheckType(const Event& event) {
    const Place place = PlaceOf(event.untrusted_type, event.register_index, legacy_);
    if (place == Place::kFits) return true;
    const std::string name = eventlog::TypeName(event.untrusted_type);
    notes_.Say(Reason::kLogUnexpectedType, Severity::kFail, event,
               place == Place::kUnknownType
                   ? absl::StrCat("Event ", event.number, " of PCR ", event.register_index,
                                  " has type ", name, ", which no specification knows.")
                   : absl::StrCat("Event ", event.number, " has type ", name,
                                  ", which does not belong into PCR ", event.register_index, "."));
    return false;
  }

  void CheckOrder(const Event& event) {
    size_t& separators = separators_[event.register_index];
    if (event.register_index == kSecureBootRegister) CheckDisguise(event);
    if (event.untrusted_type == eventlog::kEvSeparator) {
      CheckSeparator(event);
      ++separators;
    } else if (separators != 0) {
      CheckAfter(event);
    }
  }

  // Whoever rules the system after the firmware could tell PCR 7's history a second time, if the
  // first one and its end passed for something else that the same digests cover.
  void CheckDisguise(const Event& event) {
    const std::string name = eventlog::TypeName(event.untrusted_type);
    if (IsHiddenSeparator(event)) {
      notes_.Say(Reason::kLogSeparator, Severity::kFail, event,
                 absl::StrCat("Event ", event.number,
                              " of PCR 7 has a separator's digest under type ", name, "."));
    } else if (IsActionWithoutText(event)) {
      notes_.Say(
          Reason::kLogUnexpectedType, Severity::kFail, event,
          absl::StrCat("Event ", event.number, " has type ", name, ", but its data is no text."));
    }
  }

  bool IsHiddenSeparator(const Event& event) const {
    if (event.untrusted_type == eventlog::kEvSeparator) return false;
    return std::ranges::any_of(separator_digests_, [&](const crypto::Digest& separator) {
      const auto digest = context_.log.DigestOf(event, separator.alg());
      return digest.has_value() && SameBytes(*digest, separator.view());
    });
  }

  static bool IsActionWithoutText(const Event& event) {
    if (event.untrusted_type != eventlog::kEvEfiAction) return false;
    absl::string_view text = AsText(event.data);
    if (!text.empty() && text.back() == '\0') text.remove_suffix(1);
    return !std::ranges::all_of(
        text, [](char c) { return absl::ascii_isprint(static_cast<unsigned char>(c)); });
  }

  static std::vector<crypto::Digest> SeparatorDigests(const eventlog::Log& log) {
    std::vector<crypto::Digest> digests;
    for (const crypto::HashAlg alg : log.banks()) {
      for (const uint32_t value : {0u, 1u, 0xffffffffu}) {
        bytes::Writer data;
        digests.push_back(crypto::Hash(alg, data.U32Le(value).view()));
      }
    }
    return digests;
  }

  void CheckSeparator(const Event& event) {
    const eventlog::SeparatorKind kind = eventlog::DecodeSeparator(event.data);
    if (separators_[event.register_index] != 0) {
      notes_.Say(Reason::kLogSeparator, Severity::kFail, event,
                 absl::StrCat("PCR ", event.register_index, " has a second separator (event ",
                              event.number, ")."));
    } else if (kind == eventlog::SeparatorKind::kError) {
      notes_.Say(
          Reason::kLogSeparator, Severity::kFail, event,
          absl::StrCat("PCR ", event.register_index,
                       " has an error separator: the firmware failed to measure what followed."));
    } else if (kind != eventlog::SeparatorKind::kZeros && kind != eventlog::SeparatorKind::kOnes) {
      notes_.Say(Reason::kLogSeparator, Severity::kFail, event,
                 absl::StrCat("The separator of PCR ", event.register_index,
                              " has a value that no firmware writes."));
    }
  }

  void CheckAfter(const Event& event) {
    After after = AfterSeparator(event.untrusted_type, event.register_index);
    if (event.register_index == kSecureBootRegister &&
        event.untrusted_type == eventlog::kEvEfiVariableDriverConfig && !IsShimVariable(event)) {
      after = After::kRefused;
    }
    if (after == After::kAllowed) return;
    const std::string name = eventlog::TypeName(event.untrusted_type);
    if (after == After::kUnusual) {
      notes_.Say(
          Reason::kLogAfterSeparator, Severity::kWarning, event,
          absl::StrCat("A driver (", name, ") was started after the firmware's phase ended."));
    } else {
      notes_.Say(Reason::kLogAfterSeparator, Severity::kFail, event,
                 absl::StrCat("Event ", event.number, " (", name, ") of PCR ", event.register_index,
                              " stands after the separator: it is not of the firmware's phase."));
    }
  }

  void CheckSeparated(uint32_t index) {
    if (!Has(proven_, index) || separators_[index] != 0) return;
    Finding& finding = context_.notes.Add(
        Reason::kLogSeparator, Severity::kFail,
        absl::StrCat("PCR ", index,
                     " has no separator: what followed the firmware could finish its history."));
    finding.register_index = index;
  }

  const Context& context_;
  const uint32_t proven_;
  const bool legacy_;
  const std::vector<crypto::Digest> separator_digests_ = SeparatorDigests(context_.log);
  std::array<size_t, kFirmwareRegisters> separators_{};
  EventNotes notes_;
};

}  // namespace

void CheckEventOrder(const Context& context, uint32_t proven) { OrderCheck(context, proven).Run(); }

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
