// Reads the records of a boot log one after the other (Log::Parse).
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/reader.h"
#include "common/eventlog/defects.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/log.h"
#include "common/eventlog/quirks.h"
#include "common/eventlog/spec_id.h"
#include "common/registers/bank.h"

namespace bootgate::eventlog {
namespace {

constexpr absl::string_view kStartupLocality("StartupLocality\0", 16);
constexpr uint32_t kNoRegister = 0xffffffff;     // what some firmware puts into EV_NO_ACTION
constexpr uint32_t kTxtNoRegister = 0x000000ff;  // and Intel TXT into its remark
constexpr size_t kSha1Size = 20;                 // bytes
constexpr size_t kLegacyHeaderBytes = 4 + 4 + kSha1Size + 4;
constexpr size_t kTypicalEventBytes = 128;        // for the first reservation only
constexpr size_t kSmallestEventBytes = 16;        // no digests, no data
constexpr absl::string_view kTdShim = "td-shim";  // vendor info of a firmware for TDX

// Where the run of equal 0x00 or 0xff bytes begins that ends the buffer; its size when there is
// none.
size_t PaddingStart(ByteView bytes) {
  if (bytes.empty()) return 0;
  const uint8_t last = bytes.back();
  if (last != 0x00 && last != 0xff) return bytes.size();
  size_t start = bytes.size();
  while (start > 0 && bytes[start - 1] == last) --start;
  return start;
}

// Whether a record may name this register: if not and the record cannot be read, it is no record.
bool Plausible(uint32_t register_index) {
  return register_index < registers::kCount || register_index == kNoRegister;
}

// Whether a log's header lies here: a record of the old form, without a digest, with the Spec ID.
bool IsLogHeader(ByteView bytes) {
  bytes::Reader in(bytes);
  uint32_t register_index = 0;
  uint32_t type = 0;
  ByteView rest;
  return in.TryU32Le(&register_index) && in.TryU32Le(&type) && type == kEvNoAction &&
         register_index <= kFirstCcRegister &&
         in.TryTake(kLegacyHeaderBytes - 2 * sizeof(uint32_t), &rest) && IsSpecId03(in.rest());
}

}  // namespace

class Parser {
 public:
  explicit Parser(ByteView bytes) : bytes_(bytes), in_(bytes) {}
  Log Run();

 private:
  enum class Next { kGoOn, kStop };

  bool AtEnd() const { return in_.offset() >= padding_; }
  Next ReadFirst();
  Next ReadLegacy(Event& event);
  Next ReadAgile(Event& event);
  Next ReadDigests(Event& event);
  Next ReadData(Event& event);
  Next Accept(const Event& event);
  Next TakeSpecId(const Event& event);
  Next AnotherLog(const Event& event);
  void MakeRoom();

  // Checks of an accepted event.
  void NoteRegister(const Event& event);
  void NoteFewerDigests(const Event& event);
  void NoteDigestCount(const Event& event);
  uint32_t ExpectedBanks() const {
    return log_.fewer_digests_from_.has_value() ? fewer_banks_ : all_banks_;
  }
  void NoteNoAction(const Event& event);
  void NoteNonZeroDigest(const Event& event);
  void NoteStartupLocality(const Event& event);
  void NoteExtending(const Event& event);
  bool HasNonZeroDigest(const Event& event) const;

  // The record at hand cannot be read.
  Next Cut(const Event& event, absl::string_view what);
  Next Limit(const Event& event, std::string text);
  void Note(Reason reason, const Event& event, std::string text);

