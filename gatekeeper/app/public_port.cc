#include "gatekeeper/app/public_port.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/http/metrics.h"
#include "gatekeeper/http/routes.h"

namespace bootgate::gatekeeper::app {
namespace {

using http::AppendMetric;
using http::MetricKind;
using http::Sample;

constexpr absl::Duration kTendEvery = absl::Minutes(1);

std::string IssuerUrl(const Config& config, int port) {
  if (!config.token.issuer.empty()) return config.token.issuer;
  const std::string& listen = config.http.listen;
  return absl::StrCat("http://", listen.substr(0, listen.rfind(':')), ":", port);
}

absl::Status AuditKeys(store::Store& store, const token::KeyRing::Tended& tended, absl::Time now) {
  store::Commit commit;
  for (const std::string& kid : tended.made) {
    commit.audit.push_back(audit::MakeRow(now, audit::kGatekeeperActor, "token.key.rotate", kid,
                                          audit::Detail().Text("why", "age")));
  }
  for (const std::string& kid : tended.deleted) {
    commit.audit.push_back(audit::MakeRow(now, audit::kGatekeeperActor, "token.key.delete", kid,
                                          audit::Detail().Text("why", "its tokens have expired")));
  }
  return commit.audit.empty() ? absl::OkStatus() : store.Apply(commit);
}

absl::Status IsReady(const Observed& observed) {
  BG_RETURN_IF_ERROR(observed.store.ChangeCounter().status());
  if (observed.clock.Now() >= observed.authority.not_after()) {
    return absl::FailedPreconditionError("the issuing CA has ended");
  }
  return absl::OkStatus();
}

void AppendRequests(const service::ServerCounts& counts, std::string* out) {
  std::vector<Sample> answered, refused, submissions;
  for (const auto& [method, count] : counts.methods) {
    answered.push_back({method, count.answered});
    refused.push_back({method, count.refused});
  }
  for (const auto& [outcome, count] : counts.submissions) {
    submissions.push_back({std::string(Name(outcome)), count});
  }
  AppendMetric("bootgate_submissions_total", MetricKind::kCounter,
               "What became of evidence that was submitted.", "outcome", submissions, out);
  AppendMetric("bootgate_requests_answered_total", MetricKind::kCounter,
               "Requests of agents that were answered.", "method", answered, out);
  AppendMetric("bootgate_requests_refused_total", MetricKind::kCounter,
               "Requests of agents that were refused.", "method", refused, out);
}

void AppendRevocation(const revocation::Figures& figures, absl::Time now, std::string* out) {
  if (figures.oldest_crl != absl::InfiniteFuture()) {
    AppendMetric("bootgate_crl_age_seconds", MetricKind::kGauge,
                 "Age of the oldest revocation list that is served.", "",
                 {{"", absl::ToInt64Seconds(now - figures.oldest_crl)}}, out);
  }
  AppendMetric("bootgate_crl_entries", MetricKind::kGauge,
               "Certificates in the revocation lists that are served.", "",
               {{"", figures.crl_entries}}, out);
  AppendMetric("bootgate_crls_made_total", MetricKind::kCounter,
               "Revocation lists that were signed.", "", {{"", figures.crls_made}}, out);
  std::vector<Sample> answers;
  for (const auto& [status, count] : figures.ocsp_answers) answers.push_back({status, count});
  AppendMetric("bootgate_ocsp_answers_total", MetricKind::kCounter,
               "Certificates that OCSP was asked about, by what it said of them.", "status",
               answers, out);
}

void AppendWebhooks(const webhook::Outbox& webhooks, std::string* out) {
  const std::vector<webhook::Figures> figures = webhooks.figures();
  if (figures.empty()) return;
  std::vector<Sample> delivered, failed, given_up, behind;
  for (const webhook::Figures& one : figures) {
    delivered.push_back({one.name, one.delivered});
    failed.push_back({one.name, one.failed});
    given_up.push_back({one.name, one.given_up});
    behind.push_back({one.name, std::max<int64_t>(0, webhooks.newest() - one.told)});
  }
  AppendMetric("bootgate_webhook_delivered_total", MetricKind::kCounter,
               "Changes that an endpoint took.", "webhook", delivered, out);
  AppendMetric("bootgate_webhook_failed_total", MetricKind::kCounter,
               "Tries that an endpoint did not take.", "webhook", failed, out);
  AppendMetric("bootgate_webhook_given_up_total", MetricKind::kCounter,
               "Changes that became dead letters.", "webhook", given_up, out);
  AppendMetric("bootgate_webhook_behind", MetricKind::kGauge,
               "Changes that an endpoint is not done with.", "webhook", behind, out);
}

}  // namespace

void AppendWeakOptions(const std::vector<WeakOption>& weak, std::string* out) {
  std::vector<Sample> samples;
  for (const WeakOption& option : weak) samples.push_back({option.key, 1});
  AppendMetric("bootgate_weak_option", MetricKind::kGauge,
               "Settings that make a check weaker than the default does.", "option", samples, out);
}

std::string MetricsText(const Observed& observed, const token::Issuer* issuer,
                        const revocation::Publisher* publisher,
                        const std::vector<WeakOption>& weak) {
  std::string out;
  AppendWeakOptions(weak, &out);
  AppendRequests(observed.agents.counts(), &out);
  AppendMetric("bootgate_nonces", MetricKind::kGauge,
               "Challenges that are remembered, answered ones with them.", "",
               {{"", static_cast<int64_t>(observed.nonces.size())}}, &out);
  // Without the store there are no figures, rather than wrong ones.
  if (const auto counts = observed.store.CountHosts(); counts.ok()) {
    std::vector<Sample> hosts;
    for (const auto& [trust, count] : *counts) {
      hosts.push_back({std::string(host::Name(trust)), count});
    }
    AppendMetric("bootgate_hosts", MetricKind::kGauge, "Enrolled hosts by state.", "trust", hosts,
                 &out);
  }
  AppendWebhooks(observed.webhooks, &out);
  if (issuer != nullptr) {
    AppendMetric("bootgate_tokens_issued_total", MetricKind::kCounter, "Tokens that were signed.",
                 "", {{"", issuer->issued()}}, &out);
  }
  if (publisher != nullptr) AppendRevocation(publisher->figures(), observed.clock.Now(), &out);
  return out;
}

absl::StatusOr<std::unique_ptr<PublicPort>> PublicPort::Open(const Config& config,
                                                             const pki::Authority& authority,
                                                             const Clock& clock) {
  auto port = std::unique_ptr<PublicPort>(new PublicPort);
  port->weak_ = WeakOptions(config);
  if (config.http.enabled) {
    BG_ASSIGN_OR_RETURN(port->server_, http::HttpServer::Bind({.listen = config.http.listen}));
  }
  port->revocation_ = {.crl_lifetime = config.http.crl_lifetime,
                       .ocsp_lifetime = config.http.ocsp_lifetime,
                       .numbers_file = config.ca_folder() + "/crl-numbers"};
  if (!config.token.enabled) return port;
  const token::RingOptions options{
      .folder = config.token_key_folder(),
      .alg = jose::JwsAlgFromName(config.token.algorithm).value_or(jose::JwsAlg::kEs256),
      .rotate_every = config.token.rotate_every};
  BG_ASSIGN_OR_RETURN(port->keys_, token::KeyRing::Open(options, authority, clock));
  port->issuer_.emplace(IssuerUrl(config, port->port()), *port->keys_);
  return port;
}

void PublicPort::Serve(const Observed& observed) {
  if (server_ == nullptr) return;
  publisher_ = std::make_unique<revocation::Publisher>(observed.store, observed.authority,
                                                       observed.clock, revocation_);
  // Once before anybody can ask; what fails now is tried again.
  if (const absl::Status first = publisher_->Refresh(); !first.ok()) {
    Log(LogLevel::kError, "revocation lists", {{"text", std::string(first.message())}});
  }
  publisher_->Start();
  const revocation::Publisher* const publisher = publisher_.get();
  server_->Serve(http::RoutesFor(
      {.issuer = issuer(),
       .publisher = publisher_.get(),
       .clock = &observed.clock,
       .ready = [observed] { return IsReady(observed); },
       .metrics = [observed, issuer = issuer(), publisher,
                   weak = weak_] { return MetricsText(observed, issuer, publisher, weak); }}));
}

void PublicPort::Tend(store::Store& store, absl::Time now) {
  if (keys_ == nullptr || now < tend_at_) return;
  tend_at_ = now + kTendEvery;
  const absl::StatusOr<token::KeyRing::Tended> tended = keys_->Tend();
  const absl::Status status = tended.ok() ? AuditKeys(store, *tended, now) : tended.status();
  if (!status.ok()) {
    Log(LogLevel::kError, "token keys", {{"text", std::string(status.message())}});
  }
}

void PublicPort::Stop() {
  if (server_ != nullptr) server_->Stop();
  if (publisher_ != nullptr) publisher_->Stop();
}

}  // namespace bootgate::gatekeeper::app
