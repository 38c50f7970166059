// What the quoted part of an IMA list says beside files: the kernel's own records (keys, versions,
// command lines, tables of the device mapper, states), and how many files of which sort.
//
// Kept between pieces of evidence of one boot (Encode, Decode), so that what was measured early is
// still known later. Only entries that the quote vouches for may be added.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes_view.h"
#include "common/ima/list.h"

namespace bootgate::gatekeeper::appraisal::ima_list {

inline constexpr size_t kMaxRecords = 2048;
inline constexpr size_t kMaxRecordBytes = size_t{4} << 20;  // of all records together

struct KernelRecord {
  std::string name;  // of the event: ".ima", "kernel_version", "dm_table_load", ...
  Bytes data;
  friend bool operator==(const KernelRecord&, const KernelRecord&) = default;
};

struct Facts {
  uint64_t violations = 0;
  uint64_t files = 0;         // entries with a file's digest
  uint64_t verity_files = 0;  // of them, with the file's fs-verity digest
  uint64_t signed_files = 0;  // of them, with a signature that nobody has checked yet
  uint64_t modules = 0;       // of them, named like a kernel module
  bool policy_file = false;   // one of them was the file of an IMA policy
  std::vector<KernelRecord> records;
  uint64_t left_out = 0;  // records past the bounds
  friend bool operator==(const Facts&, const Facts&) = default;
};

// `entry` is of PCR 10 and quoted; a record whose digest is not that of its data is passed over.
void AddEntry(const ima::Entry& entry, Facts& facts);

Bytes Encode(const Facts& facts);
std::optional<Facts> Decode(ByteView bytes);  // nullopt: not what Encode gave

// Is this the record of a kernel keyring, by its name?
bool IsKeyring(absl::string_view name);

// A buffer as text: without its final NUL.
absl::string_view TextOf(ByteView data);

}  // namespace bootgate::gatekeeper::appraisal::ima_list
