#include "gatekeeper/app/sealing_options.h"

#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::app {

absl::StatusOr<sealing::Options> SealingOptions(const Config& config) {
  sealing::Options out;
  out.folder = config.sealing_folder();
  BG_ASSIGN_OR_RETURN(out.selection,
                      registers::ParseSelection(config.credential.across_boots_selection()));
  if (config.credential.cap_register >= 0) {
    out.cap_register = static_cast<uint32_t>(config.credential.cap_register);
  }
  return out;
}

}  // namespace bootgate::gatekeeper::app
