#include "gatekeeper/webhook/outbox.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "gatekeeper/webhook/signature.h"

namespace bootgate::gatekeeper::webhook {
namespace {

absl::Status Of(const Endpoint& endpoint, const absl::Status& status) {
  return status.ok() ? status
                     : absl::Status(status.code(), absl::StrCat("webhook '", endpoint.name,
                                                                "': ", status.message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Outbox>> Outbox::Start(store::Store& store, changes::ChangeHub& hub,
                                                      const Clock& clock,
                                                      const std::string& cluster,
                                                      const std::vector<Endpoint>& endpoints) {
  auto outbox = std::unique_ptr<Outbox>(new Outbox);
  for (const Endpoint& endpoint : endpoints) {
    BG_RETURN_IF_ERROR(Of(endpoint, ReadKeys(endpoint.secret_file).status()));
    auto sender = std::make_unique<Sender>(store, clock, outbox->bell_, endpoint, cluster);
    BG_RETURN_IF_ERROR(Of(endpoint, sender->Begin()));
    outbox->senders_.push_back(std::move(sender));
  }
  Doorbell& bell = outbox->bell_;
  outbox->news_ = std::make_unique<changes::ChangeHub::Subscription>(
      hub, changes::Listener{.changed = [&bell](const changes::Batch& rows) {
        bell.Ring(rows->back().sequence);
      }});
  bell.Ring(outbox->news_->from());
  for (const auto& sender : outbox->senders_) {
    outbox->threads_.emplace_back(
        [to = sender.get()](const std::stop_token& stop) { to->Run(stop); });
  }
  return outbox;
}

Outbox::~Outbox() { Stop(); }

void Outbox::Stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();  // joins
}

std::vector<Figures> Outbox::figures() const {
  std::vector<Figures> out;
  for (const auto& sender : senders_) out.push_back(sender->figures());
  return out;
}

}  // namespace bootgate::gatekeeper::webhook
