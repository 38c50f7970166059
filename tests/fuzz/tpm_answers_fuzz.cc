// A TPM that says anything: the input is cut into its answers, one for each command of a host's
// day. Whatever it says, the agent ends with an error or a result, and never asks without end.
#include <tss2/tss2_tcti.h>

#include <algorithm>
#include <memory>

#include "agent/tpm/internal/open.h"
#include "agent/tpm/tpm.h"
#include "common/bytes/reader.h"
#include "tests/fuzz/require.h"

namespace bootgate::agent::tpm {
namespace {

constexpr size_t kMostCommands = 20000;  // of all operations; a host's day has about a hundred

// The TSS knows `common` only, which therefore comes first.
struct Canned {
  TSS2_TCTI_CONTEXT_COMMON_V1 common = {};
  bytes::Reader* answers = nullptr;  // 16-bit size, then the answer, again and again
  size_t* commands = nullptr;
  Bytes response;
};

Canned& CannedOf(TSS2_TCTI_CONTEXT* context) { return *reinterpret_cast<Canned*>(context); }

TSS2_RC Transmit(TSS2_TCTI_CONTEXT* context, size_t, const uint8_t*) {
  Canned& canned = CannedOf(context);
  fuzz::Require(++*canned.commands < kMostCommands);
  const auto size = canned.answers->U16Be();
  const auto answer =
      canned.answers->Take(std::min<size_t>(size.value_or(0), canned.answers->remaining()));
  canned.response = ToBytes(answer.value_or(ByteView()));
  return TSS2_RC_SUCCESS;
}

TSS2_RC Receive(TSS2_TCTI_CONTEXT* context, size_t* size, uint8_t* buffer, int32_t) {
  Canned& canned = CannedOf(context);
  if (canned.response.empty()) return TSS2_TCTI_RC_IO_ERROR;
  const size_t room = *size;
  *size = canned.response.size();
  if (buffer == nullptr) return TSS2_RC_SUCCESS;
  if (room < canned.response.size()) return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
  std::ranges::copy(canned.response, buffer);
  canned.response.clear();
  return TSS2_RC_SUCCESS;
}

class CannedTcti final : public internal::Tcti {
 public:
  CannedTcti(bytes::Reader& answers, size_t& commands) {
    canned_.common.magic = 0x626f6f7467617465;
    canned_.common.version = 1;
    canned_.common.transmit = Transmit;
    canned_.common.receive = Receive;
    canned_.answers = &answers;
    canned_.commands = &commands;
  }
  TSS2_TCTI_CONTEXT* get() override { return reinterpret_cast<TSS2_TCTI_CONTEXT*>(&canned_); }

 private:
  Canned canned_;
};

void EverythingOnce(ByteView input) {
  bytes::Reader answers(input);
  size_t commands = 0;
  Options options;
  options.wait = [](absl::Duration) {};
  const auto tpm =
      internal::OpenTpm(options, [&]() -> absl::StatusOr<std::unique_ptr<internal::Tcti>> {
        return std::make_unique<CannedTcti>(answers, commands);
      });
  if (!tpm.ok()) return;
  const registers::Selection selection = {{crypto::HashAlg::kSha256, 1u << 7 | 1u << 11}};
  const PinnedEk ek = PinnedEk::FromName(tpm2::EkTemplate::kRsa2048Low, Bytes(34, 1));
  (*tpm)->ReadHealth().IgnoreError();
  (*tpm)->EkCertificates().IgnoreError();
  (*tpm)->CheckPinned(ek).IgnoreError();
  (*tpm)->ReadRegisters(selection).IgnoreError();
  (*tpm)->Quote(AkKind::kEcc, selection, Bytes(32, 2)).IgnoreError();
  (*tpm)->CertifyIdentityKey(AkKind::kEcc, Bytes(32), Bytes(32, 2)).IgnoreError();
  (*tpm)->Cap(11).IgnoreError();
}

}  // namespace
}  // namespace bootgate::agent::tpm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bootgate::agent::tpm::EverythingOnce({data, size});
  return 0;
}
