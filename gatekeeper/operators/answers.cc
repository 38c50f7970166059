#include "gatekeeper/operators/answers.h"

#include "absl/strings/str_cat.h"
#include "common/base/log_problem.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

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

absl::StatusOr<std::string> Answers::Once(
    const KeyedCall& call, absl::Time now,
    const std::function<absl::StatusOr<std::string>()>& work) {
  const Running running(*this, call);
  if (!running.is_first()) {
    return Refuse(absl::StatusCode::kAborted, Reason::kIdempotencyKey,
                  "a call with this idempotency_key is being answered: try again");
  }
  const absl::StatusOr<store::AnswerRow> kept = store_.GetAnswer(call.actor, call.key);
  if (kept.ok() && kept->at > now - kAnswersKept) {
    if (kept->request_sha256 == call.request_sha256) return std::string(AsText(kept->answer));
    return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kIdempotencyKey,
                  "another call was made with this idempotency_key: take a new one");
  }
  if (!kept.ok() && !absl::IsNotFound(kept.status())) return kept.status();
  BG_ASSIGN_OR_RETURN(const std::string answer, work());
  store::AnswerRow row;
  row.actor = call.actor;
  row.key = call.key;
  row.request_sha256 = call.request_sha256;
  const ByteView bytes = AsBytes(answer);
  row.answer.assign(bytes.begin(), bytes.end());
  row.at = now;
  // The act is done: that the answer could not be kept does not undo it.
  LogProblem("idempotency key", store_.PutAnswer(row, now - kAnswersKept));
  return answer;
}

}  // namespace bootgate::gatekeeper::operators
