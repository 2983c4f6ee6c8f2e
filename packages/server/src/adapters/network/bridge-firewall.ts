import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { Retryable, SystemFault } from '../../domain/errors.ts'
import { Gate } from '../../lib/gate.ts'
import type { Logger } from '../../orchestration/ports/clock.ts'
import { complaint, PROGRAM_MISSING, type HostCommand } from '../host-command/host-command.ts'
import { planRemoval, planRules, type Family } from './firewall-rules.ts'
import type { GuardedNetwork } from './guarded-network.ts'

export interface BridgeFirewallDeps {
  readonly command: HostCommand
  readonly log: Logger
}

const PROGRAMS = { 4: 'iptables', 6: 'ip6tables' } as const
/** Seconds to wait for the lock that all users of iptables share. */
const LOCK_WAIT_S = 5
const LOCKED = 4
/** Another zund may change the same chains between our look and our change. */
const TRIES = 3

/** Puts the rules of firewall-rules.ts into the kernel. Everything is repeatable and leaves other rules alone. */
export class BridgeFirewall {
  readonly #deps: BridgeFirewallDeps
  readonly #turn = new Gate(1)

  constructor(deps: BridgeFirewallDeps) {
    this.#deps = deps
  }

  /** When this returns, the networks are shut off from each other, from the host and from the outside's callers. */
  async guard(networks: readonly GuardedNetwork[], { signal }: { signal: AbortSignal }): Promise<void> {
    await this.#change((listing, family) => planRules(listing, family, networks), signal)
  }

  /** After the bridge is gone: takes its entries out. */
  async forget(bridge: string, { signal }: { signal: AbortSignal }): Promise<void> {
    await this.#change((listing) => planRemoval(listing, bridge), signal)
  }

  async #change(plan: (listing: string, family: Family) => string | undefined, signal: AbortSignal): Promise<void> {
    await this.#turn.run(signal, async () => {
      for (const family of await families()) await this.#changeFamily(family, plan, signal)
    })
  }

  async #changeFamily(
    family: Family,
    plan: (listing: string, family: Family) => string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const wait = ['-w', String(LOCK_WAIT_S)]
    for (let tries = 1; ; tries += 1) {
      const listing = await this.#run(PROGRAMS[family], [...wait, '-t', 'mangle', '-S'], signal)
      const input = plan(listing, family)
      if (input === undefined) return
      try {
        await this.#run(`${PROGRAMS[family]}-restore`, [...wait, '--noflush'], signal, input)
        this.#deps.log.info({ family, changes: input.split('\n').length - 3 }, 'packet filter rules changed')
        return
      } catch (error) {
        if (tries >= TRIES || signal.aborted) throw error
      }
    }
  }

  async #run(program: string, args: readonly string[], signal: AbortSignal, input?: string): Promise<string> {
    const result = await this.#deps.command
      .run(program, args, { signal, ...(input === undefined ? {} : { input }) })
      .catch((error: unknown) => {
        throw error instanceof SystemFault && error.code === PROGRAM_MISSING ? withoutFilter(program, error) : error
      })
    if (result.exitCode === 0) return result.stdout
    const why = `${program} failed: ${complaint(result)}`
    if (result.exitCode === LOCKED) throw new Retryable('network.firewall_busy', why)
    throw new SystemFault('network.firewall_failed', `projects cannot be kept apart on this host: ${why}`)
  }
}

function withoutFilter(program: string, cause: Error): SystemFault {
  return new SystemFault(
    'network.no_firewall',
    `containers get no network on this host: ${program} is not installed, and without it projects cannot be kept apart`,
    { cause },
  )
}

/** A kernel without IPv6 has no filter for it either. */
async function families(): Promise<Family[]> {
  const hasV6 = await access('/proc/sys/net/ipv6', constants.F_OK).then(
    () => true,
    () => false,
  )
  return hasV6 ? [4, 6] : [4]
}
