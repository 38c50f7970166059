#include "common/cel/record_reader.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"

namespace bootgate::cel {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMaxPcr = 23;
constexpr uint64_t kFirstNvIndex = 0x01000000, kLastNvIndex = 0x01ffffff;  // TPM 2.0 Part 2, 7.4

// Where in a record the reader stands.
enum class Place { kRecord, kContent, kDigestList, kDigest, kElsewhere };

// Members that are read; all others are skipped with whatever is in them.
enum class Field {
  kNone,
  kPcr,
  kNvIndex,
  kDigests,
  kContentType,
  kContent,
  kText,
  kEventType,
  kBootId,
  kNvName,
  kHashAlg,
  kDigest,
};

struct FieldRow {
  Place place;
  absl::string_view name;
  Field field;
};

constexpr FieldRow kFields[] = {
    {Place::kRecord, "pcr", Field::kPcr},
    {Place::kRecord, "nv_index", Field::kNvIndex},
    {Place::kRecord, "digests", Field::kDigests},
    {Place::kRecord, "content_type", Field::kContentType},
    {Place::kRecord, "content", Field::kContent},
    {Place::kContent, "string", Field::kText},
    {Place::kContent, "eventType", Field::kEventType},
    {Place::kContent, "bootId", Field::kBootId},
    {Place::kContent, "nvIndexName", Field::kNvName},
    {Place::kDigest, "hashAlg", Field::kHashAlg},
    {Place::kDigest, "digest", Field::kDigest},
};

Field FieldAt(Place place, absl::string_view name) {
  for (const FieldRow& row : kFields) {
    if (row.place == place && row.name == name) return row.field;
  }
  return Field::kNone;
}

// What nlohmann's parser calls while it reads. Any `false` ends the reading; `bad` says why.
class Handler final : public Json::json_sax_t {
 public:
  explicit Handler(ByteView text) : text_(text) {}

  Record record;
  BadRecord bad;

