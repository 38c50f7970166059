// Any bytes as Windows' records, as an event's data, and as a boot log with an IMA list behind it:
// records lie inside the input and nest within the bound, and whatever the host wrote, the events
// claim is JSON whose events count from 0.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "common/bytes/writer.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/log_builder.h"
#include "common/eventlog/sipa/records.h"
#include "common/ima/list.h"
#include "gatekeeper/appraisal/json/events_json.h"
#include "gatekeeper/appraisal/windows_boot.h"
#include "tests/fuzz/require.h"

namespace {

namespace json = bootgate::gatekeeper::appraisal::json;
namespace sipa = bootgate::eventlog::sipa;
using bootgate::Bytes;
using bootgate::ByteView;
using bootgate::crypto::HashAlg;
using bootgate::eventlog::Log;
using bootgate::fuzz::Require;
using bootgate::testing::LogBuilder;

constexpr uint32_t kAllRegisters = 0xffffff;
// Text of a log: base64 or escapes of all data, digests in hex, a fixed part for each event.
constexpr size_t kBytesPerByte = 8, kBytesPerEvent = 1024;

bool LiesInside(ByteView part, ByteView whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void CheckRecords(ByteView input) {
  const sipa::Records read = sipa::ReadRecords(input);
  Require(!read.problem.has_value() || read.records.empty());
  Require(read.records.size() <= sipa::kMaxRecords && read.records.size() <= input.size() / 8);
  for (size_t i = 0; i < read.records.size(); ++i) {
    const sipa::Record& record = read.records[i];
    Require(record.depth <= sipa::kMaxNesting && LiesInside(record.data, input));
    Require(record.end > i && record.end <= read.records.size());
  }
}

void CheckEvents(const Log& log, const bootgate::ima::List* list, ByteView input, bool quoted) {
  json::EventsInput events;
  events.boot_logs = {&log};
  events.ima = list;
  events.ima_entries = list == nullptr ? 0 : list->entries().size();
  if (quoted) events.proven = {{HashAlg::kSha256, kAllRegisters}};
  const auto text = json::EventsJson(events);
  Require(text.has_value());
  const size_t count = log.events().size() + events.ima_entries;
  Require(text->size() <= kBytesPerByte * input.size() + kBytesPerEvent * (count + 1));
  const auto parsed = nlohmann::json::parse(*text, nullptr, false);
  Require(parsed.is_object() && parsed.contains("Events") && parsed["Events"].is_array());
  uint64_t sequence = 0;
  for (const auto& event : parsed["Events"]) {
    Require(event.is_object() && event.at("EventSeq") == sequence++);
    Require(event.at("ProcessedData").is_object() && event.contains("DataVerified") == quoted);
  }
}

// The input as the data of an event of each kind, covered by its digest.
void CheckAsData(ByteView input) {
  namespace eventlog = bootgate::eventlog;
  LogBuilder builder = LogBuilder::CryptoAgile({HashAlg::kSha256});
  builder.Event(12, eventlog::kEvEventTag, input).Event(8, eventlog::kEvIpl, input);
  builder.Event(7, eventlog::kEvEfiVariableDriverConfig, input);
  builder.Event(4, eventlog::kEvEfiBootServicesApplication, input);
  const Bytes bytes = builder.Finish();
  const Log log = Log::Parse(bytes);
  CheckEvents(log, nullptr, bytes, input.size() % 2 == 0);  // quoted or not: either often enough
  bootgate::gatekeeper::appraisal::ReadWindowsFacts(log, HashAlg::kSha256, kAllRegisters);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView input(data, size);
  CheckRecords(input);
  CheckAsData(input);
  const Log log = Log::Parse(input);
  const bootgate::ima::List list = bootgate::ima::List::Parse(input);
  CheckEvents(log, &list, input, true);
  return 0;
}
