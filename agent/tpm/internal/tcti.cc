#include "agent/tpm/internal/tcti.h"

#include <tss2/tss2_tctildr.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"

namespace bootgate::agent::tpm::internal {
namespace {

class LoadedTcti final : public Tcti {
 public:
  explicit LoadedTcti(TSS2_TCTI_CONTEXT* context) : context_(context) {}
  ~LoadedTcti() override { Tss2_TctiLdr_Finalize(&context_); }
  TSS2_TCTI_CONTEXT* get() override { return context_; }

 private:
  TSS2_TCTI_CONTEXT* context_;
};

}  // namespace

TctiOpener TctiByName(std::string name) {
  return [name = std::move(name)]() -> absl::StatusOr<std::unique_ptr<Tcti>> {
    TSS2_TCTI_CONTEXT* context = nullptr;
    const TSS2_RC rc = Tss2_TctiLdr_Initialize(name.c_str(), &context);
    if (rc != TSS2_RC_SUCCESS) {
      return Refuse(absl::StatusCode::kUnavailable, Reason::kTpmMissing,
                    absl::StrCat("no TPM at ", Printable(name)));
    }
    return std::make_unique<LoadedTcti>(context);
  };
}

bool IsResourceManager(const std::string& name) {
  return absl::StartsWith(name, "tabrmd") || absl::StrContains(name, "tpmrm");
}

}  // namespace bootgate::agent::tpm::internal
