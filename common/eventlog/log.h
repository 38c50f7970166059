// The TCG boot log as records: which register got which digests, in order.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.2 (TCG_PCR_EVENT, TCG_PCR_EVENT2,
// Spec ID event); legacy SHA-1 logs; UEFI 2.10, 38.4 (confidential computing event log); Windows'
// boot configuration log (WBCL), which has these forms too.
// Not here: what an event's data means (decode/), what the registers become (replay.h), whether
// that is allowed (the gatekeeper).
//
// Parsing is total: any input gives a Log and a list of defects, never a failure, never more memory
// than eight times the input (and a few KiB for the defects' text). A Log borrows the bytes it was
// parsed from.
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
inline constexpr uint32_t kEvTxtPcrMapping = 0x00000401;  // a remark of Intel TXT, extends nothing
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

  // Whether its digests went into a register.
  bool Extends() const {
    return untrusted_type != kEvNoAction && untrusted_type != kEvTxtPcrMapping;
  }
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

// What the log's register numbers are. The header says it: never take one for the other.
//   kPcr            the PCRs of a TPM, 0..23
//   kCcMeasurement  the measurement registers of a confidential machine (UEFI 2.10, 38.4.1): with
//                   Intel TDX 0 is MRTD, which no event extends, and 1..4 are RTMR 0..3
enum class RegisterKind { kPcr, kCcMeasurement };
inline constexpr uint32_t kFirstCcRegister = 1;
inline constexpr uint32_t kLastCcRegister = 4;

// PCR 17-22: for a dynamic launch, which resets them.
inline constexpr uint32_t kFirstDynamicRegister = 17;
inline constexpr uint32_t kLastDynamicRegister = 22;
constexpr bool IsDynamicRegister(uint32_t index) {
  return kFirstDynamicRegister <= index && index <= kLastDynamicRegister;
}

class Log {
 public:
  static Log Parse(ByteView bytes);

  Format format() const { return format_; }
  RegisterKind register_kind() const { return register_kind_; }
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

  // Number of the event with which a dynamic launch (Intel TXT, AMD Secure Launch, Arm DRTM) begins
  // in PCR 17-22, and which has reset them to zeros; nullopt: the log knows of none.
  std::optional<uint32_t> dynamic_launch() const { return dynamic_launch_; }

  // Number of the first event from which on every record has the same digests, fewer than announced
  // (quirks.h says whose records those are); nullopt: the log is not such a one.
  std::optional<uint32_t> fewer_digests_from() const { return fewer_digests_from_; }

  // Where, at the end of this log, the header of another one lies in the same bytes; nullopt: none.
  std::optional<size_t> next_log() const { return next_log_; }

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
  RegisterKind register_kind_ = RegisterKind::kPcr;
  std::optional<uint32_t> dynamic_launch_;
  std::optional<uint32_t> fewer_digests_from_;
  std::optional<size_t> next_log_;
};

// The logs of several starts (resumes from hibernation, say) that were stored one behind the other:
// each begins with a Spec ID header. One log gives itself, no bytes give nothing. The pieces borrow
// `bytes`; the last one holds all that is left after kMaxLogs.
inline constexpr size_t kMaxLogs = 64;
std::vector<ByteView> SplitLogs(ByteView bytes);

}  // namespace bootgate::eventlog
