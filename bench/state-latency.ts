import { setTimeout as sleep } from 'node:timers/promises'
import { ZundProcess } from '../packages/server/test/support/zund-process.ts'
import type { Figure } from './support/bench.ts'
import { median, quantile } from './support/statistics.ts'

export const name = 'state-latency'
export const description = 'from a kill behind our back to the changed answer of GET'
export const needs = ['engine'] as const

const ROUNDS = 40
const POLL_MS = 2

export async function run({ signal }: { signal: AbortSignal }): Promise<Figure[]> {
  const zund = await ZundProcess.start()
  try {
    const client = (await zund.client()).unchecked()
    const { uuid } = await client.run({ name: 'state-latency' })
    const latencies: number[] = []
    for (let round = 0; round <= ROUNDS; round += 1) {
      signal.throwIfAborted()
      await zund.engine.kill(`zun-${uuid}`)
      // The engine answers the kill when the process is dead or about to be.
      const began = performance.now()
      while ((await client.show(uuid)).status !== 'Stopped') await sleep(POLL_MS)
      if (round > 0) latencies.push(performance.now() - began)
      await client.expect(202, 'POST', `/v1/containers/${uuid}/start`)
      await client.waitFor(uuid, (c) => c.status === 'Running' && c.task_state === null)
    }
    return [
      { what: 'median', value: median(latencies), unit: 'ms' },
      { what: 'p99', value: quantile(latencies, 0.99), unit: 'ms', aim: { atMost: 100 } },
    ]
  } finally {
    await zund.destroy()
  }
}
