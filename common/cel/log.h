// systemd's own measurement log: which register user space extended with which digests, in order.
//
// Implements: TCG Canonical Event Log Format 1.0, JSON encoding, as systemd-pcrextend(8) writes it:
// JSON text sequences (RFC 7464) without "recnum", records about a PCR ("pcr") or about an NV index
// that is extended like one ("nv_index", an NvPCR).
// Not here: what the registers become (replay.h), what a digest covers (coverage.h).
//
// Parsing is total: any input gives a Log and a list of defects. A record that is not understood
// in full is not a record: it is a defect, and no part of it is used.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/base/reason.h"
#include "common/crypto/hash.h"

namespace bootgate::cel {

inline constexpr size_t kMaxLogBytes = size_t{16} << 20;
inline constexpr size_t kMaxRecordBytes = size_t{64} << 10;
inline constexpr size_t kMaxRecords = 65536;
inline constexpr size_t kMaxDigests = 16;  // of one record
inline constexpr size_t kMaxDepth = 8;     // of nested JSON values
inline constexpr size_t kMaxDefects = 256;

// One record. Only the register and the digests are bound by a quote once replayed; the rest is
// what the host says until coverage.h has checked `untrusted_text` against a digest.
struct Record {
  size_t offset = 0;                    // of the record separator in the log
  uint32_t number = 0;                  // position among the records, from 0
  std::optional<uint32_t> pcr;          // 0..23
  std::optional<uint32_t> nv_index;     // 0x01000000..0x01ffffff; exactly one of the two is there
  std::vector<crypto::Digest> digests;  // of algorithms that we know, at most one of each
  std::string content_type;             // "systemd"
  std::string untrusted_type;           // "phase", "machine-id", ...; empty: none given
  std::optional<std::string> untrusted_text;  // what systemd says it measured
  std::string untrusted_nv_name;              // "hardware"
  std::string untrusted_boot_id;

  const crypto::Digest* DigestOf(crypto::HashAlg alg) const;  // nullptr: none of this bank
};

// Something about the log's form that a verifier must know. `reason` is a CEL_... code.
struct Defect {
  Reason reason = Reason::kCelParse;
  size_t offset = 0;               // bytes, of the record
  std::optional<uint32_t> record;  // number, when it is about one that was understood
  std::string text;                // one line, no host text unescaped
};

class Log {
 public:
  // Text before the first separator, JSON that is none, members given twice: CEL_PARSE. A last
  // record that ends in its middle, as a crash leaves it: CEL_TRUNCATED. Sizes, counts and depths
  // past their bound: CEL_LIMIT. Digests that are no digests: CEL_DIGESTS. A record about no PCR
  // and no NV index, or about both: CEL_REGISTER.
  static Log Parse(ByteView bytes);

  bool empty() const { return records_.empty() && defects_.empty(); }
  const std::vector<Record>& records() const { return records_; }
  const std::vector<Defect>& defects() const { return defects_; }

 private:
  void ReadRecord(ByteView text, size_t offset, bool last);
  void AddDefect(Defect defect);

  std::vector<Record> records_;
  std::vector<Defect> defects_;
};

}  // namespace bootgate::cel