  ByteView bytes_;
  bytes::Reader in_;
  size_t padding_ = 0;  // offset
  Log log_;
  uint32_t all_banks_ = 0;               // bit n: the n-th announced bank
  uint32_t banks_seen_ = 0;              // of the record at hand
  uint32_t fewer_banks_ = 0;             // of the records from log_.fewer_digests_from() on
  std::optional<Event> trust_boundary_;  // tolerated if it is the last event
  bool locality_named_ = false;
  bool register0_extended_ = false;
};

Log Log::Parse(ByteView bytes) { return Parser(bytes).Run(); }

Log Parser::Run() {
  if (bytes_.size() > kMaxLogBytes) {
    Limit(Event{}, absl::StrCat("log of ", bytes_.size(), " bytes"));
    return std::move(log_);
  }
  padding_ = PaddingStart(bytes_);
  if (padding_ == 0) return std::move(log_);
  log_.events_.reserve(std::min(kMaxEvents, padding_ / kTypicalEventBytes + 1));
  Next next = ReadFirst();
  while (next == Next::kGoOn && !AtEnd()) {
    Event event;
    event.offset = in_.offset();
    event.number = static_cast<uint32_t>(log_.events_.size());
    next = log_.format_ == Format::kCryptoAgile ? ReadAgile(event) : ReadLegacy(event);
    if (next == Next::kGoOn) next = Accept(event);
  }
  if (trust_boundary_.has_value() && !IsTrustBoundary(log_, *trust_boundary_)) {
    NoteNonZeroDigest(*trust_boundary_);
  }
  if (log_.hcrtm_ && !locality_named_) log_.startup_locality_ = 4;
  return std::move(log_);
}

// Grows by half, but never past what the rest of the log could fill: memory stays a small multiple
// of the input whatever the records are.
void Parser::MakeRoom() {
  const size_t size = log_.events_.size();
  if (size < log_.events_.capacity()) return;
  const size_t possible = size + 1 + in_.remaining() / kSmallestEventBytes;
  log_.events_.reserve(std::min({kMaxEvents, possible, size + size / 2 + 8}));
}

Parser::Next Parser::ReadFirst() {
  log_.format_ = Format::kLegacySha1;
  log_.banks_ = {crypto::HashAlg::kSha1};
  Event event;
  if (ReadLegacy(event) == Next::kStop) return Next::kStop;
  if (event.untrusted_type == kEvNoAction && IsSpecId03(event.data)) return TakeSpecId(event);
  return Accept(event);
}

Parser::Next Parser::TakeSpecId(const Event& event) {
  log_.format_ = Format::kCryptoAgile;
  log_.banks_.clear();
  const SpecId spec = ReadSpecId03(event.data);
  if (!spec.problem.empty()) Note(spec.reason, event, spec.problem);
  for (size_t i = 0; i < spec.count; ++i) {
    log_.sizes_.push_back({spec.banks[i].tpm_alg, spec.banks[i].size});
    const std::optional<crypto::HashAlg> alg = crypto::HashAlgFromTpm(spec.banks[i].tpm_alg);
    if (alg.has_value()) log_.banks_.push_back(*alg);
  }
  all_banks_ = (uint32_t{1} << spec.count) - 1;
  if (event.register_index == kFirstCcRegister || AsText(spec.vendor_info) == kTdShim) {
    log_.register_kind_ = RegisterKind::kCcMeasurement;
  }
  if (Accept(event) == Next::kStop) return Next::kStop;
  return spec.usable ? Next::kGoOn : Next::kStop;
}

Parser::Next Parser::ReadLegacy(Event& event) {
  if (!in_.TryU32Le(&event.register_index) || !in_.TryU32Le(&event.untrusted_type) ||
      !in_.TryTake(kSha1Size, &event.digest_bytes)) {
    return Cut(event, "its header");
  }
  event.digest_count = 1;
  if (ReadData(event) == Next::kStop) return Next::kStop;
  const bool is_header = event.untrusted_type == kEvNoAction && IsSpecId03(event.data);
  return is_header && event.number != 0 ? AnotherLog(event) : Next::kGoOn;
}

Parser::Next Parser::ReadAgile(Event& event) {
  if (!in_.TryU32Le(&event.register_index) || !in_.TryU32Le(&event.untrusted_type) ||
      !in_.TryU32Le(&event.digest_count)) {
    return Cut(event, "its header");
  }
  if (event.untrusted_type == kEvNoAction && event.digest_count == 0 &&
      IsLogHeader(bytes_.subspan(event.offset))) {
    return AnotherLog(event);
  }
  if (event.digest_count > kMaxBanks) {
    return Limit(event, absl::StrCat("record with ", event.digest_count, " digests"));
  }
  if (ReadDigests(event) == Next::kStop) return Next::kStop;
  if (ReadData(event) == Next::kGoOn) return Next::kGoOn;
  if (banks_seen_ != ExpectedBanks()) NoteDigestCount(event);
  return Next::kStop;
}

Parser::Next Parser::ReadDigests(Event& event) {
  const size_t start = in_.offset();
  uint32_t seen = 0;
  bool strange = false;
  for (uint32_t i = 0; i < event.digest_count; ++i) {
    uint16_t tpm_alg = 0;
    ByteView digest;
    if (!in_.TryU16Le(&tpm_alg)) return Cut(event, "its digests");
    const auto row = std::ranges::find(log_.sizes_, tpm_alg, &Log::DigestSize::tpm_alg);
    const bool announced = row != log_.sizes_.end();
    const size_t size = announced ? row->size : log_.SizeOf(tpm_alg);
    if (size == 0) {
      Note(Plausible(event.register_index) ? Reason::kLogDigests : Reason::kLogTrailing, event,
           absl::StrCat("digest of algorithm 0x", absl::Hex(tpm_alg, absl::kZeroPad4),
                        " that was not announced: its size is not known"));
      return Next::kStop;
    }
    if (!in_.TryTake(size, &digest)) return Cut(event, "its digests");
    const uint32_t bit = uint32_t{1} << (row - log_.sizes_.begin());
    strange = strange || !announced || (seen & bit) != 0;
    seen |= bit;
  }
  event.digest_bytes = bytes_.subspan(start, in_.offset() - start);
  if (strange) {
    Note(Reason::kLogDigests, event, "a digest given twice or of a bank that was not announced");
    seen = all_banks_;
  }
  banks_seen_ = seen;
  return Next::kGoOn;
}

// A log whose records, from some one on, all have the same digests, fewer than announced, is what
// some boot loaders write. Anything else is a defect of the record where it shows.
void Parser::NoteFewerDigests(const Event& event) {
  std::optional<uint32_t>& from = log_.fewer_digests_from_;
  if (banks_seen_ == ExpectedBanks()) return;
  if (!from.has_value() && banks_seen_ != 0 && MayBeginFewerDigests(event)) {
    from = event.number;
    fewer_banks_ = banks_seen_;
    return;
  }
  if (!from.has_value()) return NoteDigestCount(event);
  NoteDigestCount(log_.events_[*from]);
  from.reset();
  if (banks_seen_ != all_banks_) NoteDigestCount(event);
}

void Parser::NoteDigestCount(const Event& event) {
  Note(Reason::kLogDigests, event,
       absl::StrCat(event.digest_count, " digests for ", log_.sizes_.size(), " banks"));
}

Parser::Next Parser::ReadData(Event& event) {
  uint32_t size = 0;
  if (!in_.TryU32Le(&size)) return Cut(event, "its data size");
  if (size > kMaxEventData) {
    return Limit(event, absl::StrCat("record with ", size, " bytes of data"));
  }
  if (!in_.TryTake(size, &event.data)) {
    return Cut(event, absl::StrCat("its ", size, " bytes of data"));
  }
  return Next::kGoOn;
}

Parser::Next Parser::Accept(const Event& event) {
  if (log_.events_.size() >= kMaxEvents) {
    return Limit(event, absl::StrCat("more than ", kMaxEvents, " records"));
  }
  MakeRoom();
  log_.events_.push_back(event);
  if (trust_boundary_.has_value()) {
    NoteNonZeroDigest(*trust_boundary_);
    trust_boundary_.reset();
  }
  NoteRegister(event);
  if (log_.format_ == Format::kCryptoAgile && event.number != 0) NoteFewerDigests(event);
  if (event.untrusted_type == kEvNoAction) {
    NoteNoAction(event);
  } else if (event.Extends()) {
    NoteExtending(event);
  }
  return Next::kGoOn;
}

// The bytes are several logs, one behind the other: this one ends here.
Parser::Next Parser::AnotherLog(const Event& event) {
  log_.next_log_ = event.offset;
  Note(Reason::kLogTrailing, event, "the header of another log");
  return Next::kStop;
}

void Parser::NoteRegister(const Event& event) {
  const uint32_t index = event.register_index;
  if (!event.Extends()) {
    const bool known =
        Plausible(index) || (event.untrusted_type == kEvTxtPcrMapping && index == kTxtNoRegister);
    if (!known) Note(Reason::kLogPcrIndex, event, "a remark for a register that does not exist");
  } else if (log_.register_kind_ == RegisterKind::kPcr) {
    if (index >= registers::kCount) {
      Note(Reason::kLogPcrIndex, event, absl::StrCat("register ", index));
    }
  } else if (index < kFirstCcRegister || index > kLastCcRegister) {
    Note(Reason::kLogPcrIndex, event, absl::StrCat("measurement register ", index));
  }
}

void Parser::NoteNoAction(const Event& event) {
  if (HasNonZeroDigest(event)) {
    if (LooksLikeTrustBoundary(event)) {
      trust_boundary_ = event;
    } else {
      NoteNonZeroDigest(event);
    }
  }
  if (event.number != 0 && IsSpecId03(event.data)) {
    Note(Reason::kLogNoAction, event, "a second Spec ID event");
  }
  if (event.register_index == 0 && log_.register_kind_ == RegisterKind::kPcr &&
      absl::StartsWith(AsText(event.data), kStartupLocality)) {
    NoteStartupLocality(event);
  }
}

void Parser::NoteNonZeroDigest(const Event& event) {
  Note(Reason::kLogNoAction, event, "EV_NO_ACTION with a digest that is not zero");
}

// Believed once, and only before anything was extended: it tells what PCR 0 started from.
void Parser::NoteStartupLocality(const Event& event) {
  const ByteView value = event.data.subspan(kStartupLocality.size());
  if (value.size() != 1 || (value[0] != 0 && value[0] != 3 && value[0] != 4)) {
    Note(Reason::kLogNoAction, event, "StartupLocality with a locality that is none");
  } else if (register0_extended_) {
    Note(Reason::kLogNoAction, event, "StartupLocality after PCR 0 was extended");
  } else if (locality_named_) {
    Note(Reason::kLogNoAction, event, "StartupLocality twice");
  } else {
    locality_named_ = true;
    log_.startup_locality_ = value[0];
  }
}

void Parser::NoteExtending(const Event& event) {
  if (log_.register_kind_ != RegisterKind::kPcr) return;
  const uint32_t index = event.register_index;
  if (index == 0) {
    if (!register0_extended_) log_.hcrtm_ = event.untrusted_type == kEvEfiHcrtmEvent;
    register0_extended_ = true;
  } else if (IsDynamicRegister(index) && !log_.dynamic_launch_.has_value() &&
             IsDynamicLaunch(event.untrusted_type)) {
    log_.dynamic_launch_ = event.number;
  }
}

bool Parser::HasNonZeroDigest(const Event& event) const {
  const auto is_not_zero = [](uint8_t byte) { return byte != 0; };
  if (log_.format_ != Format::kCryptoAgile || event.number == 0) {
    return std::ranges::any_of(event.digest_bytes, is_not_zero);
  }
  bytes::Reader in(event.digest_bytes);
  uint16_t tpm_alg = 0;
  ByteView digest;
  while (in.TryU16Le(&tpm_alg) && in.TryTake(log_.SizeOf(tpm_alg), &digest)) {
    if (std::ranges::any_of(digest, is_not_zero)) return true;
  }
  return false;
}

// Bytes that do not even name a register are not a record cut short but something else.
Parser::Next Parser::Cut(const Event& event, absl::string_view what) {
  if (Plausible(event.register_index)) {
    Note(Reason::kLogTruncated, event, absl::StrCat("the log ends inside ", what));
  } else {
    Note(Reason::kLogTrailing, event, "bytes that are no record");
  }
  return Next::kStop;
}

Parser::Next Parser::Limit(const Event& event, std::string text) {
  if (Plausible(event.register_index)) {
    Note(Reason::kLogLimit, event, std::move(text));
  } else {
    Note(Reason::kLogTrailing, event, "bytes that are no record");
  }
  return Next::kStop;
}

void Parser::Note(Reason reason, const Event& event, std::string text) {
  Defect defect{
      .reason = reason,
      .offset = event.offset,
      .event = event.number,
      .register_index = std::nullopt,
      .text = absl::StrCat("event ", event.number, " at offset ", event.offset, ": ", text)};
  if (event.register_index < registers::kCount) defect.register_index = event.register_index;
  AddDefect(log_.defects_, std::move(defect));
}

}  // namespace bootgate::eventlog
