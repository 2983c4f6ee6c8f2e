import type { Address, Addresses, Binding } from './types.ts'

/** The API's `addresses`, from the ports a container holds or is about to hold. */
export function addressesOf(bindings: readonly Binding[]): Addresses {
  const result: Record<string, Address[]> = {}
  for (const { uuid, data } of [...bindings].sort((a, b) => a.order - b.order)) {
    if (data.kind !== 'port') continue
    const list = (result[data.networkId] ??= [])
    for (const ip of data.fixedIps) {
      list.push({
        addr: ip.address,
        version: ip.version,
        port: uuid,
        subnet_id: ip.subnetId,
        preserve_on_delete: data.preserveOnDelete,
      })
    }
  }
  return result
}
