import { leaveNetworks } from './networks.ts'
import { look, mountsOf, portsOf, type StepContext } from './step.ts'

/** Steps that leave nothing of the container on the host; an image is nobody's. */
const LEAVES_NOTHING: ReadonlySet<string> = new Set(['obtainImage'])

export function leavesNothing(steps: Iterable<string>): boolean {
  return [...steps].every((name) => LEAVES_NOTHING.has(name))
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
  for (const { data } of mounts) await volumes.detach(data, true, { signal })
  return true
}
