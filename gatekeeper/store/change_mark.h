// What tells a change from another one of the same number: a store that was put back from a copy
// gives numbers a second time.
#pragma once

#include <string>

#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::store {

// 8 hex digits.
std::string ChangeMark(const ChangeRow& change);

}  // namespace bootgate::gatekeeper::store
