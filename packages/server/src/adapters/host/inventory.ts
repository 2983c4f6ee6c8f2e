import { readFile, statfs } from 'node:fs/promises'
import type { ContainerEngine, EngineCallOptions } from '../../orchestration/ports/engine.ts'
import type { HostInventory } from '../../orchestration/ports/wire.ts'
import type { WhitelistEntry } from '../../domain/scheduling/pci-whitelist.ts'
import { hasProjectQuotas } from './disk-quota.ts'
import { numaNodes } from './numa.ts'
import { pciDevices } from './pci.ts'
import { routedSubnets } from './routes.ts'

export interface InventoryOptions {
  readonly enableCpuPinning: boolean
  /** Share of the engine's disk kept for images, 0 to 1. */
  readonly reserveDiskForImage: number
  readonly floatingCpus: readonly number[]
  readonly pciWhitelist: readonly WhitelistEntry[]
  /** GiB. */
  readonly defaultDisk: number
  readonly reservedHostCpus: number
  /** MiB, both. */
  readonly reservedHostMemory: number
  readonly reservedHostDisk: number
  /** 0: the initial one. */
  readonly cpuAllocationRatio: number
  readonly ramAllocationRatio: number
  readonly diskAllocationRatio: number
  readonly initialCpuAllocationRatio: number
  readonly initialRamAllocationRatio: number
  readonly initialDiskAllocationRatio: number
}

const GIB = 1024 ** 3

/** What this host has, from the engine and the kernel (admin-resources 2). */
export async function readInventory(
  engine: ContainerEngine,
  options: InventoryOptions,
  o: EngineCallOptions,
): Promise<HostInventory> {
  const info = await engine.info(o)
  return {
    memTotalMiB: await memTotalMiB(),
    cpus: info.cpus,
    diskTotalGiB: await diskTotalGiB(info.rootDir, options.reserveDiskForImage),
    diskQuotaSupported:
      info.diskQuotaSupported && (info.storageDriver !== 'overlay2' || (await hasProjectQuotas(info.rootDir))),
    totalContainers: info.totalContainers,
    architecture: info.architecture,
    osType: info.osType,
    os: info.os,
    kernelVersion: info.kernelVersion,
    labels: { ...info.labels },
    runtimes: [...info.runtimes],
    defaultRuntime: info.defaultRuntime,
    engineVersion: info.version,
    engineApiVersion: info.apiVersion,
    enableCpuPinning: options.enableCpuPinning,
    numaNodes: await numaNodes(options.floatingCpus),
    floatingCpus: [...options.floatingCpus],
    pciDevices: await pciDevices(options.pciWhitelist),
    diskBaseGiB: info.diskBaseGiB,
    defaultDiskGiB: options.defaultDisk,
    allocation: {
      cpuRatio: options.cpuAllocationRatio || options.initialCpuAllocationRatio,
      ramRatio: options.ramAllocationRatio || options.initialRamAllocationRatio,
      diskRatio: options.diskAllocationRatio || options.initialDiskAllocationRatio,
      reservedCpus: options.reservedHostCpus,
      reservedMemoryMiB: options.reservedHostMemory,
      reservedDiskGiB: Math.ceil(options.reservedHostDisk / 1024),
    },
    routedSubnets: await routedSubnets(),
  }
}

async function memTotalMiB(): Promise<number> {
  const match = /^MemTotal:\s+(\d+) kB$/m.exec(await readFile('/proc/meminfo', 'utf8'))
  return Math.floor(Number(match?.[1] ?? 0) / 1024)
}

/** 0 when the engine's directory is not on this machine's file systems as we see them. */
async function diskTotalGiB(rootDir: string, reserved: number): Promise<number> {
  try {
    const { blocks, bsize } = await statfs(rootDir)
    return Math.floor((blocks * bsize * (1 - reserved)) / GIB)
  } catch {
    return 0
  }
}
