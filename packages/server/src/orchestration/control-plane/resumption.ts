import type { Container } from '../../domain/container/types.ts'
import type { Observation } from '../ports/wire.ts'

/**
 * Containers that were running when their host's agent ended. The first look of its next life tells which of them have
 * ended meanwhile, with the machine perhaps: those are started, where the operator wants it. What ends later has ended.
 */
export class Resumption {
  readonly #isOn: boolean
  readonly #running = new Map<string, Set<string>>()

  constructor(isOn: boolean) {
    this.#isOn = isOn
  }

  /** A life of the host's agent begins. */
  begin(host: string, containers: readonly Container[]): void {
    if (!this.#isOn) return
    const running = containers.filter(({ kind, status }) => kind === 0 && status === 'Running')
    this.#running.set(host, new Set(running.map(({ uuid }) => uuid)))
  }

  isToBeStarted(host: string, { uuid, seen }: { readonly uuid: string; readonly seen: Observation }): boolean {
    return seen.state === 'exited' && this.#running.get(host)?.has(uuid) === true
  }

  /** They have been looked at. */
  seen(host: string, uuids: readonly string[]): void {
    const running = this.#running.get(host)
    for (const uuid of uuids) running?.delete(uuid)
  }
}
