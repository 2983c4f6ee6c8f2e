/** One role as an operator runs it: a real process with a file of configuration. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { until } from './until.ts'

const LAUNCHER = join(import.meta.dirname, '../../../../zund')

export type RoleName = 'api' | 'conductor' | 'compute' | 'wsproxy'

export interface RoleOptions {
  readonly role: RoleName
  readonly config: string
  /** Put before the command. */
  readonly wrap?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export class RoleProcess {
  readonly #options: RoleOptions
  #child: ChildProcess | undefined
  /** Standard output and error, of all of its lives: the log is among it. */
  log = ''
  /** Where that of this life begins. */
  #from = 0

  constructor(options: RoleOptions) {
    this.#options = options
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`${this.#options.role} does not run`)
    return this.#child.pid
  }

  /** Of this life. */
  get said(): string {
    return this.log.slice(this.#from)
  }

  launch(): ChildProcess {
    const { role, config, wrap = [], env } = this.#options
    const command = [...wrap, LAUNCHER, role, '--config-file', config]
    const { NODE_TEST_CONTEXT: _, NOTIFY_SOCKET: __, ...inherited } = process.env
    this.#from = this.log.length
    const child = spawn(command[0] ?? LAUNCHER, command.slice(1), {
      cwd: '/',
      env: { ...inherited, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const keep = (chunk: Buffer): void => void (this.log += chunk.toString('utf8'))
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    this.#child = child
    return child
  }

  /** Until it is ready. */
  async start(): Promise<void> {
    const child = this.launch()
    await this.says(/ ready role=/, child)
  }

  /** Once more in this life, or already. */
  async says(pattern: RegExp, child = this.#child): Promise<void> {
    await until(`${this.#options.role} says ${String(pattern)}`, async () => {
      if (pattern.test(this.said)) return true
      if (child?.exitCode != null) throw new Error(`${this.#options.role} has ended: ${this.said}`)
      return false
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}; it said ${this.said.slice(-3_000)}`)
    })
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name)
  }

  /** Exit code, however it ends. */
  async ended(): Promise<number | null> {
    const child = this.#child
    if (child === undefined) return null
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
    return child.exitCode
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.ended()
  }

  async stop(): Promise<number | null> {
    this.signal('SIGTERM')
    return await this.ended()
  }
}
