// The verdict on every EK, AK and CA certificate that we have: tests/corpus/ek/verdicts.txt.
//
// A row: file and number of the certificate in it; judged as "ek", "ak" or "ca"; on which day; the
// verdict, "ok" or a reason code; and what must be said: for "ok" the anchor and, after "; ", each
// tolerance, for a refusal a part of the message.
#include <filesystem>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "pki/ak_chain.h"
#include "pki/ek_chain.h"
#include "pki/ek_path.h"
#include "pki/foreign_leaf.h"
#include "pki/pem.h"
#include "pki/trust_anchor_files.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

using ::bootgate::testing::CorpusPath;
using ::bootgate::testing::CorpusText;
using ::bootgate::testing::SourcePath;

constexpr size_t kMaxFile = 1 << 20;

struct Row {
  std::string file, as, day, verdict, says;
  size_t number = 0;
};

std::vector<Row> Rows() {
  std::vector<Row> rows;
  for (const absl::string_view line : absl::StrSplit(CorpusText("ek/verdicts.txt"), '\n')) {
    if (line.empty() || line[0] == '#') continue;
    const std::vector<std::string> f = absl::StrSplit(line, '\t');
    if (f.size() != 6) {
      ADD_FAILURE() << "not six columns: " << std::string(line);
      continue;
    }
    rows.push_back({f[0], f[2], f[3], f[4], f[5], static_cast<size_t>(std::stoi(f[1]))});
  }
  return rows;
}

// In our corpus, or in the wider one.
std::optional<std::string> Find(const std::string& file) {
  const std::string own = CorpusPath("ek/verdicts.txt");
  const std::string folder = own.substr(0, own.rfind('/'));
  for (const std::optional<std::string>& base :
       {std::optional<std::string>(folder + "/"), testing::WiderCorpus()}) {
    if (!base.has_value()) continue;
    const std::string path = absl::EndsWith(*base, "/") ? *base + file : *base + "/ek/" + file;
    if (std::filesystem::exists(path)) return path;
  }
  return std::nullopt;
}

// What a host or an operator would hand over: PEM blocks in DER, or the file as it is.
std::vector<Bytes> Certificates(const std::string& path) {
  const Bytes bytes = *ReadFile(path, kMaxFile);
  const auto pem = CertificatesFromPem(AsText(bytes));
  return pem.ok() && !pem->empty() ? *pem : std::vector<Bytes>{bytes};
}

const TrustAnchors& Shipped(const std::string& as) {
  static const auto* const kEk =
      new TrustAnchors(*ReadTrustAnchors({SourcePath("pki/roots"), SourcePath("pki/roots/cloud")}));
  static const auto* const kAll = new TrustAnchors(*ReadTrustAnchors(
      {SourcePath("pki/roots"), SourcePath("pki/roots/cloud"), SourcePath("pki/roots/ak")}));
  return as == "ek" ? *kEk : *kAll;
}

// Its issuer, where the set that it comes from has one.
std::vector<Bytes> Beside(const std::string& file) {
  const size_t at = file.find("-x5c0.der");
  if (at == std::string::npos) return {};
  const std::optional<std::string> issuer = Find(file.substr(0, at) + "-x5c1.der");
  if (!issuer.has_value()) return {};
  return {*ReadFile(*issuer, kMaxFile)};
}

// A CA: trusted as it is, or leading to a root; padding behind it is the file's.
absl::StatusOr<std::string> JudgeCa(ByteView der, absl::Time now) {
  BG_ASSIGN_OR_RETURN(const ForeignLeaf leaf, ParseForeignLeaf(der, "certificate"));
  BG_RETURN_IF_ERROR(ForeignKeyOf(leaf.certificate.get()).status());
  const TrustAnchors& anchors = Shipped("ca");
  for (const auto& anchor : anchors.anchors()) {
    if (X509_cmp(anchor.get(), leaf.certificate.get()) == 0)
      return std::string("is shipped as a root");
  }
  BG_ASSIGN_OR_RETURN(
      const std::vector<Bytes> path,
      VerifyPath(leaf.certificate.get(), {.intermediates = {}, .anchors = anchors, .now = now}));
  BG_ASSIGN_OR_RETURN(const crypto::X509Ptr anchor, ParseCertificate(path.back()));
  std::vector<std::string> says = {SubjectText(anchor.get())};
  says.insert(says.end(), leaf.tolerances.begin(), leaf.tolerances.end());
  return absl::StrJoin(says, "; ");
}

