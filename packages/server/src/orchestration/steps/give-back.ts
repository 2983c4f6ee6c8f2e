import { leaveNetworks } from './networks.ts'
import { look, mountsOf, portsOf, type StepContext } from './step.ts'

/** Steps that leave nothing of the container on the host; an image is nobody's, and a claim is replaced by the next. */
const LEAVES_NOTHING: ReadonlySet<string> = new Set(['obtainImage', 'claimResources'])

export function leavesNothing(steps: Iterable<string>): boolean {
  return [...steps].every((name) => LEAVES_NOTHING.has(name))
}

/** A create that has come to nothing keeps no volume that others might use; what the engine has of it keeps them. */
export async function giveBackVolumes(ctx: StepContext): Promise<void> {
  const mounts = [ctx.op.container, ...ctx.op.initMembers, ...ctx.op.members].flatMap((container) =>
    mountsOf({ container }).filter(({ data }) => data.provider === 'block-storage'),
  )
  if (mounts.length === 0 || (await look(ctx)) !== undefined) return
  const distinct = new Map(mounts.map(({ data }) => [data.volumeUuid, data]))
  for (const data of distinct.values()) await ctx.tools.volumes.detach(data, false, { signal: ctx.signal })
}

/** Takes away all that a create has made here, in reverse order; repeatable. False: there is something that must stay. */
export async function giveBack(ctx: StepContext): Promise<boolean> {
  const mounts = mountsOf(ctx.op)
  // The data of a volume may be older than the container.
  if (mounts.some(({ data }) => data.provider === 'volume')) return false
  const { engine, networks, volumes } = ctx.tools
  const { signal } = ctx
  if ((await look(ctx)) !== undefined) await engine.remove(ctx.op.container.uuid, true, { signal })
  await leaveNetworks(ctx)
  for (const { data } of portsOf(ctx.op)) await networks.release(data, { signal })
  for (const { data } of mounts) await volumes.detach(data, data.provider === 'file', { signal })
  return true
}
