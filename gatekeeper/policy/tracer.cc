#include "gatekeeper/policy/tracer.h"

#include <algorithm>

#include "gatekeeper/json/canonical.h"
#include "gatekeeper/policy/event_sources.h"
#include "gatekeeper/policy/print.h"

namespace bootgate::gatekeeper::policy {
namespace {

absl::string_view NameOf(Section section) {
  return section == Section::kAuthorization ? "authorizationrules" : "issuancerules";
}

// The conditions whose claims an expression names.
void AddReferences(const Expression& expression, std::vector<size_t>* conditions) {
  if (const auto* reference = std::get_if<Reference>(&expression.form)) {
    conditions->push_back(reference->condition);
  } else if (const auto* call = std::get_if<Call>(&expression.form)) {
    for (const Expression& argument : call->arguments) AddReferences(argument, conditions);
  }
}

std::vector<size_t> ReferencesOf(const Action& action) {
  std::vector<size_t> conditions;
  if (const auto* copy = std::get_if<ClaimCopy>(&action.arguments)) {
    conditions.push_back(copy->condition);
  } else if (const auto* made = std::get_if<ClaimArguments>(&action.arguments)) {
    AddReferences(*made->type, &conditions);
    AddReferences(*made->value, &conditions);
  }
  std::sort(conditions.begin(), conditions.end());
  conditions.erase(std::unique(conditions.begin(), conditions.end()), conditions.end());
  return conditions;
}

const StringValue* StringOf(const HeldClaim& claim) {
  const auto* string = std::get_if<StringValue*>(&claim.value);
  return string == nullptr ? nullptr : *string;
}

// The text where it is there, or costs little to make.
std::optional<ClaimValue> ShownValue(const HeldClaim& claim) {
  if (const auto* flag = std::get_if<bool>(&claim.value)) return *flag;
  if (const auto* number = std::get_if<int64_t>(&claim.value)) return *number;
  const StringValue& string = *StringOf(claim);
  if (const auto& text = string.text_if_made()) {
    if (text->size() > kMaxTracedValue) return std::nullopt;
    return std::string(*text);
  }
  if (!string.json_if_made()) return std::nullopt;
  json::Budget little(kMaxTracedValue, kMaxTracedValue);
  if (auto text = json::CanonicalText(*string.json_if_made(), little)) return *std::move(text);
  return std::nullopt;
}

std::vector<int64_t> EventsOf(const HeldClaim& claim, const EventSources& sources) {
  const StringValue* const string = StringOf(claim);
  if (string == nullptr || claim.issuer != Issuer::kAttestationPolicy) return {};
  if (string->json_if_made()) return sources.Of(*string->json_if_made());
  if (string->text_if_made()) return sources.Of(*string->text_if_made());
  return {};
}

}  // namespace

void Tracer::Begin(Section section, const Rule& rule) {
  TracedRule& traced = trace_.rules.emplace_back();
  traced.section = std::string(NameOf(section));
  traced.line = rule.place.line;
  traced.text = Print(rule);
}

void Tracer::Link(const Selected& claims, std::vector<size_t>* out) {
  for (const HeldClaim* const claim : claims) {
    if (out->size() == kMaxTracedClaims || links_ == kMaxTracedLinks) return;
    out->push_back(claim->number);
    ++links_;
  }
}

void Tracer::Tested(const Condition& condition, const Selected& selected, bool holds) {
  TracedRule& rule = trace_.rules.back();
  TracedCondition traced{.line = condition.place.line,
                         .column = condition.place.column,
                         .negated = condition.negated,
                         .holds = holds,
                         .selected = selected.size(),
                         .claims = {}};
  Link(selected, &traced.claims);
  if (!holds) rule.failed_condition = rule.conditions.size();
  rule.conditions.push_back(std::move(traced));
}

void Tracer::Acted(const Rule& rule, const Bound& bound, size_t first_made) {
  TracedRule& traced = trace_.rules.back();
  traced.ran = true;
  traced.made = claims_.size() - first_made;
  for (size_t at = first_made; at < claims_.size(); ++at) {
    if (traced.made_claims.size() == kMaxTracedClaims) break;
    traced.made_claims.push_back(at);
  }
  for (const size_t condition : ReferencesOf(rule.action)) {
    Link(bound[condition], &traced.from_claims);
  }
}

void Tracer::Failed(const std::string& kind) { trace_.rules.back().error_kind = kind; }

std::shared_ptr<const Trace> Tracer::Finish() {
  EventSources sources;
  for (const HeldClaim& claim : claims_) {
    const StringValue* const string = StringOf(claim);
    if (string == nullptr || claim.issuer == Issuer::kAttestationPolicy) continue;
    if (string->json_if_made()) sources.Add(*string->json_if_made());
  }
  for (const HeldClaim& claim : claims_) {
    TracedClaim& traced = trace_.claims.emplace_back();
    traced.type = std::string(claim.type);
    traced.issuer = claim.issuer;
    traced.value_type = std::string(TypeNameOf(claim.value));
    traced.value = ShownValue(claim);
    traced.events = EventsOf(claim, sources);
    traced.event_count = traced.events.size();
    traced.events.resize(std::min(traced.event_count, kMaxTracedEvents));
  }
  return std::make_shared<const Trace>(std::move(trace_));
}

}  // namespace bootgate::gatekeeper::policy
