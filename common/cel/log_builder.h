// Test only: a measurement log as systemd writes it, record by record.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/bytes_view.h"
#include "common/crypto/hash.h"

namespace bootgate::testing {

class CelBuilder {
 public:
  explicit CelBuilder(std::vector<crypto::HashAlg> banks = {crypto::HashAlg::kSha256})
      : banks_(std::move(banks)) {}

  // The text is what is hashed. It must need no escapes in JSON.
  CelBuilder& Pcr(uint32_t pcr, absl::string_view type, absl::string_view text) {
    return Add(absl::StrCat("\"pcr\":", pcr), type, "", text, text);
  }
  CelBuilder& Nv(uint32_t index, absl::string_view name, absl::string_view type,
                 absl::string_view text) {
    return Add(absl::StrCat("\"nv_index\":", index), type,
               absl::StrCat("\"nvIndexName\":\"", name, "\","), text, text);
  }
  // A record that says one thing and measured another.
  CelBuilder& Secret(uint32_t pcr, absl::string_view type, absl::string_view text,
                     absl::string_view measured) {
    return Add(absl::StrCat("\"pcr\":", pcr), type, "", text, measured);
  }
  // Bytes as they are.
  CelBuilder& Raw(absl::string_view text) {
    absl::StrAppend(&out_, text);
    return *this;
  }

  std::string Text() const { return out_; }
  Bytes Build() const { return ToBytes(AsBytes(out_)); }

 private:
  CelBuilder& Add(absl::string_view where, absl::string_view type, absl::string_view name,
                  absl::string_view text, absl::string_view measured) {
    std::string digests;
    for (const crypto::HashAlg alg : banks_) {
      absl::StrAppend(&digests, digests.empty() ? "" : ",", "{\"hashAlg\":\"", crypto::Name(alg),
                      "\",\"digest\":\"", crypto::Hash(alg, AsBytes(measured)).hex(), "\"}");
    }
    absl::StrAppend(&out_, "\x1e{", where, ",\"digests\":[", digests,
                    "],\"content_type\":\"systemd\",\"content\":{", name, "\"string\":\"", text,
                    "\",\"bootId\":\"0123456789abcdef0123456789abcdef\",\"timestamp\":",
                    timestamp_ += 1000, ",\"eventType\":\"", type, "\"}}\n");
    return *this;
  }

  std::vector<crypto::HashAlg> banks_;
  uint64_t timestamp_ = 2'000'000;
  std::string out_;
};

}  // namespace bootgate::testing
