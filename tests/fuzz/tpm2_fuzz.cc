// Any bytes as each TPM structure a host can send: what is accepted says exactly what was sent, and
// nothing is accepted that has a byte more or less.
#include <cstddef>
#include <cstdint>

#include "common/bytes/reader.h"
#include "common/registers/selection.h"
#include "common/tpm2/attest.h"
#include "common/tpm2/key_profile.h"
#include "common/tpm2/public.h"
#include "tests/fuzz/require.h"

namespace {

using bootgate::Bytes;
using bootgate::ByteView;
using bootgate::SameBytes;
using bootgate::fuzz::Require;
namespace tpm2 = bootgate::tpm2;

Bytes With(ByteView bytes, uint8_t more) {
  Bytes out = bootgate::ToBytes(bytes);
  out.push_back(more);
  return out;
}

void CheckPublic(ByteView input) {
  const auto area = tpm2::Public::FromTpmt(input);
  if (!area.ok()) return;
  Require(SameBytes(area->raw, input));
  Require(!tpm2::Public::FromTpmt(With(input, 0)).ok());
  Require(!tpm2::Public::FromTpmt(input.first(input.size() - 1)).ok());
  const Bytes sized = area->Tpm2b();
  const auto again = tpm2::Public::FromTpm2b(sized);
  Require(again.ok() && SameBytes(again->Name(), area->Name()));
  Require(area->Name().size() == 2 + bootgate::crypto::DigestSize(area->name_alg));
  // Neither may crash or accept what the other calls weak.
  const bool usable = area->Key().ok();
  if (tpm2::CheckAk(*area).ok()) Require(usable);
  (void)tpm2::CheckEk(*area).ok();
}

void CheckAttest(ByteView input) {
  const auto quote = tpm2::ParseQuote(input);
  const auto certify = tpm2::ParseCertify(input);
  Require(!(quote.ok() && certify.ok()));
  if (quote.ok()) {
    Require(!tpm2::ParseQuote(With(input, 0)).ok());
    const Bytes wire = bootgate::registers::Marshal(quote->selection);
    bootgate::bytes::Reader in(wire);
    const auto again = bootgate::registers::Unmarshal(in);
    Require(again.ok() && *again == quote->selection && in.empty());
  }
  if (certify.ok()) Require(!tpm2::ParseCertify(With(input, 0)).ok());
}

void CheckSignature(ByteView input) {
  const auto signature = tpm2::ParseSignature(input);
  if (!signature.ok()) return;
  Require(!tpm2::ParseSignature(With(input, 0)).ok());
  Require(signature->rsa.size() + signature->r.size() + signature->s.size() <= input.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView input(data, size);
  CheckPublic(input);
  CheckAttest(input);
  CheckSignature(input);
  return 0;
}
