#!/usr/bin/env bash
# Installs the Debian packages that a task needs and this machine lacks:
#
#   cmake/install-packages.sh build [test] [fuzz] [lint]
#
# When nothing is missing it is instant and needs neither network nor root. It uses nothing that a
# bare Debian 12 does not have.
set -euo pipefail

build_packages=(
  g++ cmake ninja-build pkg-config
  libuv1-dev libyaml-cpp-dev prometheus-cpp-dev libmicrohttpd-dev libcurl4-openssl-dev libssl-dev
  libspdlog-dev libcli11-dev libexpected-dev libsystemd-dev nlohmann-json3-dev
  libgtest-dev libgmock-dev libbenchmark-dev
)
# The end-to-end tests put the balancer in front of real servers, judge its metrics and its unit
# with the tools of those who read them, and boot a machine with that unit.
test_packages=(
  python3 python3-pytest python3-pytest-xdist
  nginx-light libnginx-mod-stream redis-server redis-tools postgresql postgresql-contrib
  iperf3 haproxy prometheus curl systemd procps iproute2 nftables strace
  systemd-container mmdebstrap openssl
)
# libclang-rt-dev: the run-time libraries of libFuzzer and the sanitizers.
fuzz_packages=(clang libclang-rt-dev)
lint_packages=(clang-format clang-tidy shellcheck)

policy=/usr/sbin/policy-rc.d

# Those of the arguments that are not installed. dpkg-query fails when it knows nothing of one.
missing_of() {
  local package known
  known=$(dpkg-query --show --showformat='${Package}=${db:Status-Status}\n' "$@" 2>/dev/null) || true
  for package in "$@"; do
    [[ $'\n'$known$'\n' == *$'\n'"$package=installed"$'\n'* ]] || printf '%s ' "$package"
  done
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    sudo "$@"
  fi
}

# A server that is installed for the tests must not start as a service and take its port: apt asks
# policy-rc.d, and 101 means "no" (invoke-rc.d(8)). A policy that is there already is left alone.
forbid_services() {
  if [[ -e $policy ]]; then
    return
  fi
  trap allow_services EXIT
  trap 'exit 130' INT TERM
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
}

allow_services() {
  as_root rm -f "$policy"
}

# apt and the packages' own scripts say a lot when all is well; it is shown when it isn't.
quietly() {
  local options=(-o Acquire::Retries=3 -o DPkg::Lock::Timeout=300) said
  if ! said=$(as_root "$@" "${options[@]}" 2>&1 </dev/null); then
    printf '%s\n' "$said" "error: failed: $*" >&2
    return 1
  fi
}

main() {
  local wanted=() missing=() task tasks="$*"
  for task in "$@"; do
    case $task in
      build) wanted+=("${build_packages[@]}") ;;
      test) wanted+=("${test_packages[@]}") ;;
      fuzz) wanted+=("${fuzz_packages[@]}") ;;
      lint) wanted+=("${lint_packages[@]}") ;;
      *)
        echo "usage: $0 build|test|fuzz|lint ..." >&2
        return 2
        ;;
    esac
  done
  read -ra missing <<<"$(missing_of "${wanted[@]}")"
  if ((${#missing[@]} == 0)); then
    return 0
  fi
  if ! command -v apt-get >/dev/null; then
    echo "error: no apt-get here; install what corresponds to: ${missing[*]}" >&2
    return 1
  fi

  echo "holdfast needs these Debian packages to ${tasks// / and }; installing them:"
  echo "  ${missing[*]}"
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      echo "error: that needs root, and there is no sudo; as root, run: $0 $*" >&2
      return 1
    fi
    echo "That needs root, so sudo may ask for your password."
  fi
  forbid_services
  quietly apt-get -qq update
  quietly env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes \
    --no-install-recommends "${missing[@]}"
  echo "Installed."
}

main "$@"
