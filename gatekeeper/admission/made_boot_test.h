// Test only: boots that never happened, quoted by a key in software.
#pragma once

#include <utility>
#include <vector>

#include "common/eventlog/log_builder.h"
#include "common/eventlog/replay.h"
#include "common/ima/list_builder.h"
#include "common/ima/replay.h"
#include "common/tpm2/quote.h"
#include "common/tpm2/soft_tpm/soft_ak.h"

namespace bootgate::gatekeeper::admission::testing {

using ::bootgate::testing::ListBuilder;
using ::bootgate::testing::LogBuilder;
using crypto::HashAlg;

inline constexpr uint32_t kQuotedMask = 0x7fff;  // PCR 0-14
inline constexpr uint32_t kEvSeparator = 4, kEvSCrtmVersion = 8, kEvIpl = 13;
inline constexpr uint32_t kEvVariableDriverConfig = 0x80000001;

inline Bytes SecureBootVariable(uint8_t value) {
  static const Bytes global_guid = {0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
                                    0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c};
  bytes::Writer name;
  for (const char c : std::string("SecureBoot")) name.U16Le(static_cast<uint8_t>(c));
  return ::bootgate::testing::VariableData(global_guid, name.view(), Bytes{value});
}

// The least that a firmware writes: its version, Secure Boot on, a separator in each of PCR 0-7.
inline LogBuilder FirmwareLog(std::vector<HashAlg> banks) {
  LogBuilder log = LogBuilder::CryptoAgile(std::move(banks));
  log.Event(0, kEvSCrtmVersion, AsBytes("version 1"));
  log.Event(7, kEvVariableDriverConfig, SecureBootVariable(1));
  for (uint32_t i = 0; i < 8; ++i) log.Event(i, kEvSeparator, Bytes(4, 0));
  return log;
}

// PCR 0-14 as log and list lead to them.
inline registers::RegisterBank Registers(ByteView log_bytes, ByteView list_bytes, HashAlg alg) {
  const eventlog::Log log = eventlog::Log::Parse(log_bytes);
  const registers::RegisterBank replayed = eventlog::ReplayBank(log, alg).bank;
  registers::RegisterBank bank(alg);
  for (uint32_t i = 0; i <= 14; ++i) bank.Set(i, replayed.Get(i).value_or(crypto::Digest(alg)));
  const ima::List list = ima::List::Parse(list_bytes);
  for (const ima::Entry& entry : list.entries()) {
    if (entry.register_index != 10) continue;
    bank.Extend(10, ima::ExtendDigest(entry, alg, ima::ExtendRule::kBankHash));
  }
  return bank;
}

// The list's first entry for a boot with this log.
inline ListBuilder& AddAggregate(ListBuilder& list, ByteView log_bytes) {
  const auto aggregate = ima::BootAggregate(Registers(log_bytes, {}, HashAlg::kSha256)).value();
  bytes::Writer digest, data;
  digest.Raw(AsBytes("sha256:")).U8(0).Raw(aggregate.view());
  ::bootgate::testing::AddField(data, digest.view());
  ::bootgate::testing::AddField(data, ::bootgate::testing::PathField("boot_aggregate"));
  return list.Entry("ima-ng", data.view());
}

inline tpm2::QuotedPcrs QuoteOver(const std::vector<registers::RegisterBank>& banks) {
  static const auto* const ak = new tpm2::soft_tpm::SoftAk(tpm2::soft_tpm::SoftAk::Ecc());
  const Bytes nonce(32, 0x5a);
  registers::Selection selection;
  for (const registers::RegisterBank& bank : banks) selection.push_back({bank.alg(), bank.mask()});
  const tpm2::RawQuote raw = ak->Quote(selection, banks, nonce);
  return tpm2::QuotedPcrs::Verify({ak->area(), {}, selection, nonce}, raw).value();
}

}  // namespace bootgate::gatekeeper::admission::testing
