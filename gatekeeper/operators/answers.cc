#include "gatekeeper/operators/answers.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/log_problem.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/store/begun_answer.h"

namespace bootgate::gatekeeper::operators {

// Marks one key as being answered.
class Answers::Running {
 public:
  Running(Answers& answers, const KeyedCall& call)
      : answers_(answers), name_(call.actor, call.key) {
    const std::lock_guard lock(answers_.mutex_);
    is_first_ = answers_.running_.insert(name_).second;
  }
  ~Running() {
    if (!is_first_) return;
    const std::lock_guard lock(answers_.mutex_);
    answers_.running_.erase(name_);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  bool is_first() const { return is_first_; }

 private:
  Answers& answers_;
  const std::pair<std::string, std::string> name_;
  bool is_first_ = false;
};

namespace {

// Who began it is taken to be at it for so long, whatever its clock says and however much there is
// to do.
constexpr absl::Duration kLongestCall = absl::Minutes(10);

absl::Status BeingAnswered() {
  return Refuse(absl::StatusCode::kAborted, Reason::kIdempotencyKey,
                "a call with this idempotency_key is being answered: try again");
}

absl::StatusOr<std::string> KeptAnswer(const store::AnswerRow& kept, const KeyedCall& call,
                                       absl::Time now) {
  if (kept.request_sha256 != call.request_sha256) {
    return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kIdempotencyKey,
                  "another call was made with this idempotency_key: take a new one");
  }
  if (kept.answer != store::BegunAnswer()) return std::string(AsText(kept.answer));
  if (kept.at > now - kLongestCall) return BeingAnswered();
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kIdempotencyKey,
                absl::StrCat("the call with this idempotency_key broke off at ", FormatUtc(kept.at),
                             ": whether it was carried out is not known. Look, and take a new key "
                             "if it was not"));
}

// It was looked at and turned down, before anything was written.
bool IsRefusal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kUnimplemented:
      return true;
    default:
      return false;
  }
}

store::AnswerRow RowOf(const KeyedCall& call, Bytes answer, absl::Time at) {
  store::AnswerRow row;
  row.actor = call.actor;
  row.key = call.key;
  row.request_sha256 = call.request_sha256;
  row.answer = std::move(answer);
  row.at = at;
  return row;
}

}  // namespace

absl::Status Answers::Begin(const KeyedCall& call, absl::Time now) {
  const absl::Status begun =
      store_.PutAnswer(RowOf(call, store::BegunAnswer(), now), now - kAnswersKept);
  return absl::IsAlreadyExists(begun) ? BeingAnswered() : begun;  // by another gatekeeper
}

absl::StatusOr<std::string> Answers::Once(
    const KeyedCall& call, absl::Time now,
    const std::function<absl::StatusOr<std::string>()>& work) {
  const Running running(*this, call);
  if (!running.is_first()) return BeingAnswered();
  const absl::StatusOr<store::AnswerRow> kept = store_.GetAnswer(call.actor, call.key);
  if (kept.ok() && kept->at > now - kAnswersKept) return KeptAnswer(*kept, call, now);
  if (!kept.ok() && !absl::IsNotFound(kept.status())) return kept.status();
  if (call.adds_up) BG_RETURN_IF_ERROR(Begin(call, now));
  absl::StatusOr<std::string> answer = work();
  const auto keep = [&](Bytes bytes, absl::Time at) {
    LogProblem("idempotency key",
               store_.PutAnswer(RowOf(call, std::move(bytes), at), now - kAnswersKept));
  };
  // The act is done: that the answer could not be kept does not undo it.
  if (answer.ok()) keep(ToBytes(AsBytes(*answer)), now);
  // Of a time that is forgotten: the key is free again.
  if (call.adds_up && IsRefusal(answer.status())) keep({}, absl::UnixEpoch());
  return answer;
}

}  // namespace bootgate::gatekeeper::operators
