// One SQLite connection with its prepared statements, owned; errors as Status.
//
// Not for two threads at once. SQL is always a literal, values are always bound.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"

struct sqlite3;
struct sqlite3_stmt;

namespace bootgate::gatekeeper::store::sqlite {

struct CloseDatabase {
  void operator()(sqlite3* database) const;
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const;
};

// A prepared statement in use; made ready for its next use when this goes away. Borrows from the
// Connection. Columns are counted from 0 and valid until the next Step.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  // Binds all parameters in their order. A failure is told by Step.
  template <typename... Values>
  Statement& Bind(const Values&... values) {
    (BindNext(values), ...);
    return *this;
  }

  absl::StatusOr<bool> Step();  // true: there is a row
  absl::Status Run();           // to the end

  int64_t Int(int column) const;
  std::string Text(int column) const;
  Bytes Blob(int column) const;
  absl::Time Time(int column) const;
  std::optional<absl::Time> MaybeTime(int column) const;

 private:
  void BindNext(int64_t value);
  void BindNext(int value) { BindNext(int64_t{value}); }
  void BindNext(uint32_t value) { BindNext(int64_t{value}); }
  void BindNext(absl::string_view text);
  void BindNext(const std::string& text) { BindNext(absl::string_view(text)); }
  void BindNext(const char* text) { BindNext(absl::string_view(text)); }
  void BindNext(ByteView bytes);
  void BindNext(const Bytes& bytes) { BindNext(ByteView(bytes)); }
  void BindNext(absl::Time time);
  void BindNext(const std::optional<absl::Time>& time);
  void Bound(int result);

  sqlite3_stmt* statement_;
  int next_parameter_ = 1;
  int bind_result_ = 0;  // SQLITE_OK, or the first failure
};

enum class Access { kRead, kWrite };

class Connection {
 public:
  // Opens an existing file, set up for durable commits. kUnavailable STORE.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& path, Access access);

  // Runs statements without parameters.
  absl::Status Run(const char* sql);
  // The statement of `sql`, compiled at its first use.
  absl::StatusOr<Statement> Prepare(const char* sql);

  int64_t ChangedRows() const;  // by the last INSERT, UPDATE or DELETE
  bool InTransaction() const;   // false also after SQLite has rolled back by itself

 private:
  explicit Connection(sqlite3* database) : database_(database) {}
  std::unique_ptr<sqlite3, CloseDatabase> database_;
  std::map<std::string, std::unique_ptr<sqlite3_stmt, FinalizeStatement>> statements_;
};

}  // namespace bootgate::gatekeeper::store::sqlite
