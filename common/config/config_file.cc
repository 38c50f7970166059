#include "common/config/config_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/nearest.h"
#include "common/base/status_macros.h"

namespace bootgate::config {
namespace {

bool IsArrayOfTables(const toml::node& node) {
  const toml::array* const array = node.as_array();
  return array != nullptr && !array->empty() && array->is_homogeneous(toml::node_type::table);
}

// Dotted names of all values of a table (values and arrays of values are leaves), with their lines.
void CollectLeaves(const toml::table& table, const std::string& prefix,
                   std::vector<std::pair<std::string, uint32_t>>* out, int depth) {
  constexpr int kMaxDepth = 8;
  for (const auto& [key, node] : table) {
    const std::string name =
        prefix.empty() ? std::string(key.str()) : prefix + "." + std::string(key.str());
    if (const toml::table* const inner = node.as_table(); inner != nullptr && depth < kMaxDepth) {
      CollectLeaves(*inner, name, out, depth + 1);
    } else if (IsArrayOfTables(node) && depth < kMaxDepth) {
      const toml::array& tables = *node.as_array();
      for (size_t i = 0; i < tables.size(); ++i) {
        CollectLeaves(*tables[i].as_table(), absl::StrCat(name, "[", i, "]"), out, depth + 1);
      }
    } else {
      out->emplace_back(name, node.source().begin.line);
    }
  }
}

// The known key that was probably meant: near as a whole, or near in its last part (a key under the
// wrong heading). Empty when there is none.
std::string MeantKey(const std::string& name, const std::vector<std::string>& known) {
  std::string near = NearestName(name, known);
  if (!near.empty()) return near;
  const auto last = [](const std::string& key) { return key.substr(key.rfind('.') + 1); };
  std::vector<std::string> parts;
  for (const std::string& key : known) parts.push_back(last(key));
  const std::string part = NearestName(last(name), parts);
  const auto found = std::ranges::find(parts, part);
  return part.empty() ? "" : known[static_cast<size_t>(found - parts.begin())];
}

}  // namespace

struct ConfigFile::Impl {
  std::string file;
  toml::table table;
  std::set<std::string> known;
  std::vector<std::string> complaints;

  const toml::node* Find(absl::string_view key) {
    known.insert(std::string(key));
    return table.at_path(std::string(key)).node();
  }

  void Complain(const toml::node* node, absl::string_view key, absl::string_view what) {
    const uint32_t line = node == nullptr ? 1 : static_cast<uint32_t>(node->source().begin.line);
    complaints.push_back(absl::StrCat(file, ":", line, ": ", key, ": ", what));
  }
};

ConfigFile::ConfigFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ConfigFile::ConfigFile(ConfigFile&&) noexcept = default;
ConfigFile& ConfigFile::operator=(ConfigFile&&) noexcept = default;
ConfigFile::~ConfigFile() = default;

absl::StatusOr<ConfigFile> ConfigFile::Parse(absl::string_view text, absl::string_view file) {
  auto impl = std::make_unique<Impl>();
  impl->file = std::string(file);
  try {
    impl->table = toml::parse(std::string_view(text.data(), text.size()));
  } catch (const toml::parse_error& error) {  // Debian's library throws; nothing else does
    const std::string_view what = error.description();
    return absl::InvalidArgumentError(
        absl::StrCat(file, ":", error.source().begin.line, ":", error.source().begin.column, ": ",
                     Printable(absl::string_view(what.data(), what.size()))));
  }
  return ConfigFile(std::move(impl));
}

absl::StatusOr<ConfigFile> ConfigFile::Load(const std::string& path) {
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxFileBytes));
  return Parse(text, path);
}

void ConfigFile::Text(absl::string_view key, std::string* value) {
  const toml::node* const node = impl_->Find(key);
  if (node == nullptr) return;
  const toml::value<std::string>* const text = node->as_string();
  if (text == nullptr) return impl_->Complain(node, key, "expected a text in quotes");
  *value = text->get();
}

void ConfigFile::Texts(absl::string_view key, std::vector<std::string>* value) {
  const toml::node* const node = impl_->Find(key);
  if (node == nullptr) return;
  const toml::array* const array = node->as_array();
  if (array == nullptr) return impl_->Complain(node, key, "expected a list of texts");
  std::vector<std::string> out;
  for (const toml::node& element : *array) {
    const toml::value<std::string>* const text = element.as_string();
    if (text == nullptr) return impl_->Complain(&element, key, "expected a text in quotes");
    out.push_back(text->get());
  }
  *value = std::move(out);
}

