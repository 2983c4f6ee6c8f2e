import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiClient, ContainerBody } from '../packages/server/test/support/api-client.ts'
import { OBEDIENT } from '../packages/server/test/support/api-client.ts'
import type { TestEngine } from '../packages/server/test/support/test-engine.ts'
import { ZundProcess } from '../packages/server/test/support/zund-process.ts'
import type { Figure } from './support/bench.ts'
import { median, timed } from './support/statistics.ts'

export const name = 'create'
export const description = 'create to Running through the API, beside create and start of the raw engine'
export const needs = ['engine'] as const

const SEQUENTIAL_ROUNDS = 20
const AT_ONCE = 16
const AT_ONCE_ROUNDS = 3
/** Of a bare client; the best of them is what we are measured against. */
const BARE_WIDTHS = [2, 4, 8, 16]
/** Often enough to be exact to a few milliseconds, and seldom enough to leave the cores to the engine. */
const POLL_MS = 8
/** One list for all of them: sixteen pollers would take the cores from the engine. */
const POLL_MANY_MS = 20

export async function run({ signal }: { signal: AbortSignal }): Promise<Figure[]> {
  const zund = await ZundProcess.start({
    conf: 'network_prefix_v4 = 24\n[quota]\ncontainers = -1\ncpu = -1\nmemory = -1\n[compute]\nram_allocation_ratio = 100',
  })
  const bare = new BareClient(zund.engine)
  try {
    const client = (await zund.client()).unchecked()
    await bare.open()
    const rounds: { ours: number; engine: number }[] = []
    for (let round = 0; round <= SEQUENTIAL_ROUNDS; round += 1) {
      signal.throwIfAborted()
      // By turns first, and each on an engine with nothing to do: the one before leaves it work for a while.
      const turns = [
        async () => {
          const ms = await timed(() => bare.run(1))
          await bare.clear()
          return { engine: ms }
        },
        async () => {
          const ms = await timed(() => runOurs(client, 1))
          await clearOurs(client)
          return { ours: ms }
        },
      ]
      if (round % 2 === 1) turns.reverse()
      const times = { engine: 0, ours: 0 }
      for (const turn of turns) Object.assign(times, await turn())
      if (round > 0) rounds.push(times)
    }
    const ours = median(rounds.map((r) => r.ours))
    const engine = median(rounds.map((r) => r.engine))
    const many = await atOnce(client, bare, signal)
    return [
      { what: 'one after the other: raw engine, median', value: engine, unit: 'ms' },
      { what: 'one after the other: ours, median', value: ours, unit: 'ms' },
      { what: 'one after the other: ours to raw', value: ours / engine, unit: 'x', aim: { atMost: 1.1 } },
      { what: 'one after the other: ours over raw', value: ours - engine, unit: 'ms', aim: { atMost: 20 } },
      ...many,
    ]
  } finally {
    await bare.close()
    await zund.destroy()
  }
}

async function atOnce(client: ApiClient, bare: BareClient, signal: AbortSignal): Promise<Figure[]> {
  const ours: number[] = []
  const engine = new Map<number, number[]>(BARE_WIDTHS.map((width) => [width, []]))
  for (let round = 0; round < AT_ONCE_ROUNDS; round += 1) {
    for (const [width, times] of engine) {
      signal.throwIfAborted()
      times.push(await timed(() => bare.run(AT_ONCE, width)))
      await bare.clear()
    }
    ours.push(await timed(() => runOurs(client, AT_ONCE)))
    await clearOurs(client)
  }
  const best = Math.min(...[...engine.values()].map(median))
  const width = [...engine].find(([, times]) => median(times) === best)?.[0] ?? 0
  return [
    { what: `${AT_ONCE} at once: raw engine, ${width} in parallel being best`, value: best, unit: 'ms' },
    { what: `${AT_ONCE} at once: ours, all of them`, value: median(ours), unit: 'ms' },
    { what: `${AT_ONCE} at once: ours to raw`, value: median(ours) / best, unit: 'x', aim: { atMost: 1.15 } },
  ]
}

async function runOurs(client: ApiClient, count: number): Promise<void> {
  const made = await Promise.all(
    Array.from(
      { length: count },
      async () =>
        await client.expect<ContainerBody>(202, 'POST', '/v1/containers?run=true', {
          body: { image: 'busybox', image_pull_policy: 'never', command: OBEDIENT },
        }),
    ),
  )
  const [only] = made
  const isDone =
    only !== undefined && count === 1
      ? async () => (await client.show(only.uuid)).status === 'Running'
      : async () => {
          const { containers } = await client.expect<{ containers: ContainerBody[] }>(200, 'GET', '/v1/containers')
          return containers.every(({ status }) => status === 'Running')
        }
  while (!(await isDone())) await sleep(count === 1 ? POLL_MS : POLL_MANY_MS)
}

async function clearOurs(client: ApiClient): Promise<void> {
  const { containers } = await client.expect<{ containers: ContainerBody[] }>(200, 'GET', '/v1/containers')
  await Promise.all(containers.map(({ uuid }) => client.delete(uuid)))
}

/** What a program of a few lines does with the engine: the same container, on a bridge network of its own. */
class BareClient {
  readonly #engine: TestEngine
  readonly #network = `zund-bench-${randomUUID()}`
  #made: string[] = []

  constructor(engine: TestEngine) {
    this.#engine = engine
  }

  async open(): Promise<void> {
    await this.#engine.api('POST', '/networks/create', {
      Name: this.#network,
      Driver: 'bridge',
      EnableIPv6: true,
      IPAM: { Config: [{ Subnet: '10.191.7.0/24' }, { Subnet: 'fd00:5a75:be:7::/64' }] },
    })
  }

  async run(count: number, width = 1): Promise<void> {
    let left = count
    await Promise.all(
      Array.from({ length: width }, async () => {
        while (left > 0) {
          left -= 1
          await this.#one()
        }
      }),
    )
  }

  async #one(): Promise<void> {
    const { Id } = await this.#engine.api<{ Id: string }>('POST', `/containers/create?name=bench-${randomUUID()}`, {
      Image: 'busybox',
      Cmd: OBEDIENT,
      HostConfig: { NetworkMode: this.#network, Memory: 512 * 1024 * 1024, CpuShares: 1024 },
    })
    this.#made.push(Id)
    await this.#engine.api('POST', `/containers/${Id}/start`)
  }

  async clear(): Promise<void> {
    const ids = this.#made
    this.#made = []
    for (const id of ids) await this.#engine.remove(id)
  }

  async close(): Promise<void> {
    await this.clear()
    await this.#engine.api('DELETE', `/networks/${this.#network}`).catch(() => undefined)
  }
}
