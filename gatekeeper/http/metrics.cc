#include "gatekeeper/http/metrics.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace bootgate::gatekeeper::http {

void AppendMetric(absl::string_view name, MetricKind kind, absl::string_view help,
                  absl::string_view label, const std::vector<Sample>& samples, std::string* out) {
  absl::StrAppend(out, "# HELP ", name, " ", help, "\n# TYPE ", name, " ",
                  kind == MetricKind::kCounter ? "counter" : "gauge", "\n");
  for (const Sample& sample : samples) {
    absl::StrAppend(out, name);
    if (!label.empty()) {
      const std::string value =
          absl::StrReplaceAll(sample.label, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}});
      absl::StrAppend(out, "{", label, "=\"", value, "\"}");
    }
    absl::StrAppend(out, " ", sample.value, "\n");
  }
}

}  // namespace bootgate::gatekeeper::http
