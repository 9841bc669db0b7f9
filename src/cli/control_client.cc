#include "cli/control_client.h"

#include <curl/curl.h>
#include <poll.h>
#include <sys/un.h>

#include <cerrno>
#include <memory>

#include "cli/curl_body.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

constexpr long kNotNow = 503;  // a worker that is starting, stopping, or making way for another
constexpr Duration kPatience = 8s;  // an upgrade on a busy machine takes a few
constexpr int kPauseMs = 100;

}  // namespace

Result<ControlClient::Answer> ControlClient::get(const std::string& path, Duration limit) const {
  return ask(nullptr, path, limit);
}

Result<ControlClient::Answer> ControlClient::post(const std::string& path, Duration limit,
                                                  const std::string& body) const {
  return ask(&body, path, limit);
}

Result<ControlClient::Answer> ControlClient::ask(const std::string* posted, const std::string& path,
                                                 Duration limit) const {
  const std::unique_ptr<CURL, void (*)(CURL*)> request(::curl_easy_init(), ::curl_easy_cleanup);
  if (request == nullptr) {
    return fail("cannot start an HTTP request");
  }
  if (socket_.size() >= sizeof sockaddr_un::sun_path) {
    return fail(socket_ + " is too long for a Unix socket's path");
  }
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
  std::string body;
  ::curl_easy_setopt(request.get(), CURLOPT_URL, ("http://holdfast" + path).c_str());
  ::curl_easy_setopt(request.get(), CURLOPT_PATH_AS_IS, 1L);  // ".." is a name like any other
  ::curl_easy_setopt(request.get(), CURLOPT_UNIX_SOCKET_PATH, socket_.c_str());
  ::curl_easy_setopt(request.get(), CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(request.get(), CURLOPT_PROXY, "");
  ::curl_easy_setopt(request.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(milliseconds));
  ::curl_easy_setopt(request.get(), CURLOPT_WRITEFUNCTION, collect_body);
  ::curl_easy_setopt(request.get(), CURLOPT_WRITEDATA, &body);
  if (posted != nullptr) {
    ::curl_easy_setopt(request.get(), CURLOPT_POST, 1L);
    ::curl_easy_setopt(request.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(posted->size()));
    ::curl_easy_setopt(request.get(), CURLOPT_POSTFIELDS, posted->c_str());
  }
  const auto outcome = ::curl_easy_perform(request.get());
  if (outcome == CURLE_COULDNT_CONNECT) {
    long code = 0;
    ::curl_easy_getinfo(request.get(), CURLINFO_OS_ERRNO, &code);
    if (code == EACCES) {
      return fail("cannot connect to " + socket_, EACCES);
    }
    if (code == 0) {
      // It lives: its queue is full (connect(2)), or it had hung up by the time that libcurl looked
      // at the socket, as a worker that makes way does. poll(2) tells of both without an errno.
      return tl::unexpected(
          Error{"the instance at " + socket_ + " is busy or ended meanwhile", ECONNRESET});
    }
    return tl::unexpected(
        Error{"no instance answers at " + socket_ + ": " + error_text(static_cast<int>(code)),
              ECONNREFUSED});
  }
  if (outcome == CURLE_GOT_NOTHING || outcome == CURLE_RECV_ERROR || outcome == CURLE_SEND_ERROR ||
      outcome == CURLE_PARTIAL_FILE) {
    return tl::unexpected(Error{"the instance at " + socket_ + " ended meanwhile", ECONNRESET});
  }
  if (outcome != CURLE_OK) {
    return fail(socket_ + ": " + ::curl_easy_strerror(outcome));
  }
  Answer answer;
  ::curl_easy_getinfo(request.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  answer.body = nlohmann::json::parse(body, nullptr, false);
  if (answer.body.is_discarded()) {
    return fail(socket_ + " answers what isn't holdfast's: " + body.substr(0, 200));
  }
  return answer;
}

Result<ControlClient::Answer> ControlClient::ask_again(const std::function<Result<Answer>()>& ask) {
  for (const auto until = Clock::now() + kPatience;;) {
    auto answer = ask();
    const bool not_now = answer ? answer->status == kNotNow : answer.error().code == ECONNRESET;
    if (!not_now || Clock::now() >= until) {
      return answer;
    }
    ::poll(nullptr, 0, kPauseMs);
  }
}

}  // namespace holdfast::cli
