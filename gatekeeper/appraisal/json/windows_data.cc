#include "gatekeeper/appraisal/json/windows_data.h"

#include <algorithm>

#include "common/eventlog/decode/uefi_text.h"

namespace bootgate::gatekeeper::appraisal::json {
namespace {

using eventlog::sipa::Form;
using eventlog::sipa::Record;

// Nests as deep as the records do: the reader bounds that.
class RecordsWriter {
 public:
  RecordsWriter(const std::vector<Record>& records, model::Arena& arena)
      : records_(records), arena_(arena) {}

  // The records [begin, end) and what they hold, as members of `out`.
  void Members(uint32_t begin, uint32_t end, model::ObjectBuilder& out) {
    const size_t bottom = siblings_.size();
    for (uint32_t i = begin; i < end; i = records_[i].end) siblings_.push_back({i, i});
    Group(bottom);
    const size_t top = siblings_.size();
    for (size_t i = bottom; i < top;) {
      size_t after = i + 1;
      while (after < top && siblings_[after].leader == siblings_[i].leader) ++after;
      const uint32_t id = records_[siblings_[i].number].id;
      out.Add(arena_.Keep(eventlog::sipa::RecordName(id)), Grouped(i, after));
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
  model::Value Grouped(size_t begin, size_t end) {
    const Record& first = records_[siblings_[begin].number];
    const bool list = end - begin > 1 || (first.type != nullptr && first.type->always_list);
    if (!list) return ValueOf(siblings_[begin].number);
    model::ArrayBuilder items(arena_);
    for (size_t i = begin; i < end; ++i) items.Add(ValueOf(siblings_[i].number));
    return items.Finish();
  }

  model::Value ValueOf(uint32_t number) {
    const Record& record = records_[number];
    switch (record.type == nullptr ? Form::kBytes : record.type->form) {
      case Form::kBoolean:
        return model::Value::Bool(record.AsBoolean());
      case Form::kNumber:
        return NumberValue(record.AsNumber(), arena_);
      case Form::kEnumeration:
      case Form::kFlags:
        return Named(record);
      case Form::kText:
        // The reader took it for UTF-16 already.
        return TextValue(eventlog::Utf8FromTerminatedUtf16(record.data).value_or(""), arena_);
      case Form::kBytes:
        return Base64UrlValue(record.data, arena_);
      case Form::kStructure:
      case Form::kSignedState:
        return Structure(record);
      case Form::kContainer:
        return Container(number, record);
    }
    __builtin_unreachable();
  }

  model::Value Container(uint32_t number, const Record& record) {
    model::ObjectBuilder members(arena_);
    Members(number + 1, record.end, members);
    return members.Finish();
  }

  model::Value Named(const Record& record) {
    model::ObjectBuilder members(arena_);
    members.Add("String", TextValue(ValueName(*record.type, record.AsNumber()), arena_));
    members.Add("Value", NumberValue(record.AsNumber(), arena_));
    return members.Finish();
  }

  // Nobody here can check the signature of a signed state: that is said.
  model::Value Structure(const Record& record) {
    model::ObjectBuilder members(arena_);
    if (record.type->form == Form::kSignedState)
      members.Add("SignatureValid", model::Value::Bool(false));
    members.Add("RawData", Base64UrlValue(record.data, arena_));
    return members.Finish();
  }

  const std::vector<Record>& records_;
  model::Arena& arena_;
  std::vector<Sibling> siblings_;  // a stack: those of each open container
};

}  // namespace

void AddRecords(const std::vector<Record>& records, model::Arena& arena,
                model::ObjectBuilder& out) {
  RecordsWriter(records, arena).Members(0, static_cast<uint32_t>(records.size()), out);
}

}  // namespace bootgate::gatekeeper::appraisal::json
