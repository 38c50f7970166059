// A way to the TPM with somebody sitting on it: records all bytes, and changes them if told.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/tpm/internal/tcti.h"
#include "common/base/bytes_view.h"

namespace bootgate::desk {

// What the one on the bus sees and does. Must outlive every Tpm opened over it; the hooks run on
// that Tpm's owner thread.
struct Bus {
  std::vector<Bytes> commands;
  std::vector<Bytes> responses;  // as they came from the TPM
  std::function<void(ByteView command)> before_command;
  // True: `response` is the answer, and the TPM never hears of the command.
  std::function<bool(ByteView command, Bytes& response)> answer_instead;
  std::function<void(Bytes& command)> change_command;  // what the TPM gets instead
  std::function<void(ByteView command, Bytes& response)> change_response;

  // Whether a run of bytes ever crossed in clear.
  bool Carried(ByteView bytes) const;
};

uint32_t CommandCode(ByteView command);  // TPM_CC

// An answer that refuses: a header with this code and nothing else.
Bytes Refusal(uint32_t rc);

agent::tpm::internal::TctiOpener Tapped(std::string tcti, Bus& bus);

}  // namespace bootgate::desk
