#include "gatekeeper/webhook/delivery.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "gatekeeper/webhook/signature.h"

namespace bootgate::gatekeeper::webhook {
namespace {

constexpr size_t kShown = 200;  // bytes of an answer that an operator is shown
constexpr int kRequestTimeout = 408, kTooEarly = 425, kTooManyRequests = 429, kGone = 410;

bool IsPassing(int status) {
  return status >= 500 || status == kRequestTimeout || status == kTooEarly ||
         status == kTooManyRequests;
}

std::string ErrorOf(const Answer& answer) {
  const bool redirect = answer.status >= 300 && answer.status < 400;
  return absl::StrCat("HTTP ", answer.status,
                      redirect ? " (redirects are not followed: configure the final URL)" : "",
                      answer.body.empty() ? "" : ": ", Printable(answer.body, kShown));
}

Post PostFor(const Endpoint& endpoint, const std::vector<SecretBytes>& keys, const Message& message,
             absl::Time now) {
  const std::string id = DeliveryId(message);
  const int64_t seconds = absl::ToUnixSeconds(now);
  Post post = {.url = endpoint.url,
               .ca_file = endpoint.ca_file,
               .timeout = endpoint.timeout,
               .headers = {},
               .body = BodyOf(message)};
  post.headers = {{"Content-Type", "application/json"},
                  {"User-Agent", "bootgate-gatekeeper"},
                  {"webhook-id", id},
                  {"webhook-timestamp", absl::StrCat(seconds)},
                  {"webhook-signature", Signatures(keys, id, seconds, post.body)}};
  return post;
}

}  // namespace

Attempt Judge(const Answer& answer) {
  if (answer.status == 0) {
    return {.error = answer.error.empty() ? "no answer" : Printable(answer.error, kShown)};
  }
  if (answer.status < 300) return {.outcome = Outcome::kDone, .status = answer.status, .error = {}};
  return {.outcome = IsPassing(answer.status) ? Outcome::kAgain : Outcome::kPermanent,
          .status = answer.status,
          .error = ErrorOf(answer),
          .wait = answer.wait};
}

Attempt Deliver(HttpClient& client, const Endpoint& endpoint, const Message& message,
                absl::Time now, const std::stop_token& stop) {
  const absl::StatusOr<std::vector<SecretBytes>> keys = ReadKeys(endpoint.secret_file);
  if (!keys.ok()) return {.error = absl::StrCat("secret_file: ", keys.status().message())};
  return Judge(client.Send(PostFor(endpoint, *keys, message, now), stop));
}

absl::Duration DelayAfter(int64_t attempts, double jitter) {
  constexpr int64_t kMostDoublings = 20;  // further ones are past the longest delay
  const int64_t doublings = std::clamp<int64_t>(attempts - 1, 0, kMostDoublings);
  const absl::Duration whole = std::min(kFirstDelay * (int64_t{1} << doublings), kLongestDelay);
  return whole * (0.5 + std::clamp(jitter, 0.0, 1.0) / 2);
}

bool IsGivenUp(const Attempt& last, const Tries& tries, absl::Duration age,
               absl::Duration give_up_after) {
  if (last.outcome == Outcome::kPermanent) {
    return tries.permanent >= (last.status == kGone ? kLeastTries : kPermanentTries);
  }
  return tries.all >= kLeastTries && age >= give_up_after;
}

}  // namespace bootgate::gatekeeper::webhook
