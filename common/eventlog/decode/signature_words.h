// Signature entries and whole key lists in words.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/eventlog/decode/signature_list.h"

namespace bootgate::eventlog {

// The variables that hold signature lists: PK, KEK, db, dbx, dbt, dbr, their defaults, and shim's
// MokList, MokListX, MokListRT, MokListXRT, vendor_db.
bool HoldsSignatureLists(absl::string_view variable_name);

// "CN=Debian Secure Boot CA", "sha256 80b4d96931bf0d02...", escaped.
std::string SignatureWords(const SignatureEntry& entry);

// "3 certificates: CN=..., CN=..., CN=..., 1 hash", "0 certificates, 371 hashes, newest published
// 2023-05", "malformed: ...". Escaped, at most about a thousand bytes.
std::string SignatureListWords(absl::string_view variable_name, ByteView data);

}  // namespace bootgate::eventlog
