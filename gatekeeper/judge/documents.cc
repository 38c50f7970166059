#include "gatekeeper/judge/documents.h"

#include <utility>

#include "gatekeeper/appraisal/json/events_json.h"
#include "gatekeeper/json/parse.h"

namespace bootgate::gatekeeper::judge {
namespace {

// Text that we wrote ourselves.
json::Value Parsed(const std::string& text, json::Arena& arena) {
  const absl::StatusOr<json::Value> value = json::Parse(arena.Keep(text), arena);
  return value.ok() ? *value : json::Value();
}

}  // namespace

Documents::Documents(const tpm2::QuotedPcrs& quoted, const appraisal::PresentedKeys* keys) {
  policy::Document& pcrs = all_.emplace_back();
  pcrs.type = "pcrs";
  pcrs.read_only = true;
  pcrs.make = [&quoted](json::Arena& arena) {
    return appraisal::json::PcrsValue(quoted.banks(), arena);
  };
  if (keys == nullptr) return;
  if (keys->HasRequestKey()) {
    policy::Document& document = all_.emplace_back();
    document.type = "x-ms-tpm-request-key";
    document.make = [keys](json::Arena& arena) { return Parsed(keys->RequestKeyJson(), arena); };
  }
  if (keys->HasOtherKeys()) {
    policy::Document& document = all_.emplace_back();
    document.type = "x-ms-tpm-other-keys";
    document.make = [keys](json::Arena& arena) { return Parsed(keys->OtherKeysJson(), arena); };
  }
}

void Documents::AddEvents(appraisal::json::EventsInput input) {
  events_.emplace(std::move(input));
  policy::Document& document = all_.emplace_back();
  document.type = "events";
  document.make = [this](json::Arena& arena) { return events_->Make(arena); };
}

}  // namespace bootgate::gatekeeper::judge
