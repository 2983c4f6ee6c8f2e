import { isLeftBehind, shouldRun } from '../../../domain/capsule/rejoin.ts'
import { INIT_LIMIT_MS } from '../../../domain/capsule/sandbox.ts'
import { SystemFault, UserFault } from '../../../domain/errors.ts'
import type { AssignedContainer, Observation } from '../../ports/wire.ts'
import type { Step, StepContext } from '../step.ts'
import { ensureSandbox, ensureStarted, seenOf, wasStarted } from './member.ts'

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2_000

interface Mark {
  /** How old the operation was when the first of them began. */
  readonly ageMs: number
}

/**
 * One after the other, each to its end. An exit code other than 0 is a failure once the restart policy has nothing left
 * to try: what the next container was to find would not be there.
 */
export const runInitMembers: Step = {
  name: 'runInitMembers',
  repeat: 'safe',
  async observe(ctx) {
    for (const { uuid } of ctx.op.initMembers) {
      const seen = await seenOf(ctx, uuid)
      if (!wasStarted(ctx, seen) || seen?.state !== 'exited' || seen.exitCode !== 0) return undefined
    }
    return {}
  },
  async mark(ctx): Promise<Mark> {
    return { ageMs: ctx.ageMs() }
  },
  async apply(ctx) {
    const began = ctx.wasStarted ? beganAt(ctx.mark) : ctx.ageMs()
    for (const [n, member] of ctx.op.initMembers.entries()) {
      ctx.progress(`Init container ${n + 1} of ${ctx.op.initMembers.length}`)
      await ensureStarted(ctx, member)
      await untilEnded(ctx, member, began + INIT_LIMIT_MS)
    }
    return {}
  },
}

function beganAt(mark: unknown): number {
  return typeof mark === 'object' && mark !== null && 'ageMs' in mark && typeof mark.ageMs === 'number' ? mark.ageMs : 0
}

async function untilEnded(ctx: StepContext, member: AssignedContainer, deadlineMs: number): Promise<void> {
  const { engine, clock } = ctx.tools
  const o = { signal: ctx.signal }
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const seen = await seenOf(ctx, member.uuid)
    if (seen === undefined) throw new SystemFault('capsule.member_lost', `Init container ${member.name} is gone`)
    if (seen.state === 'exited') {
      if (seen.exitCode === 0) return
      if (!shouldRun(member.spec.restartPolicy, seen)) throw failed(member, seen)
      // The engine went down with it and has not started it again.
      await ensureSandbox(ctx)
      await engine.start(member.uuid, o)
    } else if (seen.state === 'dead') throw failed(member, seen)
    else if (isLeftBehind(seen, await ensureSandbox(ctx))) await engine.restart(member.uuid, null, o)
    if (ctx.ageMs() > deadlineMs) {
      const limitS = INIT_LIMIT_MS / 1000
      throw new UserFault('capsule.init_timeout', `Init container ${member.name} has not ended within ${limitS} s`)
    }
    await ctx.idle(() => clock.sleep(pauseMs, ctx.signal))
  }
}

function failed(member: AssignedContainer, { exitCode, restartCount, error }: Observation): UserFault {
  const often = restartCount === 0 ? '' : ` after ${restartCount} restarts`
  const why = error === '' ? '' : ` (${error})`
  return new UserFault(
    'capsule.init_failed',
    `Init container ${member.name} ended with exit code ${exitCode}${often}${why}`,
  )
}
