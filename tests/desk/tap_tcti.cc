#include "tests/desk/tap_tcti.h"

#include <tss2/tss2_tpm2_types.h>

#include <algorithm>

#include "common/base/status_macros.h"
#include "common/bytes/reader.h"
#include "common/bytes/writer.h"

namespace bootgate::desk {
namespace {

using agent::tpm::internal::Tcti;

constexpr uint64_t kMagic = 0x626f6f7467617465;
constexpr uint32_t kVersion = 1;

// The TSS knows `common` only, which therefore comes first.
struct Tap {
  TSS2_TCTI_CONTEXT_COMMON_V1 common = {};
  std::unique_ptr<Tcti> inner;
  Bus* bus = nullptr;
  Bytes command;
  Bytes response;  // fetched, not yet handed over
};

Tap& TapOf(TSS2_TCTI_CONTEXT* context) { return *reinterpret_cast<Tap*>(context); }

TSS2_RC Transmit(TSS2_TCTI_CONTEXT* context, size_t size, const uint8_t* command) {
  Tap& tap = TapOf(context);
  tap.command.assign(command, command + size);
  tap.response.clear();
  tap.bus->commands.push_back(tap.command);
  if (tap.bus->before_command) tap.bus->before_command(tap.command);
  if (tap.bus->answer_instead && tap.bus->answer_instead(tap.command, tap.response)) {
    tap.bus->responses.push_back(tap.response);
    return TSS2_RC_SUCCESS;
  }
  if (!tap.bus->change_command) return Tss2_Tcti_Transmit(tap.inner->get(), size, command);
  Bytes changed = tap.command;
  tap.bus->change_command(changed);
  return Tss2_Tcti_Transmit(tap.inner->get(), changed.size(), changed.data());
}

TSS2_RC Fetch(Tap& tap, int32_t timeout) {
  Bytes response(TPM2_MAX_RESPONSE_SIZE);
  size_t size = response.size();
  const TSS2_RC rc = Tss2_Tcti_Receive(tap.inner->get(), &size, response.data(), timeout);
  if (rc != TSS2_RC_SUCCESS) return rc;
  response.resize(size);
  tap.bus->responses.push_back(response);
  if (tap.bus->change_response) tap.bus->change_response(tap.command, response);
  tap.response = std::move(response);
  return TSS2_RC_SUCCESS;
}

TSS2_RC Receive(TSS2_TCTI_CONTEXT* context, size_t* size, uint8_t* buffer, int32_t timeout) {
  Tap& tap = TapOf(context);
  if (tap.response.empty()) {
    const TSS2_RC rc = Fetch(tap, timeout);
    if (rc != TSS2_RC_SUCCESS) return rc;
  }
  const size_t room = *size;
  *size = tap.response.size();
  if (buffer == nullptr) return TSS2_RC_SUCCESS;
  if (room < tap.response.size()) return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
  std::copy(tap.response.begin(), tap.response.end(), buffer);
  tap.response.clear();
  return TSS2_RC_SUCCESS;
}

TSS2_RC Cancel(TSS2_TCTI_CONTEXT* context) { return Tss2_Tcti_Cancel(TapOf(context).inner->get()); }

TSS2_RC SetLocality(TSS2_TCTI_CONTEXT* context, uint8_t locality) {
  return Tss2_Tcti_SetLocality(TapOf(context).inner->get(), locality);
}

class TapTcti final : public Tcti {
 public:
  TapTcti(std::unique_ptr<Tcti> inner, Bus& bus) {
    tap_.common.magic = kMagic;
    tap_.common.version = kVersion;
    tap_.common.transmit = Transmit;
    tap_.common.receive = Receive;
    tap_.common.cancel = Cancel;
    tap_.common.setLocality = SetLocality;
    tap_.inner = std::move(inner);
    tap_.bus = &bus;
  }
  TSS2_TCTI_CONTEXT* get() override { return reinterpret_cast<TSS2_TCTI_CONTEXT*>(&tap_); }

 private:
  Tap tap_;
};

}  // namespace

bool Bus::Carried(ByteView bytes) const {
  const auto holds = [&](const Bytes& message) {
    return std::search(message.begin(), message.end(), bytes.begin(), bytes.end()) != message.end();
  };
  return std::any_of(commands.begin(), commands.end(), holds) ||
         std::any_of(responses.begin(), responses.end(), holds);
}

uint32_t CommandCode(ByteView command) {
  bytes::Reader in(command);
  if (!in.Skip(6).ok()) return 0;  // tag and size
  return in.U32Be().value_or(0);
}

Bytes Refusal(uint32_t rc) {
  bytes::Writer out;
  out.U16Be(TPM2_ST_NO_SESSIONS).U32Be(10).U32Be(rc);
  return out.Finish();
}

agent::tpm::internal::TctiOpener Tapped(std::string tcti, Bus& bus) {
  return [open = agent::tpm::internal::TctiByName(std::move(tcti)),
          &bus]() -> absl::StatusOr<std::unique_ptr<Tcti>> {
    BG_ASSIGN_OR_RETURN(std::unique_ptr<Tcti> inner, open());
    return std::make_unique<TapTcti>(std::move(inner), bus);
  };
}

}  // namespace bootgate::desk
