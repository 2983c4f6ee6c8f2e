/**
 * What the init system wants to know (sd_notify(3)): ready, stopping, alive. It listens on a datagram socket, of which Node
 * has none; the program that comes with systemd speaks to it. So units say NotifyAccess=all. Without NOTIFY_SOCKET, as
 * anywhere but under systemd, nothing happens.
 */
import { execFile } from 'node:child_process'
import type { Logger } from '../orchestration/ports/clock.ts'

const PROGRAM = 'systemd-notify'
const TIMEOUT_MS = 5_000

export class InitSystem {
  readonly #environment: NodeJS.ProcessEnv
  readonly #log: Logger
  #watchdog: NodeJS.Timeout | undefined

  constructor(log: Logger, environment: NodeJS.ProcessEnv = process.env) {
    this.#log = log
    this.#environment = environment
  }

  async ready(): Promise<void> {
    await this.#tell('READY=1')
    const everyMs = this.#watchdogMs()
    // Only a process whose event loop turns says that it is alive; twice as often as it must.
    if (everyMs !== undefined) this.#watchdog = setInterval(() => void this.#tell('WATCHDOG=1'), everyMs / 2).unref()
  }

  async stopping(): Promise<void> {
    clearInterval(this.#watchdog)
    await this.#tell('STOPPING=1')
  }

  #watchdogMs(): number | undefined {
    const { WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = this.#environment
    if (usec === undefined || (pid !== undefined && pid !== String(process.pid))) return undefined
    const ms = Number(usec) / 1000
    return Number.isFinite(ms) && ms >= 1 ? ms : undefined
  }

  async #tell(state: string): Promise<void> {
    const { NOTIFY_SOCKET: socket } = this.#environment
    if (socket === undefined || socket === '') return
    await new Promise<void>((done) => {
      execFile(PROGRAM, [state], { env: this.#environment, timeout: TIMEOUT_MS }, (error) => {
        if (error !== null) this.#log.warn({ err: error, state }, 'the init system could not be told')
        done()
      })
    })
  }
}
