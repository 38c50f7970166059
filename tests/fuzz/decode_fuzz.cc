// Any bytes as the data of any event: each decoder answers, what it borrows lies inside the input,
// what it makes stays small, and no host text reaches a terminal as it is.
//
// The first four bytes of an input are the event's type, the fifth its register.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "common/bytes/reader.h"
#include "common/crypto/certificate_facts.h"
#include "common/eventlog/decode/action.h"
#include "common/eventlog/decode/authority.h"
#include "common/eventlog/decode/boot_chain.h"
#include "common/eventlog/decode/dbx_history.h"
#include "common/eventlog/decode/describe.h"
#include "common/eventlog/decode/device_path.h"
#include "common/eventlog/decode/event_tag.h"
#include "common/eventlog/decode/firmware_blob.h"
#include "common/eventlog/decode/gpt.h"
#include "common/eventlog/decode/image_load.h"
#include "common/eventlog/decode/load_option.h"
#include "common/eventlog/decode/no_action.h"
#include "common/eventlog/decode/separator.h"
#include "common/eventlog/decode/shim.h"
#include "common/eventlog/decode/signature_list.h"
#include "common/eventlog/decode/signature_words.h"
#include "common/eventlog/decode/spdm.h"
#include "common/eventlog/decode/tables.h"
#include "common/eventlog/decode/variable.h"
#include "common/eventlog/log.h"
#include "tests/fuzz/require.h"

namespace {

using bootgate::ByteView;
using bootgate::fuzz::Require;
using namespace bootgate::eventlog;  // NOLINT: every decoder is called

constexpr size_t kMaxLine = 32768;  // bytes

bool LiesInside(ByteView part, ByteView whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

bool IsOneLine(const std::string& text) {
  return text.size() <= kMaxLine &&
         std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
}

void CheckEntry(const SignatureEntry& entry, ByteView data) {
  Require(LiesInside(entry.value, data) && LiesInside(entry.owner, data));
  Require(LiesInside(entry.revoked_at, data));
  Require(IsOneLine(SignatureWords(entry)));
  EfiTimeText(entry.revoked_at);
}

void CheckLists(ByteView data) {
  const SignatureLists lists = SignatureLists::Read(data);
  size_t count = 0;
  for (const SignatureEntry& entry : lists) {
    Require(++count <= lists.size());
    CheckEntry(entry, data);
  }
  Require(count == lists.size() && (lists.ok() || count == 0));
  Require(IsOneLine(lists.problem()) && AgeOfDbx(lists).published <= count);
  Require(IsOneLine(SignatureListWords("dbx", data)));
  const auto alone = ReadSignatureData(data);
  if (alone.has_value()) Require(LiesInside(alone->value, data));
}

void CheckPaths(ByteView data) {
  const DevicePath path = DecodeDevicePath(data);
  Require(path.text.size() <= kMaxPathText);
  const auto load = DecodeImageLoad(data);
  if (load.has_value()) Require(LiesInside(load->device_path, data));
  const auto option = DecodeLoadOption(data);
  if (option.has_value()) Require(LiesInside(option->optional_data, data));
  const auto order = DecodeBootOrder(data);
  if (order.has_value()) Require(order->size() * 2 == data.size());
}

void CheckFirmware(uint32_t type, ByteView data) {
  DecodeFirmwareBlob(data);
  FindAction(data);
  DecodeSeparator(data);
  Require(FirmwareVersion(data).size() <= 64 + 3 * data.size());
  Require(FirmwareText(data).size() <= 3 * data.size());
  Require(LeadingText(data).size() <= data.size());
  const auto table = DecodePartitionTable(data);
  if (table.has_value()) Require(table->partitions.size() <= data.size() / 128);
  const auto tables = DecodeHandoffTables(type, data);
  if (tables.has_value()) Require(tables->tables.size() <= data.size() / 24);
  const auto device = DecodeDeviceMeasurement(data);
  if (device.has_value()) Require(LiesInside(device->measurement, data));
  DecodeNote(data);
}

void CheckLoaders(const Event& event) {
  const auto shim = DecodeShimEvent(event);
  if (shim.has_value()) Require(LiesInside(shim->data, event.data));
  const auto tag = DecodeTaggedEvent(event.data);
  if (tag.has_value()) Require(LiesInside(tag->data, event.data));
  const auto level = ReadSbatLevel(event.data);
  if (level.has_value()) Require(level->rows.size() <= kMaxSbatRows);
  const auto part = DecodeBootPart(event);
  if (part.has_value()) Require(part->text.size() <= 64 + 3 * event.data.size() + kMaxPathText);
  const auto authority = DecodeAuthority(event);
  if (authority.has_value() && authority->signature.has_value()) {
    CheckEntry(*authority->signature, event.data);
  }
}

void CheckWords(const Event& event) {
  const Log log = Log::Parse({});
  Require(IsOneLine(Describe(log, event, bootgate::crypto::HashAlg::kSha256)));
  Require(IsOneLine(PairingKey(event)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bootgate::bytes::Reader in({data, size});
  Event event;
  uint8_t index = 0;
  if (!in.TryU32Le(&event.untrusted_type) || !in.TryU8(&index)) return 0;
  event.register_index = index;
  event.data = in.rest();
  CheckLists(event.data);
  CheckPaths(event.data);
  CheckFirmware(event.untrusted_type, event.data);
  CheckLoaders(event);
  CheckWords(event);
  const auto facts = bootgate::crypto::ReadCertificateFacts(event.data);
  if (facts.has_value()) Require(IsOneLine(facts->subject) && IsOneLine(facts->issuer));
  return 0;
}
