#include "holdfast/service/pending_job.h"

#include <systemd/sd-bus.h>

#include <memory>

namespace holdfast::service {
namespace {

constexpr const char* kPrivateSocket = "unix:path=/run/systemd/private";
constexpr const char* kManager = "/org/freedesktop/systemd1";
// On that socket systemd itself is the other end: it takes calls without a destination only.
constexpr const char* kNobody = nullptr;

struct CloseBus {
  void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
struct FreeMessage {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, FreeMessage>;

// Keeps the first error, which sd-bus returns as a negative errno.
bool is_fine(int outcome, int& code) {
  if (outcome < 0 && code == 0) {
    code = -outcome;
  }
  return outcome >= 0;
}

}  // namespace

Result<std::string> pending_job(pid_t process) {
  int code = 0;
  sd_bus* raw_bus = nullptr;
  is_fine(sd_bus_new(&raw_bus), code);
  const std::unique_ptr<sd_bus, CloseBus> bus(raw_bus);
  sd_bus_message* raw_unit = nullptr;
  const char* unit_path = nullptr;
  if (!bus || !is_fine(sd_bus_set_address(bus.get(), kPrivateSocket), code) ||
      !is_fine(sd_bus_start(bus.get()), code) ||
      !is_fine(sd_bus_call_method(bus.get(), kNobody, kManager, "org.freedesktop.systemd1.Manager",
                                  "GetUnitByPID", nullptr, &raw_unit, "u",
                                  static_cast<std::uint32_t>(process)),
               code)) {
    return fail("cannot ask systemd", code);
  }
  const Message unit(raw_unit);
  sd_bus_message* raw_job = nullptr;
  if (!is_fine(sd_bus_message_read(unit.get(), "o", &unit_path), code) ||
      !is_fine(sd_bus_get_property(bus.get(), kNobody, unit_path, "org.freedesktop.systemd1.Unit",
                                   "Job", nullptr, &raw_job, "(uo)"),
               code)) {
    return fail("cannot ask systemd for the job", code);
  }
  const Message job(raw_job);
  std::uint32_t number = 0;
  const char* job_path = nullptr;
  if (!is_fine(sd_bus_message_read(job.get(), "(uo)", &number, &job_path), code)) {
    return fail("cannot understand systemd", code);
  }
  if (number == 0) {
    return std::string();
  }
  char* raw_type = nullptr;
  if (!is_fine(
          sd_bus_get_property_string(bus.get(), kNobody, job_path, "org.freedesktop.systemd1.Job",
                                     "JobType", nullptr, &raw_type),
          code)) {
    return fail("cannot ask systemd for the job's type", code);
  }
  const std::unique_ptr<char, void (*)(void*)> type(raw_type, &std::free);
  return std::string(type.get());
}

}  // namespace holdfast::service
