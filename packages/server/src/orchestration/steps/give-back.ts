import type { BindingChange, PortData } from '../ports/wire.ts'
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

/**
 * The same of the ports of another network service. A rebuild has them made, or takes them, anew. What cannot be given
 * back now keeps no other, and is when the container is deleted.
 */
export async function releasePorts(ctx: StepContext): Promise<BindingChange[]> {
  const ports = portsOf(ctx.op).filter(({ data }) => data.remote !== undefined)
  if (ports.length === 0 || (await look(ctx)) !== undefined) return []
  await leaveNetworks(ctx)
  const released: BindingChange[] = []
  for (const { uuid, data } of ports) {
    try {
      await ctx.tools.networks.release(data, { signal: ctx.signal })
      released.push({ uuid, state: 'planned', data: unbound(data) })
    } catch (error) {
      ctx.tools.log.warn(
        { containerId: ctx.op.container.uuid, networkId: data.networkId, err: error },
        'a port of a failed create was not given back',
      )
    }
  }
  return released
}

/** As it was planned. */
function unbound(port: PortData): PortData {
  if (port.remote === undefined) return port
  const remote = { ...port.remote, openGroup: null, plug: null, addedGroups: [], removedGroups: [] }
  if (remote.before !== null) return { ...port, remote }
  return { ...port, subnets: [], fixedIps: [], macAddress: null, remote: { ...remote, portId: null } }
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
