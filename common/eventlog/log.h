// The TCG boot log as records: which register got which digests, in order.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.2 (TCG_PCR_EVENT, TCG_PCR_EVENT2,
// Spec ID event); legacy SHA-1 logs.
// Not here: what an event's data means (decode/), what the registers become (replay.h), whether
// that is allowed (the gatekeeper).
//
// Parsing is total: any input gives a Log and a list of defects, never a failure, never more memory
// than a small multiple of the input. A Log borrows the bytes it was parsed from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes_view.h"
#include "common/base/reason.h"
#include "common/crypto/hash.h"

namespace bootgate::eventlog {

inline constexpr size_t kMaxLogBytes = size_t{64} << 20;
inline constexpr size_t kMaxEvents = 65536;
inline constexpr size_t kMaxEventData = size_t{1} << 20;  // bytes
inline constexpr size_t kMaxBanks = 16;
inline constexpr size_t kMaxDefects = 256;  // the last one says that there were more

inline constexpr uint32_t kEvNoAction = 0x00000003;
inline constexpr uint32_t kEvEfiHcrtmEvent = 0x80000010;

// One record. Only `register_index` and the digests are bound by a quote once replayed;
// `untrusted_type` and `data` are whatever the host says until checked against a digest.
struct Event {
  size_t offset = 0;            // first byte of the record in the log
  uint32_t number = 0;          // position in the log, from 0, the Spec ID event included
  uint32_t register_index = 0;  // above 23: LOG_PCR_INDEX, and the event is in no register
  uint32_t untrusted_type = 0;
  uint32_t digest_count = 0;
  ByteView digest_bytes;  // the record's digests as they lie in the log
  ByteView data;          // at most kMaxEventData
};

// Something about the log's form that a verifier must know. `reason` is a LOG_... code.
struct Defect {
  Reason reason = Reason::kLogTruncated;
  size_t offset = 0;              // bytes, of the record
  std::optional<uint32_t> event;  // number, when it is about one
  std::optional<uint32_t> register_index;
  std::string text;  // one line, no host text unescaped
};

enum class Format { kEmpty, kCryptoAgile, kLegacySha1 };

class Log {
 public:
  static Log Parse(ByteView bytes);

  Format format() const { return format_; }
  const std::vector<Event>& events() const { return events_; }
  const std::vector<crypto::HashAlg>& banks() const { return banks_; }  // announced, that we know
  const std::vector<Defect>& defects() const { return defects_; }
  bool HasBank(crypto::HashAlg alg) const;

  // The event's digest of that bank; nullopt when the record has none.
  std::optional<ByteView> DigestOf(const Event& event, crypto::HashAlg alg) const;

  // 0 (also when the log says nothing), 3 or 4; and whether PCR 0 began with an H-CRTM event, which
  // implies 4 unless the log names the locality.
  uint8_t startup_locality() const { return startup_locality_; }
  bool hcrtm() const { return hcrtm_; }

 private:
  friend class Parser;
  // Bytes of a digest: as announced, else as we know it; 0 when neither.
  size_t SizeOf(uint16_t tpm_alg) const;

  Format format_ = Format::kEmpty;
  std::vector<Event> events_;
  std::vector<crypto::HashAlg> banks_;
  struct DigestSize {
    uint16_t tpm_alg = 0;
    uint16_t size = 0;
  };
  std::vector<DigestSize> sizes_;  // as the Spec ID event announces them
  std::vector<Defect> defects_;
  uint8_t startup_locality_ = 0;
  bool hcrtm_ = false;
};

}  // namespace bootgate::eventlog
