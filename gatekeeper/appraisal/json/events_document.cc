#include "gatekeeper/appraisal/json/events_document.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/eventlog/event_type.h"
#include "common/registers/bank.h"
#include "gatekeeper/appraisal/json/digest_names.h"
#include "gatekeeper/appraisal/json/ima_data.h"

namespace bootgate::gatekeeper::appraisal::json {
namespace {

using crypto::HashAlg;
using eventlog::Event;
using eventlog::Log;
using model::Member;
using model::Value;

constexpr uint32_t kImaRegister = 10;
constexpr absl::string_view kImaEvent = "IMA_MEASUREMENT_EVENT";

// The parts of an event that are made later.
enum class Part : uint64_t { kDigests, kProcessedData };

// What a deferred object is: log and event by number, a part of it. The IMA list is the log after
// the last boot log.
constexpr int kPartBits = 1, kEventBits = 32;

uint64_t KeyOf(size_t log, size_t event, Part part) {
  return (uint64_t{log} << kEventBits | event) << kPartBits | static_cast<uint64_t>(part);
}

bool IsProven(const ProvenBank& bank, const Event& event) {
  return event.untrusted_type != eventlog::kEvNoAction &&
         event.register_index < registers::kCount &&
         ((bank.registers >> event.register_index) & 1u) != 0;
}

// The type's name: of a table, so nothing is copied, but for a number without a name.
Value TypeValue(uint32_t number, model::Arena& arena) {
  const eventlog::EventType* const type = eventlog::FindEventType(number);
  return type != nullptr ? Value::String(type->name) : TextValue(eventlog::TypeName(number), arena);
}

// An object of members known beforehand: nothing in between.
template <size_t N>
Value ObjectOf(const std::array<Member, N>& members, size_t count, model::Arena& arena) {
  const absl::Span<Member> copy = arena.NewArray<Member>(count);
  if (copy.empty()) return {};
  std::copy_n(members.begin(), count, copy.begin());
  return Value::Object(copy);
}

}  // namespace

struct EventsDocument::Place {
  explicit Place(uint64_t key)
      : log(static_cast<size_t>(key >> (kPartBits + kEventBits))),
        event(static_cast<size_t>(key >> kPartBits & 0xffffffff)),
        part(static_cast<Part>(key & 1)) {}
  size_t log, event;
  Part part;
};

EventsDocument::EventsDocument(EventsInput input) : input_(std::move(input)) {}

bool EventsDocument::IsWanted(absl::string_view type) const {
  return !input_.types.has_value() ||
         std::ranges::binary_search(*input_.types, type, std::less<absl::string_view>());
}

bool EventsDocument::IsWanted(const Event& event) const {
  if (!input_.types.has_value()) return true;
  const eventlog::EventType* const type = eventlog::FindEventType(event.untrusted_type);
  return IsWanted(type != nullptr ? type->name : eventlog::TypeName(event.untrusted_type));
}

Value EventsDocument::Make(model::Arena& arena) const {
  const size_t entries = input_.ima == nullptr || !IsWanted(kImaEvent)
                             ? 0
                             : std::min(input_.ima_entries, input_.ima->entries().size());
  size_t count = entries;
  for (const Log* const log : input_.boot_logs) count += log->events().size();
  const absl::Span<Value> events = arena.NewArray<Value>(count);
  if (arena.exhausted()) return {};
  size_t made = 0;
  uint64_t sequence = 0;
  for (size_t log = 0; log < input_.boot_logs.size(); ++log) {
    for (const Event& event : input_.boot_logs[log]->events()) {
      const uint64_t number = sequence++;
      if (!IsWanted(event)) continue;
      events[made++] = BootEvent(number, log, event, arena);
      if (arena.exhausted()) return {};
    }
  }
  // Register 10 alone: the quote vouches for no entry of another one.
  for (size_t i = 0; i < entries; ++i) {
    const ima::Record record = input_.ima->entries().RecordAt(i);
    if (record.register_index != kImaRegister) continue;
    events[made++] = ImaEvent(sequence++, i, record, arena);
    if (arena.exhausted()) return {};
  }
  return ObjectOf<1>({Member{"Events", Value::Array(events.first(made))}}, 1, arena);
}

Value EventsDocument::BootEvent(uint64_t sequence, size_t log, const Event& event,
                                model::Arena& arena) const {
  const Standing standing = StandingOf(*input_.boot_logs[log], event);
  std::array<Member, 8> members = {{
      {"EventSeq", NumberValue(sequence, arena)},
      {"PcrIndex", NumberValue(event.register_index, arena)},
      {"EventTypeString", TypeValue(event.untrusted_type, arena)},
      {"EventType", NumberValue(event.untrusted_type, arena)},
      {"Digests", Value::Deferred(*this, KeyOf(log, event.number, Part::kDigests), arena)},
      {"EventSize", NumberValue(event.data.size(), arena)},
  }};
  size_t count = 6;
  if (standing != Standing::kNotAsked)
    members[count++] = {"DataVerified", Value::Bool(standing == Standing::kProven)};
  members[count++] = {
      "ProcessedData",
      Value::Deferred(*this, KeyOf(log, event.number, Part::kProcessedData), arena)};
  return ObjectOf(members, count, arena);
}

Value EventsDocument::ImaEvent(uint64_t sequence, size_t number, const ima::Record& record,
                               model::Arena& arena) const {
  const size_t log = input_.boot_logs.size();
  std::array<Member, 7> members = {{
      {"EventSeq", NumberValue(sequence, arena)},
      {"PcrIndex", NumberValue(record.register_index, arena)},
      {"EventTypeString", Value::String(kImaEvent)},
      {"Digests", Value::Deferred(*this, KeyOf(log, number, Part::kDigests), arena)},
      {"EventSize", NumberValue(record.template_data.size(), arena)},
  }};
  size_t count = 5;
  if (input_.proven.has_value())
    members[count++] = {"DataVerified", Value::Bool(!record.violation)};
  members[count++] = {"ProcessedData",
                      Value::Deferred(*this, KeyOf(log, number, Part::kProcessedData), arena)};
  return ObjectOf(members, count, arena);
}

absl::Span<const Member> EventsDocument::MakeMembers(uint64_t key, model::Arena& arena) const {
  const Place place(key);
  model::ObjectBuilder out(arena);
  if (place.log < input_.boot_logs.size()) {
    const Log& log = *input_.boot_logs[place.log];
    const Event& event = log.events()[place.event];
    if (place.part == Part::kDigests) {
      AddDigests(log, event, arena, out);
    } else {
      AddProcessedData(event, StandingOf(log, event), arena, out);
    }
  } else {
    const ima::Entry entry = input_.ima->entries()[place.event];
    if (place.part == Part::kProcessedData) {
      AddImaData(entry, arena, out);
    } else if (!entry.violation) {
      out.Add(DigestName(HashAlg::kSha1), HexValue(entry.listed_digest, arena));
    }
  }
  return out.FinishMembers();
}

void EventsDocument::AddDigests(const Log& log, const Event& event, model::Arena& arena,
                                model::ObjectBuilder& out) const {
  const auto add = [&](HashAlg alg) {
    const std::optional<ByteView> digest = log.DigestOf(event, alg);
    if (digest.has_value()) out.Add(DigestName(alg), HexValue(*digest, arena));
  };
  if (input_.proven.has_value()) {
    for (const ProvenBank& bank : *input_.proven) {
      if (IsProven(bank, event)) add(bank.alg);
    }
  } else {
    for (const HashAlg alg : log.banks()) add(alg);
  }
}

// Each bank that proves the register must say the same.
Standing EventsDocument::StandingOf(const Log& log, const Event& event) const {
  if (!input_.proven.has_value()) return Standing::kNotAsked;
  bool proven = false;
  for (const ProvenBank& bank : *input_.proven) {
    if (!IsProven(bank, event)) continue;
    if (eventlog::CoverageOf(log, event, bank.alg) != eventlog::Coverage::kCovered)
      return Standing::kUnproven;
    proven = true;
  }
  return proven ? Standing::kProven : Standing::kUnproven;
}

}  // namespace bootgate::gatekeeper::appraisal::json
