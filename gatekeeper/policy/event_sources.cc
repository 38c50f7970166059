#include "gatekeeper/policy/event_sources.h"

#include <algorithm>

namespace bootgate::gatekeeper::policy {
namespace {

constexpr size_t kMaxParts = 1'000'000;  // that are looked at, of one document or value
constexpr int64_t kSeveral = -1;         // memory that parts of several events share
constexpr absl::string_view kEvents = "Events", kEventSeq = "EventSeq";

const void* MemoryOf(const json::Value& value) {
  if (value.is_string()) return value.text().empty() ? nullptr : value.text().data();
  if (value.is_array()) return value.items().empty() ? nullptr : value.items().data();
  if (!value.is_object() || value.is_waiting()) return nullptr;
  return value.members().empty() ? nullptr : value.members().data();
}

// Visits the value and all that is in it; `visit` says whether to look inside. No recursion.
template <typename Visit>
void Walk(const json::Value& root, Visit visit) {
  std::vector<const json::Value*> left = {&root};
  for (size_t seen = 0; !left.empty() && seen < kMaxParts; ++seen) {
    const json::Value& value = *left.back();
    left.pop_back();
    if (!visit(value)) continue;
    if (value.is_array()) {
      for (const json::Value& item : value.items()) left.push_back(&item);
    } else if (value.is_object() && !value.is_waiting()) {
      for (const json::Member& member : value.members()) left.push_back(&member.value);
    }
  }
}

}  // namespace

void EventSources::Add(const json::Value& document) {
  if (!document.is_object() || document.is_waiting()) return;
  const json::Value* const events = document.Find(kEvents);
  if (events == nullptr || !events->is_array()) return;
  for (const json::Value& event : events->items()) {
    if (!event.is_object() || event.is_waiting()) continue;
    const json::Value* const seq = event.Find(kEventSeq);
    if (seq == nullptr || seq->kind() != json::Kind::kInteger || seq->integer() < 0) continue;
    Walk(event, [&](const json::Value& part) {
      const void* const memory = MemoryOf(part);
      if (memory == nullptr) return true;
      const auto [row, added] = event_of_.try_emplace(memory, seq->integer());
      if (!added && row->second != seq->integer()) row->second = kSeveral;
      return true;
    });
  }
}

std::vector<int64_t> EventSources::Of(const json::Value& value) const {
  std::vector<int64_t> events;
  Walk(value, [&](const json::Value& part) {
    const auto row = event_of_.find(MemoryOf(part));
    if (row == event_of_.end() || row->second == kSeveral) return true;
    events.push_back(row->second);
    return false;  // all of it is of this event
  });
  std::sort(events.begin(), events.end());
  events.erase(std::unique(events.begin(), events.end()), events.end());
  return events;
}

std::vector<int64_t> EventSources::Of(absl::string_view text) const {
  return Of(json::Value::String(text));
}

}  // namespace bootgate::gatekeeper::policy
