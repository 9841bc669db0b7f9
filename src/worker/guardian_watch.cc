#include "worker/guardian_watch.h"

namespace holdfast::worker {

GuardianWatch::GuardianWatch(loop::Loop& loop, int pidfd, const std::function<void()>& on_gone)
    : on_gone_(on_gone) {
  if (pidfd >= 0) {
    poll_.emplace(loop, pidfd, *this);
    poll_->want(true, false);
  }
}

void GuardianWatch::on_ready(loop::Poll& poll, loop::Readiness) {
  poll.want(false, false);
  on_gone_();
}

}  // namespace holdfast::worker
