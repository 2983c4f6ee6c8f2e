import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqlDatabase } from '../packages/server/src/adapters/sql/database.ts'
import { SqlStore } from '../packages/server/src/adapters/sql/sql-store.ts'
import { chooseHost, type SchedulerOptions } from '../packages/server/src/domain/scheduling/choose.ts'
import type { HostView } from '../packages/server/src/domain/scheduling/types.ts'
import { place } from '../packages/server/src/orchestration/scheduling/place.ts'
import { aContainer, anInventory, aSpec } from '../packages/server/test/support/builders.ts'
import { aFleet, aWanted } from '../packages/server/test/support/fleet.ts'
import type { Figure } from './support/bench.ts'
import { quantile } from './support/statistics.ts'

export const name = 'scheduling'
export const description = 'a host chosen among 1000, by the rules alone and in a transaction'

const HOSTS = 1000
const ROUNDS = 300
const WARM = 50

const scheduler: SchedulerOptions = {
  driver: 'filter_scheduler',
  filters: ['AvailabilityZoneFilter', 'ComputeFilter', 'RuntimeFilter'],
  weigher: 'spread',
}
const request = { cpu: 1, memoryMiB: 512, availabilityZone: 'east', runtime: 'runc' } as const

export async function run({ signal }: { signal: AbortSignal }): Promise<Figure[]> {
  return [...rulesAlone(), ...(await inTransactions(signal))]
}

/** Half of the hosts are in the zone, a tenth is down, and all are used differently. */
function rulesAlone(): Figure[] {
  const fleet = aFleet(HOSTS, (n) => ({
    availabilityZone: n % 2 === 0 ? 'east' : 'west',
    up: n % 10 !== 0,
    used: { containers: n % 7, cpu: n % 60, memoryMiB: (n * 37) % 15_000, diskGiB: 0 },
  }))
  const ours: number[] = []
  const bare: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const uuid = randomUUID()
    ours.push(timed(() => chooseHost(fleet, aWanted({ ...request, uuid }), scheduler).kind === 'host'))
    bare.push(timed(() => scan(fleet) !== undefined))
  }
  const [median, beside] = [quantile(ours.slice(WARM), 0.5), quantile(bare.slice(WARM), 0.5)]
  return [
    { what: `the rules over ${HOSTS} hosts`, value: median, unit: 'ms', aim: { atMost: 5 } },
    { what: 'one loop that keeps the best, beside it', value: beside, unit: 'ms' },
    { what: 'times the loop', value: median / beside, unit: 'x' },
  ]
}

/** What is the least that must be looked at. */
function scan(fleet: readonly HostView[]): HostView | undefined {
  let best: HostView | undefined
  let most = Number.NEGATIVE_INFINITY
  for (const host of fleet) {
    const { has, used } = host
    if (host.availabilityZone !== request.availabilityZone || !host.up || host.disabled) continue
    if (!has.runtimes.includes(request.runtime)) continue
    const free = has.memTotalMiB * 1.5 - used.memoryMiB
    if (free < request.memoryMiB || has.cpus * 16 - used.cpu < request.cpu || free <= most) continue
    best = host
    most = free
  }
  return best
}

/** The choice with its reads, and the write of what was chosen, on durable SQLite; beside it the write alone. */
async function inTransactions(signal: AbortSignal): Promise<Figure[]> {
  const directory = mkdtempSync(join(process.env['ZUND_BENCH_DIR'] ?? tmpdir(), 'zund-bench-'))
  const store = new SqlStore(new SqlDatabase(join(directory, 'zund.sqlite')))
  try {
    await store.write(async (tx) => {
      for (let n = 0; n < HOSTS; n += 1) {
        const host = `h${n}`
        const epoch = await tx.hosts.beginSession({ host, availabilityZone: 'east', uuidIfNew: randomUUID() })
        await tx.hosts.heartbeat(host, epoch, { engineTrouble: null, inventory: anInventory() })
      }
    })
    const options = { scheduler, serviceDownTimeS: 86_400, engineGraceMs: 5_000 }
    const chosen: number[] = []
    const written: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      signal.throwIfAborted()
      const uuid = randomUUID()
      chosen.push(
        await timedWrite(store, async (tx) => {
          const choice = await place(tx, aWanted({ ...request, uuid }), options)
          if (choice.kind === 'none') throw new Error('no host was left')
          const { host, allocation } = choice
          await tx.containers.insert(aContainer({ uuid, host: host.name, allocation, spec: aSpec() }))
        }),
      )
      const other = aContainer({ uuid: randomUUID(), host: `h${round}` })
      written.push(await timedWrite(store, async (tx) => void (await tx.containers.insert(other))))
    }
    const [median, beside] = [quantile(chosen.slice(WARM), 0.5), quantile(written.slice(WARM), 0.5)]
    return [
      { what: `choice among ${HOSTS} rows and the write of it`, value: median, unit: 'ms', aim: { atMost: 30 } },
      { what: 'the write alone, beside it', value: beside, unit: 'ms' },
      { what: 'choice p99', value: quantile(chosen.slice(WARM), 0.99), unit: 'ms' },
    ]
  } finally {
    await store.close()
    rmSync(directory, { recursive: true })
  }
}

function timed(work: () => boolean): number {
  const began = performance.now()
  if (!work()) throw new Error('no host was left')
  return performance.now() - began
}

async function timedWrite(store: SqlStore, work: Parameters<SqlStore['write']>[0]): Promise<number> {
  const began = performance.now()
  await store.write(work)
  return performance.now() - began
}
