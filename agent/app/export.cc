#include "agent/app/export.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "agent/app/host.h"
#include "agent/sources/sources.h"
#include "agent/sources/user_log.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/crypto/random.h"

namespace bootgate::agent::app {
namespace {

constexpr uint32_t kQuotedMask = 0x7fff;  // PCR 0-14
constexpr size_t kNonceBytes = 32;

// Writes files into one folder and remembers the first failure.
class Folder {
 public:
  explicit Folder(std::string path) : path_(std::move(path)), status_(MakeFolder(path_, 0755)) {}
  void Put(const std::string& name, ByteView bytes) {
    if (status_.ok()) status_ = WriteFileAtomically(path_ + "/" + name, bytes, 0644);
  }
  const absl::Status& status() const { return status_; }

 private:
  std::string path_;
  absl::Status status_;
};

absl::Status PutQuote(tpm::Tpm& tpm, tpm::AkKind ak, const std::string& name,
                      const registers::Selection& selection, ByteView qualifying_data,
                      Folder* folder) {
  BG_ASSIGN_OR_RETURN(const tpm2::RawQuote quote, tpm.Quote(ak, selection, qualifying_data));
  folder->Put("quote-" + name + ".msg", quote.attest);
  folder->Put("quote-" + name + ".sig", quote.signature);
  return folder->status();
}

absl::Status PutQuotes(tpm::Tpm& tpm, const registers::Selection& banks, ByteView qualifying_data,
                       Folder* folder) {
  registers::Selection all;
  for (const registers::BankSelection& bank : banks) {
    const registers::BankSelection quoted{bank.alg, bank.mask & kQuotedMask};
    all.push_back(quoted);
    BG_RETURN_IF_ERROR(PutQuote(tpm, tpm::AkKind::kRsa, std::string(crypto::Name(bank.alg)),
                                {quoted}, qualifying_data, folder));
    if (bank.alg == crypto::HashAlg::kSha256) {
      BG_RETURN_IF_ERROR(
          PutQuote(tpm, tpm::AkKind::kEcc, "ecc", {quoted}, qualifying_data, folder));
    }
  }
  return PutQuote(tpm, tpm::AkKind::kRsa, "all", all, qualifying_data, folder);
}

absl::Status PutRegisters(tpm::Tpm& tpm, const registers::Selection& banks, Folder* folder) {
  BG_ASSIGN_OR_RETURN(const std::vector<registers::RegisterBank> values, tpm.ReadRegisters(banks));
  nlohmann::ordered_json json;
  for (const registers::RegisterBank& bank : values) {
    nlohmann::ordered_json& out = json[std::string(crypto::Name(bank.alg()))];
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      if (const std::optional<crypto::Digest> value = bank.Get(i))
        out[absl::StrCat(i)] = value->hex();
    }
  }
  const std::string text = json.dump(1) + "\n";
  folder->Put("pcrs.json", AsBytes(text));
  return folder->status();
}

absl::Status PutKeys(tpm::Tpm& tpm, Folder* folder) {
  BG_ASSIGN_OR_RETURN(const tpm2::Public rsa, tpm.AkPublic(tpm::AkKind::kRsa));
  BG_ASSIGN_OR_RETURN(const tpm2::Public ecc, tpm.AkPublic(tpm::AkKind::kEcc));
  folder->Put("ak.pub", rsa.Tpm2b());
  folder->Put("ak.name", rsa.Name());
  folder->Put("ak-ecc.pub", ecc.Tpm2b());
  folder->Put("ak-ecc.name", ecc.Name());
  BG_ASSIGN_OR_RETURN(const tpm2::Public ek, tpm.EkPublic(tpm2::EkTemplate::kRsa2048Low));
  folder->Put("ek.pub", ek.Tpm2b());
  BG_ASSIGN_OR_RETURN(const std::vector<tpm::EkCertificate> certificates, tpm.EkCertificates());
  for (const tpm::EkCertificate& row : certificates) {
    if (row.ek_template == tpm2::EkTemplate::kRsa2048Low) folder->Put("ek-rsa.cert.der", row.der);
  }
  return folder->status();
}

}  // namespace

absl::Status ExportEvidence(const Config& config, tpm::Tpm& tpm, const std::string& path,
                            const Bytes& qualifying_data) {
  const Bytes nonce = qualifying_data.empty() ? crypto::RandomBytes(kNonceBytes) : qualifying_data;
  const sources::Paths paths = BuilderOptions(config, tpm::AkKind::kRsa).paths;
  Folder folder(path);
  BG_RETURN_IF_ERROR(folder.status());
  BG_ASSIGN_OR_RETURN(const Bytes boot_log, sources::ReadBootLog(paths));
  if (!boot_log.empty()) folder.Put("eventlog.bin", boot_log);
  BG_ASSIGN_OR_RETURN(const registers::Selection banks, tpm.AllocatedBanks());
  BG_ASSIGN_OR_RETURN(sources::HeldUserLog user_log, sources::HeldUserLog::Hold(paths));
  if (!user_log.bytes().empty()) folder.Put("userlog.cel", user_log.bytes());
  BG_RETURN_IF_ERROR(PutQuotes(tpm, banks, nonce, &folder));
  BG_RETURN_IF_ERROR(PutRegisters(tpm, banks, &folder));
  BG_RETURN_IF_ERROR(user_log.Release());
  // Read last: a list that is longer than the quotes cover is cut by the verifier, a short one is
  // not.
  BG_ASSIGN_OR_RETURN(const Bytes ima, sources::ReadImaList(paths));
  if (!ima.empty()) folder.Put("ima.bin", ima);
  BG_RETURN_IF_ERROR(PutKeys(tpm, &folder));
  const std::string hex = ToHex(nonce) + "\n";
  folder.Put("nonce.hex", AsBytes(hex));
  return folder.status();
}

}  // namespace bootgate::agent::app
