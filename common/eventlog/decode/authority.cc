#include "common/eventlog/decode/authority.h"

#include <utility>

#include "common/eventlog/decode/variable.h"
#include "common/eventlog/event_type.h"

namespace bootgate::eventlog {
namespace {

// Firmware measures the owner and the certificate, shim the certificate alone.
std::optional<SignatureEntry> SignatureIn(ByteView data) {
  if (LooksLikeCertificate(data)) {
    return SignatureEntry{.kind = SignatureKind::kX509, .value = data};
  }
  return ReadSignatureData(data);
}

}  // namespace

std::optional<Authority> DecodeAuthority(const Event& event) {
  if (event.untrusted_type != kEvEfiVariableAuthority) return std::nullopt;
  std::optional<UefiVariable> variable = DecodeUefiVariable(event);
  if (!variable.has_value()) return std::nullopt;
  return Authority{.guid = std::move(variable->guid),
                   .variable = std::move(variable->name),
                   .data = variable->data,
                   .signature = SignatureIn(variable->data)};
}

}  // namespace bootgate::eventlog
