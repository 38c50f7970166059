#include "common/eventlog/decode/known_certificates.h"

#include <algorithm>
#include <initializer_list>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/base/hex.h"

namespace bootgate::eventlog {
namespace {

using enum CertificateOrigin;

// By fingerprint, ascending. Computed from the certificates in real machines' PK, KEK, db, dbx and
// MokList variables and from shims' own keys; the 2023 generation as Microsoft publishes it
// (go.microsoft.com/fwlink 2239775, 2239776, 2239872, 2284009).
constexpr KnownCertificate kKnown[] = {
    {"01adaf2c334e76a6479516daf618381898323d8f5e7a57bed12bad7ab229209d", kTest,
     "DO NOT TRUST - AMI Test PK (2017)"},
    {"04069b41636d9234a79a62153ed88d4ed184fb8dd1e7277f9d8ab99c758cae43", kVendor,
     "Dell Bios DB Key"},
    {"076f1fea90ac29155ebf77c17682f75f1fdd1be196da302dc8461e350a9ae330", kMicrosoft,
     "Windows UEFI CA 2023"},
    {"079646974bce09b1f04da67bd722d1fb0947ae4c4010bccdbba52d5b23cbf1a2", kDistribution,
     "Debian Secure Boot CA"},
    {"0a45d3438e282cbbd6be051232967018ff50b720dee3f752a5da64dded862b22", kVendor,
     "Lenovo Ideapad Products"},
    {"0cb52d764718613b16989246670bbf7e3807aeefb191df9c93a081dfce0cff38", kVendor,
     "HP UEFI Secure Boot 2013 DB key"},
    {"0d6593be52f90c56b127f9d276e8db8d9f4e74dfde019af3fbc8dd3b56cbe20a", kVendor,
     "SUPERMICRO Product CA 2018"},
    {"1101477d213640926822a22710c6898b24a42c1efbb9e6881c4859b483a571dd", kVendor,
     "ThinkPad Product CA 2012"},
    {"147dd2dcd70f9b12d721404b53d8b07a511d59bcde747d38a4c33eb279c302db", kDistribution,
     "Fedora Secure Boot CA"},
    {"1d0d9461e36c195fd4029230fc5d0ad1fd0c6ac8af6d3b40ee2e9e359cf7167b", kVendor,
     "Dell Bios FW Aux Authority 2018"},
    {"1fd83383576875f1194e97d717ca52630bab7f9c7945a8ea83ceae6714829865", kVendor,
     "HPE UEFI Secure Boot 2016 DB Key"},
    {"2848361a9c1e32df1d3e2ed6a7b9e67a525cf8a13b164f8006c9479578f746de", kMicrosoft,
     "Microsoft Corporation Third Party Marketplace Root"},
    {"2fa7df82773db7eedb5cbaa88e20d885e4c19f1f24ee8e9930192893c258d0a4", kVendor,
     "Google Container-Optimized OS, UEFI DB Key v20250203"},
    {"357f9fd7617f7e31bb499566ce05cd393e6b8eaf82dd79be1c4401b4e6674009", kVendor,
     "Google Chromium OS, UEFI Key Exchange Key v1 (2018-04)"},
    {"3b7073dc023219145ff33b515fb0b9e1c195e81e3a8a726d13fa758408204091", kVendor,
     "VMware Secure Boot Signing"},
    {"3cd3f0309edae228767a976dd40d9f4affc4fbd5218f2e8cc3c9dd97e8ac6f9d", kMicrosoft,
     "Microsoft Corporation KEK 2K CA 2023"},
    {"40175d4c7c5ab4bd753a493f47952f1d8dcf1c219b836968a693e48bd4766135", kDistribution,
     "Red Hat Secure Boot CA 5"},
    {"4266179c42c32a50d20c92c9d85c95b551f05c5c852f2d7c6b35eea29c194242", kVendor,
     "HPE UEFI Secure Boot 2016 KEK Key"},
    {"48e99b991f57fc52f76149599bff0a58c47154229b9f8d603ac40d3500248507", kMicrosoft,
     "Microsoft Corporation UEFI CA 2011"},
    {"5fb05ed84c5170d542ed6a7b7487dd57b8faedb02f7e107b0409e1d22cac4169", kDistribution,
     "Debian UEFI Secure Boot (PK/KEK key)"},
    {"5fc05b208b7a0c0134bec048dad1a1edfa6d15187dfafb8e3ba8a97911ddcc20", kVendor,
     "SUPERMICRO PK CA 2018"},
    {"7842513aea4cf21f17678ac966d08c0ffb871df52c107bc12c5974bcaaf1ec1e", kDistribution,
     "SUSE Linux Enterprise Secure Boot Signkey"},
    {"7b033db44e666c2e8d6b32bdc7f52db729041ba06e05977c7ab25306a4600bcd", kVendor,
     "Google Container-Optimized OS, UEFI Key Exchange Key v10"},
    {"7d75af8ed5cea65bf6f08f8e3cd52394bc18674e56772d86b32847aad84cb675", kVendor,
     "Google Container-Optimized OS, UEFI Platform Key v10"},
    {"7f122fab825041c2b0c67696bb151db6f39fed7df2d1104107f5b892b354ef5c", kDistribution,
     "Red Hat Secure Boot (PK/KEK key 1)"},
    {"8127ede6940152c44d53995db3b1e64b155bed693fb382085056305877dc370f", kVendor,
     "HP UEFI Secure Boot DB 2017"},
    {"841a13264780213855e2776d2f275f37595d089d504f956cdaf77931cabaec08", kVendor,
     "Lenovo ThinkStation"},
    {"881a60dd31ff89429f5a25db6ec3de6571f5543d1b3060824886d3b2c0023265", kVendor,
     "HPE UEFI Secure Boot 2016 PK Key"},
    {"88e7f1f436074cf55be4e72112ff35cfb3a265f5e725dd51ff517cd64f26b356", kVendor,
     "Hewlett-Packard UEFI Secure Boot DB Key"},
    {"8a449fc41dc1df2325671e6c3c93d715cd19fff06be76e56f92680ce4dbe4b0b", kVendor,
     "Google Chromium OS, UEFI DB Key v1 (2018-04)"},
    {"8f046d48ced6a58dd9e0becb8232a4071b8be7f76fd5ed67482612e5106107bd", kVendor,
     "Google Chromium OS, UEFI DB Key v1 (2018-12)"},
    {"90244cc221e00c1fe0a7b78b3ce945dd73bf1633019eb6c15fa5646f9c8d2e1e", kDistribution,
     "Canonical Ltd. Secure Boot Signing (2012)"},
    {"9773962c4271cad2125a5428fc03eabd440e4cdca3fbd0555034c8046a90b181", kVendor,
     "Intel(R) Desktop Boards"},
    {"99abba42419f80cc967a95cbb6a0ecd754f4d243accb778ed2fef17899d3618e", kVendor,
     "Lenovo UEFI CA 2014"},
    {"a1117f516a32cefcba3f2d1ace10a87972fd6bbe8fe0d0b996e09e65d802a503", kMicrosoft,
     "Microsoft Corporation KEK CA 2011"},
    {"a7b8c851deb2acba7c7d0e6ec091c93440f942c65d776fdcb58016f8fd1674b0", kVendor,
     "Google Container-Optimized OS, UEFI DB Key v10"},
    {"a9087d1044ad18f7a94916d284cbc01827cf23cd8f60b79072c9caa1fef4d649", kVendor,
     "Lenovo Ltd. KEK CA 2012"},
    {"b2f95b13c524c40f6c79a6aebd565b069302e28e3871e50a1bd3f98780c1a2a5", kVendor,
     "Hewlett-Packard UEFI Secure Boot Key Exchange Key"},
    {"bdcb2b7761e4e4e803b849fa55fcff06687863ed346aaaa818fb33b590358c24", kVendor,
     "HP UEFI Secure Boot PK 2017"},
    {"c187832602dbada644d18fb43a5aab2ed71854f0a3ef678c0debfc96608b1eeb", kVendor,
     "Google Container-Optimized OS, UEFI Platform Key v20250203"},
    {"c2b2bf1403a2380cb316d5df34d1d72d3c85fc4e8327bad619575a2a31ee88e4", kVendor,
     "Dell Inc. Platform Key (2016-06)"},
    {"c315e37690d6847d6603db8c6f7b4c20aae7c89af3bf5e8e41c48416ea1da5b4", kDistribution,
     "SUSE Linux Enterprise Secure Boot CA"},
    {"c8b4c6d9755968b6deb48d4768dd5e9020d3ff4adc9a62521f54252dd4241678", kVendor,
     "HP UEFI Secure Boot KEK 2017"},
    {"d21defa30fc62db081e59ea274a100d507ed563f61adcf769ef1487c36e9d0f7", kVendor,
     "Dell Inc. UEFI DB"},
    {"d484739ddd38e1b38117cec209b7ed125f61933052fe1f8a42fbb95d38017187", kVendor,
     "VMware, Inc. (2008)"},
    {"dd92dc4c351631d99c90711c3cb4fd7104ada10d1254ce69cf84e5e54cd5879b", kVendor,
     "Hewlett-Packard UEFI Secure Boot Platform Key"},
    {"df545bf919a2439c36983b54cdfc903dfa4f37d3996d8d84b4c31eec6f3c163e", kMicrosoft,
     "Microsoft Root Certificate Authority 2010"},
    {"e28d59ca489bd2ad580f2ea5d62d6a29bb9c02ae5a818434a37da7fc11dff9e9", kVendor,
     "Dell Inc. Key Exchange Key"},
    {"e5be3e64c6e66a281457ecdece0d6d0787577aad2a3a0144262c10c14ba8d8f1", kMicrosoft,
     "Microsoft Option ROM UEFI CA 2023"},
    {"e76a7b739876acbb3835e70a121192244f895e5bb033793e7470d196eed2b6bd", kVendor,
     "Google Container-Optimized OS, UEFI Key Exchange Key v20250203"},
    {"e8e95f0733a55e8bad7be0a1413ee23c51fcea64b3c8fa6a786935fddcc71961", kMicrosoft,
     "Microsoft Windows Production PCA 2011"},
    {"e95d93c648ad5ffad63451c0168fb3741346fdaf81f06ac6df321ffb819b8b2b", kVendor,
     "Dell Inc. Platform Key (2016-02)"},
    {"ed1fe72cb9ca31c9af5b757afcd733323d675825032e6ced7fe1ae9eb767998c", kDistribution,
     "Canonical Ltd. Master Certificate Authority"},
    {"f01614a7a81ba477f0746cf2de71b20dddec709e756c9ea57cb67f93f25ba9fd", kMicrosoft,
     "Microsoft Windows PCA 2010"},
    {"f156d24f5d4e775da0e6a9111f074cfce701939d688c64dba093f97753434f2c", kDistribution,
     "Debian Secure Boot Signer 2016"},
    {"f1fdf7ae3924a187e0f30a502271cb8369f5f26b8032f026aef6fce7a113d1c4", kDistribution,
     "CentOS Secure Boot CA 2"},
    {"f6124e34125bee3fe6d79a574eaa7b91c0e7bd9d929c1a321178efd611dad901", kMicrosoft,
     "Microsoft UEFI CA 2023"},
    {"fbe14729e6a1d72e49c15e245f165f5e10fc77cfed5f460bf8dbbd0bfed732f5", kVendor,
     "Lenovo Ltd. PK CA 2012"},
    {"ffd8d340401248480a4b600c6de40b76af01c568a379c68f843edf027cdf1776", kVendor,
     "Google Chromium OS, UEFI Key Exchange Key v1 (2018-12)"},
};

}  // namespace

absl::string_view Name(CertificateOrigin origin) {
  switch (origin) {
    case kMicrosoft:
      return "microsoft";
    case kDistribution:
      return "distribution";
    case kVendor:
      return "vendor";
    case kTest:
      return "test";
  }
  __builtin_unreachable();
}

const KnownCertificate* FindKnownCertificate(ByteView sha256) {
  const std::string hex = ToHex(sha256);
  const auto row =
      std::ranges::lower_bound(kKnown, absl::string_view(hex), {}, &KnownCertificate::sha256);
  return row != std::end(kKnown) && row->sha256 == hex ? row : nullptr;
}

bool IsTestSubject(absl::string_view subject) {
  const std::string upper = absl::AsciiStrToUpper(subject);
  for (const absl::string_view words : {"DO NOT TRUST", "DO NOT SHIP", "SNAKE OIL", "SNAKEOIL"}) {
    if (absl::StrContains(upper, words)) return true;
  }
  return false;
}

absl::Span<const KnownCertificate> AllKnownCertificates() { return kKnown; }

}  // namespace bootgate::eventlog
