import { isLeftBehind, isLive, shouldRun } from '../../../domain/capsule/rejoin.ts'
import type { AssignedContainer, Observation } from '../../ports/wire.ts'
import type { Step, StepContext } from '../step.ts'
import { ensureSandbox, seenOf } from './member.ts'

/**
 * Brings members back into the namespaces of the sandbox: those that still run in the namespaces of its life before, and
 * those that the engine could not start while it was not there.
 */
export const rejoinMembers: Step = {
  name: 'rejoinMembers',
  repeat: 'safe',
  async observe(ctx) {
    const sandbox = await seenOf(ctx, ctx.op.container.uuid)
    if (sandbox === undefined || !isLive(sandbox)) return undefined
    return (await astray(ctx, sandbox)).length === 0 ? {} : undefined
  },
  async apply(ctx) {
    const { engine, gate } = ctx.tools
    const o = { signal: ctx.signal }
    // As before the start of the sandbox.
    await engine.ping(o)
    for (const { member, isBehind } of await astray(ctx, await ensureSandbox(ctx))) {
      await gate.run(ctx.signal, () => (isBehind ? engine.restart(member.uuid, null, o) : engine.start(member.uuid, o)))
    }
    return {}
  },
}

interface Astray {
  readonly member: AssignedContainer
  readonly isBehind: boolean
}

/** Those that the engine has lost are not brought back; the capsule says so. */
async function astray(ctx: StepContext, sandbox: Observation): Promise<Astray[]> {
  const found: Astray[] = []
  for (const member of ctx.op.members) {
    const seen = await seenOf(ctx, member.uuid)
    if (seen === undefined) continue
    const isBehind = isLeftBehind(seen, sandbox)
    if (isBehind || shouldRun(member.spec.restartPolicy, seen)) found.push({ member, isBehind })
  }
  return found
}
