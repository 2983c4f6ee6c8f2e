import type { GroupChange } from '../../orchestration/ports/drivers.ts'
import type { PortData, RemotePort } from '../../orchestration/ports/wire.ts'

interface FakePort {
  readonly id: string
  readonly groups: Set<string>
  readonly openPorts: readonly string[]
}

/** A network service in memory: one port for each container and network, found again by both. */
export class FakePorts {
  readonly #ports = new Map<string, FakePort>()
  /** What it says when a port is to be given back; undefined: it takes it. */
  refusal: Error | undefined

  bind(port: PortData, remote: RemotePort): PortData {
    const key = keyOf(port, remote)
    const made = this.#ports.get(key) ?? {
      id: `port of ${key}`,
      groups: new Set(remote.securityGroups),
      openPorts: remote.openPorts,
    }
    this.#ports.set(key, made)
    const subnetId = `subnet of ${port.networkId}`
    // The simulated engine wants each network to have another one.
    const net = `10.200.${(port.networkId.codePointAt(port.networkId.length - 1) ?? 0) % 256}`
    return {
      ...port,
      macAddress: 'fa:16:3e:00:00:01',
      subnets: [{ id: subnetId, cidr: `${net}.0/24`, gateway: `${net}.1`, version: 4 }],
      fixedIps: [{ address: `${net}.11`, version: 4, subnetId }],
      remote: {
        ...remote,
        portId: made.id,
        openGroup: remote.openPorts.length === 0 ? null : `group of ${remote.deviceId}`,
        mtu: 1450,
        plug: { kind: 'bridge', bridge: null, hybrid: false },
      },
    }
  }

  changeGroup(port: PortData, { kind, group }: GroupChange): void {
    const made = port.remote === undefined ? undefined : this.#ports.get(keyOf(port, port.remote))
    if (made === undefined) throw new Error(`there is no port on ${port.networkName}`)
    if (kind === 'add') made.groups.add(group)
    else made.groups.delete(group)
  }

  release(port: PortData): void {
    if (port.remote === undefined) return
    if (this.refusal !== undefined) throw this.refusal
    this.#ports.delete(keyOf(port, port.remote))
  }

  world(): string[] {
    return [...this.#ports.values()]
      .map(({ id, groups, openPorts }) => [id, ...[...groups].sort(), ...openPorts].join(', '))
      .sort()
  }
}

function keyOf({ networkId }: PortData, { deviceId }: RemotePort): string {
  return `${deviceId} on ${networkId}`
}
