import type { ContainerEngine, EngineArchives } from '../../orchestration/ports/engine.ts'

export type SimCall = keyof ContainerEngine | keyof EngineArchives

/** What goes wrong with a call that is met. */
export type SimTrouble =
  /** Nothing is done, the caller gets this error. */
  | { readonly kind: 'refuse'; readonly error: Error }
  /** It is done, but the caller gets EngineUnavailable. */
  | { readonly kind: 'lose-answer' }
  /** Nothing is done and no answer comes until the caller gives up or the call's deadline is over. */
  | { readonly kind: 'hang' }
  /** The call waits until `until` is settled, then goes on as if nothing had been. */
  | { readonly kind: 'hold'; readonly until: Promise<void>; readonly reached: () => void }
  /** It takes this much longer. */
  | { readonly kind: 'delay'; readonly ms: number }

export interface SimFault {
  /** `*`: any call. */
  readonly call: SimCall | '*'
  /** Only calls about this container (uuid). */
  readonly containerUuid?: string
  /** So many matching calls pass untouched first; default 0. */
  readonly skip?: number
  /** So many are met; default 1. */
  readonly times?: number
  readonly trouble: SimTrouble
}

interface Armed {
  readonly fault: SimFault
  skip: number
  left: number
}

/** Which calls go wrong, and how. */
export class SimFaults {
  #armed: Armed[] = []

  /** Returns a function that takes it away again. */
  add(fault: SimFault): () => void {
    const armed: Armed = { fault, skip: fault.skip ?? 0, left: fault.times ?? 1 }
    this.#armed.push(armed)
    return () => {
      this.#armed = this.#armed.filter((other) => other !== armed)
    }
  }

  clear(): void {
    this.#armed = []
  }

  /** The trouble this call meets; counts it. */
  take(call: SimCall, containerUuid: string | null): SimTrouble | undefined {
    for (const armed of this.#armed) {
      const { fault } = armed
      if (fault.call !== '*' && fault.call !== call) continue
      if (fault.containerUuid !== undefined && fault.containerUuid !== containerUuid) continue
      if (armed.skip > 0) {
        armed.skip -= 1
        continue
      }
      armed.left -= 1
      if (armed.left <= 0) this.#armed = this.#armed.filter((other) => other !== armed)
      return fault.trouble
    }
    return undefined
  }
}
