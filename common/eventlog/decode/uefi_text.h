// UEFI's ways to write text and GUIDs.
//
// Implements: UEFI 2.10, 2.3.1 (CHAR16, EFI_GUID).
#pragma once

#include <optional>
#include <string>

#include "common/base/bytes_view.h"

namespace bootgate::eventlog {

// UTF-16, little-endian, as UTF-8. nullopt on an odd length or an unpaired surrogate. NULs are
// characters like any other.
std::optional<std::string> Utf8FromUtf16(ByteView bytes);

// As Utf8FromUtf16, up to a NUL that ends the bytes.
std::optional<std::string> Utf8FromTerminatedUtf16(ByteView bytes);

// "8BE4DF61-93CA-11D2-AA0D-00E098032B8C"; "" unless there are 16 bytes.
std::string GuidText(ByteView guid);

}  // namespace bootgate::eventlog
