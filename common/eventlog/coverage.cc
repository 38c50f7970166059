#include "common/eventlog/coverage.h"

#include <optional>

#include "common/eventlog/event_type.h"
#include "common/eventlog/ipl.h"
#include "common/eventlog/quirks.h"
#include "common/eventlog/uefi_variable.h"

namespace bootgate::eventlog {
namespace {

bool IsHashOf(ByteView digest, crypto::HashAlg alg, ByteView data) {
  return SameBytes(digest, crypto::Hash(alg, data).view());
}

// Firmware hashes the variable's content; some hashes the whole event, which covers it as well.
bool CoversVariable(ByteView digest, crypto::HashAlg alg, ByteView data) {
  const std::optional<UefiVariableParts> parts = SplitUefiVariable(data);
  if (parts.has_value() && IsHashOf(digest, alg, parts->data)) return true;
  return IsHashOf(digest, alg, data);
}

// GRUB hashes the text after its label without the NUL; others hash the data as it is.
bool CoversIpl(ByteView digest, crypto::HashAlg alg, ByteView data) {
  const IplParts parts = SplitIpl(data);
  if (IsHashOf(digest, alg, parts.text)) return true;
  return parts.text.size() != data.size() && IsHashOf(digest, alg, data);
}

// Neither is what the type demands: firmware that is known to hash a bit less or something else.
Coverage ByQuirk(const Log& log, const Event& event, ByteView digest, crypto::HashAlg alg) {
  const std::optional<ByteView> hashed = HashedByQuirk(event);
  if (hashed.has_value() && IsHashOf(digest, alg, *hashed)) return Coverage::kCovered;
  return HashesSomethingElse(log, event) ? Coverage::kNotCovered : Coverage::kMismatch;
}

Coverage If(bool covered, Coverage otherwise) { return covered ? Coverage::kCovered : otherwise; }

}  // namespace

Coverage CoverageOf(const Log& log, const Event& event, crypto::HashAlg alg) {
  const EventType* const type = FindEventType(event.untrusted_type);
  const Hashed hashed = type == nullptr ? Hashed::kSomething : type->hashed;
  const std::optional<ByteView> digest = log.DigestOf(event, alg);
  if (!digest.has_value()) return Coverage::kNotCovered;
  switch (hashed) {
    case Hashed::kNothing:
      return Coverage::kNotCovered;
    case Hashed::kWholeData:
      if (IsHashOf(*digest, alg, event.data)) return Coverage::kCovered;
      return ByQuirk(log, event, *digest, alg);
    case Hashed::kVariableData:
      return If(CoversVariable(*digest, alg, event.data), Coverage::kMismatch);
    case Hashed::kBootLoader:
      return If(CoversIpl(*digest, alg, event.data), Coverage::kNotCovered);
    case Hashed::kSomething:
      return If(IsHashOf(*digest, alg, event.data), Coverage::kNotCovered);
  }
  __builtin_unreachable();
}

}  // namespace bootgate::eventlog
