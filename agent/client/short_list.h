// Sending of an IMA list only what the gatekeeper does not know from other hosts.
#pragma once

#include <string>

#include "agent/client/gatekeeper_client.h"

namespace bootgate::agent {

// Below this many entries nothing is asked.
inline constexpr size_t kLeastEntriesToShorten = 64;

// The mixed form (common/ima/mixed_list.h) of a list of whole entries, after asking which of them
// are known. Empty when the list is better sent in full: it is short, the gatekeeper does not say,
// or too little of it is known.
Bytes ShortList(GatekeeperClient& client, const std::string& host_id, ByteView ak_name,
                ByteView list);

}  // namespace bootgate::agent
