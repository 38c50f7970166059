// Figures of this process and its fleet as text that Prometheus reads.
//
// Implements: the Prometheus exposition format 0.0.4 (HELP and TYPE, escaped label values).
// Counters begin at zero when the process starts; gauges are as of now.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper::http {

struct Sample {
  std::string label;  // the value of the family's one label; empty where it has none
  int64_t value = 0;
};

enum class MetricKind { kCounter, kGauge };

// Adds one family; `label`: the name of its label, empty when it has none.
void AppendMetric(absl::string_view name, MetricKind kind, absl::string_view help,
                  absl::string_view label, const std::vector<Sample>& samples, std::string* out);

}  // namespace bootgate::gatekeeper::http
