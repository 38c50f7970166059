#include "gatekeeper/appraisal/json/windows_json.h"

#include <algorithm>

#include "common/eventlog/decode/uefi_text.h"

namespace bootgate::gatekeeper::appraisal::json {
namespace {

using eventlog::sipa::Form;
using eventlog::sipa::Record;

// Nests as deep as the records do: the reader bounds that.
class RecordsWriter {
 public:
  RecordsWriter(const std::vector<Record>& records, JsonText& out) : records_(records), out_(out) {}

  // The records [begin, end) and what they hold, as members of the open object.
  void Members(uint32_t begin, uint32_t end) {
    const size_t bottom = siblings_.size();
    for (uint32_t i = begin; i < end; i = records_[i].end) siblings_.push_back({i, i});
    Group(bottom);
    const size_t top = siblings_.size();
    for (size_t i = bottom; i < top;) {
      size_t after = i + 1;
      while (after < top && siblings_[after].leader == siblings_[i].leader) ++after;
      Member(i, after);
      i = after;
    }
    siblings_.resize(bottom);
  }

 private:
  struct Sibling {
    uint32_t number = 0;
    uint32_t leader = 0;  // number of the first sibling of the same name
  };

  // Siblings of one name next to one another, the groups in the order of their leaders.
  void Group(size_t bottom) {
    const auto first = siblings_.begin() + static_cast<std::ptrdiff_t>(bottom);
    std::sort(first, siblings_.end(), [this](const Sibling& a, const Sibling& b) {
      const uint32_t id_a = records_[a.number].id, id_b = records_[b.number].id;
      return id_a != id_b ? id_a < id_b : a.number < b.number;
    });
    for (auto it = first; it != siblings_.end(); ++it) {
      if (it == first || records_[it->number].id != records_[(it - 1)->number].id) continue;
      it->leader = (it - 1)->leader;
    }
    std::sort(first, siblings_.end(), [](const Sibling& a, const Sibling& b) {
      return a.leader != b.leader ? a.leader < b.leader : a.number < b.number;
    });
  }

  // siblings_ grows meanwhile: by index, not by reference.
  void Member(size_t begin, size_t end) {
    const Record& first = records_[siblings_[begin].number];
    out_.Key(eventlog::sipa::RecordName(first.id));
    const bool list = end - begin > 1 || (first.type != nullptr && first.type->always_list);
    if (list) out_.BeginArray();
    for (size_t i = begin; i < end; ++i) Value(siblings_[i].number);
    if (list) out_.EndArray();
  }

  void Value(uint32_t number) {
    const Record& record = records_[number];
    switch (record.type == nullptr ? Form::kBytes : record.type->form) {
      case Form::kBoolean:
        return out_.Boolean(record.AsBoolean());
      case Form::kNumber:
        return out_.Number(record.AsNumber());
      case Form::kEnumeration:
      case Form::kFlags:
        return Named(record);
      case Form::kText:
        // The reader took it for UTF-16 already.
        return out_.String(eventlog::Utf8FromTerminatedUtf16(record.data).value_or(""));
      case Form::kBytes:
        return out_.Base64Url(record.data);
      case Form::kStructure:
      case Form::kSignedState:
        return Structure(record);
      case Form::kContainer:
        out_.BeginObject();
        Members(number + 1, record.end);
        out_.EndObject();
        return;
    }
  }

  void Named(const Record& record) {
    out_.BeginObject();
    out_.Key("String");
    out_.String(ValueName(*record.type, record.AsNumber()));
    out_.Key("Value");
    out_.Number(record.AsNumber());
    out_.EndObject();
  }

  // Nobody here can check the signature of a signed state: that is said.
  void Structure(const Record& record) {
    out_.BeginObject();
    if (record.type->form == Form::kSignedState) {
      out_.Key("SignatureValid");
      out_.Boolean(false);
    }
    out_.Key("RawData");
    out_.Base64Url(record.data);
    out_.EndObject();
  }

  const std::vector<Record>& records_;
  JsonText& out_;
  std::vector<Sibling> siblings_;  // a stack: those of each open container
};

}  // namespace

void AppendRecords(const std::vector<Record>& records, JsonText& out) {
  RecordsWriter(records, out).Members(0, static_cast<uint32_t>(records.size()));
}

}  // namespace bootgate::gatekeeper::appraisal::json
