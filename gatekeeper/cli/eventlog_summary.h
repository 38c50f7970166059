// A boot summed up for a person, as its log tells it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/eventlog/log.h"

namespace bootgate::gatekeeper::cli {

// "Secure Boot: on", "db: ..." and so on, for FormatPairs; lists give a pair each entry. Facts
// whose data no digest covers say so. Nothing here is proven: that takes a quote.
std::vector<std::pair<std::string, std::string>> SummaryOf(const eventlog::Log& log,
                                                           crypto::HashAlg bank);

}  // namespace bootgate::gatekeeper::cli
