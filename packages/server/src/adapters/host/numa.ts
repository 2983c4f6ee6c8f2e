/** The NUMA nodes of this host, as the kernel shows them below /sys/devices/system/node. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseCpuList } from '../../domain/scheduling/cpuset.ts'
import type { HostInventory } from '../../orchestration/ports/wire.ts'

const DIRECTORY = '/sys/devices/system/node'

/** Online cores without the floating ones. Empty where the kernel does not tell: nothing can be dedicated there. */
export async function numaNodes(
  floating: readonly number[],
  directory = DIRECTORY,
): Promise<HostInventory['numaNodes']> {
  const nodes: HostInventory['numaNodes'] = []
  for (const name of await entriesOf(directory)) {
    const id = /^node(\d+)$/.exec(name)?.[1]
    if (id === undefined) continue
    const cpus = parseCpuList((await readFile(join(directory, name, 'cpulist'), 'utf8')).trim())
    const memory = /MemTotal:\s+(\d+) kB/.exec(await readFile(join(directory, name, 'meminfo'), 'utf8'))
    nodes.push({
      id: Number(id),
      cpus: cpus.filter((cpu) => !floating.includes(cpu)),
      memTotalMiB: Math.floor(Number(memory?.[1] ?? 0) / 1024),
    })
  }
  return nodes.sort((a, b) => a.id - b.id)
}

async function entriesOf(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch {
    return []
  }
}
