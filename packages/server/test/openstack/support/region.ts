/**
 * A region of the catalogue for one service under test. The others are in it as they are elsewhere, each behind a front
 * that can be cut; so nothing has to be stopped that others use.
 */
import { closeAll } from '../../support/close-all.ts'
import type { CloudUser, ServiceType } from './cloud-user.ts'
import { ServiceFront } from './service-front.ts'

/** What can be cut, and the types under which the catalogue has it. */
const FRONTS = {
  keystone: ['identity'],
  glance: ['image'],
  neutron: ['network'],
  cinder: ['volumev3', 'block-storage'],
  placement: ['placement'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type FrontName = keyof typeof FRONTS

interface Service {
  readonly id: string
  readonly type: string
}

interface Endpoint {
  readonly id: string
  readonly service_id: string
  readonly interface: string
  readonly region: string
  readonly url: string
}

const INTERFACES = ['public', 'internal', 'admin']

export class Region {
  readonly name: string
  readonly #admin: CloudUser
  readonly #fronts: ReadonlyMap<FrontName, ServiceFront>
  readonly #services: readonly Service[]

  private constructor(
    name: string,
    admin: CloudUser,
    fronts: ReadonlyMap<FrontName, ServiceFront>,
    services: readonly Service[],
  ) {
    this.name = name
    this.#admin = admin
    this.#fronts = fronts
    this.#services = services
  }

  static async open(admin: CloudUser, name: string): Promise<Region> {
    const { services } = await admin.get<{ services: Service[] }>('identity', '/services')
    const { endpoints } = await admin.get<{ endpoints: Endpoint[] }>('identity', '/endpoints')
    const usual = new Map<string, string>()
    for (const { id, type } of services) {
      const found = endpoints.find(
        (one) => one.service_id === id && one.interface === 'public' && one.region === admin.account.region,
      )
      if (found !== undefined) usual.set(type, found.url)
    }
    const fronts = new Map<FrontName, ServiceFront>()
    const names = Object.keys(FRONTS) as FrontName[]
    for (const front of names) {
      const [type] = FRONTS[front]
      const target = type === 'identity' ? admin.account.authUrl : usual.get(type)
      if (target === undefined) throw new Error(`the catalogue has no ${type}`)
      fronts.set(front, await ServiceFront.open(target.replaceAll(/[%$][{(].*$/g, '')))
    }
    const region = new Region(name, admin, fronts, services)
    try {
      await region.#announceAll(usual)
    } catch (error) {
      await region.close().catch((more: unknown) => console.error(more))
      throw error
    }
    return region
  }

  async #announceAll(usual: ReadonlyMap<string, string>): Promise<void> {
    await this.#admin.post('identity', '/regions', { region: { id: this.name } })
    for (const [name, front] of this.#fronts) {
      for (const type of FRONTS[name]) {
        // Services that name no region would take Keystone from here as well. The one under test knows where it is.
        if (type === 'identity') continue
        const url = usual.get(type)
        if (url !== undefined) await this.#announce(type, front.urlOf(url))
      }
    }
  }

  front(name: FrontName): ServiceFront {
    const front = this.#fronts.get(name)
    if (front === undefined) throw new Error(`no front before ${name}`)
    return front
  }

  /** Of the identity service, with /v3, through its front. */
  get authUrl(): string {
    return this.front('keystone').urlOf(this.#admin.account.authUrl)
  }

  /** The service under test. */
  async announceContainers(url: string): Promise<void> {
    await this.#announce('container', url)
  }

  restoreAll(): void {
    for (const front of this.#fronts.values()) front.restore()
  }

  async close(): Promise<void> {
    await closeAll(() => this.#forget(), ...[...this.#fronts.values()].map((front) => async () => front.close()))
  }

  async #forget(): Promise<void> {
    const { endpoints } = await this.#admin.get<{ endpoints: Endpoint[] }>(
      'identity',
      `/endpoints?region_id=${this.name}`,
    )
    for (const { id } of endpoints) await this.#admin.delete('identity', `/endpoints/${id}`)
    await this.#admin.delete('identity', `/regions/${this.name}`)
  }

  async #announce(type: ServiceType | 'block-storage', url: string): Promise<void> {
    const service = this.#services.find((one) => one.type === type)
    if (service === undefined) throw new Error(`the catalogue has no ${type}`)
    for (const kind of INTERFACES) {
      const endpoint = { service_id: service.id, interface: kind, url, region_id: this.name }
      await this.#admin.post('identity', '/endpoints', { endpoint })
    }
  }
}
