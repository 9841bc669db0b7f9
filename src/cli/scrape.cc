#include "cli/scrape.h"

#include <curl/curl.h>

#include <cstdlib>
#include <memory>

#include "cli/curl_body.h"
#include "cli/http_fields.h"

namespace holdfast::cli {
Result<std::string> http_get(const std::string& url, Duration limit) {
  const std::unique_ptr<CURL, void (*)(CURL*)> request(::curl_easy_init(), ::curl_easy_cleanup);
  if (request == nullptr) {
    return fail("cannot start an HTTP request");
  }
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
  std::string body;
  ::curl_easy_setopt(request.get(), CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(request.get(), CURLOPT_NOSIGNAL, 1L);  // other threads run
  ::curl_easy_setopt(request.get(), CURLOPT_PROXY, "");     // whatever the environment says
  ::curl_easy_setopt(request.get(), CURLOPT_FAILONERROR, 1L);
  ::curl_easy_setopt(request.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(milliseconds));
  ::curl_easy_setopt(request.get(), CURLOPT_WRITEFUNCTION, collect_body);
  ::curl_easy_setopt(request.get(), CURLOPT_WRITEDATA, &body);
  const auto outcome = ::curl_easy_perform(request.get());
  if (outcome != CURLE_OK) {
    return fail(url + ": " + ::curl_easy_strerror(outcome));
  }
  return body;
}

std::optional<double> find_sample(std::string_view metrics, std::string_view series) {
  while (!metrics.empty()) {
    auto line = take_line(metrics);
    if (line.starts_with(series) && line.substr(series.size()).starts_with(' ')) {
      return std::strtod(std::string(line.substr(series.size() + 1)).c_str(), nullptr);
    }
  }
  return std::nullopt;
}

}  // namespace holdfast::cli
