#include "tests/gate/captured_case.h"

#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/ima/replay.h"
#include "common/testing/corpus.h"

namespace bootgate::gate {
namespace {

constexpr uint32_t kImaRegister = 10;

registers::RegisterBank BankOf(const std::string& name, const nlohmann::json& values) {
  registers::RegisterBank bank(crypto::HashAlgFromName(name).value());
  for (const auto& [index, hex] : values.items()) {
    const Bytes value = FromHex(hex.get<std::string>()).value();
    bank.Set(static_cast<uint32_t>(std::stoul(index)),
             crypto::Digest::From(bank.alg(), value).value());
  }
  return bank;
}

}  // namespace

CapturedCase LoadCase(absl::string_view name) {
  const std::string folder = absl::StrCat("boots/", name);
  CapturedCase out;
  out.boot_log = testing::CorpusFile(folder + "/eventlog.bin");
  out.ima = testing::CorpusFile(folder + "/ima.bin");
  const auto pcrs = nlohmann::json::parse(testing::CorpusText(folder + "/pcrs.json"));
  for (const auto& [bank, values] : pcrs.items()) out.registers.push_back(BankOf(bank, values));
  const registers::RegisterBank& first = out.registers.front();
  const ima::List list = ima::List::Parse(out.ima);
  const ima::Match match =
      ima::FindMatch(list, crypto::Digest(first.alg()), first.Get(kImaRegister).value(), 0).value();
  out.ima_entries = match.entries;
  if (match.entries < list.entries().size()) out.ima.resize(list.entries()[match.entries].offset);
  return out;
}

}  // namespace bootgate::gate
