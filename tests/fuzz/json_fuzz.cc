// JSON text that is read has one canonical text, which is read back to an equal value and has
// itself as its canonical text.
#include <string>

#include "common/base/bytes_view.h"
#include "gatekeeper/json/canonical.h"
#include "gatekeeper/json/compare.h"
#include "gatekeeper/json/parse.h"
#include "tests/fuzz/require.h"

namespace {

using bootgate::AsText;
using bootgate::fuzz::Require;
namespace json = bootgate::gatekeeper::json;

std::string Text(const json::Value& value) {
  json::Budget budget;
  const auto text = json::CanonicalText(value, budget);
  Require(text.has_value());
  return *text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  json::Arena arena;
  const auto value = json::Parse(AsText({data, size}), arena);
  if (!value.ok()) return 0;
  const std::string text = Text(*value);
  const auto again = json::Parse(text, arena);
  Require(again.ok());
  json::Budget budget;
  Require(json::Equal(*value, *again, budget) == true);
  Require(json::Equal(*again, *value, budget) == true);
  Require(Text(*again) == text);
  const auto indented = json::IndentedText(*value, budget);
  Require(indented.has_value());
  const auto third = json::Parse(*indented, arena);
  Require(third.ok() && Text(*third) == text);
  return 0;
}
