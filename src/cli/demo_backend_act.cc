#include "cli/demo_backend_act.h"

#include "cli/wording.h"

namespace holdfast::cli {

using Tone = DemoScreen::Tone;

BackendAct::BackendAct(loop::Loop& loop, DemoScreen& screen, InstanceProcess& victim,
                       Failovers failovers, OnTrouble on_trouble)
    : screen_(screen),
      victim_(victim),
      failovers_(std::move(failovers)),
      on_trouble_(std::move(on_trouble)),
      kill_(loop, [this] { kill_it(); }),
      revive_(loop, [this] { revive_it(); }) {}

void BackendAct::begin(const DemoSchedule& schedule) {
  kill_.start_once(schedule.backend_dies);
  revive_.start_once(schedule.backend_returns);
}

void BackendAct::kill_it() {
  death_ = victim_.kill();
  screen_.event(victim_.name() + " is killed (SIGKILL)", Tone::bad);
}

void BackendAct::revive_it() {
  if (const auto started = victim_.start(); !started) {
    on_trouble_(started.error().message);
    return;
  }
  revived_ = Clock::now();
  screen_.event(victim_.name() + " is started again", Tone::plain);
}

void BackendAct::on_backend_event(const LogLine& event, bool up) {
  if (event.field("backend") != victim_.name()) {
    return;
  }
  if (!up && death_ && !noticed_) {
    on_down(event);
  } else if (up && revived_ && !is_back_) {
    on_up(event);
  }
}

void BackendAct::on_down(const LogLine& event) {
  noticed_ = true;
  auto text = "holdfast takes it out after " + in_milliseconds(Clock::now() - death_->signalled) +
              " (" + std::string(event.field("reason")) + ")";
  if (const auto retried = failovers_()) {
    text += ", having retried " + count_of(*retried, "connection") + " elsewhere";
  }
  screen_.event(text, Tone::warning);
}

void BackendAct::on_up(const LogLine& event) {
  is_back_ = true;
  screen_.event("holdfast takes it back in after " + in_milliseconds(Clock::now() - *revived_) +
                    " (" + std::string(event.field("reason")) + ")",
                Tone::good);
}

void BackendAct::summarize() {
  if (!noticed_ || !is_back_) {
    screen_.say("  the balancer's log never said that " + victim_.name() +
                    (noticed_ ? " came back" : " went down"),
                Tone::warning);
  }
}

}  // namespace holdfast::cli