template <typename Chain>
std::string Says(const Chain& chain) {
  std::vector<std::string> says = {chain.anchor()};
  says.insert(says.end(), chain.tolerances().begin(), chain.tolerances().end());
  return absl::StrJoin(says, "; ");
}

absl::StatusOr<std::string> Judge(const Row& row, ByteView der) {
  absl::Time now;
  std::string error;
  if (!absl::ParseTime("%Y-%m-%d", row.day, &now, &error)) return absl::InternalError(error);
  if (row.as == "ca") return JudgeCa(der, now);
  if (row.as == "ak") {
    BG_ASSIGN_OR_RETURN(const auto chain,
                        VerifiedAkChain::Verify(der, Beside(row.file), Shipped(row.as), now));
    return absl::StrCat(Name(chain.assurance()), ": ", Says(chain));
  }
  BG_ASSIGN_OR_RETURN(const auto chain,
                      VerifiedEkChain::Verify(der, Beside(row.file), Shipped(row.as), now));
  return Says(chain);
}

TEST(EkCorpus, EveryCertificateGetsItsVerdict) {
  size_t judged = 0, absent = 0;
  for (const Row& row : Rows()) {
    const std::optional<std::string> path = Find(row.file);
    if (!path.has_value()) {
      ++absent;
      continue;
    }
    const std::vector<Bytes> ders = Certificates(*path);
    ASSERT_LT(row.number, ders.size()) << row.file;
    const absl::StatusOr<std::string> judged_as = Judge(row, ders[row.number]);
    const std::string verdict =
        judged_as.ok()
            ? "ok"
            : std::string(Code(ReasonOf(judged_as.status()).value_or(Reason::kInternal)));
    const std::string says =
        judged_as.ok() ? *judged_as : std::string(judged_as.status().message());
    ++judged;
    if (verdict == row.verdict &&
        (verdict == "ok" ? says == row.says : absl::StrContains(says, row.says))) {
      continue;
    }
    ADD_FAILURE() << "ROW\t" << row.file << "\t" << row.number << "\t" << row.as << "\t" << row.day
                  << "\t" << verdict << "\t" << says;
  }
  EXPECT_GE(judged, 20u);
  if (testing::WiderCorpus().has_value()) {
    EXPECT_EQ(absent, 0u);
  }
}

// No certificate of the wider corpus is without a row.
TEST(EkCorpus, TheTableIsWhole) {
  const std::optional<std::string> corpus = testing::WiderCorpus();
  if (!corpus.has_value()) GTEST_SKIP() << "the wider corpus is not here";
  std::set<std::pair<std::string, size_t>> rows;
  for (const Row& row : Rows()) rows.insert({row.file, row.number});
  const auto manifest = nlohmann::json::parse(*ReadTextFile(*corpus + "/MANIFEST.json", 8 << 20));
  const std::set<std::string> kinds = {"ek-cert", "aik-cert", "tpm-ca-cert", "ca-bundle"};
  size_t certificates = 0;
  for (const auto& entry : manifest["files"]) {
    const std::string file = entry["path"];
    if (!absl::StartsWith(file, "ek/") || kinds.count(entry["kind"]) == 0) continue;
    const size_t held = Certificates(*corpus + "/" + file).size();
    for (size_t number = 0; number < held; ++number, ++certificates) {
      EXPECT_EQ(rows.count({file.substr(3), number}), 1u) << file << " " << number;
    }
  }
  EXPECT_GT(certificates, 200u);
}

}  // namespace
}  // namespace bootgate::pki
