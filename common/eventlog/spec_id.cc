#include "common/eventlog/spec_id.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/reader.h"

namespace bootgate::eventlog {
namespace {

constexpr absl::string_view kSignature03("Spec ID Event03\0", 16);
constexpr size_t kFixedFields = 4 + 4;  // platform class; minor, major, errata, uintn size

SpecId Unusable(Reason reason, std::string problem) {
  SpecId spec;
  spec.reason = reason;
  spec.problem = std::move(problem);
  return spec;
}

bool Announces(const SpecId& spec, uint16_t tpm_alg) {
  for (size_t i = 0; i < spec.count; ++i) {
    if (spec.banks[i].tpm_alg == tpm_alg) return true;
  }
  return false;
}

// Empty when the bank can be believed.
std::string ProblemOf(const BankSize& bank) {
  const std::string name = absl::StrCat("algorithm 0x", absl::Hex(bank.tpm_alg, absl::kZeroPad4));
  if (bank.size == 0 || bank.size > crypto::kMaxDigestSize) {
    return absl::StrCat(name, " with digests of ", bank.size, " bytes");
  }
  const std::optional<crypto::HashAlg> alg = crypto::HashAlgFromTpm(bank.tpm_alg);
  if (alg.has_value() && crypto::DigestSize(*alg) != bank.size) {
    return absl::StrCat(crypto::Name(*alg), " with digests of ", bank.size, " bytes");
  }
  return "";
}

// The vendor's part: one length byte, then as many bytes as it says, to the end.
void CheckVendorInfo(bytes::Reader in, SpecId& spec) {
  ByteView size;
  if (!in.TryTake(1, &size)) {
    spec.problem = "no vendor info size";
  } else if (in.remaining() != size[0]) {
    spec.problem =
        absl::StrCat("vendor info of ", size[0], " bytes announced, ", in.remaining(), " present");
  } else {
    spec.vendor_info = in.rest();
  }
}

}  // namespace

bool IsSpecId03(ByteView data) { return absl::StartsWith(AsText(data), kSignature03); }

SpecId ReadSpecId03(ByteView data) {
  bytes::Reader in(data);
  ByteView skipped;
  uint32_t announced = 0;
  if (!in.TryTake(kSignature03.size() + kFixedFields, &skipped) || !in.TryU32Le(&announced)) {
    return Unusable(Reason::kLogSpecId, "Spec ID event cut before its banks");
  }
  if (announced == 0) return Unusable(Reason::kLogSpecId, "Spec ID event announces no bank");
  if (announced > kMaxBanks) {
    return Unusable(Reason::kLogLimit, absl::StrCat("Spec ID event announces ", announced,
                                                    " banks, at most ", kMaxBanks, " are read"));
  }
  SpecId spec;
  for (uint32_t i = 0; i < announced; ++i) {
    BankSize bank;
    if (!in.TryU16Le(&bank.tpm_alg) || !in.TryU16Le(&bank.size)) {
      return Unusable(Reason::kLogSpecId, absl::StrCat("Spec ID event cut in bank ", i));
    }
    if (std::string problem = ProblemOf(bank); !problem.empty()) {
      return Unusable(Reason::kLogSpecId, absl::StrCat("Spec ID event announces ", problem));
    }
    if (Announces(spec, bank.tpm_alg)) {
      return Unusable(Reason::kLogSpecId,
                      absl::StrCat("Spec ID event announces algorithm 0x",
                                   absl::Hex(bank.tpm_alg, absl::kZeroPad4), " twice"));
    }
    spec.banks[spec.count++] = bank;
  }
  spec.usable = true;
  CheckVendorInfo(in, spec);
  return spec;
}

}  // namespace bootgate::eventlog
