import { Retryable } from '../../domain/errors.ts'
import type { Step } from './step.ts'

/** Room by the count of a cloud, before anything is made. The claim of another host, or of a smaller size, is replaced. */
export const claimResources: Step = {
  name: 'claimResources',
  repeat: 'safe',
  async observe({ op, tools, signal }) {
    const { uuid, claim } = op.container
    if (tools.claims === undefined || claim === undefined) return {}
    return (await tools.claims.isHeld(uuid, claim, { signal })) ? {} : undefined
  },
  async apply({ op, tools, signal }) {
    const { uuid, claim } = op.container
    if (claim !== undefined) await tools.claims?.hold(uuid, claim, { signal })
    return {}
  },
}

/** For which a delete waits for a count that is away. */
const PATIENCE_MS = 30_000

/** Of what is gone. Releasing what is not held does nothing, so it is not looked at first. */
export const releaseResources: Step = {
  name: 'releaseResources',
  repeat: 'safe',
  async observe({ tools }) {
    return tools.claims === undefined ? {} : undefined
  },
  async apply({ op, tools, signal, ageMs }) {
    try {
      await tools.claims?.release(op.container.uuid, { signal })
    } catch (error) {
      // All that was the container's is gone: that must not wait for a count. The sweep of the claims mends it.
      if (!(error instanceof Retryable) || ageMs() < PATIENCE_MS) throw error
      tools.log.warn({ containerId: op.container.uuid, why: error.message }, 'its claim was not released yet')
    }
    return {}
  },
}
