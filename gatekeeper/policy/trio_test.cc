// Runs the policy trios: policy text, incoming claims, expected outcome, compared exactly.
//
// None is skipped. Each is run with its JSON claims as text, and once more with those that stand
// last as documents, which are made only when a rule looks.

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "gatekeeper/json/parse.h"
#include "gatekeeper/policy/policy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::policy {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

std::string ReadText(const fs::path& path) {
  auto text = ReadTextFile(path.string(), 16 << 20);
  if (!text.ok()) throw std::runtime_error(text.status().ToString());
  return *std::move(text);
}

ClaimValue ValueFrom(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<int64_t>();
  return value.get<std::string>();
}

Json ToJson(const ClaimValue& value) {
  return std::visit([](const auto& held) { return Json(held); }, value);
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

Json ToJson(const std::vector<Claim>& claims) {
  Json list = Json::array();
  for (const Claim& claim : claims) {
    list.push_back({{"type", claim.type},
                    {"value", ToJson(claim.value)},
                    {"valueType", ValueTypeName(claim.value)},
                    {"issuer", Name(claim.issuer)}});
  }
  return list;
}

// The policy-issued part of a token: specification, section 8.2.
Json TokenOf(const std::vector<Claim>& outgoing) {
  std::map<std::string, Json> values;
  for (const Claim& claim : outgoing) {
    Json& list = values.try_emplace(claim.type, Json::array()).first->second;
    const Json value = ToJson(claim.value);
    if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
  }
  Json token = Json::object();
  for (const auto& [type, list] : values) token[type] = list.size() == 1 ? list[0] : list;
  return token;
}

Json OutcomeOf(const Policy& policy, const Incoming& incoming) {
  const Evaluation evaluation = Evaluate(policy, incoming);
  std::set<std::string> codes;
  for (const Warning& warning : policy.warnings()) codes.insert(warning.code);
  Json out = {{"warnings", codes}};
  if (evaluation.decision == Decision::kError) {
    out["result"] = "evaluation-error";
    out["error"] = {{"kind", evaluation.error_kind}, {"line", evaluation.error_line}};
    return out;
  }
  out["configuration"] = Json::object();
  for (const Setting& setting : policy.configuration().settings) {
    out["configuration"][setting.name] = ToJson(setting.value);
  }
  if (evaluation.decision == Decision::kDeny) {
    out["result"] = "deny";
    out["denyRuleLine"] =
        evaluation.deny_rule_line ? Json(*evaluation.deny_rule_line) : Json(nullptr);
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
  std::vector<bool> is_json;  // of each claim
  Json expected;
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
    for (const auto& row : input.at("claims")) {
      trio.incoming.push_back(ClaimFrom(row));
      trio.is_json.push_back(row.contains("json"));
    }
    trio.expected = Json::parse(ReadText(folder / (trio.name + ".out.json")));
    trios.push_back(std::move(trio));
  }
  std::sort(trios.begin(), trios.end(),
            [](const Trio& a, const Trio& b) { return a.name < b.name; });
  return trios;
}

Json Refused(const ParseError& error) {
  return {{"result", "parse-error"},
          {"error", {{"kind", error.kind}, {"line", error.line}, {"column", error.column}}}};
}

Json RunTrio(const Trio& trio) {
  ParseError error;
  const auto policy = Policy::Read(trio.text, &error);
  if (!policy) return Refused(error);
  return OutcomeOf(*policy, {.claims = trio.incoming, .documents = {}});
}

// The claims at the end that are JSON, as documents.
Json RunWithDocuments(const Trio& trio) {
  ParseError error;
  const auto policy = Policy::Read(trio.text, &error);
  if (!policy) return Refused(error);
  size_t first = trio.incoming.size();
  while (first > 0 && trio.is_json[first - 1]) --first;
  std::vector<Document> documents;
  for (size_t at = first; at < trio.incoming.size(); ++at) {
    const Claim& claim = trio.incoming[at];
    const auto make = [&claim](json::Arena& arena) {
      return json::Parse(std::get<std::string>(claim.value), arena).value();
    };
    documents.push_back({claim.type, claim.issuer, claim.read_only, make});
  }
  return OutcomeOf(
      *policy, {.claims = absl::MakeConstSpan(trio.incoming).first(first), .documents = documents});
}

TEST(TrioTest, EveryOneEndsAsExpected) {
  const auto trios = TriosIn(testing::CorpusPath("policies"));
  ASSERT_EQ(trios.size(), 68u);
  for (const Trio& trio : trios) {
    SCOPED_TRACE(trio.name);
    EXPECT_EQ(RunTrio(trio), trio.expected);
    EXPECT_EQ(RunWithDocuments(trio), trio.expected);
  }
}

TEST(TrioTest, EveryOneOfTheSpecificationIsCarriedAsItIs) {
  const auto corpus = testing::WiderCorpus();
  if (!corpus) GTEST_SKIP() << "the wider corpus is not here";
  const fs::path folder = fs::path(*corpus) / ".." / "spec" / "policies";
  if (!fs::exists(folder)) GTEST_SKIP() << "the wider corpus has no policies beside it";
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name == "README.md") continue;
    EXPECT_EQ(ReadText(entry.path()), ReadText(testing::CorpusPath("policies/" + name))) << name;
  }
}

TEST(TrioTest, ThePublishedPoliciesAreReadWithoutWarnings) {
  size_t read = 0;
  for (const auto& entry : fs::directory_iterator(testing::CorpusPath("policies"))) {
    if (entry.path().extension() != ".txt") continue;
    ParseError error;
    const auto policy = Policy::Read(ReadText(entry.path()), &error);
    ASSERT_TRUE(policy.has_value()) << entry.path() << ": " << error.message;
    EXPECT_THAT(policy->warnings(), ::testing::IsEmpty()) << entry.path();
    ++read;
  }
  EXPECT_EQ(read, 4u);
}

}  // namespace
}  // namespace bootgate::gatekeeper::policy
