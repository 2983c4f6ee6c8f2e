import type { Clock, Logger } from '../ports/clock.ts'
import type { Doorbell, Host, Store } from '../ports/store.ts'
import { CONDUCTOR_LANE, hostLane, logFieldsOf, type Operation } from '../../domain/operation/types.ts'
import { Rounds } from '../rounds.ts'
import { isUp } from './host-views.ts'
import { move, type MovingOptions } from './move.ts'

export interface MoverDeps {
  readonly store: Store
  readonly doorbell: Doorbell
  readonly clock: Clock
  readonly log: Logger
  readonly options: MovingOptions
  readonly pollMs: number
}

/** In one transaction: others must not wait long. */
const MOST_AT_ONCE = 50

/** Gives creates that wait for a host that is away to another one. What was begun waits for the host. */
export class Mover extends Rounds {
  readonly #deps: MoverDeps

  constructor(deps: MoverDeps) {
    const { clock, log, pollMs } = deps
    super({ clock, log, everyMs: pollMs, failed: 'creates of hosts that are away were not looked at' })
    this.#deps = deps
  }

  async round(): Promise<void> {
    const { store, options } = this.#deps
    const hosts = new Map((await store.hosts.list()).map((host) => [hostLane(host.name), host]))
    for (const lane of await store.operations.createLanes()) {
      const why = whyNot(lane, hosts.get(lane), options)
      if (why === undefined) continue
      let afterId: number | undefined = 0
      while (afterId !== undefined) afterId = await this.#leave(lane, why, afterId)
    }
  }

  /** Some of them in one transaction; the id of the last one looked at, or undefined when there are no more. */
  async #leave(lane: string, { reason, isAway }: Trouble, afterId: number): Promise<number | undefined> {
    const { store, doorbell, log, options } = this.#deps
    const { looked, moved } = await store.write(async (tx) => {
      const goals: { readonly op: Operation; readonly to: string }[] = []
      // Looked up here: one that was begun meanwhile must not be moved.
      const waiting = await tx.operations.unbegunCreates(lane, { afterId, max: MOST_AT_ONCE })
      for (const op of waiting) {
        // Who is only disabled goes on with what he has.
        if (!isAway && op.state === 'running') continue
        const result = await move(tx, op, reason, options)
        if (result.kind === 'moved') goals.push({ op, to: result.lane })
      }
      return { looked: waiting, moved: goals }
    })
    for (const { op, to } of moved) {
      log.warn({ ...logFieldsOf(op), from: lane, to, why: reason }, 'create moved')
      doorbell.ring(to)
    }
    return looked.length < MOST_AT_ONCE ? undefined : looked.at(-1)?.id
  }
}

interface Trouble {
  readonly reason: string
  /** Nobody works there. */
  readonly isAway: boolean
}

/** Why the host will not do it any time soon; undefined: it will. */
function whyNot(lane: string, host: Host | undefined, options: MovingOptions): Trouble | undefined {
  // A create that waits for a conductor has no host to leave.
  if (lane === CONDUCTOR_LANE) return undefined
  if (host === undefined) return { reason: 'its host is not known any more', isAway: true }
  const { engineTrouble, disabled } = host
  if (!isUp(host, options)) {
    const reason =
      engineTrouble === null ? 'its host is down' : `the container engine of its host does not answer: ${engineTrouble}`
    return { reason, isAway: true }
  }
  return disabled ? { reason: 'its host is disabled', isAway: false } : undefined
}
