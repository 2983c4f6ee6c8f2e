/** Certificates in files, read again when they change. */
import { statSync } from 'node:fs'
import { messageOf } from '../domain/errors.ts'
import type { Logger } from '../orchestration/ports/clock.ts'
import type { Lifetime } from './lifetime.ts'

/** Milliseconds between two looks at the files. */
const LOOK_MS = 2_000

export interface WatchedFilesOptions<T> {
  /** The group of the options, for messages. */
  readonly group: string
  readonly files: readonly string[]
  /** Throws when they cannot be used, or do not fit each other. */
  readonly read: () => T
  /** The end of what was read, where it has one. */
  readonly until: (value: T) => string | null
  readonly log: Logger
}

export class WatchedFiles<T> {
  readonly #options: WatchedFilesOptions<T>
  readonly #applied: ((value: T) => void)[] = []
  #current: T
  #seen: string
  #timer: NodeJS.Timeout | undefined

  /** Throws as `read` does. */
  constructor(options: WatchedFilesOptions<T>) {
    this.#options = options
    this.#seen = stateOf(options.files)
    this.#current = options.read()
  }

  get current(): T {
    return this.#current
  }

  onChange(apply: (value: T) => void): void {
    this.#applied.push(apply)
  }

  /** Until the life ends; at a reload at once. */
  watch(life: Lifetime): void {
    this.start()
    life.onReload(() => this.reload())
    life.onStop(() => this.stop())
  }

  start(): void {
    this.#timer = setInterval(() => {
      if (stateOf(this.#options.files) !== this.#seen) this.reload()
    }, LOOK_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Files that do not fit, as between the writes of certificate and key, leave the last good ones in force. */
  reload(): void {
    const { group, files, read, until, log } = this.#options
    this.#seen = stateOf(files)
    try {
      const value = read()
      for (const apply of this.#applied) apply(value)
      this.#current = value
      log.info({ group, until: until(value) }, 'the certificate was read again')
    } catch (error) {
      log.error({ group, reason: messageOf(error) }, 'a new certificate cannot be used; the last good one stays')
    }
  }
}

/** Changes when one of the files does; a missing one is a state, too. */
function stateOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const found = statSync(file, { throwIfNoEntry: false })
      return found === undefined ? 'none' : `${found.ino} ${found.size} ${found.mtimeMs}`
    })
    .join(', ')
}
