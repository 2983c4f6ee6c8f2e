import { EngineNotFound, EngineRefused, Retryable } from '../../domain/errors.ts'
import type { PullProgress } from '../../orchestration/ports/engine.ts'

/** Layer progress of one pull, as the engine reports it line by line. */
export class PullState {
  readonly #layers = new Map<string, { current: number; total: number; done: boolean }>()

  /** Where it is after this line, or undefined when it says nothing new. */
  take(line: Record<string, unknown>): PullProgress | undefined {
    const { id, status, progressDetail } = line
    if (typeof id !== 'string' || typeof status !== 'string' || !/^[0-9a-f]{12}$/.test(id)) return undefined
    const layer = this.#layers.get(id) ?? { current: 0, total: 0, done: false }
    this.#layers.set(id, layer)
    if (status === 'Downloading' && typeof progressDetail === 'object' && progressDetail !== null) {
      const { current, total } = progressDetail as { current?: unknown; total?: unknown }
      if (typeof current === 'number') layer.current = current
      if (typeof total === 'number') layer.total = total
    }
    if (status === 'Pull complete' || status === 'Already exists') layer.done = true
    return this.#progress()
  }

  #progress(): PullProgress {
    const layers = [...this.#layers.values()]
    const done = layers.filter((layer) => layer.done).length
    const total = layers.reduce((sum, layer) => sum + layer.total, 0)
    const current = layers.reduce((sum, layer) => sum + (layer.done ? layer.total : layer.current), 0)
    const share = total === 0 ? '' : `, ${Math.floor((100 * current) / total)} %`
    return {
      detail: `Pulling image: ${done} of ${layers.length} layers${share}`,
      layers: { current: done, total: layers.length },
      bytes: total === 0 ? null : { current, total },
    }
  }
}

/** The engine says what went wrong only in words. */
export function pullError(reference: string, text: string): Error {
  // Also what a registry says of a private image to somebody it does not know.
  if (/unauthorized|authentication required|access.*denied|denied:|no basic auth/i.test(text)) {
    return new EngineRefused(`access to image ${reference} was refused: ${text}`)
  }
  if (/not found|manifest unknown|does not exist|name unknown/i.test(text)) {
    return new EngineNotFound(`image ${reference} was not found: ${text}`)
  }
  // What another try would meet again.
  if (/no matching manifest|unsupported|not supported|HTTP response to HTTPS client|x509:/i.test(text)) {
    return new EngineRefused(`image ${reference} cannot be pulled: ${text}`)
  }
  return new Retryable('image.registry_unavailable', `image ${reference} could not be pulled: ${text}`)
}
