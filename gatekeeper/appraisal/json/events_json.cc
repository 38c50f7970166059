#include "gatekeeper/appraisal/json/events_json.h"

#include <algorithm>

#include "gatekeeper/appraisal/json/digest_names.h"
#include "gatekeeper/json/canonical.h"

namespace bootgate::gatekeeper::appraisal::json {
namespace {

// Values take several times the room of their text: each event alone some hundred bytes.
constexpr size_t kArenaPerText = 8;
constexpr size_t kLeastArena = size_t{1} << 20;  // bytes

}  // namespace

model::Value PcrsValue(std::span<const registers::RegisterBank> banks, model::Arena& arena) {
  model::ArrayBuilder pcrs(arena);
  for (uint32_t index = 0; index < registers::kCount; ++index) {
    model::ObjectBuilder digests(arena);
    for (const registers::RegisterBank& bank : banks) {
      const std::optional<crypto::Digest> value = bank.Get(index);
      if (value.has_value()) digests.Add(DigestName(bank.alg()), HexValue(value->view(), arena));
    }
    if (digests.size() == 0) continue;
    model::ObjectBuilder pcr(arena);
    pcr.Add("Index", NumberValue(index, arena));
    pcr.Add("Digests", digests.Finish());
    pcrs.Add(pcr.Finish());
  }
  model::ObjectBuilder out(arena);
  out.Add("PCRs", pcrs.Finish());
  return out.Finish();
}

std::optional<std::string> EventsJson(const EventsInput& input, size_t max_bytes) {
  model::Arena arena(kLeastArena + kArenaPerText * max_bytes);
  const EventsDocument document(input);
  const model::Value value = document.Make(arena);
  if (arena.exhausted()) return std::nullopt;
  const auto bytes = static_cast<int64_t>(max_bytes);
  model::Budget budget(bytes, bytes);
  return model::CanonicalText(value, budget);
}

std::optional<std::string> EventsJson(const eventlog::Log& log) {
  EventsInput input;
  input.boot_logs = {&log};
  return EventsJson(input);
}

}  // namespace bootgate::gatekeeper::appraisal::json
