import { lookup, lookupService } from 'node:dns/promises'
import { hostname } from 'node:os'

/** Under which this host may be known to other services: as it is called here, by the system, and by the resolver. */
export async function hostNames(host: string): Promise<string[]> {
  return [...new Set([host, hostname(), await fullName()])]
}

/** With its domain, if it has any. */
async function fullName(): Promise<string> {
  try {
    const { address } = await lookup(hostname())
    return (await lookupService(address, 0)).hostname
  } catch {
    return hostname()
  }
}
