// A call that must not be done twice has a row before it is done: with this one byte for an answer,
// with which no message in protobuf's wire format begins (it has no wire type 7).
#pragma once

#include "common/base/bytes_view.h"

namespace bootgate::gatekeeper::store {

inline constexpr uint8_t kBegunByte = 0xff;
inline Bytes BegunAnswer() { return {kBegunByte}; }

}  // namespace bootgate::gatekeeper::store
