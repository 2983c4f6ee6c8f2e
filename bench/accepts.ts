import { join } from 'node:path'
import type { Figure } from './support/bench.ts'
import { ChildServer } from './support/child.ts'
import { httpRequest, load } from './support/load.ts'
import { quantile } from './support/statistics.ts'

export const name = 'accepts'
export const description = 'durable 202s a second of POST /v1/containers, with an engine that does nothing'

const ROUNDS: readonly (readonly [connections: number, requests: number])[] = [
  [1, 300],
  [8, 1_500],
  [32, 3_000],
]

export async function run({ signal }: { signal: AbortSignal }): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const [connections, requests] of ROUNDS) {
    signal.throwIfAborted()
    // A fresh one each: thousands of containers of the round before would be another measurement.
    await using service = await ChildServer.start<{ port: number; token: string }>(
      join(import.meta.dirname, 'support/sim-service.ts'),
      ['0'],
    )
    const { port, token } = service.ready
    const headers = { 'X-Auth-Token': token, 'OpenStack-API-Version': 'container 1.40' }
    const request = (n: number): Buffer =>
      httpRequest('POST', '/v1/containers', headers, {
        name: `accept-${n}`,
        image: 'busybox',
        image_pull_policy: 'never',
        command: ['sleep', '1000'],
      })
    await load({ port, connections, requests: 50, request })
    const { perSecond, latencies, statuses } = await load({ port, connections, requests, request })
    if (statuses.get(202) !== requests) throw new Error(`not all were accepted: ${JSON.stringify([...statuses])}`)
    const label = `${connections} connection${connections === 1 ? '' : 's'}`
    const aimed = connections === 32
    figures.push(
      {
        what: `${label}: accepted and on the disk`,
        value: perSecond,
        unit: '/s',
        ...(aimed ? { aim: { atLeast: 500 } } : {}),
      },
      {
        what: `${label}: p99`,
        value: quantile(latencies, 0.99),
        unit: 'ms',
        ...(aimed ? { aim: { atMost: 100 } } : {}),
      },
    )
  }
  return figures
}
