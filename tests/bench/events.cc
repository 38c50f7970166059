// The events claim of a boot log, without a quote and as one that proves every register.
#include "common/base/status_macros.h"
#include "gatekeeper/appraisal/json/events_json.h"
#include "tests/bench/bench.h"

namespace bootgate::bench {
namespace {

namespace json = gatekeeper::appraisal::json;

constexpr uint32_t kAllRegisters = 0xffffff;

absl::Status Write(const json::EventsInput& input) {
  const std::optional<std::string> text = json::EventsJson(input);
  return text.has_value() ? absl::OkStatus() : absl::ResourceExhaustedError("too long");
}

}  // namespace

absl::Status RunEvents(const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const Bytes bytes, Load(arguments[0]));
  const eventlog::Log log = eventlog::Log::Parse(bytes);
  json::EventsInput input;
  input.boot_logs = {&log};
  const absl::Status shown = Repeat("events", arguments[1], [&] { return Write(input); });
  if (!shown.ok()) return shown;
  input.proven = {{crypto::HashAlg::kSha256, kAllRegisters}};
  return Repeat("events-verified", arguments[1], [&] { return Write(input); });
}

}  // namespace bootgate::bench
