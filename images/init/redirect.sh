#!/bin/sh
# Sets the redirect rules of the network namespace that it runs in: WEFT_RULES_IPV4 and WEFT_RULES_IPV6, texts for iptables-restore.
# The rules fill chains of their own, which are emptied first, and the jumps to them are made only where they are missing: running
# it again leaves the same rules. Needs sh, iptables, ip6tables and ip, and of all capabilities NET_ADMIN alone.
set -eu

fail() {
  echo "weft-init: $1" >&2
  exit 1
}

# 12 is the number of CAP_NET_ADMIN.
has_net_admin() {
  while read -r key value; do
    if [ "$key" = CapEff: ]; then return $((1 - (0x$value >> 12 & 1))); fi
  done </proc/self/status
  return 1
}

# Whether the pod has an IPv6 address that others can reach: one of global scope (00), on another device than the loopback one.
has_ipv6() {
  [ -r /proc/net/if_inet6 ] || return 1
  while read -r _ _ _ scope _ device; do
    if [ "$scope" = 00 ] && [ "$device" != lo ]; then return 0; fi
  done </proc/net/if_inet6
  return 1
}

# The rules of $2 without the jumps that $1, iptables or ip6tables, already has.
missing() {
  printf '%s\n' "$2" | while read -r line; do
    case $line in
    '-A PREROUTING '* | '-A OUTPUT '*)
      # shellcheck disable=SC2086 # the words of a rule are the arguments of a command
      if "$1" --wait -t nat -C ${line#-A } 2>/dev/null; then continue; fi
      ;;
    esac
    printf '%s\n' "$line"
  done
}

apply() {
  if ! said=$("$1" --wait -t nat -S 2>&1); then
    fail "this node's kernel offers $1 no nat table: $said. Load the modules nf_tables, nft_compat, nft_chain_nat, xt_REDIRECT and xt_owner on the node, or run the pod elsewhere"
  fi
  if ! said=$(missing "$1" "$2" | "$1-restore" --wait --noflush 2>&1); then
    fail "$1-restore refuses the rules: $said. If it misses a match or a target, load the modules nft_compat, xt_REDIRECT and xt_owner on the node"
  fi
}

if ! has_net_admin; then
  fail "the capability NET_ADMIN is missing, without which the pod's traffic cannot be redirected. Allow it for this container, or give the pod the label weft.dev/inject: \"false\""
fi
[ -n "${WEFT_RULES_IPV4:-}" ] || fail 'WEFT_RULES_IPV4 is empty; it must hold the rules'
apply iptables "$WEFT_RULES_IPV4"
if [ -n "${WEFT_RULES_IPV6:-}" ] && has_ipv6; then
  # From here Envoy connects to the app.
  ip -6 address replace ::6/128 dev lo || fail 'the address ::6 cannot be added to the loopback device'
  apply ip6tables "$WEFT_RULES_IPV6"
fi
