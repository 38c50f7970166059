// Runs the policy trios: policy text, incoming claims, expected outcome, compared exactly.
//
// tests/corpus/policies carries those that this release must run; with the wider corpus at hand its
// whole folder is run, and what is skipped is named with the reason.

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "gatekeeper/policy/policy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::policy {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::string ReadText(const fs::path& path) {
  auto text = ReadTextFile(path.string(), 16 << 20);
  if (!text.ok()) throw std::runtime_error(text.status().ToString());
  return *std::move(text);
}

ClaimValue ValueFrom(const json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<int64_t>();
  return value.get<std::string>();
}

json ToJson(const ClaimValue& value) {
  return std::visit([](const auto& held) { return json(held); }, value);
}

Claim ClaimFrom(const nlohmann::ordered_json& row) {
  Claim claim;
  claim.type = row.at("type").get<std::string>();
  claim.value = row.contains("json") ? ClaimValue(row["json"].dump()) : ValueFrom(row.at("value"));
  claim.issuer =
      row.at("issuer") == "CustomClaim" ? Issuer::kCustomClaim : Issuer::kAttestationService;
  claim.read_only = row.value("readOnly", false);
  return claim;
}

json ToJson(const std::vector<Claim>& claims) {
  json list = json::array();
  for (const Claim& claim : claims) {
    list.push_back({{"type", claim.type},
                    {"value", ToJson(claim.value)},
                    {"valueType", ValueTypeName(claim.value)},
                    {"issuer", Name(claim.issuer)}});
  }
  return list;
}

// The policy-issued part of a token: specification, section 8.2.
json TokenOf(const std::vector<Claim>& outgoing) {
  std::map<std::string, json> values;
  for (const Claim& claim : outgoing) {
    json& list = values.try_emplace(claim.type, json::array()).first->second;
    const json value = ToJson(claim.value);
    if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
  }
  json token = json::object();
  for (const auto& [type, list] : values) token[type] = list.size() == 1 ? list[0] : list;
  return token;
}

json OutcomeOf(const Policy& policy, const std::vector<Claim>& incoming) {
  const Evaluation evaluation = Evaluate(policy, incoming);
  std::set<std::string> codes;
  for (const Warning& warning : policy.warnings()) codes.insert(warning.code);
  json out = {{"warnings", codes}};
  if (evaluation.decision == Decision::kError) {
    out["result"] = "evaluation-error";
    out["error"] = {{"kind", evaluation.error_kind}, {"line", evaluation.error_line}};
    return out;
  }
  out["configuration"] = json::object();
  for (const Setting& setting : policy.configuration().settings) {
    out["configuration"][setting.name] = ToJson(setting.value);
  }
  if (evaluation.decision == Decision::kDeny) {
    out["result"] = "deny";
    out["denyRuleLine"] =
        evaluation.deny_rule_line ? json(*evaluation.deny_rule_line) : json(nullptr);
    return out;
  }
  out["result"] = "permit";
  out["outgoing"] = ToJson(evaluation.outgoing);
  out["properties"] = ToJson(evaluation.properties);
  out["token"] = TokenOf(evaluation.outgoing);
  return out;
}

struct Trio {
  std::string name, text;
  std::vector<Claim> incoming;
  json expected;
};

std::vector<Trio> TriosIn(const fs::path& folder) {
  constexpr absl::string_view kInput = ".in.json";
  std::vector<Trio> trios;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string file = entry.path().filename().string();
    if (!file.ends_with(std::string(kInput))) continue;
    Trio trio;
    trio.name = file.substr(0, file.size() - kInput.size());
    const auto input = nlohmann::ordered_json::parse(ReadText(entry.path()));
    trio.text = ReadText(folder / input.value("policy", trio.name + ".policy"));
    for (const auto& row : input.at("claims")) trio.incoming.push_back(ClaimFrom(row));
    trio.expected = json::parse(ReadText(folder / (trio.name + ".out.json")));
    trios.push_back(std::move(trio));
  }
  std::sort(trios.begin(), trios.end(),
            [](const Trio& a, const Trio& b) { return a.name < b.name; });
  return trios;
}

// Nullopt: refused only because a function is not available yet.
std::optional<json> RunTrio(const Trio& trio) {
  ParseError error;
  const auto policy = Policy::Read(trio.text, &error);
  if (policy) return OutcomeOf(*policy, trio.incoming);
  if (error.kind == "unsupported-function") return std::nullopt;
  return json{{"result", "parse-error"},
              {"error", {{"kind", error.kind}, {"line", error.line}, {"column", error.column}}}};
}

TEST(TrioTest, EveryCarriedTrioEndsAsExpected) {
  const auto trios = TriosIn(testing::CorpusPath("policies"));
  ASSERT_GE(trios.size(), 40u);
  for (const Trio& trio : trios) {
    SCOPED_TRACE(trio.name);
    const auto outcome = RunTrio(trio);
    ASSERT_TRUE(outcome.has_value()) << "the carried trios need nothing that is not there";
    EXPECT_EQ(*outcome, trio.expected);
  }
}

TEST(TrioTest, EveryTrioOfTheWiderCorpusWithoutJmesPathEndsAsExpected) {
  const auto corpus = testing::WiderCorpus();
  if (!corpus) GTEST_SKIP() << "the wider corpus is not here";
  const fs::path folder = fs::path(*corpus) / ".." / "spec" / "policies";
  if (!fs::exists(folder)) GTEST_SKIP() << "the wider corpus has no policies beside it";
  size_t run = 0;
  for (const Trio& trio : TriosIn(folder)) {
    SCOPED_TRACE(trio.name);
    const auto outcome = RunTrio(trio);
    if (!outcome) {
      EXPECT_THAT(trio.text, ::testing::HasSubstr("JmesPath("));
      std::cout << "skipped " << trio.name << ": it uses JmesPath\n";
      continue;
    }
    ++run;
    EXPECT_EQ(*outcome, trio.expected);
  }
  std::cout << "compared " << run << " trios\n";
  EXPECT_GE(run, 40u);
}

}  // namespace
}  // namespace bootgate::gatekeeper::policy
