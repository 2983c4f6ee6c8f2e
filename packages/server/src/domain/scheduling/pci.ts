/** Devices of a host that a container can be given for itself (scheduler 10). */
import type { PciDevice } from '@zund/contract/link/messages.ts'
import type { HostView, PciRequest } from './types.ts'

/** Those that nobody holds; a physical function counts as held while one of its virtual functions is, and the reverse. */
export function freeDevices({ has, exclusive }: Pick<HostView, 'has' | 'exclusive'>): PciDevice[] {
  const held = new Set(exclusive.flatMap(({ pciDevices }) => pciDevices))
  return withoutHeld(has.pciDevices, held)
}

/** Addresses of devices that satisfy all requests; undefined: there are not enough. */
export function claimDevices(free: readonly PciDevice[], requests: readonly PciRequest[]): string[] | undefined {
  const taken = new Set<string>()
  // Those that fewest devices can satisfy choose first, so that a choosy request is not robbed by an easy one.
  const ordered = requests.toSorted((a, b) => matching(free, a).length - matching(free, b).length)
  for (const request of ordered) {
    for (let n = 0; n < request.count; n += 1) {
      const [first] = matching(withoutHeld(free, taken), request)
      if (first === undefined) return undefined
      taken.add(first.address)
    }
  }
  return [...taken]
}

function matching(devices: readonly PciDevice[], { spec }: PciRequest): PciDevice[] {
  const wantsPhysical = spec.some(({ dev_type: kind }) => kind === 'type-PF')
  // A whole card is only given to who asks for one.
  return devices.filter((device) => {
    if (device.devType === 'type-PF' && !wantsPhysical) return false
    return spec.some((one) => Object.entries(one).every(([name, value]) => propertyOf(device, name) === value))
  })
}

function propertyOf(device: PciDevice, name: string): string | undefined {
  switch (name) {
    case 'vendor_id':
      return device.vendorId
    case 'product_id':
      return device.productId
    case 'dev_type':
      return device.devType
    default:
      return Object.hasOwn(device.tags, name) ? device.tags[name] : undefined
  }
}

function withoutHeld(devices: readonly PciDevice[], held: ReadonlySet<string>): PciDevice[] {
  if (held.size === 0) return [...devices]
  const parentsOfHeld = new Set(
    devices.flatMap(({ address, parentAddress }) =>
      held.has(address) && parentAddress !== null ? [parentAddress] : [],
    ),
  )
  return devices.filter(
    ({ address, parentAddress }) =>
      !held.has(address) && !parentsOfHeld.has(address) && (parentAddress === null || !held.has(parentAddress)),
  )
}
