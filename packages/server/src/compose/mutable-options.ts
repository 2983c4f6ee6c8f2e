/** Options that may change while a process runs: read again at SIGHUP, as those that oslo.config calls mutable. */
import { isDeepStrictEqual } from 'node:util'
import { messageOf } from '../domain/errors.ts'
import type { Logger } from '../orchestration/ports/clock.ts'
import type { Option } from './config/kinds.ts'
import { OPTIONS, type Config, type OptionName } from './config/options.ts'
import { logLevel, type OpenLog } from './logger.ts'

const MUTABLE: readonly OptionName[] = ['debug', 'defaultLogLevels']

/** The options in force, of which some change when the files are read again. */
export class MutableOptions {
  readonly #opened: OpenLog
  readonly #reread: () => Config
  #current: Config

  /** `reread` throws when what is there now cannot be used. */
  constructor(config: Config, opened: OpenLog, reread: () => Config) {
    this.#current = config
    this.#opened = opened
    this.#reread = reread
  }

  reload(): void {
    const { log } = this.#opened
    try {
      this.#current = mutated(this.#current, this.#reread(), log)
      this.#opened.setLevel(logLevel(this.#current))
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'the configuration cannot be used; what was read before stays')
    }
  }
}

/** Tells what has changed and whether it counts; the options that are in force from now on. */
function mutated(before: Config, after: Config, log: Logger): Config {
  const changed = optionNames().filter((name) => !isDeepStrictEqual(before[name], after[name]))
  for (const name of changed) {
    const { group, name: option, secret } = OPTIONS[name] as Option<unknown>
    const values = secret === true ? {} : { from: before[name], to: after[name] }
    if (MUTABLE.includes(name)) log.info({ group, option, ...values }, 'option changed')
    else log.warn({ group, option, ...values }, 'option changed in the file; it counts after a restart')
  }
  const now = Object.fromEntries(MUTABLE.map((name) => [name, after[name]]))
  return Object.freeze({ ...before, ...now })
}

function optionNames(): OptionName[] {
  return Object.keys(OPTIONS).filter((name): name is OptionName => Object.hasOwn(OPTIONS, name))
}
