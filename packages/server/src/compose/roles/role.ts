/** What a process that runs one role is given. */
import type { Checkpoint, Logger } from '../../orchestration/ports/clock.ts'
import type { Config } from '../config/options.ts'
import type { Lifetime } from '../lifetime.ts'
import type { StateDir } from '../state-dir.ts'

export interface RoleDeps {
  readonly config: Config
  readonly state: StateDir
  /** Where its configuration was found, for names of files beside it. */
  readonly configDirs: readonly string[]
  readonly log: Logger
  readonly checkpoint: Checkpoint
  /** Everything that was started, and how it ends. */
  readonly life: Lifetime
  /** This process must end; one line for the operator. */
  readonly onFatal: (reason: string) => void
}

export type StartRole = (deps: RoleDeps) => Promise<void>
