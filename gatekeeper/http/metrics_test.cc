#include "gatekeeper/http/metrics.h"

#include "gtest/gtest.h"

namespace bootgate::gatekeeper::http {
namespace {

TEST(AppendMetric, WritesWhatPrometheusReads) {
  std::string text;
  AppendMetric("a_total", MetricKind::kCounter, "How many.", "kind", {{"x", 1}, {"q\"\\\n", 2}},
               &text);
  AppendMetric("b", MetricKind::kGauge, "Now.", "", {{"", -3}}, &text);
  EXPECT_EQ(text,
            "# HELP a_total How many.\n# TYPE a_total counter\na_total{kind=\"x\"} 1\n"
            "a_total{kind=\"q\\\"\\\\\\n\"} 2\n# HELP b Now.\n# TYPE b gauge\nb -3\n");
}

}  // namespace
}  // namespace bootgate::gatekeeper::http
