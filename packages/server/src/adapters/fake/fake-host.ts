import { Retryable } from '../../domain/errors.ts'
import type { MountData, PortData } from '../../orchestration/ports/wire.ts'
import { FakePorts } from './fake-ports.ts'
import type { SimEngine } from './sim-engine.ts'

const MOUNT_ROOT = '/fake/volumes/'

/**
 * What a host holds for containers besides the engine, in memory: addresses in use, volumes with data, volumes mounted.
 * It outlives the agents that work on it, so that a test sees what a life has left behind, and it notes what must never
 * happen: something taken from a container that still uses it.
 */
export class FakeHost {
  readonly #addresses = new Set<string>()
  /** How often each volume with data was formatted: more than once means that data was lost. */
  readonly #volumes = new Map<string, number>()
  readonly #mounted = new Set<string>()
  readonly #violations: string[] = []
  /** Of another service. */
  readonly ports = new FakePorts()
  /** Of the services that volumes and ports are from: is it away? */
  isCloudAway: () => Promise<boolean> = async () => false

  /** Before something is given back to a service of the cloud. */
  async requireCloud(): Promise<void> {
    if (await this.isCloudAway()) throw new Retryable('openstack.away', 'the service does not answer')
  }

  takeAddresses(port: PortData): void {
    for (const ip of port.fixedIps) this.#addresses.add(`${port.networkId} ${ip.address}`)
  }

  giveAddresses(port: PortData, engine: SimEngine): void {
    for (const { address } of port.fixedIps) {
      const user = engine.liveContainers().find((c) => {
        const endpoint = c.endpoints.get(port.networkId)
        return endpoint?.ipv4Address === address || endpoint?.ipv6Address === address
      })
      if (user !== undefined) this.#violations.push(`address ${address} was released while ${user.uuid} runs with it`)
      this.#addresses.delete(`${port.networkId} ${address}`)
    }
  }

  mount(mount: MountData): string {
    const { volumeUuid } = mount
    if (!this.#volumes.has(volumeUuid)) this.#volumes.set(volumeUuid, 1)
    this.#mounted.add(volumeUuid)
    return `${MOUNT_ROOT}${volumeUuid}`
  }

  unmount(mount: MountData, destroy: boolean, engine: SimEngine): void {
    const { volumeUuid } = mount
    const source = `${MOUNT_ROOT}${volumeUuid}`
    const user = engine.liveContainers().find((c) => c.request.mounts.some((m) => m.source === source))
    if (user !== undefined) this.#violations.push(`volume ${volumeUuid} was unmounted while ${user.uuid} runs with it`)
    this.#mounted.delete(volumeUuid)
    if (destroy) this.#volumes.delete(volumeUuid)
  }

  /** For the engine's check of what it is to mount. */
  hasPath(path: string): boolean {
    return !path.startsWith(MOUNT_ROOT) || this.#mounted.has(path.slice(MOUNT_ROOT.length))
  }

  /** All that it holds, in an order that does not depend on history. */
  world() {
    return {
      addresses: [...this.#addresses].sort(),
      ports: this.ports.world(),
      volumes: [...this.#volumes.keys()].sort(),
      mounted: [...this.#mounted].sort(),
      violations: [...this.#violations],
    }
  }
}
