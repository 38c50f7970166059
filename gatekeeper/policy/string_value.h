// A String of one evaluation: text, JSON, or both, each made when it is first wanted.
//
// Implements: policy language specification, section 11: a JSON text is parsed at most once in an
// evaluation, and what a query found is queried again without being printed and parsed.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gatekeeper/json/value.h"
#include "gatekeeper/policy/incoming.h"

namespace bootgate::gatekeeper::policy {

class Workspace;

// Why a rule could not be computed: a kind of section 3.8 and a sentence. Never a claim's value.
struct Failure {
  std::string kind, message;
};
Failure LimitFailure();

// Lives in a Workspace; values point to it and share it.
class StringValue {
 public:
  explicit StringValue(absl::string_view borrowed) : text_(borrowed) {}
  explicit StringValue(std::string text) : made_(std::move(text)), text_(made_) {}
  explicit StringValue(json::Value json) : json_(json) {}
  explicit StringValue(const Document& document) : document_(&document) {}
  StringValue(const StringValue&) = delete;
  StringValue& operator=(const StringValue&) = delete;

  // The text; of JSON its canonical text (4.1). Nullopt when the budget is spent.
  std::optional<absl::string_view> Text(Workspace& workspace);
  // The JSON. Failures: json (the text is none), overflow, limit.
  std::variant<json::Value, Failure> Json(Workspace& workspace);

  // What is there without making anything; for traces and for the price of a copy.
  const std::optional<absl::string_view>& text_if_made() const { return text_; }
  const std::optional<json::Value>& json_if_made() const { return json_; }

 private:
  bool MakeDocument(Workspace& workspace);

  std::string made_;
  std::optional<absl::string_view> text_;
  std::optional<json::Value> json_;
  const Document* document_ = nullptr;       // not made yet
  std::optional<absl::StatusCode> no_json_;  // why the text is none
};

// Whether two Strings have the same text; does without the texts where the first byte tells.
// Nullopt when the budget is spent.
std::optional<bool> SameText(StringValue& a, StringValue& b, Workspace& workspace);

}  // namespace bootgate::gatekeeper::policy
