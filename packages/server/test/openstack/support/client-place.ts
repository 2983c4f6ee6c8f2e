/** The distribution's client against a service in the cloud. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClientPlace } from '../../client/place.ts'
import type { ApiClient } from '../../support/api-client.ts'
import { closeAll } from '../../support/close-all.ts'
import { until } from '../../support/until.ts'
import type { ZundProcess } from '../../support/zund-process.ts'
import { account } from './accounts.ts'
import type { CloudStage } from './cloud-stage.ts'
import type { CloudUser } from './cloud-user.ts'

const CLEAR_MS = 90_000

export interface Made {
  readonly id: string
}

export class CloudPlace implements ClientPlace {
  readonly cloud: CloudStage
  readonly clouds = { demo: 'demo', admin: 'admin' } as const
  readonly imageDriver = 'glance'
  readonly busybox = '--image-driver glance busybox'
  readonly usualAddresses = /^10\.20\.0\.\d+$/
  #undo: (() => Promise<unknown>)[] = []
  #subnets = 0

  constructor(cloud: CloudStage) {
    this.cloud = cloud
  }

  async open(): Promise<this> {
    const clouds = Object.values(this.clouds).map((name) => [name, entryOf(name, this.cloud.region.name)] as const)
    // What is JSON is YAML too.
    writeFileSync(this.cloudsYaml, JSON.stringify({ clouds: Object.fromEntries(clouds) }))
    return this
  }

  get cloudsYaml(): string {
    return join(this.zund.stateDir, 'clouds-of-users.yaml')
  }

  get zund(): ZundProcess {
    return this.cloud.zund
  }

  get demo(): ApiClient {
    return this.cloud.api()
  }

  get admin(): ApiClient {
    return this.cloud.api(this.cloud.admin)
  }

  /** Makes a resource of Neutron, which goes when the place is cleared. */
  async make<T extends Made>(path: string, fields: object, owner: CloudUser = this.cloud.demo): Promise<T> {
    const kind = path.slice(0, -1).replaceAll('-', '_')
    const body = await owner.post<Record<string, T>>('network', `/v2.0/${path}`, { [kind]: fields })
    const made = body[kind]
    if (made === undefined) throw new Error(`no ${kind}`)
    this.atClear(async () => owner.delete('network', `/v2.0/${path}/${made.id}`))
    return made
  }

  async network(name: string): Promise<string> {
    const { id } = await this.make('networks', { name })
    this.#subnets += 1
    // Without DHCP a port needs no other agent than that of its host.
    const usual = { network_id: id, enable_dhcp: false }
    for (const [ip_version, cidr] of [
      [4, `10.80.${this.#subnets}.0/24`],
      [6, `fd00:80:${this.#subnets}::/64`],
    ] as const) {
      const prefix = cidr.replace(/0?\/.*/, '')
      // So that the addresses after those that are given are free.
      const allocation_pools = [{ start: `${prefix}20`, end: `${prefix}60` }]
      await this.make('subnets', { ...usual, ip_version, cidr, allocation_pools })
    }
    return id
  }

  /** Is undone when the place is cleared, the last first, once no container is left. */
  atClear(undo: () => Promise<unknown>): void {
    this.#undo.push(undo)
  }

  /** So that the next tests find nothing of the earlier ones. */
  async clear(): Promise<void> {
    for (const kind of ['capsules', 'containers'] as const) {
      await until(`no ${kind} are left`, async () => (await this.#remove(kind)) === 0, CLEAR_MS)
    }
    await closeAll(...this.#undo.splice(0).toReversed())
  }

  /** It ends with the stage of the cloud. */
  async close(): Promise<void> {}

  async #remove(kind: 'capsules' | 'containers'): Promise<number> {
    const path = `/v1/${kind}`
    const query = 'all_projects=true'
    const found = await this.admin.expect<Record<string, { uuid: string }[]>>(200, 'GET', `${path}?${query}`)
    const rows = found[kind] ?? []
    for (const { uuid } of rows) {
      await this.admin.call('DELETE', `${path}/${uuid}?${query}${kind === 'containers' ? '&stop=true' : ''}`)
    }
    return rows.length
  }
}

function entryOf(name: 'demo' | 'admin', region: string): object {
  const { authUrl, username, password, project } = account(name)
  return {
    region_name: region,
    identity_api_version: 3,
    auth: {
      auth_url: authUrl,
      username,
      password,
      project_name: project,
      user_domain_name: 'Default',
      project_domain_name: 'Default',
    },
  }
}