  bool null() override { return Scalar("null"); }
  bool boolean(bool) override { return Scalar("a truth value"); }
  bool number_integer(number_integer_t) override { return Scalar("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return Scalar("a fraction"); }
  bool binary(binary_t&) override { return Scalar("binary"); }
  bool number_unsigned(number_unsigned_t value) override;
  bool string(string_t& value) override;
  bool start_object(std::size_t) override;
  bool start_array(std::size_t) override;
  bool key(string_t& name) override;
  bool end_object() override;
  bool end_array() override;
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override;

  // After the whole text: is it a record?
  bool Finish();

 private:
  bool Fail(Reason reason, std::string text) {
    bad.reason = reason;
    bad.text = std::move(text);
    return false;
  }
  Place place() const { return depth_ == 0 ? Place::kElsewhere : places_[depth_ - 1]; }
  bool Enter(Place place);
  // A value of a kind that no member we read has.
  bool Scalar(absl::string_view what);
  bool Wrong(absl::string_view what) {
    return Fail(Reason::kCelParse, absl::StrCat("a member's value is ", what));
  }

  const ByteView text_;
  size_t depth_ = 0;
  std::array<Place, kMaxDepth> places_{};
  Field field_ = Field::kNone;              // of the member whose value comes next
  uint32_t seen_ = 0, seen_in_digest_ = 0;  // bit n: Field n was there
  bool digests_seen_ = false, content_is_object_ = false;
  size_t digest_count_ = 0;
  std::string hash_alg_, digest_hex_;
};

bool Handler::Enter(Place place) {
  if (depth_ == kMaxDepth)
    return Fail(Reason::kCelLimit, absl::StrCat("nested deeper than ", kMaxDepth));
  places_[depth_++] = place;
  field_ = Field::kNone;
  return true;
}

bool Handler::Scalar(absl::string_view what) {
  if (depth_ == 0) return Wrong("no object");
  if (place() == Place::kDigestList) return Fail(Reason::kCelDigests, "a digest is no object");
  if (field_ == Field::kNone || field_ == Field::kContent) return true;
  return Wrong(what);
}

bool Handler::number_unsigned(number_unsigned_t value) {
  if (field_ == Field::kPcr) {
    if (value > kMaxPcr) return Fail(Reason::kCelRegister, absl::StrCat("there is no PCR ", value));
    record.pcr = static_cast<uint32_t>(value);
    return true;
  }
  if (field_ == Field::kNvIndex) {
    if (value < kFirstNvIndex || value > kLastNvIndex) {
      return Fail(Reason::kCelRegister, absl::StrCat("0x", absl::Hex(value), " is no NV index"));
    }
    record.nv_index = static_cast<uint32_t>(value);
    return true;
  }
  return Scalar("a number");
}

bool Handler::string(string_t& value) {
  switch (field_) {
    case Field::kContentType:
      record.content_type = std::move(value);
      return true;
    case Field::kText:
      record.untrusted_text = std::move(value);
      return true;
    case Field::kEventType:
      record.untrusted_type = std::move(value);
      return true;
    case Field::kBootId:
      record.untrusted_boot_id = std::move(value);
      return true;
    case Field::kNvName:
      record.untrusted_nv_name = std::move(value);
      return true;
    case Field::kHashAlg:
      hash_alg_ = std::move(value);
      return true;
    case Field::kDigest:
      digest_hex_ = std::move(value);
      return true;
    case Field::kNone:
    case Field::kPcr:
    case Field::kNvIndex:
    case Field::kDigests:
    case Field::kContent:
      return Scalar("a text");
  }
  __builtin_unreachable();
}

bool Handler::start_object(std::size_t) {
  if (depth_ == 0) return Enter(Place::kRecord);
  if (place() == Place::kDigestList) {
    if (++digest_count_ > kMaxDigests)
      return Fail(Reason::kCelLimit, absl::StrCat("more than ", kMaxDigests, " digests"));
    seen_in_digest_ = 0;
    hash_alg_.clear();
    digest_hex_.clear();
    return Enter(Place::kDigest);
  }
  if (field_ == Field::kContent) {
    content_is_object_ = true;
    return Enter(Place::kContent);
  }
  if (field_ != Field::kNone) return Wrong("an object");
  return Enter(Place::kElsewhere);
}

bool Handler::start_array(std::size_t) {
  if (depth_ == 0) return Wrong("no object");
  if (place() == Place::kDigestList) return Fail(Reason::kCelDigests, "a digest is no object");
  if (field_ == Field::kDigests) {
    digests_seen_ = true;
    return Enter(Place::kDigestList);
  }
  if (field_ != Field::kNone && field_ != Field::kContent) return Wrong("a list");
  return Enter(Place::kElsewhere);
}

bool Handler::key(string_t& name) {
  field_ = FieldAt(place(), name);
  if (field_ == Field::kNone) return true;
  uint32_t& seen = place() == Place::kDigest ? seen_in_digest_ : seen_;
  const uint32_t bit = 1u << static_cast<uint32_t>(field_);
  if ((seen & bit) != 0)
    return Fail(Reason::kCelParse, absl::StrCat("the member ", name, " stands there twice"));
  seen |= bit;
  return true;
}

// The end of a digest is where its two members are put together.
bool Handler::end_object() {
  const Place closed = place();
  --depth_;
  field_ = Field::kNone;
  if (closed != Place::kDigest) return true;
  if (hash_alg_.empty() || digest_hex_.empty())
    return Fail(Reason::kCelDigests, "a digest lacks its value or its algorithm");
  const std::optional<crypto::HashAlg> alg = crypto::HashAlgFromName(hash_alg_);
  const absl::StatusOr<Bytes> bytes = FromHex(digest_hex_);
  if (!bytes.ok()) return Fail(Reason::kCelDigests, "a digest is not hexadecimal");
  if (!alg.has_value()) return true;  // of a bank that we do not know
  const absl::StatusOr<crypto::Digest> digest = crypto::Digest::From(*alg, *bytes);
  if (!digest.ok()) {
    return Fail(Reason::kCelDigests,
                absl::StrCat("a digest of ", bytes->size(), " bytes is no ", crypto::Name(*alg)));
  }
  if (record.DigestOf(*alg) != nullptr)
    return Fail(Reason::kCelDigests, absl::StrCat("two digests of bank ", crypto::Name(*alg)));
  record.digests.push_back(*digest);
  return true;
}

bool Handler::end_array() {
  --depth_;
  field_ = Field::kNone;
  return true;
}

bool Handler::parse_error(std::size_t position, const std::string&,
                          const nlohmann::detail::exception&) {
  // The parser counts the end of the text as one more byte.
  const bool at_end = position > text_.size();
  bad.cut = at_end && (text_.empty() || text_.back() != '\n');
  return Fail(Reason::kCelParse,
              at_end ? "it breaks off" : absl::StrCat("it is no JSON from byte ", position, " on"));
}

bool Handler::Finish() {
  if (record.pcr.has_value() == record.nv_index.has_value()) {
    return Fail(Reason::kCelRegister, record.pcr.has_value() ? "it names a PCR and an NV index"
                                                             : "it names neither PCR nor NV index");
  }
  if (!digests_seen_ || record.digests.empty())
    return Fail(Reason::kCelDigests, "it has no digest of an algorithm that we know");
  if (record.content_type == "systemd" && !content_is_object_)
    return Fail(Reason::kCelParse, "its content is no object");
  return true;
}

}  // namespace

std::variant<Record, BadRecord> ReadRecordText(ByteView text) {
  Handler handler(text);
  const bool read = Json::sax_parse(text.begin(), text.end(), &handler) && handler.Finish();
  if (read) return std::move(handler.record);
  return std::move(handler.bad);
}

}  // namespace bootgate::cel