void ConfigFile::Integer(absl::string_view key, int64_t least, int64_t most, int64_t* value) {
  const toml::node* const node = impl_->Find(key);
  if (node == nullptr) return;
  const toml::value<int64_t>* const number = node->as_integer();
  if (number == nullptr) return impl_->Complain(node, key, "expected a whole number");
  if (number->get() < least || number->get() > most) {
    return impl_->Complain(node, key,
                           absl::StrCat(number->get(), " is not between ", least, " and ", most));
  }
  *value = number->get();
}

void ConfigFile::Integers(absl::string_view key, int64_t least, int64_t most,
                          std::vector<int64_t>* value) {
  const toml::node* const node = impl_->Find(key);
  if (node == nullptr) return;
  const toml::array* const array = node->as_array();
  if (array == nullptr) return impl_->Complain(node, key, "expected a list of whole numbers");
  std::vector<int64_t> out;
  for (const toml::node& element : *array) {
    const toml::value<int64_t>* const number = element.as_integer();
    if (number == nullptr || number->get() < least || number->get() > most) {
      return impl_->Complain(&element, key,
                             absl::StrCat("expected whole numbers from ", least, " to ", most));
    }
    out.push_back(number->get());
  }
  *value = std::move(out);
}

void ConfigFile::Flag(absl::string_view key, bool* value) {
  const toml::node* const node = impl_->Find(key);
  if (node == nullptr) return;
  const toml::value<bool>* const flag = node->as_boolean();
  if (flag == nullptr) return impl_->Complain(node, key, "expected true or false");
  *value = flag->get();
}

void ConfigFile::Span(absl::string_view key, absl::Duration least, absl::Duration most,
                      absl::Duration* value) {
  std::string text;
  Text(key, &text);
  if (text.empty()) return;
  const toml::node* const node = impl_->Find(key);
  absl::Duration span;
  if (!absl::ParseDuration(text, &span)) {
    return impl_->Complain(
        node, key, absl::StrCat("'", Printable(text), "' is no time span; write 90s, 10m or 24h"));
  }
  if (span < least || span > most) {
    return impl_->Complain(node, key,
                           absl::StrCat(text, " is not between ", absl::FormatDuration(least),
                                        " and ", absl::FormatDuration(most)));
  }
  *value = span;
}

void ConfigFile::Choice(absl::string_view key, const std::vector<std::string>& words,
                        std::string* value) {
  std::string text = *value;
  Text(key, &text);
  if (std::ranges::find(words, text) != words.end()) {
    *value = text;
    return;
  }
  if (Has(key)) {
    impl_->Complain(
        impl_->Find(key), key,
        absl::StrCat("'", Printable(text), "' is none of ", absl::StrJoin(words, ", ")));
  }
}

size_t ConfigFile::Tables(absl::string_view key) {
  const toml::node* const node = impl_->Find(key);
  if (node == nullptr) return 0;
  if (!IsArrayOfTables(*node)) {
    impl_->Complain(node, key, absl::StrCat("expected tables, each under [[", key, "]]"));
    return 0;
  }
  return node->as_array()->size();
}

bool ConfigFile::Has(absl::string_view key) const {
  return impl_->table.at_path(std::string(key)).node() != nullptr;
}

void ConfigFile::Complain(absl::string_view key, absl::string_view what) {
  impl_->Complain(impl_->Find(key), key, what);
}

absl::Status ConfigFile::Finish() {
  std::vector<std::pair<std::string, uint32_t>> leaves;
  CollectLeaves(impl_->table, "", &leaves, 0);
  const std::vector<std::string> known(impl_->known.begin(), impl_->known.end());
  for (const auto& [name, line] : leaves) {
    if (impl_->known.contains(name)) continue;
    const std::string near = MeantKey(name, known);
    impl_->complaints.push_back(
        absl::StrCat(impl_->file, ":", line, ": unknown key ", Printable(name),
                     near.empty() ? absl::StrCat("; known are ", absl::StrJoin(known, ", "))
                                  : absl::StrCat("; did you mean ", near, "?")));
  }
  if (impl_->complaints.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(impl_->complaints, "\n"));
}

}  // namespace bootgate::config
