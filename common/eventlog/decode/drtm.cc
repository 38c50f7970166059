#include "common/eventlog/decode/drtm.h"

#include <algorithm>
#include <iterator>

namespace bootgate::eventlog {
namespace {

constexpr DynamicLaunchType kTypes[] = {
    {0x400, "the base of the dynamic launch types"},
    {0x401, "how details and authorities go to PCR 17 and 18"},
    {0x402, "the ACM's own hash, by the processor"},
    {0x403, "several hashes in one"},
    {0x404, "the measured launch environment"},
    {0x40a, "registration data of the BIOS ACM"},
    {0x40b, "whether the processor was the static root of trust"},
    {0x40c, "the control field of the launch policy"},
    {0x40d, "elements of the launch policy"},
    {0x40e, "the SMI transfer monitor"},
    {0x40f, "capabilities the system asked the SINIT ACM for"},
    {0x410, "the key that signed the SINIT ACM"},
    {0x411, "the launch policy"},
    {0x412, "details of the launch policy"},
    {0x413, "keys that signed the launch policy"},
    {0x414, "attributes of the TPM's TXT indices"},
    {0x415, "the BIOS of the last cold boot"},
    {0x416, "the key manifest"},
    {0x417, "the boot policy manifest"},
    {0x418, "facts of the key manifest"},
    {0x419, "facts of the boot policy manifest"},
    {0x41a, "the boot policy"},
    {0x4fe, "a random value that spoils the register after an error"},
    {0x4ff, "a constant that ends the register's measurements"},
    {0x501, "a module that tboot loaded"},
    {0x502, "Linux Secure Launch: a measured part"},
    {0x503, "Linux Secure Launch: its measurements begin"},
    {0x504, "Linux Secure Launch: its measurements end"},
};

}  // namespace

const DynamicLaunchType* FindDynamicLaunchType(uint32_t number) {
  const auto row = std::ranges::find(kTypes, number, &DynamicLaunchType::number);
  return row == std::end(kTypes) ? nullptr : row;
}

}  // namespace bootgate::eventlog
