/** Ports of a network service outside of this one. */
import { SystemFault } from '../../domain/errors.ts'
import { concerned } from './networks.ts'
import { portsOf, type Step } from './step.ts'

/** Has the ports made, or takes those that were brought, and ties them to this host; what is learned of them is kept. */
export const bindPorts: Step = {
  name: 'bindPorts',
  repeat: 'safe',
  async observe() {
    return undefined
  },
  async apply(ctx) {
    const bindings = []
    for (const port of concerned(ctx)) {
      const data = await ctx.tools.networks.bind(port.data, { signal: ctx.signal })
      // The container is not on it yet; the step that puts it there says that it is held.
      bindings.push({ uuid: port.uuid, state: 'planned' as const, data })
    }
    return { bindings }
  },
}

export const changeSecurityGroup: Step = {
  name: 'changeSecurityGroup',
  repeat: 'safe',
  async observe() {
    return undefined
  },
  async apply(ctx) {
    const { securityGroup: group } = ctx.op.params
    if (group === undefined) throw new SystemFault('recipe.no_group', 'no security group is named')
    const change = { kind: ctx.op.verb === 'add_security_group' ? ('add' as const) : ('remove' as const), group }
    const bindings = []
    for (const { uuid, data } of portsOf(ctx.op)) {
      if (data.remote === undefined) continue
      const changed = await ctx.tools.networks.changeGroup(data, change, { signal: ctx.signal })
      bindings.push({ uuid, state: 'held' as const, data: changed })
    }
    return { bindings }
  },
}
