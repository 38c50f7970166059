// `token key list|rotate|retire`: the keys that sign tokens.
#pragma once

#include <string>

#include "gatekeeper/cli/operator.h"
#include "gatekeeper/token/key_ring.h"

namespace bootgate::gatekeeper::cli {

ExitCode TokenKeyList(const Operator& op, token::KeyRing& keys);
// A new key signs from now on, in every gatekeeper that shares the folder. Audited.
ExitCode TokenKeyRotate(const Operator& op, token::KeyRing& keys);
// `how`: whether its tokens stay good until they expire. Audited. kNotFound: no such key.
ExitCode TokenKeyRetire(const Operator& op, token::KeyRing& keys, const std::string& kid,
                        token::Retirement how);

}  // namespace bootgate::gatekeeper::cli
