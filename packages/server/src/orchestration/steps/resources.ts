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

/** Of what is gone. Releasing what is not held does nothing, so it is not looked at first. */
export const releaseResources: Step = {
  name: 'releaseResources',
  repeat: 'safe',
  async observe({ tools }) {
    return tools.claims === undefined ? {} : undefined
  },
  async apply({ op, tools, signal }) {
    await tools.claims?.release(op.container.uuid, { signal })
    return {}
  },
}
