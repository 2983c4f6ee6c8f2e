/** A service of the cloud that dies at one request of an operation, and comes back when somebody has missed it. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Answer, ContainerBody } from '../../support/api-client.ts'
import { until } from '../../support/until.ts'
import type { CloudStage } from './cloud-stage.ts'
import type { FrontName } from './region.ts'
import type { CutMoment } from './service-front.ts'

export interface Cut {
  readonly service: FrontName
  /** `METHOD path`. */
  readonly request: RegExp
  readonly moments: readonly CutMoment[]
}

export const BOTH = ['before', 'after'] as const

/** What giving everything back asks of them. */
export const OF_DELETE: readonly Cut[] = [
  { service: 'neutron', request: /^DELETE \/v2.0\/ports/, moments: BOTH },
  { service: 'cinder', request: /^DELETE .*\/attachments/, moments: BOTH },
  { service: 'cinder', request: /^DELETE .*\/volumes/, moments: BOTH },
  { service: 'placement', request: /^PUT \/allocations/, moments: BOTH },
]

/** Steps try again in growing distances. */
export const PATIENCE_MS = 150_000

/** One test for each moment of each cut. */
export function eachCut(cuts: readonly Cut[], test: (cut: Cut, moment: CutMoment) => Promise<void>): void {
  for (const cut of cuts) {
    for (const moment of cut.moments) {
      it(`${cut.service}, ${moment} ${cut.request.source}`, async () => await test(cut, moment))
    }
  }
}

/** It comes back when somebody has looked for it in vain, or was told that it is away. */
export async function duringCut(
  stage: CloudStage,
  cut: Cut,
  moment: CutMoment,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  const front = stage.region.front(cut.service)
  const died = front.cutAt(cut.request, moment)
  const missed = died.then(async () => front.missed())
  const answer = await ask()
  if (answer.status >= 400) assert.ok(front.isAway, `refused before the cut: ${answer.text}`)
  await died
  if (answer.status < 500) await missed
  front.restore()
  return answer
}

/** A request that a cut has met is refused as one for which a service is away, or accepted. */
export function wasAccepted({ status, text }: Answer): boolean {
  if (status < 400) return true
  assert.equal(status, 503, text)
  return false
}

/** The newest action of a container has ended, and well: no service was away for longer than is waited for it. */
export async function ended(stage: CloudStage, uuid: string): Promise<ContainerBody> {
  const api = stage.api()
  const path = `/v1/containers/${uuid}/container_actions`
  await until(
    `the operation of ${uuid} has ended`,
    async () => {
      const { containerActions: actions } = await api.expect<{ containerActions: Action[] }>(200, 'GET', path)
      const [newest] = actions
      if (newest === undefined || newest.finish_time === null) return false
      assert.equal(newest.message, null, `${newest.action}: ${(await api.show(uuid)).status_reason}`)
      return true
    },
    PATIENCE_MS,
  )
  return await api.show(uuid)
}

interface Action {
  readonly action: string
  readonly finish_time: string | null
  readonly message: string | null
}
