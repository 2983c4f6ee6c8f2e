/** PCI devices of this host that the operator lets containers have, as the kernel shows them. */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { tagsOf, type WhitelistEntry } from '../../domain/scheduling/pci-whitelist.ts'
import type { PciDevice } from '../../orchestration/ports/wire.ts'

const DIRECTORY = '/sys/bus/pci/devices'

export async function pciDevices(whitelist: readonly WhitelistEntry[], directory = DIRECTORY): Promise<PciDevice[]> {
  if (whitelist.length === 0) return []
  const devices: PciDevice[] = []
  for (const address of (await entriesOf(directory)).sort()) {
    const device = await readDevice(join(directory, address), address, whitelist)
    if (device !== undefined) devices.push(device)
  }
  return devices
}

async function readDevice(
  path: string,
  address: string,
  whitelist: readonly WhitelistEntry[],
): Promise<PciDevice | undefined> {
  const vendorId = await hexIn(join(path, 'vendor'))
  const productId = await hexIn(join(path, 'device'))
  const parent = await absentIsNull(readlink(join(path, 'physfn')))
  const parentAddress = parent === null ? null : basename(parent)
  const devnames = await entriesOf(join(path, 'net'))
  const tags = tagsOf({ address, vendorId, productId, parentAddress, devnames }, whitelist)
  if (tags === undefined) return undefined
  const functions = Number((await absentIsNull(readFile(join(path, 'sriov_totalvfs'), 'utf8'))) ?? 0)
  const node = Number((await absentIsNull(readFile(join(path, 'numa_node'), 'utf8'))) ?? -1)
  return {
    address,
    vendorId,
    productId,
    devType: parentAddress !== null ? 'type-VF' : functions > 0 ? 'type-PF' : 'type-PCI',
    parentAddress,
    numaNode: node < 0 ? null : node,
    tags: { ...tags },
  }
}

async function hexIn(file: string): Promise<string> {
  return ((await absentIsNull(readFile(file, 'utf8'))) ?? '').trim().replace(/^0x/, '')
}

async function entriesOf(directory: string): Promise<string[]> {
  return (await absentIsNull(readdir(directory))) ?? []
}

/** Devices come and go, and not every kind has every file. */
async function absentIsNull<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading
  } catch {
    return null
  }
}
