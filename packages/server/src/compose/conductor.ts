/** The conductor role: what is done for the deployment as a whole. Any number of processes may do it at once. */
import { systemClock } from '../lib/system-clock.ts'
import { Forgetter } from '../orchestration/forgetter.ts'
import type { Logger, Service } from '../orchestration/ports/clock.ts'
import { Mover } from '../orchestration/scheduling/mover.ts'
import { appOptions } from './app-options.ts'
import type { Config } from './config/options.ts'
import type { ControlPlaneParts } from './control-plane.ts'
import { forgettable } from './forgettable.ts'

/** Creates of hosts that are away are looked for so often. */
const MOVE_POLL_MS = 10_000

export interface ConductorDeps extends Pick<ControlPlaneParts, 'store' | 'doorbell'> {
  readonly config: Config
  readonly log: Logger
}

/** To be started in this order. */
export function composeConductor({ config, log, store, doorbell }: ConductorDeps): Service[] {
  const options = appOptions(config)
  return [
    new Mover({ store, doorbell, clock: systemClock, log, options, pollMs: MOVE_POLL_MS }),
    new Forgetter({ store, clock: systemClock, log, kinds: forgettable(config) }),
  ]
}
