/** kill -9 of the service at a named point of what it does, and the next life after it. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../support/until.ts'
import type { ZundProcess } from '../../support/zund-process.ts'

const DEADLINE_MS = 90_000

export class Deaths {
  readonly #zund: ZundProcess
  readonly #file: string

  private constructor(zund: ZundProcess) {
    this.#zund = zund
    this.#file = join(zund.stateDir, 'kill-at')
  }

  /** Of this service, which is started anew for it. */
  static async of(zund: ZundProcess): Promise<Deaths> {
    const deaths = new Deaths(zund)
    await zund.stop()
    await deaths.#live()
    return deaths
  }

  /**
   * `point`: with a number behind it, the so many-th time. `act` asks for what passes it, and may be cut off; `meanwhile`
   * happens while no life is there.
   */
  async at(point: string, act: () => Promise<unknown>, meanwhile?: () => void): Promise<void> {
    writeFileSync(this.#file, point)
    let isDead = false
    const death = this.#zund.ended().then(() => (isDead = true))
    const asked = act().catch(() => undefined)
    await until(`it passes ${point}`, async () => isDead, DEADLINE_MS)
    await Promise.all([death, asked])
    rmSync(this.#file)
    meanwhile?.()
    await this.#live()
  }

  async #live(): Promise<void> {
    await this.#zund.up({ ZUND_KILL_FILE: this.#file })
  }
}
