import type { Address, Addresses, Binding, PortData } from './types.ts'

/** The API's `addresses`, from the ports a container holds or is about to hold. */
export function addressesOf(bindings: readonly Binding[]): Addresses {
  const result: Record<string, Address[]> = {}
  for (const { uuid, data } of [...bindings].sort((a, b) => a.order - b.order)) {
    // One that another service is to make has no addresses yet.
    if (data.kind !== 'port' || data.fixedIps.length === 0) continue
    const list = (result[data.networkId] ??= [])
    for (const ip of data.fixedIps) {
      list.push({
        addr: ip.address,
        version: ip.version,
        port: portIdOf(uuid, data),
        subnet_id: ip.subnetId,
        preserve_on_delete: data.preserveOnDelete,
      })
    }
  }
  return result
}

/** Of a container that has been made: one that is still to be attached is not shown, since who waits for it looks here. */
export function attachedAddresses(bindings: readonly Binding[]): Addresses {
  return addressesOf(bindings.filter(({ state }) => state === 'held'))
}

/** The id under which users know the port of a binding. */
export function portIdOf(bindingUuid: string, { remote }: PortData): string {
  return remote?.portId ?? bindingUuid
}
