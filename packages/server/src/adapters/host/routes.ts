import { readFile } from 'node:fs/promises'
import ipaddr from 'ipaddr.js'

/**
 * Subnets this host has a route to, as `address/prefix`, without default routes. A local network must not overlap one of
 * them: the engine would refuse it, or worse, part of the site would become unreachable from this host.
 */
export async function routedSubnets(): Promise<string[]> {
  const [v4, v6] = await Promise.all([read('/proc/net/route'), read('/proc/net/ipv6_route')])
  return [...new Set([...parseRoutesV4(v4), ...parseRoutesV6(v6)])].sort()
}

/** Columns: interface, destination, gateway, flags, refcnt, use, metric, mask …; addresses are little-endian hex. */
export function parseRoutesV4(text: string): string[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, destination = '', , , , , , mask = ''] = line.trim().split(/\s+/)
      if (!/^[0-9A-F]{8}$/i.test(destination) || !/^[0-9A-F]{8}$/i.test(mask)) return []
      const prefix = Number.parseInt(mask, 16).toString(2).replaceAll('0', '').length
      const bytes = [...Buffer.from(destination, 'hex')].toReversed()
      return prefix === 0 ? [] : [`${ipaddr.fromByteArray(bytes).toString()}/${prefix}`]
    })
}

/** Columns: destination, prefix (hex), source …; the last is the interface. Link-local, multicast and host routes go. */
export function parseRoutesV6(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [destination = '', prefixHex = ''] = line.trim().split(/\s+/)
    if (!/^[0-9a-f]{32}$/i.test(destination)) return []
    const prefix = Number.parseInt(prefixHex, 16)
    const address = ipaddr.fromByteArray([...Buffer.from(destination, 'hex')])
    if (prefix === 0 || prefix === 128 || ['linkLocal', 'multicast'].includes(address.range())) return []
    return [`${address.toString()}/${prefix}`]
  })
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    // A kernel without IPv6 has no such table.
    return ''
  }
}
