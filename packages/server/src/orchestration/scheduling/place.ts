import { chooseHost, type Choice, type SchedulerOptions } from '../../domain/scheduling/choose.ts'
import type { Wanted } from '../../domain/scheduling/types.ts'
import { hostViews, type LivenessOptions, type SchedulerReads } from './host-views.ts'

export interface PlacingOptions extends LivenessOptions {
  readonly scheduler: SchedulerOptions
}

/**
 * The best host and what the container would hold of it. It is held by being written with the container's row, in the
 * same transaction: nobody else chooses between the look and the write.
 */
export async function place(tx: SchedulerReads, wanted: Wanted, options: PlacingOptions): Promise<Choice> {
  return chooseHost(await hostViews(tx, options, wanted), wanted, options.scheduler)
}
