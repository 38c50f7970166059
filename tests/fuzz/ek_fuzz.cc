// Any bytes as everything about identity that is read from outside: EK and AK certificates, what a
// host sends beside them, CRLs, PEM. What is accepted is bounded, and says the same again.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/testing/corpus.h"
#include "pki/ak_chain.h"
#include "pki/authority.h"
#include "pki/der_walk.h"
#include "pki/ek_chain.h"
#include "pki/ek_distrust.h"
#include "pki/ek_revocation.h"
#include "pki/foreign_leaf.h"
#include "pki/pem.h"
#include "pki/trust_anchor_files.h"
#include "tests/fuzz/require.h"

namespace {

using bootgate::Bytes;
using bootgate::ByteView;
using bootgate::SameBytes;
using bootgate::fuzz::Require;
namespace pki = bootgate::pki;

constexpr size_t kMaxPath = 11;  // leaf, intermediates and known CAs, anchor

const pki::TrustAnchors& Anchors() {
  static const auto* const kAnchors = new pki::TrustAnchors(
      *pki::ReadTrustAnchors({bootgate::testing::SourcePath("pki/roots/st.pem"),
                              bootgate::testing::SourcePath("pki/roots/nationz.pem"),
                              bootgate::testing::SourcePath("pki/roots/cloud/google.pem"),
                              bootgate::testing::SourcePath("pki/roots/ak/microsoft.pem")}));
  return *kAnchors;
}

absl::Time Now() { return absl::FromCivil(absl::CivilDay(2024, 6, 1), absl::UTCTimeZone()); }

// The same for EK and AK certificates: what verified has a path, and garbage behind it is refused.
template <typename Chain>
void CheckChain(ByteView input, const std::vector<Bytes>& beside) {
  const auto chain = Chain::Verify(input, beside, Anchors(), Now());
  if (!chain.ok()) return;
  Require(chain->path().size() >= 2 && chain->path().size() <= kMaxPath);
  Require(!chain->anchor().empty());
  Bytes longer = bootgate::ToBytes(input);
  longer.push_back(0x30);
  Require(!Chain::Verify(longer, beside, Anchors(), Now()).ok());
  // Nobody's list says anything of it, and a list of nobody's lets nothing through.
  pki::CrlSet none;
  Require(pki::CheckRevocation(chain->path(), none, pki::RevocationMode::kSoft, Now()).ok());
  Require(!pki::CheckRevocation(chain->path(), none, pki::RevocationMode::kHard, Now()).ok());
  Require(pki::DistrustList().CheckPath(chain->path()).ok());
}

void CheckWalk(ByteView input) {
  const auto walked = pki::der::Walk(input);
  if (!walked.ok()) return;
  Require(walked->elements >= 1 && walked->elements <= pki::der::kMaxElements);
  Require(walked->elements * 2 <= input.size());
  Require(walked->deepest >= 1 && walked->deepest <= pki::der::kMaxDepth);
}

void CheckIntermediates(ByteView input) {
  const auto parsed = pki::ParseIntermediates({bootgate::ToBytes(input)});
  if (!parsed.ok()) return;
  Require(!parsed->certificates.empty());
  Require(parsed->certificates.size() <= pki::kMaxIntermediates);
}

void CheckCrl(ByteView input) {
  pki::CrlSet set;
  if (!set.Add(input).ok()) {
    Require(set.size() == 0);
    return;
  }
  Require(set.size() > 0);
  // The path of a real EK: no list that is not its vendor's own speaks of it.
  static const auto* const kChain = new pki::VerifiedEkChain(*pki::VerifiedEkChain::Verify(
      bootgate::testing::CorpusFile("ek/openeuler-mirror_kunpengsecl/ECC_EK_cert.bin"), {},
      Anchors(), Now()));
  Require(pki::CheckRevocation(kChain->path(), set, pki::RevocationMode::kSoft, Now()).ok());
  Require(!pki::CheckRevocation(kChain->path(), set, pki::RevocationMode::kHard, Now()).ok());
}

void CheckPem(ByteView input) {
  const auto found = pki::CertificatesFromPem(bootgate::AsText(input));
  if (!found.ok()) return;
  for (const Bytes& der : *found) {
    Require(!der.empty() && der.size() <= pki::kMaxCertificateSize);
    const auto again = pki::PemToDer(pki::DerToPem(der));
    Require(again.ok() && SameBytes(*again, der));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView input(data, size);
  CheckWalk(input);
  CheckPem(input);
  CheckChain<pki::VerifiedEkChain>(input, {});
  CheckChain<pki::VerifiedAkChain>(input, {});
  CheckIntermediates(input);
  CheckCrl(input);
  return 0;
}
