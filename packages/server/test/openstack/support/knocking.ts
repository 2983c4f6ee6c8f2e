/** Pings the address again and again; notes each time, and each answer. */
export const knocking = (address: string): string =>
  `touch /tmp/heard; while :; do echo >> /tmp/knocked; ping -c 1 -W 1 ${address} > /tmp/last && cat /tmp/last >> /tmp/heard; done`
