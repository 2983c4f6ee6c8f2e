import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ZundProcess } from '../packages/server/test/support/zund-process.ts'
import type { Figure } from './support/bench.ts'
import { median, timed } from './support/statistics.ts'

export const name = 'idle'
export const description = 'memory and CPU of the whole process at rest, and the time from start to ready'
export const needs = ['engine'] as const

const STARTS = 5
const CONTAINERS = 200
const AT_ONCE = 8
const WATCH_MS = 30_000
/** Clock ticks a second of the times in /proc (sysconf(_SC_CLK_TCK) on Linux). */
const TICKS = 100

export async function run({ signal }: { signal: AbortSignal }): Promise<Figure[]> {
  const zund = await ZundProcess.start({
    conf: 'network_prefix_v4 = 24\n[quota]\ncontainers = -1\ncpu = -1\nmemory = -1\n[DEFAULT]\ndefault_memory = 0\ndefault_cpu = 0\n',
  })
  try {
    const starts: number[] = []
    for (let n = 0; n < STARTS; n += 1) {
      await zund.stop()
      starts.push(await timed(() => zund.up()))
    }
    const empty = await atRest(zund.pid, signal)
    const client = (await zund.client()).unchecked()
    for (let n = 0; n < CONTAINERS; n += AT_ONCE) {
      signal.throwIfAborted()
      await Promise.all(Array.from({ length: AT_ONCE }, () => client.run()))
    }
    const full = await atRest(zund.pid, signal)
    return [
      { what: 'start to ready, median', value: median(starts) / 1000, unit: 's', aim: { atMost: 1.5 } },
      { what: 'resident memory, no container', value: empty.residentMiB, unit: 'MiB', aim: { atMost: 150 } },
      { what: 'CPU share, no container', value: empty.cpuPercent, unit: '%', aim: { atMost: 1 } },
      { what: `resident memory, ${CONTAINERS} containers`, value: full.residentMiB, unit: 'MiB', aim: { atMost: 150 } },
      { what: `CPU share, ${CONTAINERS} containers`, value: full.cpuPercent, unit: '%', aim: { atMost: 1 } },
    ]
  } finally {
    await zund.destroy()
  }
}

async function atRest(pid: number, signal: AbortSignal): Promise<{ residentMiB: number; cpuPercent: number }> {
  await sleep(5_000, undefined, { signal })
  const before = cpuTicks(pid)
  await sleep(WATCH_MS, undefined, { signal })
  const ticks = cpuTicks(pid) - before
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return {
    residentMiB: Number(resident?.[1] ?? Number.NaN) / 1024,
    cpuPercent: (100 * ticks) / TICKS / (WATCH_MS / 1000),
  }
}

/** User and system time (proc(5), stat fields 14 and 15). */
function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}
