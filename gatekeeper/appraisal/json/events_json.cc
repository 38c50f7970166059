#include "gatekeeper/appraisal/json/events_json.h"

#include <algorithm>

#include "common/eventlog/coverage.h"
#include "common/eventlog/event_type.h"
#include "gatekeeper/appraisal/json/digest_names.h"
#include "gatekeeper/appraisal/json/ima_json.h"
#include "gatekeeper/appraisal/json/json_text.h"
#include "gatekeeper/appraisal/json/processed_data.h"

namespace bootgate::gatekeeper::appraisal::json {
namespace {

using crypto::HashAlg;
using eventlog::Event;
using eventlog::Log;

constexpr uint32_t kImaRegister = 10;
// What one event is long besides its data and digests, and how much of a log ends up in the text:
// a first guess of the size, so that the text is not moved often.
constexpr size_t kEventOverhead = 256;  // bytes

class EventsWriter {
 public:
  EventsWriter(const EventsInput& input, size_t max_bytes) : input_(input), max_bytes_(max_bytes) {}

  std::optional<std::string> Run() {
    out_.Reserve(Guess());
    out_.BeginObject();
    out_.Key("Events");
    out_.BeginArray();
    for (const Log* const log : input_.boot_logs) {
      if (!BootLog(*log)) return std::nullopt;
    }
    if (input_.ima != nullptr && !ImaList()) return std::nullopt;
    out_.EndArray();
    out_.EndObject();
    return out_.Finish();
  }

 private:
  size_t Guess() const {
    size_t bytes = 0;
    for (const Log* const log : input_.boot_logs) {
      for (const Event& event : log->events()) bytes += kEventOverhead + event.data.size() * 3 / 2;
    }
    bytes += kEventOverhead * 2 * input_.ima_entries;
    return std::min(bytes, max_bytes_);
  }

  bool BootLog(const Log& log) {
    for (const Event& event : log.events()) {
      BootEvent(log, event);
      if (out_.size() > max_bytes_) return false;
    }
    return true;
  }

  // Register 10 alone: it vouches for no entry of another one.
  bool ImaList() {
    const auto& entries = input_.ima->entries();
    const size_t count = std::min(input_.ima_entries, entries.size());
    for (size_t i = 0; i < count; ++i) {
      if (entries[i].register_index == kImaRegister) ImaEvent(entries[i]);
      if (out_.size() > max_bytes_) return false;
    }
    return true;
  }

  void Head(uint32_t register_index, absl::string_view type) {
    out_.BeginObject();
    out_.Key("EventSeq");
    out_.Number(sequence_++);
    out_.Key("PcrIndex");
    out_.Number(register_index);
    out_.Key("EventTypeString");
    out_.String(type);
  }

  void BootEvent(const Log& log, const Event& event) {
    const eventlog::EventType* const type = eventlog::FindEventType(event.untrusted_type);
    Head(event.register_index,
         type != nullptr ? type->name : eventlog::TypeName(event.untrusted_type));
    out_.Key("EventType");
    out_.Number(event.untrusted_type);
    out_.Key("Digests");
    Digests(log, event);
    out_.Key("EventSize");
    out_.Number(event.data.size());
    const Standing standing = StandingOf(log, event);
    if (standing != Standing::kNotAsked) {
      out_.Key("DataVerified");
      out_.Boolean(standing == Standing::kProven);
    }
    out_.Key("ProcessedData");
    AppendProcessedData(event, standing, out_);
    out_.EndObject();
  }

  static bool IsProven(const ProvenBank& bank, const Event& event) {
    return event.untrusted_type != eventlog::kEvNoAction &&
           event.register_index < registers::kCount &&
           ((bank.registers >> event.register_index) & 1u) != 0;
  }

  void Digest(const Log& log, const Event& event, HashAlg alg) {
    const std::optional<ByteView> digest = log.DigestOf(event, alg);
    if (!digest.has_value()) return;
    out_.Key(DigestName(alg));
    out_.Hex(*digest);
  }

  void Digests(const Log& log, const Event& event) {
    out_.BeginObject();
    if (input_.proven.has_value()) {
      for (const ProvenBank& bank : *input_.proven) {
        if (IsProven(bank, event)) Digest(log, event, bank.alg);
      }
    } else {
      for (const HashAlg alg : log.banks()) Digest(log, event, alg);
    }
    out_.EndObject();
  }

  // Each bank that proves the register must say the same.
  Standing StandingOf(const Log& log, const Event& event) const {
    if (!input_.proven.has_value()) return Standing::kNotAsked;
    bool proven = false;
    for (const ProvenBank& bank : *input_.proven) {
      if (!IsProven(bank, event)) continue;
      if (eventlog::CoverageOf(log, event, bank.alg) != eventlog::Coverage::kCovered) {
        return Standing::kUnproven;
      }
      proven = true;
    }
    return proven ? Standing::kProven : Standing::kUnproven;
  }

  void ImaEvent(const ima::Entry& entry) {
    Head(entry.register_index, "IMA_MEASUREMENT_EVENT");
    out_.Key("Digests");
    out_.BeginObject();
    if (!entry.violation) {
      out_.Key(DigestName(HashAlg::kSha1));
      out_.Hex(entry.listed_digest);
    }
    out_.EndObject();
    out_.Key("EventSize");
    out_.Number(entry.template_data.size());
    if (input_.proven.has_value()) {
      out_.Key("DataVerified");
      out_.Boolean(!entry.violation);
    }
    out_.Key("ProcessedData");
    AppendImaData(entry, out_);
    out_.EndObject();
  }

  const EventsInput& input_;
  const size_t max_bytes_;
  uint64_t sequence_ = 0;
  JsonText out_;
};

}  // namespace

std::optional<std::string> EventsJson(const EventsInput& input, size_t max_bytes) {
  return EventsWriter(input, max_bytes).Run();
}

std::optional<std::string> EventsJson(const Log& log) {
  EventsInput input;
  input.boot_logs = {&log};
  return EventsJson(input);
}

std::string PcrsJson(std::span<const registers::RegisterBank> banks) {
  JsonText out;
  out.BeginObject();
  out.Key("PCRs");
  out.BeginArray();
  for (uint32_t index = 0; index < registers::kCount; ++index) {
    if (std::ranges::none_of(banks, [&](const auto& bank) { return bank.Has(index); })) continue;
    out.BeginObject();
    out.Key("Index");
    out.Number(index);
    out.Key("Digests");
    out.BeginObject();
    for (const registers::RegisterBank& bank : banks) {
      const std::optional<crypto::Digest> value = bank.Get(index);
      if (!value.has_value()) continue;
      out.Key(DigestName(bank.alg()));
      out.Hex(value->view());
    }
    out.EndObject();
    out.EndObject();
  }
  out.EndArray();
  out.EndObject();
  return out.Finish();
}

}  // namespace bootgate::gatekeeper::appraisal::json
