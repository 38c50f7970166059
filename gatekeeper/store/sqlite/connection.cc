#include "gatekeeper/store/sqlite/connection.h"

#include <sqlite3.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::store::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 5000;

// WAL: readers never wait. FULL: a commit told as done survives a power cut. Extended checks cost
// little and find a torn page where it is read.
constexpr char kSetUp[] =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA cell_size_check = ON;";

absl::StatusCode CodeFor(int extended_result) {
  switch (extended_result) {
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_ROWID:
      return absl::StatusCode::kAlreadyExists;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return absl::StatusCode::kFailedPrecondition;
    default:
      break;
  }
  const int primary = extended_result & 0xff;
  return primary == SQLITE_CONSTRAINT || primary == SQLITE_MISMATCH || primary == SQLITE_MISUSE
             ? absl::StatusCode::kInternal
             : absl::StatusCode::kUnavailable;
}

// Every change writes the audit trail, too: where nothing can be written, it cannot (attack A86).
Reason ReasonFor(int extended_result) {
  switch (extended_result) {
    case SQLITE_IOERR_WRITE:
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_TRUNCATE:
      return Reason::kAuditUnavailable;
    default:
      return (extended_result & 0xff) == SQLITE_FULL ? Reason::kAuditUnavailable : Reason::kStore;
  }
}

absl::Status Failure(sqlite3* database, absl::string_view doing) {
  const int result = sqlite3_extended_errcode(database);
  return Refuse(CodeFor(result), ReasonFor(result),
                absl::StrCat("SQLite: ", doing, ": ", sqlite3_errmsg(database)));
}

}  // namespace

void CloseDatabase::operator()(sqlite3* database) const { sqlite3_close_v2(database); }
void FinalizeStatement::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)),
      next_parameter_(other.next_parameter_),
      bind_result_(other.bind_result_) {}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void Statement::Bound(int result) {
  ++next_parameter_;
  if (bind_result_ == SQLITE_OK) bind_result_ = result;
}

void Statement::BindNext(int64_t value) {
  Bound(sqlite3_bind_int64(statement_, next_parameter_, value));
}

void Statement::BindNext(absl::string_view text) {
  const char* const data = text.empty() ? "" : text.data();
  Bound(sqlite3_bind_text64(statement_, next_parameter_, data, text.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8));
}

// A null pointer would bind NULL instead of no bytes.
void Statement::BindNext(ByteView bytes) {
  if (bytes.empty()) {
    Bound(sqlite3_bind_zeroblob(statement_, next_parameter_, 0));
    return;
  }
  Bound(sqlite3_bind_blob64(statement_, next_parameter_, bytes.data(), bytes.size(),
                            SQLITE_TRANSIENT));
}

void Statement::BindNext(absl::Time time) { BindNext(absl::ToUnixNanos(time)); }

void Statement::BindNext(const std::optional<absl::Time>& time) {
  if (time.has_value()) return BindNext(*time);
  Bound(sqlite3_bind_null(statement_, next_parameter_));
}

absl::StatusOr<bool> Statement::Step() {
  sqlite3* const database = sqlite3_db_handle(statement_);
  if (bind_result_ != SQLITE_OK) {
    return Refuse(absl::StatusCode::kInternal, Reason::kStore,
                  absl::StrCat("SQLite: binding a value: ", sqlite3_errstr(bind_result_)));
  }
  switch (sqlite3_step(statement_)) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return Failure(database, "running a statement");
  }
}

absl::Status Statement::Run() {
  for (;;) {
    BG_ASSIGN_OR_RETURN(const bool row, Step());
    if (!row) return absl::OkStatus();
  }
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::Text(int column) const {
  const Bytes bytes = Blob(column);
  return std::string(AsText(bytes));
}

Bytes Statement::Blob(int column) const {
  const void* const data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  if (data == nullptr || size <= 0) return {};
  return ToBytes(ByteView(static_cast<const uint8_t*>(data), static_cast<size_t>(size)));
}

absl::Time Statement::Time(int column) const { return absl::FromUnixNanos(Int(column)); }

std::optional<absl::Time> Statement::MaybeTime(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return Time(column);
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const std::string& path,
                                                             Access access) {
  sqlite3* database = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &database,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Connection> connection(new Connection(database));
  if (result != SQLITE_OK) {
    return Refuse(absl::StatusCode::kUnavailable, Reason::kStore,
                  absl::StrCat("cannot open ", path, ": ", sqlite3_errstr(result)));
  }
  sqlite3_extended_result_codes(database, 1);
  sqlite3_busy_timeout(database, kBusyTimeoutMs);
  BG_RETURN_IF_ERROR(connection->Run(kSetUp));
  if (access == Access::kRead) BG_RETURN_IF_ERROR(connection->Run("PRAGMA query_only = ON"));
  return connection;
}

absl::Status Connection::Run(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) {
    return absl::OkStatus();
  }
  return Failure(database_.get(), "running a script");
}

absl::StatusOr<Statement> Connection::Prepare(const char* sql) {
  auto& kept = statements_[sql];
  if (kept == nullptr) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement,
                           nullptr) != SQLITE_OK) {
      return Failure(database_.get(), absl::StrCat("preparing \"", sql, "\""));
    }
    kept.reset(statement);
  }
  return Statement(kept.get());
}

int64_t Connection::ChangedRows() const { return sqlite3_changes64(database_.get()); }
bool Connection::InTransaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }

}  // namespace bootgate::gatekeeper::store::sqlite
