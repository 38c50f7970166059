#include "common/ima/template.h"

#include <algorithm>
#include <initializer_list>

namespace bootgate::ima {
namespace {

struct TemplateRow {
  absl::string_view name;
  Layout layout;
};

constexpr Layout Of(Template kind, std::initializer_list<Field> fields) {
  Layout layout{.kind = kind, .count = static_cast<uint8_t>(fields.size())};
  std::copy(fields.begin(), fields.end(), layout.fields.begin());
  return layout;
}

using enum Field;
constexpr TemplateRow kTemplates[] = {
    {"ima-ng", Of(Template::kImaNg, {kDigestNg, kNameNg})},
    {"ima-sig", Of(Template::kImaSig, {kDigestNg, kNameNg, kSignature})},
    {"ima-buf", Of(Template::kImaBuf, {kDigestNg, kNameNg, kBuffer})},
    {"ima-ngv2", Of(Template::kImaNgV2, {kDigestNgV2, kNameNg})},
    {"ima-sigv2", Of(Template::kImaSigV2, {kDigestNgV2, kNameNg, kSignature})},
    {"ima-modsig", Of(Template::kImaModsig,
                      {kDigestNg, kNameNg, kSignature, kAppendedDigest, kAppendedSignature})},
    {"evm-sig", Of(Template::kEvmSig, {kDigestNg, kNameNg, kEvmSignature, kXattrNames,
                                       kXattrLengths, kXattrValues, kOwner, kGroup, kMode})},
    {"ima", Of(Template::kIma, {kDigest, kName})},
};

struct FieldRow {
  absl::string_view name;
  Field field;
};
constexpr FieldRow kFieldNames[] = {
    {"d", kDigest},
    {"n", kName},
    {"d-ng", kDigestNg},
    {"d-ngv2", kDigestNgV2},
    {"n-ng", kNameNg},
    {"sig", kSignature},
    {"buf", kBuffer},
    {"d-modsig", kAppendedDigest},
    {"modsig", kAppendedSignature},
    {"evmsig", kEvmSignature},
    {"iuid", kOwner},
    {"igid", kGroup},
    {"imode", kMode},
    {"xattrnames", kXattrNames},
    {"xattrlengths", kXattrLengths},
    {"xattrvalues", kXattrValues},
};

Field FieldOf(absl::string_view name) {
  for (const FieldRow& row : kFieldNames) {
    if (row.name == name) return row.field;
  }
  return kUnknown;
}

bool IsFileDigest(Field field) {
  return field == kDigest || field == kDigestNg || field == kDigestNgV2;
}

bool IsName(Field field) { return field == kName || field == kNameNg; }

// Each field known and there once, one digest and one path: the entry says which file it is about.
bool TellsOneFile(const Layout& layout) {
  const auto begin = layout.fields.begin();
  const auto end = begin + layout.count;
  for (auto it = begin; it != end; ++it) {
    if (*it == kUnknown || std::find(begin, it, *it) != it) return false;
  }
  return std::count_if(begin, end, IsFileDigest) == 1 && std::count_if(begin, end, IsName) == 1;
}

Layout ReadFormat(absl::string_view format) {
  Layout layout;
  while (true) {
    if (layout.count == kMaxFields) return {};
    const size_t bar = format.find('|');
    layout.fields[layout.count++] = FieldOf(format.substr(0, bar));
    if (bar == absl::string_view::npos) break;
    format.remove_prefix(bar + 1);
  }
  const bool a_word = layout.count == 1 && layout.fields[0] == kUnknown;
  if (a_word) return {};
  if (TellsOneFile(layout)) layout.kind = Template::kCustom;
  return layout;
}

}  // namespace

Layout LayoutOf(absl::string_view template_name) {
  for (const TemplateRow& row : kTemplates) {
    if (row.name == template_name) return row.layout;
  }
  return ReadFormat(template_name);
}

}  // namespace bootgate::ima
